//! One record against what the ledger knows of it. Pure: no reads, no clock.

use jiff::Timestamp;

use crate::{
    domain::{FieldName, FieldValue, Promotion, PromotionId, ProposalId, Settlement},
    ledger::ProposalRecord,
    salesforce::{Sighting, names::source},
    workflow::hints::decision_of,
};

/// What a record shows that the ledger has not heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missed {
    /// A proposal.
    Proposal,
    /// A decision on a known one.
    Decision,
    /// A known one has ended, and the record still waits to be told.
    Outcome,
}

impl Missed {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Proposal => "proposal-unseen",
            Self::Decision => "decision-unseen",
            Self::Outcome => "outcome-untold",
        }
    }
}

/// The times that a comparison rests on.
pub(super) struct When {
    /// When the ledger began. A proposal of an older time is not missed.
    pub ledger_began: Timestamp,
}

/// What an event should have told of this record. `known` is the proposal with the record's id.
pub(super) fn missed(seen: &Sighting, known: Option<&ProposalRecord>, when: &When) -> Option<Missed> {
    let id = seen.proposal_id.as_deref()?;
    ProposalId::parse(id).ok()?;
    let Some(known) = known else {
        // Without the flag both stamps must be of this ledger's time: the agent's, and the platform's,
        // which nobody can set. What an earlier ledger ended must not begin again.
        // The platform's stamps have no parts of a second.
        let began = when.ledger_began.as_second();
        let of_our_time = seen.evaluated_at.is_some_and(|at| at.as_second() >= began)
            && seen.modified_at.as_second() >= began;
        return (seen.pending || of_our_time).then_some(Missed::Proposal);
    };
    if known.proposal.record != seen.record {
        // The id of another record's proposal: refused where the flag is on.
        return None;
    }
    if known.stage.is_final() {
        return (seen.pending && !known.notice_open).then_some(Missed::Outcome);
    }
    let decided = seen.decision_proposal_id.as_deref() == Some(id)
        && seen.decision.as_deref().is_some_and(|decision| decision_of(decision).is_some());
    (decided && known.approval.is_none()).then_some(Missed::Decision)
}

/// A governed value that is not the promoted one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drift {
    /// Field.
    pub field: FieldName,
    /// The promotion that wrote it last.
    pub promotion: PromotionId,
    /// Its proposal.
    pub proposal: ProposalId,
    /// When its plan was made: what happened earlier explains nothing.
    pub planned_at: Timestamp,
    /// What was promoted.
    pub promoted: FieldValue,
    /// What stands there.
    pub now: FieldValue,
    /// When the org stamped the last change as one by somebody other than the daemon; `None`: it did
    /// not.
    pub stamped_at: Option<Timestamp>,
}

/// The fields of a record that are not what was promoted last. `written` is in the order of the
/// ledger. A record with a promotion under way has none.
pub(super) fn drifts(seen: &Sighting, written: &[Promotion]) -> Vec<Drift> {
    if written.iter().any(|promotion| !promotion.settlement.is_final()) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (field, now) in &seen.values {
        let mut writers = written.iter().rev().filter(|promotion| promotion.settlement == Settlement::Done);
        let last = writers.find_map(|promotion| {
            Some((promotion, promotion.plan.changes.iter().find(|it| it.field == *field)?))
        });
        let Some((promotion, change)) = last else { continue };
        if is_same(&change.after, now) {
            continue;
        }
        let planned_at = promotion.plan.planned_at;
        let by_others = seen.change_source.as_deref() == Some(source::HUMAN);
        // The org keeps whole seconds.
        let stamped_at = seen.changed_at.filter(|at| by_others && at.as_second() >= planned_at.as_second());
        found.push(Drift {
            field: field.clone(),
            promotion: promotion.id.clone(),
            proposal: promotion.plan.proposal_id.clone(),
            planned_at,
            promoted: change.after.clone(),
            now: now.clone(),
            stamped_at,
        });
    }
    found
}

/// What is wrong with the record's mark or number: code and words. `is_known` says whether the ledger
/// has a promotion with the id in the mark.
pub(super) fn mark_problem(
    seen: &Sighting,
    written: &[Promotion],
    is_known: bool,
) -> Option<(&'static str, String)> {
    let mark = seen.last_promotion.as_deref()?;
    if !is_known {
        return Some(("mark-unknown", format!("no promotion of this ledger has the mark `{mark}`")));
    }
    if written.iter().any(|promotion| !promotion.settlement.is_final()) {
        return None;
    }
    let done = written.iter().filter(|promotion| promotion.settlement == Settlement::Done);
    let reached = done.map(|promotion| promotion.plan.expected_seq + 1).max()?;
    let number = seen.promotion_seq;
    (number < reached)
        .then(|| ("number-went-back", format!("the promotion number is {number}, and {reached} was written")))
}

/// The promotion that a mark names; a void write has one too.
pub(super) fn marked(mark: &str) -> PromotionId {
    PromotionId::new(mark.strip_prefix("void:").unwrap_or(mark))
}

/// Whether the org's value is the one that was written.
pub(super) fn is_same(one: &FieldValue, other: &FieldValue) -> bool {
    one.is_kept_as(other)
}
