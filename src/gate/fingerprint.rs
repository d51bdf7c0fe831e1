//! The digest of what the org says about the proposed fields.

use serde::Serialize;
use serde_json::Value;

use crate::domain::{CanonicalError, Digest, FieldName, FieldSchema, ObjectName, ObjectSchema};

#[derive(Serialize)]
struct Bound<'a> {
    object: &'a ObjectName,
    fields: Vec<(&'a FieldName, Option<&'a FieldSchema>, bool)>,
}

/// The digest of the facts about `fields`: no other field's facts can reach the verdict.
pub fn schema<'a>(
    schema: &ObjectSchema,
    fields: impl Iterator<Item = &'a FieldName>,
) -> Result<Digest, CanonicalError> {
    let facts = |field| (field, schema.fields.get(field), schema.auto_allowed.contains(field));
    let bound = Bound { object: &schema.object, fields: fields.map(facts).collect() };
    let json = serde_json::to_value(&bound).map_err(|error| CanonicalError::Json(error.to_string()))?;
    Digest::of(&numbers_as_text(json))
}

/// Lengths and digit counts are numbers, and canonical JSON holds none.
fn numbers_as_text(json: Value) -> Value {
    match json {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(items) => Value::Array(items.into_iter().map(numbers_as_text).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (key, numbers_as_text(value))).collect())
        }
        other => other,
    }
}
