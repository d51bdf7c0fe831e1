//! How well proposals do, in numbers: what people decided and how long it took, what was promoted and
//! what of it went back, and which values never reached their field.
//!
//! Everything is counted, so that what is kept does not grow with the number of proposals. Review times
//! are counted by length: by the minute up to a day, by the hour up to thirty days, and together beyond.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    approval::Decision,
    ids::{FieldName, PromotionId},
    promotion::Basis,
    proposal::Stage,
};

/// Minutes of a day: longer review times are rounded down to whole hours.
const DAY: u64 = 24 * 60;

/// Minutes of thirty days: longer review times count as thirty days.
pub const LONGEST: u64 = 30 * DAY;

/// One entry of a proposal's story, as far as the numbers need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When the entry was made.
    pub at: Timestamp,
    /// What it says.
    pub what: Happened,
}

/// What an entry of a story says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The proposal came to a stage, or stayed there.
    Stage {
        /// Which.
        stage: Stage,
        /// Why, where no verdict says it.
        code: Option<String>,
    },
    /// A decision was read from the platform.
    Decided {
        /// What was decided.
        decision: Decision,
        /// When, by the platform's clock.
        when: Timestamp,
    },
    /// A promotion came to a new state.
    Settled {
        /// Which.
        promotion: PromotionId,
        /// It landed.
        landed: bool,
    },
    /// Fields of the proposal are watched until then.
    Watched {
        /// The end of the watch.
        due: Timestamp,
    },
    /// A watched field was found changed back.
    Reversed {
        /// Which.
        field: FieldName,
        /// When that happened.
        when: Timestamp,
    },
}

/// How long things took, counted by length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    by_minutes: BTreeMap<u64, u64>,
}

impl Durations {
    /// Counts one. A clock that went back makes it none.
    pub fn add(&mut self, duration: SignedDuration) {
        let minutes = u64::try_from(duration.as_mins()).unwrap_or(0);
        let length = if minutes < DAY { minutes } else { (minutes / 60 * 60).min(LONGEST) };
        *self.by_minutes.entry(length).or_default() += 1;
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.by_minutes.values().sum()
    }

    /// The shortest counted length, in minutes, that this many percent do not exceed (nearest rank).
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = (self.count() * percent).div_ceil(100).max(1);
        let mut passed = 0;
        self.by_minutes.iter().find_map(|(length, count)| {
            passed += count;
            (passed >= rank).then_some(*length)
        })
    }
}

/// What a person said to a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Approved as it was.
    Accepted,
    /// Rejected.
    Rejected,
    /// Replaced by a person's own edit.
    Edited,
}

/// How a proposal stands that waited for a person and was not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecided {
    /// Nobody decided in time.
    Expired,
    /// It ended in another way: superseded, withdrawn, stale, refused.
    Ended,
    /// It still waits.
    Waiting,
}

/// How a promotion went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reversal {
    /// A rollback undid it.
    RolledBack,
    /// A person set the value of before, within the watch.
    PutBack,
}

/// Who kept a value away from its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The gate or the org refused it.
    Refused,
    /// A person rejected it.
    Rejected,
}

/// One thing that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// A person decided, so long after it was a person's turn, where that is known.
    Answered(Answer, Option<SignedDuration>),
    /// Nobody did.
    Undecided(Undecided),
    /// A promotion landed.
    Promoted(Basis),
    /// A promotion went back.
    Reversed(Reversal),
    /// So many values never reached their field.
    Stopped(Stopped, u64),
}

/// The numbers of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Proposals that people approved as they were.
    pub accepted: u64,
    /// Proposals that people rejected.
    pub rejected: u64,
    /// Proposals that people replaced by an edit of their own.
    pub edited: u64,
    /// Proposals that nobody decided in time.
    pub expired: u64,
    /// Proposals that ended in another way before anybody decided.
    pub ended_undecided: u64,
    /// Proposals that still wait.
    pub waiting: u64,
    /// How long people took.
    pub review: Durations,
    /// Promotions that a person approved.
    pub approved: u64,
    /// Promotions that ran by themselves.
    pub auto: u64,
    /// Moves of scheduled decay.
    pub decay: u64,
    /// Promotions that a rollback undid.
    pub rolled_back: u64,
    /// Promotions that a person put back by hand.
    pub put_back: u64,
    /// Values that the gate or the org refused.
    pub refused_values: u64,
    /// Values that people rejected.
    pub rejected_values: u64,
}

impl Numbers {
    /// Counts one thing.
    pub fn take(&mut self, fact: Fact) {
        let counter = match fact {
            Fact::Answered(answer, duration) => {
                duration.into_iter().for_each(|duration| self.review.add(duration));
                match answer {
                    Answer::Accepted => &mut self.accepted,
                    Answer::Rejected => &mut self.rejected,
                    Answer::Edited => &mut self.edited,
                }
            }
            Fact::Undecided(Undecided::Expired) => &mut self.expired,
            Fact::Undecided(Undecided::Ended) => &mut self.ended_undecided,
            Fact::Undecided(Undecided::Waiting) => &mut self.waiting,
            Fact::Promoted(Basis::Approved) => &mut self.approved,
            Fact::Promoted(Basis::Auto) => &mut self.auto,
            Fact::Promoted(Basis::Decay) => &mut self.decay,
            // A rollback is told as the reversal of what it undoes.
            Fact::Promoted(Basis::Rollback) => return,
            Fact::Reversed(Reversal::RolledBack) => &mut self.rolled_back,
            Fact::Reversed(Reversal::PutBack) => &mut self.put_back,
            Fact::Stopped(by, values) => {
                match by {
                    Stopped::Refused => self.refused_values += values,
                    Stopped::Rejected => self.rejected_values += values,
                }
                return;
            }
        };
        *counter += 1;
    }

