//! What a decision rested on, as the ledger keeps it, so that it can be made again.
//!
//! The proposal, the policy and the description of the object are kept elsewhere in the ledger;
//! the last two under their digests. A decision that is made again from all of it has the same bytes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::input::{History, Input, Rules};
use crate::domain::{Approval, Digest, ObjectSchema, Proposal, RecordSnapshot};

/// The parts of an [`Input`] that no other entry holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The record as it was read.
    pub record: RecordSnapshot,
    /// The decision on it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What the ledger knew besides.
    pub history: History,
    /// Digest of the description of the object; `None` when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Digest>,
    /// The time of the decision.
    pub now: Timestamp,
}

impl Recorded {
    /// Takes down an input. `schema` is the digest of its description.
    pub fn of(input: &Input<'_>, schema: Option<&Digest>) -> Self {
        Self {
            record: input.record.clone(),
            approval: input.approval.cloned(),
            history: input.history.clone(),
            schema: schema.cloned(),
            now: input.now,
        }
    }

    /// The input again, or one with other rules.
    pub fn input<'a>(
        &'a self,
        proposal: &'a Proposal,
        schema: Option<&'a ObjectSchema>,
        rules: &'a Rules,
    ) -> Input<'a> {
        Input {
            proposal,
            record: &self.record,
            approval: self.approval.as_ref(),
            history: &self.history,
            schema,
            rules,
            now: self.now,
        }
    }
}
