//! An older or other ledger put in place of the one that checkpoints speak of, and accepted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::promotion::number_as_text;

/// What people accepted, and what is lost by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Entries up to the last checkpoint that the ledger meets; 0 when it meets none.
    #[serde(with = "number_as_text")]
    pub agreed: u64,
    /// Entries that the last checkpoint covers. Checkpoints between the two are set aside.
    #[serde(with = "number_as_text")]
    pub lost: u64,
    /// The head of the tree that the last checkpoint names, base64.
    pub root: String,
    /// Who accepted it, as told on the command line.
    pub by: String,
    /// Why, in words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}
