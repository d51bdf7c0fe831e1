//! Values, types and connectors of flow files.

use super::super::{
    super::{
        formula::{FieldKind, Type},
        metadata::{Draft, Element},
    },
    def::{Kind, Operand, Template},
};
use crate::domain::{FieldValue, value::parse_moment};

/// The value in the child `name`: a constant, a text with references, or a reference.
pub(super) fn operand(at: &mut Draft, parent: &Element, name: &str) -> Operand {
    let Some(value) = parent.first(name) else {
        at.wrong(format!("Required field is missing: {name}"));
        return Operand::NONE;
    };
    let [child] = value.children.as_slice() else {
        at.wrong(format!("Exactly one value must stand in {name}"));
        return Operand::NONE;
    };
    let text = child.text.as_str();
    let constant = match child.name.as_str() {
        "elementReference" => return Operand::Reference(text.to_owned()),
        "stringValue" if text.contains("{!") => return Operand::Text(Template::parse(text)),
        "stringValue" => Some(FieldValue::text(text)),
        "numberValue" => text.parse().ok().map(FieldValue::decimal),
        "booleanValue" => text.parse().ok().map(FieldValue::Bool),
        "dateValue" => text.parse().ok().map(FieldValue::Date),
        "dateTimeValue" => parse_moment(text).map(FieldValue::DateTime),
        other => {
            at.wrong(format!("Element {other} invalid at this location in type FlowElementReferenceOrValue"));
            return Operand::NONE;
        }
    };
    Operand::Constant(constant.unwrap_or_else(|| {
        at.wrong(format!("'{text}' is not a valid value for the type {}", child.name));
        FieldValue::Null
    }))
}

/// `targetReference` of a connector.
pub(super) fn connector(at: &mut Draft, parent: &Element, name: &str) -> Option<String> {
    let connector = parent.first(name)?;
    only(at, connector, &["targetReference", "isGoTo"], &[]);
    at.flag(connector, "isGoTo");
    Some(at.required(connector, "targetReference"))
}

/// The `dataType` of something that holds one value.
pub(super) fn scalar_kind(at: &mut Draft, parent: &Element) -> Option<FieldKind> {
    let text = at.required(parent, "dataType");
    let kind = match text.as_str() {
        "String" => FieldKind::Plain(Type::Text),
        "Number" | "Currency" => FieldKind::Plain(Type::Number),
        "Boolean" => FieldKind::Plain(Type::Bool),
        "Date" => FieldKind::Plain(Type::Date),
        "DateTime" => FieldKind::Plain(Type::DateTime),
        "Picklist" => FieldKind::Picklist(None),
        "Multipicklist" => FieldKind::MultiPicklist(None),
        other => {
            at.wrong(format!("The simulated org does not support the dataType '{other}' here"));
            return None;
        }
    };
    if parent.text("scale").is_some() {
        at.number(parent, "scale", 0..=17);
    }
    Some(kind)
}

/// The `dataType` of a variable, which may be a record or a collection.
pub(super) fn variable_kind(at: &mut Draft, parent: &Element) -> Option<Kind> {
    let one = if parent.text("dataType") == Some("SObject") {
        Kind::Record(at.required(parent, "objectType"))
    } else {
        Kind::Scalar(scalar_kind(at, parent)?)
    };
    Some(if at.flag(parent, "isCollection") { Kind::List(Box::new(one)) } else { one })
}

/// Names inside flows: letters, digits and single underscores, at most 80.
pub(super) fn api_name(at: &mut Draft, name: &str) {
    let letters = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let start = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if !name.is_empty()
        && (!letters || !start || name.ends_with('_') || name.contains("__") || name.len() > 80)
    {
        at.wrong(format!("The name {name} is not a valid API name"));
    }
}

/// What the simulated org does not run is no part of a flow that deploys. The schema has
/// been checked before: these are the elements that exist and are not built here.
pub(super) fn only(at: &mut Draft, parent: &Element, single: &[&str], repeated: &[&str]) {
    for child in &parent.children {
        let name = child.name.as_str();
        if !single.contains(&name) && !repeated.contains(&name) {
            at.wrong_at(child.place, format!("The simulated org does not support {name} in {}", parent.name));
        }
    }
}
