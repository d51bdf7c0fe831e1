//! Second readings: what each report must say, from the org's own history and the actors' diary alone.
//!
//! Nothing here reads the ledger but through the commands whose answers are judged.

pub mod decay;
pub mod endings;
pub mod facts;
pub mod labels;
pub mod overrides;
pub mod rates;
pub mod scorecard;
pub mod writers;

use std::{collections::BTreeMap, fmt::Debug};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// What did not agree, and how much was compared.
#[derive(Debug, Default)]
pub struct Judged {
    pub wrong: Vec<String>,
    /// How often something was reached that must be reached.
    pub seen: BTreeMap<String, usize>,
}

impl Judged {
    /// Holds what a report tells against the truth.
    pub fn same<T: Debug + PartialEq>(&mut self, what: &str, truth: T, told: T) {
        if truth != told {
            self.wrong.push(format!("{what}\n  truth: {truth:?}\n  told:  {told:?}"));
        }
    }

    pub fn saw(&mut self, what: impl Into<String>) {
        *self.seen.entry(what.into()).or_default() += 1;
    }
}

/// The day that has begun everywhere on earth.
pub fn begun(at: Timestamp) -> Date {
    (at - jiff::SignedDuration::from_hours(12)).to_zoned(TimeZone::UTC).date()
}

/// The first of these moments that is not before `at`.
pub fn next(moments: &[Timestamp], at: Timestamp) -> Option<Timestamp> {
    moments.get(moments.partition_point(|moment| *moment < at)).copied()
}
