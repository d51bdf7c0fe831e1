//! Reading a proposal and a decision off a record, with the identity that the platform gives.

use jiff::Timestamp;

use super::{
    WorkflowError,
    consider::{Case, Desk},
    hints::{DecisionHint, decision_of},
};
use crate::{
    domain::{
        Actor, Approval, Decision, Digest, Door, FieldValue, IdError, ObjectName, Proposal, ProposalId,
        RecordId, event::Event,
    },
    gate::{FindingCode, Verdict},
    ledger::ProposalRecord,
    salesforce::{ProposalSlot, RecordReading, names},
};

/// Why what stands in the proposal fields is no proposal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotProblem {
    /// The id has the wrong shape.
    #[error("{0}")]
    Id(#[from] IdError),
    /// There is an id, but no value is proposed.
    #[error("no field is proposed: fill at least one recommended value, or list the field to clear")]
    Empty,
    /// The id was used before, for other values or another record.
    #[error("this id was used before with another body: write the patch under a new proposal id")]
    Reused,
}

impl SlotProblem {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Id(error) => error.code(),
            Self::Empty => "proposal-empty",
            Self::Reused => "proposal-id-reused",
        }
    }
}

/// The proposal that stands on the record, seen for the first time at `now`.
pub fn proposal(
    reading: &RecordReading,
    id: &str,
    (now, hint): (Timestamp, Option<&DecisionHint>),
) -> Result<Proposal, SlotProblem> {
    let slot = &reading.slot;
    let id = ProposalId::parse(id)?;
    if slot.patch.is_empty() {
        return Err(SlotProblem::Empty);
    }
    let snapshot = &reading.snapshot;
    let base = slot
        .patch
        .keys()
        .map(|field| (field.clone(), snapshot.value(field).cloned().unwrap_or(FieldValue::Null)))
        .collect();
    let agent = snapshot.modified_by.as_ref().map_or("unknown", |user| user.as_str());
    let seen = Proposal {
        creates: None,
        id,
        object: snapshot.object.clone(),
        record: snapshot.record.clone(),
        patch: slot.patch.clone(),
        base,
        confidence: slot.confidence,
        reason: slot.reason.clone(),
        evaluated_at: slot.evaluated_at,
        expires_at: slot.expires_at,
        edited_from: None,
        requires_review: slot.requires_review,
        actor: Actor::named(agent),
        door: Door::Record,
        evidence: Vec::new(),
        received_at: now,
    };
    Ok(match edited_from(slot) {
        Some(original) => edited(seen, original, reading, hint),
        None => seen,
    })
}

/// The agent's proposal that a reviewer edited and decided on in one save: the new id is the
/// old one with a suffix, so that a field left over from an earlier edit says nothing.
pub fn edited_from(slot: &ProposalSlot) -> Option<ProposalId> {
    let original = slot.edited_from.as_deref()?;
    let suffix = slot.proposal_id.as_deref()?.strip_prefix(original)?;
    let by_a_reviewer = suffix.len() > 1 && suffix.starts_with(names::EDIT_MARK) && decision(slot).is_some();
    ProposalId::parse(original).ok().filter(|_| by_a_reviewer)
}

/// An edited proposal is the reviewer's own: who, when and no confidence or reason of a model,
/// because those were about other values.
fn edited(
    seen: Proposal,
    original: ProposalId,
    reading: &RecordReading,
    hint: Option<&DecisionHint>,
) -> Proposal {
    let slot = &reading.slot;
    let hint = decision(slot).and_then(|decided| speaking(hint, slot, decided));
    let by_event = hint.map(|hint| (hint.decided_by.clone(), hint.decided_at));
    let (user, at) = match by_event.or(by_stamp(reading)).or(by_last_save(reading)) {
        Some((user, at)) => (user.to_string(), Some(at)),
        None => ("unknown".to_owned(), None),
    };
    Proposal {
        creates: None,
        confidence: None,
        reason: None,
        evaluated_at: at,
        edited_from: Some(original),
        actor: Actor::named(user),
        ..seen
    }
}

/// Under which id a notice speaks of a record that carries no proposal, or none that can be
/// read: it needs one of its own, because the given one may not be one.
pub fn stand_in(reading: &RecordReading) -> Option<ProposalId> {
    let record = &reading.snapshot.record;
    let id = match &reading.slot.proposal_id {
        Some(given) => {
            format!("unreadable:{}", Digest::of_bytes(format!("{record}:{given}").as_bytes()).short())
        }
        None => format!("idle:{record}"),
    };
    ProposalId::parse(&id).ok()
}

/// The events for proposal fields that hold no proposal: recorded once, told once.
pub fn refuse_slot(reading: &RecordReading, given: &str, problem: &SlotProblem) -> Vec<Event> {
    let words = format!("{}: {problem}", problem.code());
    let Some(notice) = stand_in_notice(reading, &words) else { return Vec::new() };
    let refused = Event::SubmissionRefused {
        proposal_id: given.chars().take(64).collect(),
        code: problem.code().to_owned(),
        fingerprint: None,
    };
    vec![refused, notice]
}

/// The notice for a record whose flag is on while no proposal stands on it: it was withdrawn,
/// or somebody used break-glass.
pub fn idle(reading: &RecordReading) -> Option<Event> {
    let words = match &reading.slot.break_glass {
        Some(_) => "nothing-waits: no proposal stands on the record; its break-glass use is in the ledger",
        None => "nothing-waits: no proposal stands on the record",
    };
    stand_in_notice(reading, words)
}

