//! One decoded event, owned, in the words of the rest of the program.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::FieldValue;

use super::{
    decoder::{ChangeEvent, EventDecoder},
    error::ChangeEventError,
    header::ChangeType,
    values,
};

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Object API name.
    pub object: String,
    /// As sent: usually one 18-character id; may hold a wildcard (`001*`) or, on overflow, a dummy.
    pub record_ids: Vec<String>,
    /// What happened.
    pub change_type: ChangeType,
    /// Where it came from.
    pub origin: String,
    /// The client id within the origin.
    pub client: Option<String>,
    /// Shared by all changes of the transaction.
    pub transaction_key: String,
    /// From 1 within the transaction.
    pub sequence: i32,
    /// When it was committed; the epoch when the number is no moment.
    pub committed_at: Timestamp,
    /// System change number.
    pub commit_number: i64,
    /// Who committed.
    pub user_id: String,
    /// Changed fields, components as `Parent.Component`; on updates only.
    pub changed_fields: Vec<String>,
    /// Emptied fields.
    pub nulled_fields: Vec<String>,
    /// Fields whose value is a text diff.
    pub diff_fields: Vec<String>,
    /// Values: what is not null, and null where a changed or emptied field has none.
    pub values: BTreeMap<String, FieldValue>,
}

impl EventDecoder {
    /// Decodes a payload into its owned form.
    pub fn change(&self, payload: &[u8]) -> Result<Change, ChangeEventError> {
        let event = self.decode(payload)?;
        if let Some(field) = self.retyped() {
            let (entity, field) = (event.header.entity.to_owned(), field.to_owned());
            return Err(ChangeEventError::FieldRetyped { entity, field });
        }
        self.owned(&event)
    }

    fn owned(&self, event: &ChangeEvent<'_>) -> Result<Change, ChangeEventError> {
        let header = &event.header;
        let changed_fields = self.changed_fields(header)?;
        let nulled_fields = self.nulled_fields(header)?;
        let mut found = BTreeMap::new();
        for (position, value) in &event.values {
            values::add(&mut found, &self.fields()[*position], value);
        }
        let compound = |name: &str| self.fields().iter().any(|f| f.name == name && !f.components.is_empty());
        for name in changed_fields.iter().chain(&nulled_fields).filter(|name| !compound(name)) {
            found.entry(name.clone()).or_default();
        }
        Ok(Change {
            object: header.entity.to_owned(),
            record_ids: header.record_ids.iter().map(|id| (*id).to_owned()).collect(),
            change_type: header.change_type,
            origin: header.change_origin.to_owned(),
            client: header.client().map(str::to_owned),
            transaction_key: header.transaction_key.to_owned(),
            sequence: header.sequence_number,
            committed_at: Timestamp::from_millisecond(header.commit_timestamp)
                .unwrap_or(Timestamp::UNIX_EPOCH),
            commit_number: header.commit_number,
            user_id: header.commit_user.to_owned(),
            diff_fields: self.diff_fields(header)?,
            changed_fields,
            nulled_fields,
            values: found,
        })
    }
}
