//! The digest of what the org says about the proposed fields.

use serde::Serialize;

use super::input::Input;
use crate::domain::{
    CanonicalError, Digest, FieldName, FieldSchema, ObjectName, ObjectSchema, RecordId, RecordTypeSchema,
};

#[derive(Serialize)]
struct Bound<'a> {
    fields: Vec<(&'a FieldName, Option<&'a FieldSchema>, bool)>,
    object: &'a ObjectName,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_type: Option<(&'a RecordId, &'a RecordTypeSchema)>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    required: &'a [FieldName],
}

/// The digest of the facts about `fields`, of what the org asks of a record that is to be made, and
/// of the record's own type: no other facts can reach the verdict.
pub fn schema<'a>(
    schema: &ObjectSchema,
    fields: impl Iterator<Item = &'a FieldName>,
    input: &Input<'_>,
) -> Result<Digest, CanonicalError> {
    let facts = |field| (field, schema.fields.get(field), schema.auto_allowed.contains(field));
    let own = input.record.record_type.as_ref().filter(|_| !input.makes());
    let bound = Bound {
        object: &schema.object,
        fields: fields.map(facts).collect(),
        required: if input.makes() { &schema.required } else { &[] },
        record_type: own.and_then(|id| schema.record_types.get_key_value(id)),
    };
    Digest::of(&bound)
}
