//! Erasure: private parts of entries that are gone for good, and what stands in their place, so that
//! the rest can still be read.
//!
//! The entries stay as they are. What is deleted is the value and the salt of a commitment; without
//! the salt nobody can try values against it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    approval::Approval,
    ids::{ObjectName, ProposalId, RecordId},
    promotion::{Promotion, Settlement, Stamps},
    proposal::Proposal,
};

/// The word for a text that was erased.
pub const ERASED: &str = "(erased)";

/// What was asked to be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum About {
    /// Everything about a record.
    Record {
        /// Object.
        object: ObjectName,
        /// Record.
        record: RecordId,
    },
    /// Everything about a proposal.
    Proposal {
        /// Which.
        proposal_id: ProposalId,
    },
    /// Everything that ended before a time.
    Before {
        /// When.
        before: Timestamp,
    },
}

/// What was erased, why and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// What was asked for.
    pub about: About,
    /// Who erased it, as told on the command line.
    pub by: String,
    /// On what ground, in words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Number of an entry to the JSON pointers of its parts that are gone.
    pub paths: BTreeMap<String, Vec<String>>,
}

/// What stands at a path of an event whose private part is gone; `None` where nothing has to.
pub fn placeholder(path: &str) -> Option<Value> {
    match path {
        "/proposal/patch" | "/proposal/base" | "/promotion/plan/stamps" => Some(json!({})),
        "/promotion/plan/changes" | "/run/found" => Some(json!([])),
        "/settlement/message"
        | "/settlement/reason"
        | "/text"
        | "/freeze/reason"
        | "/restore/reason"
        | "/rollback/reason"
        | "/act/reason"
        | "/erasure/reason" => Some(ERASED.into()),
        "/signal" => Some(json!({ "kind": ERASED, "source": ERASED, "occurred_at": "1970-01-01T00:00:00Z" })),
        _ => None,
    }
}

/// A proposal without what is private in it.
pub fn mask_proposal(proposal: &mut Proposal) {
    proposal.patch.clear();
    proposal.base.clear();
    proposal.reason = None;
    proposal.evidence.clear();
}

/// A verdict without what is private in it.
pub fn mask_verdict(verdict: &mut Value) {
    if let Some(parts) = verdict.as_object_mut() {
        for part in ["findings", "facts", "plan"] {
            parts.remove(part);
        }
    }
}

/// A decision without what is private in it.
pub fn mask_approval(approval: &mut Approval) {
    approval.comments = None;
}

/// A promotion without what is private in it.
pub fn mask_promotion(promotion: &mut Promotion) {
    promotion.plan.changes.clear();
    promotion.plan.stamps = Stamps::default();
    match &mut promotion.settlement {
        Settlement::Unknown { reason: words }
        | Settlement::Stale { reason: words }
        | Settlement::Voiding { reason: words }
        | Settlement::Refused { message: words, .. } => ERASED.clone_into(words),
        Settlement::Intended
        | Settlement::Sent
        | Settlement::Done
        | Settlement::Gone
        | Settlement::Conflict { .. } => {}
    }
}
