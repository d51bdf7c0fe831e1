//! Is the state stale, and is this the step that a stale state takes?
//!
//! # Refuses
//! - `decay-due`: said for the reader, refuses nothing: the state has been quiet for longer than
//!   the policy gives it.
//! - `decay-wrong-step`: what the schedule proposes is not one lifecycle field's step to the state
//!   before the record's.
//! - `decay-not-named`: the policy names no days for the record's state, or nothing stands before
//!   it to go back to.
//! - `decay-segment-unknown`: nobody can say to which part of the records it belongs.
//! - `decay-not-due`: the record has no day of decay, or it has not begun everywhere on earth.
//! - `decay-active`: a change or a signal is younger than the window.
//! - `decay-proposal-open`: somebody else's proposal for the record is open.
//!
//! # Why
//! Moving back happens on a schedule, announced and bounded, and never because a job ran late or
//! early. The day on the record was set by the promotion that led to the state; what people and
//! customers did since counts as well.
//!
//! # Evidence used
//! `Decay_Eligible_Date__c`, the time of the last change of a governed field and of the last
//! signal, as read just now; signals in the ledger; the policy's lifecycle and windows; the record's
//! open proposals; now. The org compares the day with its own today, in the promoter's time zone,
//! so a day counts when it has begun in the last zone.
//!
//! # How to fix
//! - `decay-due`: nothing.
//! - `decay-wrong-step`: nothing; countersign proposes such steps itself. Tell its makers.
//! - `decay-not-named`: name the state in `decay_after_days`, if it should decay.
//! - `decay-segment-unknown`: give the promoter access to the field that the segment names.
//! - `decay-not-due`: wait for the day.
//! - `decay-active`: nothing: the record is not stale.
//! - `decay-proposal-open`: decide on the proposal that stands on the record.
//!
//! # Setting
//! `decay_after_days`, `[[fields.NAME.decay_segments]]` and `lifecycle` in `config/policies/*.toml`.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    domain::{FieldName, FieldPolicy, policy::Window},
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
        limits::{age_text, days},
    },
};

/// How much later a day begins in the last time zone than in UTC.
const LAST_ZONE: SignedDuration = SignedDuration::from_hours(12);

/// The newest day that has begun in every time zone.
pub fn begun_everywhere(now: Timestamp) -> Date {
    now.saturating_sub(LAST_ZONE).unwrap_or(now).to_zoned(TimeZone::UTC).date()
}

/// Judges what the schedule proposes; ends at once for what anybody else does.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    if !input.scheduled() {
        return;
    }
    if let Some(open) = &input.history.open_proposal {
        findings.add(
            FindingCode::DecayProposalOpen,
            format!("proposal {open} for the record is open"),
            "the end of that proposal",
        );
    }
    if input.proposal.patch.len() != 1 {
        wrong_step(findings, "it is not one field's step");
    }
    for (field, rules, _) in input.governed() {
        step(input, (field, rules), findings);
    }
}

fn wrong_step(findings: &mut Findings, what: &str) {
    findings.add(FindingCode::DecayWrongStep, what, "one step to the state before the record's");
}

fn step(input: &Input<'_>, (field, rules): (&FieldName, &FieldPolicy), findings: &mut Findings) {
    let state = input.record.value(field).and_then(|value| value.as_text());
    let before = state.and_then(|state| rules.decay_target(state));
    let (Some(state), Some(before)) = (state, before) else {
        let state = state.unwrap_or("nothing that can be read");
        findings.add_field(
            FindingCode::DecayNotNamed,
            field,
            format!("{field} is \"{state}\", which does not decay"),
            "a state that the lifecycle has and that is neither its first nor an end",
        );
        return;
    };
    if input.proposal.patch.get(field).and_then(|value| value.as_text()) != Some(before) {
        wrong_step(findings, &format!("from \"{state}\" a stale {field} goes to \"{before}\""));
    }
    match rules.decay_window(state, input.record, input.now) {
        Window::None => findings.add_field(
            FindingCode::DecayNotNamed,
            field,
            format!("the policy names no days for \"{state}\" on this record"),
            "days for the state in the policy",
        ),
        Window::Unknown { segment } => findings.add_field(
            FindingCode::DecaySegmentUnknown,
            field,
            format!("whether the record belongs to \"{segment}\" cannot be said"),
            "the values that the segment names, readable and of the right type",
        ),
        Window::Days { days: number, segment } => {
            // The reader lets whole days through only; anything else would be no limit.
            let window = days(number).map(|days| SignedDuration::from_hours(24 * i64::from(days)));
            quiet(input, (field, window, segment), findings);
        }
    }
}

fn quiet(
    input: &Input<'_>,
    (field, window, segment): (&FieldName, Option<SignedDuration>, Option<&str>),
    findings: &mut Findings,
) {
    let known = input.history.quiet.unwrap_or_default();
    let today = begun_everywhere(input.now);
    let Some(day) = known.eligible_on.filter(|day| *day <= today) else {
        let words = match known.eligible_on {
            Some(day) => format!("the day of decay is {day}"),
            None => "the record has no day of decay".to_owned(),
        };
        let wanted = format!("a day of decay up to {today}");
        findings.add_field(FindingCode::DecayNotDue, field, words, wanted);
        return;
    };
    let Some(window) = window else {
        findings.add_field(
            FindingCode::CheckInconclusive,
            field,
            "the policy's days are no whole days up to ten years",
            "whole days",
        );
        return;
    };
    let Some((what, at)) = newest(input) else {
        findings.add_field(
            FindingCode::DecayNotDue,
            field,
            "nobody can say when the record last changed",
            "the time of the last change, readable for the promoter",
        );
        return;
    };
    let idle = input.now.duration_since(at);
    if idle < window {
        findings.add_field(
            FindingCode::DecayActive,
            field,
            format!("{what} at {at}, {} ago", age_text(idle)),
            format!("{} without a change or a signal", age_text(window)),
        );
        return;
    }
    let part = segment.map(|name| format!(" in \"{name}\"")).unwrap_or_default();
    findings.add_field(
        FindingCode::DecayDue,
        field,
        format!("due since {day} and quiet for {}; the limit{part} is {}", age_text(idle), age_text(window)),
        "nothing: this is for the reader",
    );
}

/// The newest thing that happened on the record, and when; `None` when the time of its last change
/// could not be read. A time that has not come counts as it is: a wrong clock keeps a record from
/// moving and never moves it.
fn newest(input: &Input<'_>) -> Option<(&'static str, Timestamp)> {
    let known = input.history.quiet.unwrap_or_default();
    let signals = input.history.signals.iter().map(|signal| ("a signal came", signal.occurred_at));
    let told = known.last_signal_at.map(|at| ("the last signal came", at));
    let changed = ("a governed field changed", known.changed_at?);
    std::iter::once(changed).chain(told).chain(signals).max_by_key(|(_, at)| *at)
}

#[cfg(test)]
mod tests {
    use super::begun_everywhere;

    #[test]
    fn a_day_counts_when_it_has_begun_in_the_last_zone() {
        let day = |now: &str| begun_everywhere(now.parse().unwrap()).to_string();
        assert_eq!(day("2026-05-20T11:59:59Z"), "2026-05-19", "west of the date line it is still yesterday");
        assert_eq!(day("2026-05-20T12:00:00Z"), "2026-05-20");
        assert!(
            begun_everywhere(jiff::Timestamp::MIN) < begun_everywhere(jiff::Timestamp::MAX),
            "and never fails"
        );
    }
}
