//! Custom fields and value sets.

use std::collections::BTreeMap;

use super::{
    super::model::{FieldDef, FieldKind, PicklistValue, Restricted},
    super::schema,
    xml::{Draft, Element},
};

/// Global value sets by name.
pub(super) type ValueSets = BTreeMap<String, Vec<PicklistValue>>;

/// Data sensitivity levels that come with every org.
const CLASSIFICATIONS: &[&str] = &["Public", "Internal", "Confidential", "Restricted", "MissionCritical"];

/// A custom field of an object.
pub(super) fn custom_field(at: &mut Draft, root: &Element, sets: &ValueSets) -> FieldDef {
    let name = at.required(root, "fullName");
    at.api_name(&name);
    if !name.ends_with("__c") {
        at.wrong("The name of a custom field ends in __c");
    }
    at.limited(root, "description", 1_000);
    at.limited(root, "inlineHelpText", 510);
    at.word(root, "securityClassification", CLASSIFICATIONS);
    for element in ["formula", "lookupFilter", "summaryOperation"] {
        if root.first(element).is_some() {
            at.wrong(format!("Fields with a {element} are not supported by the simulated org"));
        }
    }
    let required = at.flag(root, "required");
    let kind = kind(at, root, sets);
    let external_id = at.flag(root, "externalId");
    if external_id && !matches!(kind, FieldKind::Text(_) | FieldKind::Number(..) | FieldKind::Formatted(..)) {
        at.wrong("externalId: only text, number and e-mail fields can be external ids");
    }
    FieldDef {
        label: at.label(root, "label"),
        nillable: !required && !matches!(kind, FieldKind::Checkbox(_)),
        kind,
        name,
        custom_id: None,
        createable: true,
        updateable: true,
        has_fls: !required,
        external_id,
        unique: at.flag(root, "unique"),
        in_change_events: true,
    }
}

fn kind(at: &mut Draft, root: &Element, sets: &ValueSets) -> FieldKind {
    let kind = at.required(root, "type");
    match kind.as_str() {
        "Text" => FieldKind::Text(at.number(root, "length", 1..=255)),
        "TextArea" => FieldKind::LongText(255),
        "LongTextArea" => {
            at.number(root, "visibleLines", 2..=50);
            FieldKind::LongText(at.number(root, "length", 256..=131_072))
        }
        "Email" => FieldKind::Formatted("email", 80),
        "Phone" => FieldKind::Formatted("phone", 40),
        "Url" => FieldKind::Formatted("url", 255),
        "Number" => number(at, root, "double"),
        "Currency" => number(at, root, "currency"),
        "Percent" => number(at, root, "percent"),
        "Date" => FieldKind::Date,
        "DateTime" => FieldKind::DateTime,
        "Checkbox" => {
            at.required(root, "defaultValue");
            FieldKind::Checkbox(at.flag(root, "defaultValue"))
        }
        "Picklist" => {
            let (values, restricted) = value_set(at, root, sets);
            FieldKind::Picklist(values, restricted)
        }
        "MultiselectPicklist" => {
            at.number(root, "visibleLines", 3..=10);
            FieldKind::MultiPicklist(value_set(at, root, sets).0)
        }
        "Lookup" => {
            at.required(root, "relationshipName");
            let target = at.required(root, "referenceTo");
            if schema::standard_object(&target).is_none() {
                at.wrong(format!("In field: referenceTo - no CustomObject named {target} found"));
            }
            let name = at.required(root, "fullName");
            let relation = name.strip_suffix("__c").map(|bare| format!("{bare}__r"));
            FieldKind::Reference(vec![target], relation)
        }
        other => {
            at.wrong(format!("Field type {other} is not supported by the simulated org"));
            FieldKind::Text(255)
        }
    }
}

fn number(at: &mut Draft, root: &Element, rest_type: &'static str) -> FieldKind {
    let precision = at.number(root, "precision", 1..=18);
    let scale = at.number(root, "scale", 0..=17);
    if scale > precision {
        at.wrong(format!("scale {scale} is larger than precision {precision}"));
    }
    FieldKind::Number(rest_type, precision, scale)
}

fn value_set(at: &mut Draft, root: &Element, sets: &ValueSets) -> (Vec<PicklistValue>, Restricted) {
    let Some(set) = root.first("valueSet") else {
        at.wrong("Required field is missing: valueSet");
        return (Vec::new(), Restricted::No);
    };
    let restricted = if at.flag(set, "restricted") { Restricted::Yes } else { Restricted::No };
    let values = match (set.text("valueSetName"), set.first("valueSetDefinition")) {
        (Some(name), None) => sets.get(name).cloned().unwrap_or_else(|| {
            at.wrong(format!("no GlobalValueSet named {name} found"));
            Vec::new()
        }),
        (None, Some(definition)) => values(at, definition, "value"),
        _ => {
            at.wrong("A picklist has either a valueSetName or a valueSetDefinition");
            Vec::new()
        }
    };
    (values, restricted)
}

/// The values of a list: `customValue` in global sets, `value` in a field.
pub(super) fn values(at: &mut Draft, parent: &Element, element: &str) -> Vec<PicklistValue> {
    let mut values: Vec<PicklistValue> = Vec::new();
    for entry in parent.all(element) {
        let value = at.required(entry, "fullName");
        if values.iter().any(|other| other.value == value) {
            at.wrong(format!("Duplicate value: {value}"));
        }
        let active = entry.text("isActive").is_none() || at.flag(entry, "isActive");
        let default = at.flag(entry, "default");
        let label = entry.text("label").unwrap_or(&value).to_owned();
        values.push(PicklistValue { value, label, active, default });
    }
    if values.iter().filter(|value| value.default).count() > 1 {
        at.wrong("More than one value is the default");
    }
    values
}

/// Sets of standard picklists that can be deployed here, with the fields that take them.
pub(in crate::simulator) const STANDARD_SETS: &[(&str, &[(&str, &str)])] = &[
    ("LeadStatus", &[("Lead", "Status")]),
    ("OpportunityStage", &[("Opportunity", "StageName")]),
    ("LeadSource", &[("Lead", "LeadSource"), ("Opportunity", "LeadSource")]),
];

/// The values of a standard picklist. What a set leaves out is not offered any more; the rows of the
/// status and stage tables stay as they are.
pub(super) fn standard_value_set(at: &mut Draft, root: &Element) -> Vec<PicklistValue> {
    if !STANDARD_SETS.iter().any(|(name, _)| *name == at.name) {
        at.wrong(format!("The standard value set {} is not supported by the simulated org", at.name));
    }
    at.flag(root, "sorted");
    values(at, root, "standardValue")
}

/// A global value set.
pub(super) fn global_value_set(at: &mut Draft, root: &Element) -> Vec<PicklistValue> {
    at.label(root, "masterLabel");
    at.flag(root, "sorted");
    values(at, root, "customValue")
}
