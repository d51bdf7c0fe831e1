//! The digest of what the org says about the proposed fields.

use serde::Serialize;

use crate::domain::{CanonicalError, Digest, FieldName, FieldSchema, ObjectName, ObjectSchema};

#[derive(Serialize)]
struct Bound<'a> {
    fields: Vec<(&'a FieldName, Option<&'a FieldSchema>, bool)>,
    object: &'a ObjectName,
}

/// The digest of the facts about `fields`: no other field's facts can reach the verdict.
pub fn schema<'a>(
    schema: &ObjectSchema,
    fields: impl Iterator<Item = &'a FieldName>,
) -> Result<Digest, CanonicalError> {
    let facts = |field| (field, schema.fields.get(field), schema.auto_allowed.contains(field));
    let bound = Bound { object: &schema.object, fields: fields.map(facts).collect() };
    Digest::of(&bound)
}