    /// Proposals that people decided.
    pub fn decided(&self) -> u64 {
        self.accepted + self.rejected + self.edited
    }

    /// Promotions that landed, rollbacks apart.
    pub fn promotions(&self) -> u64 {
        self.approved + self.auto + self.decay
    }

    /// Promotions that went back.
    pub fn reversed(&self) -> u64 {
        self.rolled_back + self.put_back
    }

    /// Values that never reached their field.
    pub fn stopped(&self) -> u64 {
        self.refused_values + self.rejected_values
    }
}

/// A share in percent with one digit, rounded down; `None` of nothing.
pub fn percent(part: u64, all: u64) -> Option<String> {
    let permille = part.saturating_mul(1_000).checked_div(all)?;
    Some(format!("{}.{}", permille / 10, permille % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durations(minutes: impl IntoIterator<Item = i64>) -> Durations {
        let mut durations = Durations::default();
        minutes.into_iter().for_each(|one| durations.add(SignedDuration::from_mins(one)));
        durations
    }

    #[test]
    fn percentiles_are_lengths_that_were_counted() {
        let of = |minutes: &[i64]| {
            let durations = durations(minutes.iter().copied());
            (durations.percentile(50), durations.percentile(90))
        };
        assert_eq!(of(&[]), (None, None), "nothing has none");
        assert_eq!(of(&[7]), (Some(7), Some(7)));
        assert_eq!(of(&[9, 1]), (Some(1), Some(9)), "the first of two is the median");
        assert_eq!(of(&[3, 1, 2]), (Some(2), Some(3)));
        assert_eq!(of(&[4, 4, 4, 4, 50]), (Some(4), Some(50)), "ties");
        assert_eq!(of(&[5, 5, 1, 9]), (Some(5), Some(9)), "the second of four");
        let ten = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
        assert_eq!(of(&ten), (Some(50), Some(90)), "the fifth and the ninth of ten");
        let all: Vec<i64> = ten.into_iter().chain([110]).collect();
        assert_eq!(of(&all), (Some(60), Some(100)), "the sixth and the tenth of eleven");
        assert_eq!(durations(1..=100).percentile(0), Some(1));
        assert_eq!(durations(1..=100).percentile(100), Some(100));
    }

    #[test]
    fn lengths_are_whole_minutes_then_hours_and_have_an_end() {
        let length = |seconds: i64| {
            let mut one = Durations::default();
            one.add(SignedDuration::from_secs(seconds));
            one.percentile(50).unwrap()
        };
        assert_eq!((length(0), length(59), length(60), length(119)), (0, 0, 1, 1));
        assert_eq!(length(-90), 0, "a clock that went back");
        assert_eq!((length(86_399), length(86_400), length(86_400 + 3_599)), (1_439, 1_440, 1_440));
        assert_eq!(length(86_400 + 3_600), 1_500);
        assert_eq!((length(30 * 86_400), length(400 * 86_400)), (LONGEST, LONGEST));
        let mut all = Durations::default();
        (0..3_000_000).step_by(30).for_each(|second| all.add(SignedDuration::from_secs(second)));
        assert_eq!(all.count(), 100_000);
        assert_eq!(all.by_minutes.len(), 1_440 + 29 * 24 + 1, "and no more of them, ever");
    }

    #[test]
    fn each_fact_is_counted_in_its_own_place() {
        let mut told = Numbers::default();
        let half = Some(SignedDuration::from_mins(30));
        let facts = [
            (1, Fact::Answered(Answer::Accepted, half)),
            (2, Fact::Answered(Answer::Rejected, None)),
            (3, Fact::Answered(Answer::Edited, half)),
            (4, Fact::Undecided(Undecided::Expired)),
            (5, Fact::Undecided(Undecided::Ended)),
            (6, Fact::Undecided(Undecided::Waiting)),
            (7, Fact::Promoted(Basis::Approved)),
            (8, Fact::Promoted(Basis::Auto)),
            (9, Fact::Promoted(Basis::Decay)),
            (10, Fact::Promoted(Basis::Rollback)),
            (11, Fact::Reversed(Reversal::RolledBack)),
            (12, Fact::Reversed(Reversal::PutBack)),
            (13, Fact::Stopped(Stopped::Refused, 2)),
            (14, Fact::Stopped(Stopped::Rejected, 3)),
        ];
        for (times, fact) in facts {
            (0..times).for_each(|_| told.take(fact));
        }
        let expected = Numbers {
            accepted: 1,
            rejected: 2,
            edited: 3,
            expired: 4,
            ended_undecided: 5,
            waiting: 6,
            review: durations([30; 4]),
            approved: 7,
            auto: 8,
            decay: 9,
            rolled_back: 11,
            put_back: 12,
            refused_values: 26,
            rejected_values: 42,
        };
        assert_eq!(told, expected);
        assert_eq!((told.decided(), told.promotions(), told.reversed(), told.stopped()), (6, 24, 23, 68));
    }

    #[test]
    fn a_share_has_one_digit_and_is_rounded_down() {
        let told = |part, all| percent(part, all).unwrap();
        assert_eq!(
            (told(2, 3), told(1, 1), told(0, 7), told(1, 250)),
            ("66.6".into(), "100.0".into(), "0.0".into(), "0.4".into())
        );
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(3, 0), None);
    }
}
