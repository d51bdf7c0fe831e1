//! Rows as REST prints them: attributes, readable fields, compound addresses.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{call::Call, context::Context};
use crate::{
    domain::FieldValue,
    simulator::model::{FieldDef, FieldKind, ObjectDef, Row},
};

/// Parts of an address: key in the compound value, end of the field name.
const ADDRESS_PARTS: &[(&str, &str)] = &[
    ("city", "City"),
    ("country", "Country"),
    ("geocodeAccuracy", "GeocodeAccuracy"),
    ("latitude", "Latitude"),
    ("longitude", "Longitude"),
    ("postalCode", "PostalCode"),
    ("state", "State"),
    ("street", "Street"),
];

/// The row with these fields, or with all that the user may read.
pub(super) fn row(
    context: &Context,
    call: &Call,
    object: &ObjectDef,
    row: &Row,
    only: Option<&[&FieldDef]>,
) -> Value {
    let mut json = Map::new();
    let id = row.get("Id").and_then(FieldValue::as_text).unwrap_or_default();
    json.insert("attributes".to_owned(), attributes(call, &object.name, id));
    let readable = |field: &&FieldDef| context.user.can_read_field(&object.name, &field.name);
    match only {
        Some(fields) => {
            // The id is always there, as in a real org.
            json.insert("Id".to_owned(), Value::String(id.to_owned()));
            json.extend(fields.iter().map(|field| (field.name.clone(), value(row, field))));
        }
        None => {
            let fields = object.fields.iter().filter(readable);
            json.extend(fields.map(|field| (field.name.clone(), value(row, field))));
        }
    }
    Value::Object(json)
}

/// `{"type":"Lead","url":"/services/data/v67.0/sobjects/Lead/00Q.."}`
pub(super) fn attributes(call: &Call, object: &str, id: &str) -> Value {
    json!({ "type": object, "url": format!("{}/sobjects/{object}/{id}", call.base()) })
}

fn value(row: &Row, field: &FieldDef) -> Value {
    if let FieldKind::Formatted("address", _) = field.kind {
        return address(row, field.name.trim_end_matches("Address"));
    }
    match (row.get(&field.name), &field.kind) {
        (Some(value), _) if !value.is_null() => value.to_json(),
        // A checkbox is never null.
        (_, FieldKind::Checkbox(_)) => Value::Bool(false),
        _ => Value::Null,
    }
}

fn address(row: &Row, prefix: &str) -> Value {
    let part = |suffix: &str| row.get(&format!("{prefix}{suffix}")).map_or(Value::Null, FieldValue::to_json);
    let parts: Map<String, Value> =
        ADDRESS_PARTS.iter().map(|(key, suffix)| ((*key).to_owned(), part(suffix))).collect();
    if parts.values().all(Value::is_null) { Value::Null } else { Value::Object(parts) }
}

/// When the row was last modified, for conditional requests.
pub(super) fn last_modified(row: &Row) -> Option<Timestamp> {
    ["LastModifiedDate", "SystemModstamp"].iter().find_map(|name| row.get(*name)?.as_timestamp())
}
