//! Evidence: what a proposal rests on. Told by the proposer, kept as data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What kind of signal, for example `reply`, `meeting`, `form`.
    pub kind: String,
    /// The system that saw it, for example `mailbox`.
    pub source: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Where a person can look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// SHA-256 of the evidence itself, when it is kept elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}
