//! A policy's time limits, as durations.

use jiff::SignedDuration;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use crate::domain::ObjectPolicy;

/// How far another clock may be ahead of ours before its times are doubted.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The limits of one object's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most age of a model's look.
    pub proposal_max_age: SignedDuration,
    /// Most age of an approval.
    pub approval_max_age: SignedDuration,
    /// Most time without a decision.
    pub undecided_max_age: SignedDuration,
}

impl Limits {
    /// Reads the limits; the error is the key that is out of range.
    pub fn of(policy: &ObjectPolicy) -> Result<Self, &'static str> {
        Ok(Self {
            proposal_max_age: minutes(policy.proposal_max_age_minutes).ok_or("proposal_max_age_minutes")?,
            approval_max_age: minutes(policy.approval_max_age_minutes).ok_or("approval_max_age_minutes")?,
            undecided_max_age: minutes(policy.undecided_max_age_minutes)
                .ok_or("undecided_max_age_minutes")?,
        })
    }
}

/// Whole minutes from 0 to ten years; `None` for anything else.
pub fn minutes(number: Decimal) -> Option<SignedDuration> {
    const TEN_YEARS: i64 = 10 * 366 * 24 * 60;
    let whole = number.is_integer().then(|| number.to_i64()).flatten()?;
    (0..=TEN_YEARS).contains(&whole).then(|| SignedDuration::from_mins(whole))
}

/// Whole days from 0 to ten years; `None` for anything else.
pub fn days(number: Decimal) -> Option<i32> {
    let whole = number.is_integer().then(|| number.to_i32()).flatten()?;
    (0..=3660).contains(&whole).then_some(whole)
}

/// An age for people: `3 days`, `5 hours`, `12 minutes`.
pub fn age_text(age: SignedDuration) -> String {
    let minutes = age.as_secs().saturating_abs() / 60;
    let (number, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_whole_and_at_most_ten_years() {
        let some = |number: &str| minutes(number.parse().unwrap()).map(|limit| limit.as_mins());
        assert_eq!((some("0"), some("90"), some("90.0")), (Some(0), Some(90), Some(90)));
        assert_eq!((some("5270400"), some("5270401")), (Some(5_270_400), None));
        assert_eq!((some("-1"), some("1.5"), some("79228162514264337593543950335")), (None, None, None));
        let some = |number: &str| days(number.parse().unwrap());
        assert_eq!(
            (some("0"), some("30"), some("3660"), some("3661")),
            (Some(0), Some(30), Some(3660), None)
        );
        assert_eq!((some("-1"), some("0.5"), some("4294967296")), (None, None, None));
    }

    #[test]
    fn ages_are_told_in_the_unit_that_people_would_use() {
        let text = |seconds| age_text(SignedDuration::from_secs(seconds));
        assert_eq!((text(0), text(59)), ("0 minutes".into(), "0 minutes".into()));
        assert_eq!((text(60), text(119 * 60)), ("1 minute".into(), "119 minutes".into()));
        assert_eq!((text(120 * 60), text(2879 * 60)), ("2 hours".into(), "47 hours".into()));
        assert_eq!((text(2880 * 60), text(14 * 86_400)), ("2 days".into(), "14 days".into()));
        assert_eq!(text(-300), "5 minutes");
    }
}
