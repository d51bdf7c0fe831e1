//! Readings, proposals and promotions that the tests of the steps start from.

mod edited;
mod idle;
mod observe;
mod settle;

use jiff::Timestamp;

use crate::{
    domain::{
        Actor, Approval, Basis, Change, Discrepancy, DiscrepancyKind, Door, FieldName, FieldValue,
        ObjectName, Plan, Promotion, PromotionId, Proposal, ProposalId, RecordId, RecordSnapshot,
        RecordState, Settlement, Stage, Stamps,
    },
    ledger::ProposalRecord,
    salesforce::{ProposalSlot, RecordReading},
};

/// The record of every test.
pub const RECORD: &str = "00QCs0000000001MAA";
/// A person who reviews.
pub const REVIEWER: &str = "005Cs0000000003IAA";
/// Another person.
pub const OTHER: &str = "005Cs0000000004IAA";
/// The proposer's user.
pub const PROPOSER: &str = "005Cs0000000002IAA";

pub fn user(id: &str) -> RecordId {
    RecordId::parse(id).unwrap()
}

/// So many minutes after the first moment of the tests.
pub fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-05-01T07:00:00Z".parse().unwrap();
    start + jiff::SignedDuration::from_mins(minutes)
}

pub fn field(name: &str) -> FieldName {
    FieldName::parse(name).unwrap()
}

/// A lead in its first state, with the proposal `p-1` on it and no decision.
pub fn reading() -> RecordReading {
    let snapshot = RecordSnapshot {
        record_type: None,
        object: ObjectName::parse("Lead").unwrap(),
        record: RecordId::parse(RECORD).unwrap(),
        state: RecordState::Live,
        name: Some("Example Lead".into()),
        owner: None,
        fields: [(field("Status"), FieldValue::text("Open - Not Contacted"))].into(),
        promotion_seq: 4,
        last_promotion: Some("promo-0".into()),
        hold: None,
        modified_at: at(0),
        modified_by: Some(user(PROPOSER)),
    };
    let slot = ProposalSlot {
        pending: true,
        proposal_id: Some("p-1".into()),
        patch: [(field("Status"), FieldValue::text("Working - Contacted"))].into(),
        ..ProposalSlot::default()
    };
    RecordReading { snapshot, previous: Default::default(), quiet: Default::default(), slot }
}

/// The proposal of [`reading`], first seen at minute 1.
pub fn proposal() -> Proposal {
    let reading = reading();
    Proposal {
        creates: None,
        id: ProposalId::parse("p-1").unwrap(),
        object: reading.snapshot.object,
        record: reading.snapshot.record,
        patch: reading.slot.patch,
        base: reading.snapshot.fields,
        confidence: None,
        reason: None,
        evaluated_at: None,
        expires_at: None,
        edited_from: None,
        requires_review: false,
        actor: Actor::named(PROPOSER),
        door: Door::Record,
        evidence: Vec::new(),
        received_at: at(1),
    }
}

/// What the ledger knows of it: it waits for a person.
pub fn known(approval: Option<Approval>) -> ProposalRecord {
    let proposal = proposal();
    ProposalRecord {
        fingerprint: proposal.fingerprint().unwrap(),
        patch: proposal.patch_digest().unwrap(),
        proposal,
        stage: Stage::AwaitingApproval,
        verdict: None,
        approval,
        promotion: None,
        landed: true,
        notice_open: false,
        received_seq: 1,
        updated_at: at(1),
    }
}

/// Its promotion, in this state after so many attempts.
pub fn promotion(settlement: Settlement, attempts: u64) -> Promotion {
    let proposal = proposal();
    let plan = Plan {
        making: None,
        object: proposal.object,
        record: proposal.record,
        proposal_id: proposal.id,
        basis: Basis::Approved,
        changes: vec![Change {
            field: field("Status"),
            before: FieldValue::text("Open - Not Contacted"),
            after: FieldValue::text("Working - Contacted"),
        }],
        expected_seq: 4,
        stamps: Stamps::default(),
        planned_at: at(10),
    };
    let id = PromotionId::new("promo-1");
    Promotion { id, plan, attempts, settlement, undoes: None, rollback: None, proof: Default::default() }
}

/// A list's line: at this minute its status became this one, in place of what was promoted.
pub fn told(after: &str, minute: i64, kind: DiscrepancyKind) -> Discrepancy {
    let proposal = proposal();
    Discrepancy {
        kind,
        object: proposal.object,
        record: proposal.record,
        field: Some(field("Status")),
        proposal: Some(proposal.id.to_string()),
        promotion: Some(PromotionId::new("promo-1")),
        code: "changed-by-hand".into(),
        at: Some(at(minute)),
        by: Some(user(REVIEWER)),
        before: None,
        after: Some(FieldValue::text(after)),
        words: String::new(),
        repaired: false,
    }
}
