//! The plan of a promotion: exactly what will be written, with no choice left.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;

use super::{
    input::Input,
    limits::{CLOCK_TOLERANCE, days},
};
use crate::domain::{Basis, Change, Evidence, Making, Plan, Stamps, policy::Window};

/// Makes the plan of an input that may run. The changes are the fields whose value differs,
/// by field name; each one's `before` is the value that was just read.
pub fn plan(input: &Input<'_>, basis: Basis) -> Plan {
    let changes = input.changes();
    let stamps = stamps(input, &changes);
    Plan {
        object: input.proposal.object.clone(),
        record: input.proposal.record.clone(),
        making: making(input),
        proposal_id: input.proposal.id.clone(),
        basis,
        changes,
        // A record that is to be made has no number yet.
        expected_seq: if input.makes() { 0 } else { input.record.promotion_seq },
        stamps,
        planned_at: input.now,
    }
}

fn making(input: &Input<'_>) -> Option<Making> {
    let (creates, rule) = (input.proposal.creates.as_ref()?, input.create_rule()?);
    let (rule, cancel) = (rule.name.clone(), rule.cancel.clone());
    Some(Making::Create { rule, parent: creates.parent.clone(), cancel })
}

fn stamps(input: &Input<'_>, changes: &[Change]) -> Stamps {
    let decay_eligible_on = changes.iter().filter_map(|change| decay_date(input, change)).min();
    if input.scheduled() {
        // No signal is behind a decay, and the old state's day does not fit the new state.
        return Stamps { decay_eligible_on, decay_ends: decay_eligible_on.is_none(), ..Stamps::default() };
    }
    // Ties go to the source that sorts last, so that the order of the evidence means nothing.
    let newest = signals(input).max_by_key(|item| (item.occurred_at, &item.source));
    Stamps {
        last_signal_at: newest.map(|item| item.occurred_at),
        last_signal_source: newest.and_then(|item| source_text(&item.source)),
        signal_score: signal_score(input),
        decay_eligible_on,
        decay_ends: false,
    }
}

/// The evidence that can be a signal: not from the future and not from before 1970. A wrong
/// time in the evidence must neither make the write fail nor keep decay away for ever.
fn signals<'a>(input: &Input<'a>) -> impl Iterator<Item = &'a Evidence> {
    let now = input.now;
    input.evidence().filter(move |item| {
        item.occurred_at >= Timestamp::UNIX_EPOCH && item.occurred_at.duration_since(now) <= CLOCK_TOLERANCE
    })
}

/// The source as the stamp can hold it: trimmed, at most 255 UTF-16 units.
fn source_text(source: &str) -> Option<String> {
    let mut room = 255_usize;
    let fits = |letter: &char| {
        let rest = room.checked_sub(letter.len_utf16());
        room = rest.unwrap_or(0);
        rest.is_some()
    };
    let text: String = source.trim().chars().take_while(fits).collect();
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The sum of the policy's weights of the kinds of evidence. A kind counts once: the same
/// signal told ten times is one signal. `None` when no kind has a weight.
fn signal_score(input: &Input<'_>) -> Option<Decimal> {
    let weights = &input.object_policy()?.signal_weights;
    let kinds: BTreeSet<&str> = signals(input).map(|item| item.kind.as_str()).collect();
    let known: Vec<Decimal> = kinds.into_iter().filter_map(|kind| weights.get(kind).copied()).collect();
    if known.is_empty() {
        return None;
    }
    known.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)
}

/// From when on decay may move the new state back: the UTC day of the decision plus the
/// days that the policy gives the state. Where nobody can say which part of the records it is, the
/// general days stand: the check `decay` asks again when the day has come.
fn decay_date(input: &Input<'_>, change: &Change) -> Option<Date> {
    if input.makes() {
        return None;
    }
    let rules = input.object_policy()?.fields.get(&change.field)?;
    let state = change.after.as_text()?;
    let after = match rules.decay_window(state, input.record, input.now) {
        Window::Days { days, .. } => days,
        Window::Unknown { .. } => *rules.decay_after_days.get(state)?,
        Window::None => return None,
    };
    let after = days(after)?;
    input.now.to_zoned(TimeZone::UTC).date().checked_add(after.days()).ok()
}
