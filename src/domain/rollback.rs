//! A rollback of many promotions: which were chosen, who asked for it and why, what was shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    digest::Digest,
    ids::{FieldName, ObjectName, PromotionId, ProposalId, RecordId},
};

/// Which promotions are meant. All conditions that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Choice {
    /// The promotion of this proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalId>,
    /// Proposed by this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Proposed in this run or workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Judged under the policy of this name or digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The verdict had a finding with this code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// On this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<(ObjectName, RecordId)>,
    /// It changed this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<(ObjectName, FieldName)>,
    /// Intended at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Intended before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Choice {
    /// Whether nothing was asked for, which would mean everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What was shown of one promotion: the fields that go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackStep {
    /// The promotion that is undone.
    pub promotion: PromotionId,
    /// Its fields that go back.
    pub fields: Vec<FieldName>,
}

/// A rollback that was begun. Nothing but its steps may be written under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// Digest of the manifest that was shown.
    pub id: Digest,
    /// When it was begun.
    pub at: Timestamp,
    /// Who asked for it, as told on the command line.
    pub by: String,
    /// Why, in a person's words.
    pub reason: String,
    /// What was asked for.
    pub chosen: Choice,
    /// What was shown.
    pub steps: Vec<RollbackStep>,
    /// Promotions of which something was to stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spared: Vec<PromotionId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_empty_when_nothing_was_asked_for() {
        assert!(Choice::default().is_empty());
        assert!(!Choice { agent: Some("nightly-enricher".to_owned()), ..Choice::default() }.is_empty());
    }
}
