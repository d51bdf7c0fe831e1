//! What formulas of rules and flows look up in the org.

use super::super::{
    formula::Blanks,
    model::{FieldKind, Row},
    org::Org,
    settings::BlankNumbers,
    state::State,
};
use crate::domain::FieldValue;

/// A field of a custom metadata record: type, record, field. Null when it is not there.
pub(in crate::simulator) fn custom_metadata(
    org: &Org,
    state: &State,
    (metadata_type, record, field): (&str, &str, &str),
) -> FieldValue {
    let Some(object) = org.object(metadata_type) else { return FieldValue::Null };
    let Some(table) = state.table(&object.name) else { return FieldValue::Null };
    let named = |row: &Row| row.get("DeveloperName").and_then(FieldValue::as_text) == Some(record);
    let row = table.rows(false).into_iter().find(|row| named(row));
    let value = row.and_then(|row| row.get(field).cloned());
    match (value, object.field(field).map(|field| &field.kind)) {
        (None, Some(FieldKind::Checkbox(_))) => FieldValue::Bool(false),
        (value, _) => value.unwrap_or_default(),
    }
}

/// A field of a user.
pub(in crate::simulator) fn user(state: &State, user_id: &str, field: &str) -> FieldValue {
    let row = state.table("User").and_then(|table| table.live(user_id));
    row.and_then(|row| row.get(field).cloned()).unwrap_or_default()
}

/// How blank numbers behave in this org.
pub(in crate::simulator) fn blanks(org: &Org) -> Blanks {
    match org.settings().blank_numbers {
        BlankNumbers::AsNull => Blanks::AsNull,
        BlankNumbers::AsZero => Blanks::AsZero,
    }
}
