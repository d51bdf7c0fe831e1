//! From the gate's input and outcome to what the peers are told and may answer.

use countersign::{
    domain::{Decision, FieldValue},
    gate::{Input, Outcome},
};
use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use crate::facts::{Answer, Facts};

/// The answer that an outcome comes down to.
pub fn answer(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Promote => Answer::Allow,
        Outcome::Review => Answer::Review,
        _ => Answer::Block,
    }
}

/// Reads the words of the policies for the peers.
pub fn read(word: &str) -> Answer {
    match word {
        "allow" => Answer::Allow,
        "review" => Answer::Review,
        "block" => Answer::Block,
        other => panic!("`{other}` is no answer"),
    }
}

/// The facts of an input, or `None` for one that the peers' policies cannot express.
pub fn facts(input: &Input<'_>) -> Option<Facts> {
    let proposal = input.proposal;
    let mut patch = proposal.patch.iter();
    let (Some((field, to)), None) = (patch.next(), patch.next()) else { return None };
    let text = |value: Option<&FieldValue>| value.and_then(FieldValue::as_text).map(str::to_owned);
    let looked = proposal.evaluated_at.unwrap_or(proposal.received_at);
    let approval = input.approval.filter(|approval| approval.proposal_id == proposal.id);
    let patch_digest = proposal.patch_digest().ok();
    let today = (input.now - SignedDuration::from_hours(12)).to_zoned(TimeZone::UTC).date();
    Some(Facts {
        field: format!("{}.{field}", proposal.object),
        from: text(input.record.value(field)),
        to: text(Some(to)),
        base: text(proposal.base.get(field)),
        confidence: proposal.confidence.and_then(percent),
        decision: approval.map(|approval| match approval.decision {
            Decision::Approved => "approved".to_owned(),
            Decision::Rejected => "rejected".to_owned(),
        }),
        same_patch: approval.is_some_and(|own| Some(&own.patch_digest) == patch_digest.as_ref()),
        decided_ago: approval.map_or(0, |own| minutes(input.now.duration_since(own.decided_at))),
        age_on_arrival: minutes(proposal.received_at.duration_since(looked)),
        age: minutes(input.now.duration_since(looked)),
        waiting: minutes(input.now.duration_since(proposal.received_at)),
        hold_until: input.record.hold.as_ref().map(|hold| day(hold.until)),
        today: day(today),
        asks_for_review: proposal.requires_review,
        switch_on: input.schema.is_some_and(|schema| schema.auto_allowed.contains(field)),
    })
}

fn percent(share: Decimal) -> Option<i64> {
    (share * Decimal::ONE_HUNDRED).floor().to_i64()
}

fn minutes(age: SignedDuration) -> i64 {
    age.as_secs().div_euclid(60) + i64::from(age.as_secs().rem_euclid(60) > 0)
}

fn day(date: Date) -> i64 {
    date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24
}
