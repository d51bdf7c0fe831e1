//! A proposal: one patch for one record, and the stage it is in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    actor::{Actor, Door},
    creation::Creation,
    digest::{CanonicalError, Digest},
    evidence::Evidence,
    ids::{FieldName, ObjectName, ProposalId, RecordId},
    value::FieldValue,
};

/// What an orchestrator wants changed, with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The proposer's id; the idempotency key of intake.
    pub id: ProposalId,
    /// Object API name.
    pub object: ObjectName,
    /// Record id; of a record that is to be made, its parent's.
    pub record: RecordId,
    /// Set where a new record is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creates: Option<Creation>,
    /// Canonical field to proposed value.
    pub patch: BTreeMap<FieldName, FieldValue>,
    /// Canonical values of the patched fields when the proposal was first seen.
    pub base: BTreeMap<FieldName, FieldValue>,
    /// The model's confidence, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Decimal>,
    /// The model's words; data, never instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the model looked (`AI_Last_Evaluated_At__c`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluated_at: Option<Timestamp>,
    /// From when on it may not be approved any more (`AI_Proposal_Expires_At__c`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The agent's proposal that a reviewer edited into this one (`AI_Edited_From__c`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_from: Option<ProposalId>,
    /// The proposer itself asks for a person.
    pub requires_review: bool,
    /// Who proposes.
    pub actor: Actor,
    /// Through which door it came.
    pub door: Door,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// When countersign first saw it.
    pub received_at: Timestamp,
}

#[derive(Serialize)]
struct Bound<'a> {
    proposal_id: &'a ProposalId,
    object: &'a ObjectName,
    record: &'a RecordId,
    #[serde(skip_serializing_if = "Option::is_none")]
    creates: Option<&'a Creation>,
    patch: &'a BTreeMap<FieldName, FieldValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<&'a BTreeMap<FieldName, FieldValue>>,
}

impl Proposal {
    /// Whether it stands on its record, where a person decides. What the schedule announced stands on
    /// none, and what is to be made does not either.
    pub fn stands_on_its_record(&self) -> bool {
        self.door != Door::Schedule && self.creates.is_none()
    }

    /// What an approval is bound to: this id, this record, these values, this base.
    pub fn patch_digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of(&self.bound(Some(&self.base)))
    }

    /// What makes two submissions with one id the same: id, record and values.
    /// The base is left out, because a retry may see a later base.
    pub fn fingerprint(&self) -> Result<Digest, CanonicalError> {
        Digest::of(&self.bound(None))
    }

    fn bound<'a>(&'a self, base: Option<&'a BTreeMap<FieldName, FieldValue>>) -> Bound<'a> {
        let (proposal_id, object, record) = (&self.id, &self.object, &self.record);
        Bound { proposal_id, object, record, creates: self.creates.as_ref(), patch: &self.patch, base }
    }
}

/// Where a proposal stands. Derived from ledger entries, never set by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Recorded, not judged yet.
    Received,
    /// Waits for a person.
    AwaitingApproval,
    /// A person approved it; the promotion has not ended.
    Approved,
    /// Policy lets it run by itself; the promotion has not ended.
    Promoting,
    /// The record carries it.
    Promoted,
    /// The gate or Salesforce refused it.
    Refused,
    /// A person refused it.
    Rejected,
    /// A base value moved, so nothing that was decided holds any more.
    Stale,
    /// Nobody decided in time, or the approval was too old.
    Expired,
    /// A newer proposal for the same record took its place.
    Superseded,
    /// Judged for the record only; the lane is in shadow mode.
    Shadow,
    /// Promoted, and every field of it was put back.
    RolledBack,
}

impl Stage {
    /// All stages, in the order of a proposal's life.
    pub const ALL: &'static [Self] = &[
        Self::Received,
        Self::AwaitingApproval,
        Self::Approved,
        Self::Promoting,
        Self::Promoted,
        Self::Refused,
        Self::Rejected,
        Self::Stale,
        Self::Expired,
        Self::Superseded,
        Self::Shadow,
        Self::RolledBack,
    ];

    /// True when nothing more happens without a new proposal or a rollback.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Received | Self::AwaitingApproval | Self::Approved | Self::Promoting)
    }

    /// The stage in kebab case, as commands and reports print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::AwaitingApproval => "awaiting-approval",
            Self::Approved => "approved",
            Self::Promoting => "promoting",
            Self::Promoted => "promoted",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Stale => "stale",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Shadow => "shadow",
            Self::RolledBack => "rolled-back",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_told_by_name_and_end_where_nothing_follows() {
        let told: Vec<(&str, bool)> =
            Stage::ALL.iter().map(|stage| (stage.name(), stage.is_final())).collect();
        let open = ["received", "awaiting-approval", "approved", "promoting"].map(|name| (name, false));
        let ended =
            ["promoted", "refused", "rejected", "stale", "expired", "superseded", "shadow", "rolled-back"];
        let expected: Vec<(&str, bool)> = open.into_iter().chain(ended.map(|name| (name, true))).collect();
        assert_eq!(told, expected);
        for stage in Stage::ALL {
            let json = serde_json::to_value(stage).unwrap();
            assert_eq!(json.as_str().map(|name| name.replace('_', "-")).as_deref(), Some(stage.name()));
        }
    }
}
