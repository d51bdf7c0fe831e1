//! Did the model look recently?
//!
//! # Refuses
//! - `proposal-too-old`: the model looked longer before the proposal came in than the
//!   policy allows.
//! - `evaluated-in-future`: the model says that it looked more than five minutes from now.
//! - `evaluated-at-missing`: said for the reader, refuses nothing: the proposer did not say
//!   when the model looked, so the time at which the proposal came in counts.
//!
//! # Why
//! A proposal describes the record as it was when the model looked. While it waits for a
//! person its age is the approver's to judge, under a limit of its own; a change that runs
//! by itself must be within this limit when it runs.
//!
//! # Evidence used
//! `AI_Last_Evaluated_At__c` of the proposal, the time at which it was first seen, now.
//!
//! # How to fix
//! - `proposal-too-old`: evaluate again and propose with a new id.
//! - `evaluated-in-future`: correct the clock of the machine that the agent runs on.
//! - `evaluated-at-missing`: fill `AI_Last_Evaluated_At__c`.
//!
//! # Setting
//! `proposal_max_age_minutes` in `config/policies/*.toml`.

use jiff::Timestamp;

use crate::gate::{
    finding::{FindingCode, Findings},
    input::Input,
    limits::{CLOCK_TOLERANCE, Limits, age_text},
};

/// Refuses what rests on an old look at the record.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let Some(evaluated_at) = input.proposal.evaluated_at else {
        findings.add(
            FindingCode::EvaluatedAtMissing,
            "the proposer did not say when the model looked; the time of arrival counts",
            "nothing: this is for the reader",
        );
        return;
    };
    let ahead = evaluated_at.duration_since(input.now);
    if ahead > CLOCK_TOLERANCE {
        findings.add(
            FindingCode::EvaluatedInFuture,
            format!("the model looked at {evaluated_at}, which is {} from now", age_text(ahead)),
            "an evaluation time that is not in the future",
        );
        return;
    }
    let Some(Ok(limits)) = input.object_policy().map(Limits::of) else { return };
    let age = input.proposal.received_at.duration_since(evaluated_at);
    if age > limits.proposal_max_age {
        findings.add(
            FindingCode::ProposalTooOld,
            format!("the model looked {} before the proposal came in", age_text(age)),
            format!("an evaluation at most {} old", age_text(limits.proposal_max_age)),
        );
    }
}

/// The time from which a proposal's age counts.
pub fn looked_at(input: &Input<'_>) -> Timestamp {
    input.proposal.evaluated_at.unwrap_or(input.proposal.received_at)
}
