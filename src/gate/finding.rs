//! Findings: stable codes with words for people.

use serde::{Deserialize, Serialize};

/// Every code that the gate can answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    /// Placeholder until the checks land.
    FieldNotAllowed,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable code.
    pub code: FindingCode,
    /// The field it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<crate::domain::FieldName>,
    /// What was found, in words.
    pub message: String,
    /// What would have changed the outcome.
    pub would_change: String,
}
