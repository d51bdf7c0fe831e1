//! A person's decision on one exact patch.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    digest::Digest,
    ids::{ProposalId, RecordId},
};

/// What the person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Promote exactly this patch against exactly these base values.
    Approved,
    /// Do not.
    Rejected,
}

/// A decision as the platform reported it, bound to the patch and the base it was given for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The proposal that the person saw (`AI_Decision_Proposal_ID__c`).
    pub proposal_id: ProposalId,
    /// The decision.
    pub decision: Decision,
    /// The Salesforce user who decided, from the platform and never from a payload.
    pub decided_by: RecordId,
    /// When, from the platform.
    pub decided_at: Timestamp,
    /// [`super::Proposal::patch_digest`] at the time when the decision was observed.
    pub patch_digest: Digest,
    /// The person's words; data, never instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
}
