//! One row of a write, and what became of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::GateRule;
use crate::domain::{ObjectName, RecordId};

/// One record's new values in Salesforce's field names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowWrite {
    /// Object API name.
    pub object: ObjectName,
    /// Record id.
    pub record: RecordId,
    /// Field API name to JSON value; null empties a field.
    pub fields: BTreeMap<String, Value>,
}

/// A new record's values in Salesforce's field names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// Object API name.
    pub object: ObjectName,
    /// Field API name to JSON value.
    pub fields: BTreeMap<String, Value>,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    /// Salesforce says that it is saved.
    Done,
    /// Salesforce refused it for good.
    Refused {
        /// Salesforce's code, or `AI_GATE_nn` when one of our rules refused it.
        code: String,
        /// Salesforce's text, as data.
        message: String,
        /// The rule of ours that refused it.
        rule: Option<GateRule>,
    },
    /// Our compare-and-set rules refused it: number or value had moved (`AI_GATE_04`, `AI_GATE_05`).
    RaceLost {
        /// `AI_GATE_04` or `AI_GATE_05`.
        code: String,
        /// The rule's text.
        message: String,
    },
    /// Provably not applied; worth sending again soon (locked row, too many calls at once).
    Retry {
        /// Salesforce's code.
        code: String,
    },
    /// Provably not applied, and sending again at once would not help (no connection, no good
    /// token, daily limit, maintenance).
    NotSent {
        /// Salesforce's code or ours.
        code: String,
    },
    /// The record is deleted or not visible.
    Gone {
        /// Salesforce's code.
        code: String,
    },
    /// Nobody knows: only reading the record's mark settles it.
    Unknown {
        /// What was seen instead of an answer.
        reason: String,
    },
}
