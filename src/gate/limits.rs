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
