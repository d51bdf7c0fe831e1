//! A record that does not exist yet: what a proposal asks to be made, and what its promotion makes.
//!
//! The record is made below another one, its parent (a task below a lead). Until it exists it has no
//! id, so the proposal and its promotion carry the parent's.

use serde::{Deserialize, Serialize};

use super::{
    ids::{FieldName, ObjectName},
    value::FieldValue,
};

/// That a proposal asks for a new record, and which rule of the policy it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Creation {
    /// Name of the policy's `[[create]]` rule.
    pub rule: String,
    /// Object of the parent; the proposal's record is the parent's id.
    pub parent: ObjectName,
}

/// What a promotion does with a record that countersign makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Making {
    /// Makes it. The plan's record is the parent's id, and the new record carries the proposal's id
    /// in a unique field, so that a second copy of the request makes nothing.
    Create {
        /// Name of the policy's rule.
        rule: String,
        /// Object of the parent.
        parent: ObjectName,
        /// How it is cancelled, should it be rolled back.
        cancel: Cancel,
    },
    /// Cancels it, as a rollback does. The plan's record is the record that was made.
    Cancel,
}

/// How a made record is cancelled. Nothing is ever deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Field that tells it, for example `Status`.
    pub field: FieldName,
    /// Its value then, for example `Deferred`.
    pub value: String,
}

impl Cancel {
    /// The value as a field holds it.
    pub fn field_value(&self) -> FieldValue {
        FieldValue::text(self.value.clone())
    }
}
