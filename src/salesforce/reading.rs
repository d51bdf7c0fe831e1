//! What one read of a record gives: its canonical values and the proposal that stands on it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::{FieldName, FieldValue, RecordId, RecordSnapshot};

/// One record at one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordReading {
    /// Canonical values, number and mark.
    pub snapshot: RecordSnapshot,
    /// The proposal fields.
    pub slot: ProposalSlot,
}

/// The proposal fields of a record: one proposal and the decision on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProposalSlot {
    /// `AI_Gate_Pending__c`.
    pub pending: bool,
    /// `AI_Proposal_ID__c`.
    pub proposal_id: Option<String>,
    /// Proposed values by canonical field: those that the proposal lists, or, where it lists
    /// none, every one that is not empty.
    pub patch: BTreeMap<FieldName, FieldValue>,
    /// Confidence, 0 to 1.
    pub confidence: Option<Decimal>,
    /// The model's words; data.
    pub reason: Option<String>,
    /// `AI_Last_Evaluated_At__c`.
    pub evaluated_at: Option<Timestamp>,
    /// `AI_Requires_Review__c`.
    pub requires_review: bool,
    /// `AI_Decision__c`.
    pub decision: Option<String>,
    /// `AI_Decision_Proposal_ID__c`.
    pub decision_proposal_id: Option<String>,
    /// `AI_Decided_By__c`.
    pub decided_by: Option<RecordId>,
    /// `AI_Decided_At__c`.
    pub decided_at: Option<Timestamp>,
    /// `AI_Decision_Comments__c`; data.
    pub comments: Option<String>,
    /// `AI_Promoted_Proposal_ID__c`.
    pub promoted_proposal_id: Option<String>,
    /// `AI_Gate_Outcome__c`.
    pub outcome: Option<String>,
}