fn stand_in_notice(reading: &RecordReading, words: &str) -> Option<Event> {
    let snapshot = &reading.snapshot;
    Some(Event::NoticeIntended {
        object: snapshot.object.clone(),
        record: snapshot.record.clone(),
        proposal_id: stand_in(reading)?,
        text: super::stamp::fit(words),
    })
}

/// The decision on the proposal that the record carries.
fn decision(slot: &ProposalSlot) -> Option<Decision> {
    if slot.decision_proposal_id.is_none() || slot.decision_proposal_id != slot.proposal_id {
        return None;
    }
    slot.decision.as_deref().and_then(decision_of)
}

/// What an event told about exactly the decision that the record carries. A hint about another
/// one (an earlier proposal, or a decision that was taken back) names the wrong person.
fn hint_for<'a>(case: &'a Case<'_>, decision: Decision) -> Option<&'a DecisionHint> {
    speaking(case.hint.as_ref(), &case.reading.slot, decision)
}

fn speaking<'a>(
    hint: Option<&'a DecisionHint>,
    slot: &ProposalSlot,
    decision: Decision,
) -> Option<&'a DecisionHint> {
    hint.filter(|hint| hint.speaks_of(decision, slot.decision_proposal_id.as_deref()))
}

/// Who decided and when, as the guard flow stamped it.
fn by_stamp(reading: &RecordReading) -> Option<(RecordId, Timestamp)> {
    let slot = &reading.slot;
    slot.decided_by.clone().map(|user| (user, slot.decided_at.unwrap_or(reading.snapshot.modified_at)))
}

/// Who saved the record last, and when.
fn by_last_save(reading: &RecordReading) -> Option<(RecordId, Timestamp)> {
    let snapshot = &reading.snapshot;
    snapshot.modified_by.clone().map(|user| (user, snapshot.modified_at))
}

/// The decision on this proposal, bound to its patch and base. Who decided comes from the
/// event's committing user, else from the stamp, else from the record's last modifier.
pub fn approval(case: &Case<'_>, proposal: &Proposal) -> Result<Option<Approval>, WorkflowError> {
    let slot = &case.reading.slot;
    if slot.proposal_id.as_deref() != Some(proposal.id.as_str()) {
        return Ok(None);
    }
    let Some(decision) = decision(slot) else { return Ok(None) };
    let earlier = case
        .known
        .iter()
        .find(|record| record.proposal.id == proposal.id)
        .and_then(|record| record.approval.as_ref())
        .filter(|earlier| earlier.decision == decision);
    let hint = hint_for(case, decision);
    if hint.is_none()
        && let Some(earlier) = earlier
    {
        return Ok(Some(earlier.clone()));
    }
    let by_event = hint.map(|hint| (hint.decided_by.clone(), hint.decided_at));
    let decided = by_event.or(by_stamp(case.reading)).or(by_last_save(case.reading));
    let Some((decided_by, decided_at)) = decided else { return Ok(None) };
    Ok(Some(Approval {
        proposal_id: proposal.id.clone(),
        decision,
        decided_by,
        decided_at,
        patch_digest: proposal.patch_digest()?,
        comments: slot.comments.clone(),
    }))
}

/// Whether nobody can say which base the approver saw: the decision was made before the
/// proposal was first read here, and nothing shows that the record was left alone in between; or
/// a person changed a governed field after the decision. Such a change may put back the value that
/// the ledger knows, while the approver saw another one.
///
/// Only an event or a stamp tells when the decision was made. The record alone does not: its
/// last change may be somebody else's edit after it. An event that comes later can still prove it.
pub fn base_unproven(
    desk: &Desk<'_>,
    case: &Case<'_>,
    known: Option<&ProposalRecord>,
    approval: Option<&Approval>,
    last: Option<&Verdict>,
) -> bool {
    let Some(approval) = approval else { return false };
    if changed_since(case, approval) {
        return true;
    }
    match known {
        None => !base_proven(desk, case, approval),
        Some(record) => {
            let before_first_read = approval.decided_at < record.proposal.received_at;
            let was_unproven = last.is_some_and(|verdict| {
                verdict.findings.iter().any(|finding| finding.code == FindingCode::BaseUnproven)
            });
            let proven_now = hint_for(case, approval.decision).is_some() && base_proven(desk, case, approval);
            before_first_read && was_unproven && !proven_now
        }
    }
}

/// Whether a person changed a governed field in the second of the decision or later, as the stamp of
/// the org's flow tells; the stamp does not say which field.
fn changed_since(case: &Case<'_>, approval: &Approval) -> bool {
    let changed = case.reading.slot.changed_by_person_at;
    changed.is_some_and(|at| at.as_second() >= approval.decided_at.as_second())
}

/// Whether the record as it was just read still holds what the approver saw.
fn base_proven(desk: &Desk<'_>, case: &Case<'_>, approval: &Approval) -> bool {
    let snapshot = &case.reading.snapshot;
    let slot = &case.reading.slot;
    let time_is_known = hint_for(case, approval.decision).is_some()
        || (slot.decided_by.is_some() && slot.decided_at.is_some());
    let later = snapshot.modified_at.as_second() > approval.decided_at.as_second();
    let by_other = snapshot.modified_by.as_ref() != Some(&approval.decided_by);
    time_is_known && !(later && by_other) && !desk.machine_users.contains(&approval.decided_by)
}

/// The object name of a contract, which is one by construction.
pub fn object_name(text: &'static str) -> Result<ObjectName, WorkflowError> {
    ObjectName::parse(text).map_err(|error| WorkflowError::Unexpected(error.to_string()))
}
