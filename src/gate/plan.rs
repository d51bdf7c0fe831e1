//! The plan of a promotion: exactly what will be written, with no choice left.

use std::collections::BTreeSet;

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;

use super::{input::Input, limits::days};
use crate::domain::{Basis, Change, Plan, Stamps};

/// Makes the plan of an input that may run. The changes are the fields whose value differs,
/// by field name; each one's `before` is the value that was just read.
pub fn plan(input: &Input<'_>, basis: Basis) -> Plan {
    let changes = input.changes();
    let stamps = stamps(input, &changes);
    Plan {
        object: input.proposal.object.clone(),
        record: input.proposal.record.clone(),
        proposal_id: input.proposal.id.clone(),
        basis,
        changes,
        expected_seq: input.record.promotion_seq,
        stamps,
        planned_at: input.now,
    }
}

fn stamps(input: &Input<'_>, changes: &[Change]) -> Stamps {
    // Ties go to the source that sorts last, so that the order of the evidence means nothing.
    let newest = input.proposal.evidence.iter().max_by_key(|item| (item.occurred_at, &item.source));
    Stamps {
        last_signal_at: newest.map(|item| item.occurred_at),
        last_signal_source: newest.map(|item| item.source.clone()),
        signal_score: signal_score(input),
        decay_eligible_on: changes.iter().filter_map(|change| decay_date(input, change)).min(),
    }
}

/// The sum of the policy's weights of the kinds of evidence. A kind counts once: the same
/// signal told ten times is one signal. `None` when no kind has a weight.
fn signal_score(input: &Input<'_>) -> Option<Decimal> {
    let weights = &input.object_policy()?.signal_weights;
    let kinds: BTreeSet<&str> = input.proposal.evidence.iter().map(|item| item.kind.as_str()).collect();
    let known: Vec<Decimal> = kinds.into_iter().filter_map(|kind| weights.get(kind).copied()).collect();
    if known.is_empty() {
        return None;
    }
    known.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)
}

/// From when on decay may move the new state back: the UTC day of the decision plus the
/// days that the policy gives the state.
fn decay_date(input: &Input<'_>, change: &Change) -> Option<Date> {
    let rules = input.object_policy()?.fields.get(&change.field)?;
    let after = days(*rules.decay_after_days.get(change.after.as_text()?)?)?;
    input.now.to_zoned(TimeZone::UTC).date().checked_add(after.days()).ok()
}
