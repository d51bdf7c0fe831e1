//! The org: its rules for the daemon's writes, and what people and agents do to the record.

use crate::{
    flaw::{Flaw, Flaws},
    state::{Call, Decision, Id, Kind, Mark, Outcome, ROLLBACK, Record, State, Value},
};

/// Whether the org would apply a call now: rules 04, 05 and 07.
pub fn accepts(flaws: Flaws, org: &Record, call: &Call) -> bool {
    !org.deleted
        && (flaws.has(Flaw::NoNumber) || number_fits(flaws, org, call))
        && (call.kind == Kind::Void || (value_fits(flaws, org, call) && is_approved(flaws, org, call)))
}

/// Rule 04: the number is the next one, and the mark is new. A promotion that the ledger does not
/// know is made again under a new mark.
fn number_fits(flaws: Flaws, org: &Record, call: &Call) -> bool {
    org.seq == call.plan.expected_seq && (org.mark != mark_of(call) || flaws.has(Flaw::NoIntent))
}

/// Rule 05: the value is the one that the write expects, and the write changes it.
fn value_fits(flaws: Flaws, org: &Record, call: &Call) -> bool {
    flaws.has(Flaw::NoPreviousValue) || (org.value == call.plan.before && org.value != call.plan.after)
}

/// Rule 07: the proposal on the record, approved by a person, one time. A rollback is not asked
/// for an approval.
fn is_approved(flaws: Flaws, org: &Record, call: &Call) -> bool {
    if call.id == ROLLBACK {
        return true;
    }
    let unused = flaws.has(Flaw::NoSingleUse) || org.promoted != Some(call.id);
    flaws.has(Flaw::NoApprovalRule)
        || (org.slot == call.id && unused && approved(flaws, org) == Some(call.id))
}

/// The proposal that the decision on the record lets pass.
pub fn approved(flaws: Flaws, record: &Record) -> Option<Id> {
    match record.decision {
        Decision::Approved(id) if id == record.slot || flaws.has(Flaw::ApprovalOfRecord) => Some(record.slot),
        _ => None,
    }
}

fn mark_of(call: &Call) -> Mark {
    match call.kind {
        Kind::Promotion => Mark::Of(call.id),
        Kind::Void => Mark::Void(call.id),
    }
}

/// A call arrives. Says what the org answers.
pub fn arrives(flaws: Flaws, state: &mut State, call: &Call) -> Outcome {
    if state.org.deleted {
        return Outcome::Gone;
    }
    if !accepts(flaws, &state.org, call) {
        return Outcome::Refused;
    }
    if call.kind == Kind::Promotion {
        witness(state, call);
        state.org.value = call.plan.after;
        if call.id != ROLLBACK {
            state.org.promoted = Some(call.id);
        }
    }
    state.org.seq = call.plan.expected_seq + 1;
    state.org.mark = mark_of(call);
    // The daemon saved it now, whoever decided before.
    state.org.touched = state.org.decision != Decision::Pending;
    // The stamp tells the last change only, and that is ours.
    state.org.changed = false;
    forget(flaws, state);
    Outcome::Done
}

/// Notes what is true of a promotion in the instant before it lands.
fn witness(state: &mut State, call: &Call) {
    let (org, truth, id) = (&state.org, &mut state.truth, call.id);
    // Twice is wrong already; more would only make more states.
    truth.applied[id] = (truth.applied[id] + 1).min(2);
    truth.no_intent |= state.ledger.promotions[id].is_none();
    if id == ROLLBACK {
        truth.overwrote |= truth.edited && org.value != call.plan.before;
        truth.edited = false;
        return;
    }
    let saw = truth.approved_over[id];
    truth.unapproved |= saw.is_none();
    truth.unseen |= saw.is_some_and(|saw| saw != org.value);
    truth.overwrote |= truth.edited && saw != Some(org.value);
    truth.not_standing |= org.slot != id || org.decision != Decision::Approved(id) || org.by_agent;
    truth.edited = false;
}

/// A call whose number has passed can never land: to forget it makes fewer states.
fn forget(flaws: Flaws, state: &mut State) {
    if !flaws.has(Flaw::NoNumber) {
        let seq = state.org.seq;
        state.late.retain(|call| call.plan.expected_seq >= seq);
    }
}

/// A person writes the value.
pub fn edit(state: &mut State, value: Value) {
    state.org.value = value;
    state.org.touched = state.org.decision != Decision::Pending;
    state.org.changed = state.org.touched;
    state.truth.edited = true;
}

/// A person approves what stands on the record.
pub fn approve(state: &mut State) {
    let org = &mut state.org;
    (org.decision, org.by_agent, org.touched) = (Decision::Approved(org.slot), false, false);
    org.changed = false;
    state.truth.approved_over[org.slot] = Some(org.value);
    state.truth.edited = false;
}

/// An agent tries to approve. Rule 02 lets only reviewers decide.
pub fn approve_as_agent(flaws: Flaws, state: &mut State) -> bool {
    let allowed = flaws.has(Flaw::AgentApproves);
    if allowed {
        let org = &mut state.org;
        (org.decision, org.by_agent, org.touched) = (Decision::Approved(org.slot), true, false);
        org.changed = false;
    }
    allowed
}

/// A person takes an approval back.
pub fn take_back(state: &mut State) {
    state.org.decision = Decision::Rejected;
    (state.org.touched, state.org.changed) = (false, false);
}

/// An agent proposes something else. Rule 02 demands that the decision is taken off.
pub fn replace(flaws: Flaws, state: &mut State, id: Id) {
    state.org.slot = id;
    if !flaws.has(Flaw::ApprovalOfRecord) {
        (state.org.decision, state.org.by_agent, state.org.touched) = (Decision::Pending, false, false);
        state.org.changed = false;
    }
}
