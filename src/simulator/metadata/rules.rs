//! Validation rules, and custom metadata types with their records.

use std::sync::Arc;

use super::{
    super::{
        formula::Formula,
        model::{FieldKind, Row},
    },
    MetadataRecord, Package, ValidationRule,
    names::ObjectNames,
    xml::{Draft, Element, NIL},
};
use crate::domain::FieldValue;

/// A validation rule of `object`; `None` when its formula does not compile.
pub(super) fn validation_rule(
    at: &mut Draft,
    root: &Element,
    package: &Package,
    object: &str,
) -> Option<ValidationRule> {
    let name = at.required(root, "fullName");
    at.api_name(&name);
    at.required(root, "active");
    at.limited(root, "description", 255);
    at.limited(root, "errorMessage", 255);
    let error_field = root.text("errorDisplayField").map(str::to_owned);
    if let Some(field) = &error_field
        && package.find_field(object, field).is_none()
    {
        at.wrong(format!("errorDisplayField: field {field} does not exist"));
    }
    let active = at.flag(root, "active");
    let message = at.required(root, "errorMessage");
    let formula = at.required(root, "errorConditionFormula");
    match Formula::compile(&formula, &ObjectNames { package, object }) {
        Ok(compiled) => {
            Some(ValidationRule { name, active, formula, compiled: Arc::new(compiled), message, error_field })
        }
        Err(error) => {
            at.wrong(format!("Error in formula: {error}"));
            None
        }
    }
}

/// The label of a custom metadata type or custom object.
pub(super) fn custom_object(at: &mut Draft, root: &Element) -> String {
    let name = at.name.clone();
    at.api_name(&name);
    if name.ends_with("__c") {
        // Without these a deploy of a new object fails.
        at.required(root, "deploymentStatus");
        at.required(root, "sharingModel");
        if root.first("nameField").and_then(|field| field.text("type")) != Some("Text") {
            at.wrong("The simulated org supports custom objects with a name of type Text only");
        }
    } else if !name.ends_with("__mdt") {
        at.wrong(
            "Only custom objects and metadata types are supported by the simulated org, no other objects",
        );
    }
    at.label(root, "pluralLabel");
    at.label(root, "label")
}

/// A custom metadata record.
pub(super) fn record(at: &mut Draft, root: &Element, package: &Package) -> Option<MetadataRecord> {
    at.flag(root, "protected");
    let label = at.label(root, "label");
    let Some((type_name, developer_name)) = at.name.split_once('.') else {
        at.wrong("The file is named Type.Record.md-meta.xml");
        return None;
    };
    let (type_name, developer_name) = (format!("{type_name}__mdt"), developer_name.to_owned());
    at.api_name(&developer_name);
    let Some(object) = package.metadata_types.get(&type_name) else {
        at.wrong(format!("no CustomObject named {type_name} found"));
        return None;
    };
    let mut values = Row::new();
    for field in &object.fields {
        if let FieldKind::Checkbox(default) = field.kind {
            values.insert(field.name.clone(), FieldValue::Bool(default));
        }
    }
    for entry in root.all("values") {
        let name = at.required(entry, "field");
        let Some(field) = object.fields.iter().find(|field| field.name == name) else {
            at.wrong(format!("no CustomField named {type_name}.{name} found"));
            continue;
        };
        let Some(value) = entry.first("value") else {
            at.wrong("Required field is missing: value");
            continue;
        };
        if value.value_type.as_deref() == Some(NIL) {
            continue;
        }
        match typed(value, &field.kind) {
            Some(value) => values.insert(name, value),
            None => {
                at.wrong(format!(
                    "{name}: the value '{}' does not fit the field or its xsi:type",
                    value.text
                ));
                None
            }
        };
    }
    Some(MetadataRecord { type_name, developer_name, label, values })
}

fn typed(value: &Element, kind: &FieldKind) -> Option<FieldValue> {
    let text = value.text.as_str();
    match (kind, value.value_type.as_deref()) {
        (FieldKind::Checkbox(_), Some("xsd:boolean")) => text.parse().ok().map(FieldValue::Bool),
        (FieldKind::Text(length), Some("xsd:string")) => {
            (text.chars().count() <= usize::try_from(*length).ok()?).then(|| FieldValue::text(text))
        }
        (FieldKind::Number(..), Some("xsd:double" | "xsd:int")) => text.parse().ok().map(FieldValue::decimal),
        (FieldKind::Date, Some("xsd:date")) => text.parse().ok().map(FieldValue::Date),
        _ => None,
    }
}
