//! A scorecard: labels counted, precision, and what follows from it.

use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde::Serialize;

use super::{
    Label,
    wilson::{Interval, share, wilson},
};
use crate::domain::policy::ShadowRule;

/// Most further labels that are worth waiting for; beyond it the advice is to leave the lane as it is.
const MOST_MORE: u32 = 100_000;

/// Watched fields, counted by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Match, approved, or judged right.
    pub right: u32,
    /// Other, rejected, reversed, or judged wrong.
    pub wrong: u32,
    /// Nobody touched the field, or kept it as it was promoted: no answer.
    pub untouched: u32,
    /// Changed, and nothing tells that a person did it.
    pub unclear: u32,
    /// Ended in another way.
    pub lapsed: u32,
    /// Approved, or promoted with no person: how many may have been put back.
    pub written: u32,
    /// Of these: rolled back, or changed back by a person.
    pub reversed: u32,
    /// A program set the field or put it back, and no person answered: left out.
    pub programs: u32,
    /// Under watch and without a label.
    pub waiting: u32,
}

impl Tally {
    /// Adds `count` fields that stand so. What a person judged outranks what was seen.
    pub fn add(&mut self, label: Option<Label>, judged: Option<Label>, count: u32) {
        let written = [Label::Approved, Label::Landed, Label::Kept, Label::Undone, Label::Reversed];
        if label.is_some_and(|label| written.contains(&label)) {
            self.written += count;
        }
        if label == Some(Label::Reversed) {
            self.reversed += count;
        }
        let place = match judged.or(label) {
            None => &mut self.waiting,
            Some(Label::Match | Label::Approved | Label::Right) => &mut self.right,
            Some(Label::Other | Label::Rejected | Label::Reversed | Label::Wrong) => &mut self.wrong,
            Some(Label::Untouched | Label::Landed | Label::Kept) => &mut self.untouched,
            Some(Label::Unclear) => &mut self.unclear,
            Some(Label::Lapsed) => &mut self.lapsed,
            Some(Label::Program | Label::Undone) => &mut self.programs,
        };
        *place += count;
    }

    /// Adds another tally.
    pub fn join(&mut self, other: &Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.untouched += other.untouched;
        self.unclear += other.unclear;
        self.lapsed += other.lapsed;
        self.written += other.written;
        self.reversed += other.reversed;
        self.programs += other.programs;
        self.waiting += other.waiting;
    }

    /// How many people answered, by what they did or said.
    pub fn decided(&self) -> u32 {
        self.right + self.wrong
    }

    /// The share of the decided ones that was right, to four digits, rounded down.
    pub fn precision(&self) -> Option<Decimal> {
        share(self.right, self.decided())
    }

    /// Between which shares the true precision lies, at 95 %.
    pub fn interval(&self) -> Interval {
        wilson(self.right, self.decided())
    }

    /// The share of the labelled ones on which people answered.
    pub fn coverage(&self) -> Option<Decimal> {
        let open = self.untouched + self.unclear + self.lapsed + self.programs;
        share(self.decided(), self.decided() + open)
    }

    /// The share of the written ones that was put back.
    pub fn reversals(&self) -> Option<Decimal> {
        share(self.reversed, self.written)
    }
}

/// What follows from a tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "advice")]
pub enum Advice {
    /// A person may let the lane act.
    Promote,
    /// Leave it as it is.
    Keep,
    /// It takes more answers.
    NeedMore {
        /// How many, if they go as the ones before.
        more: u32,
    },
    /// It acts and should not.
    StepBack {
        /// What is bad.
        because: Bad,
    },
}

/// What is bad about a lane that acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bad {
    /// The lower bound of precision is below the policy's.
    Precision,
    /// More of what was written is put back than the policy takes.
    Reversals,
}

impl Bad {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Precision => "precision-too-low",
            Self::Reversals => "reversals-too-many",
        }
    }
}

/// What is bad, once there are enough to say so.
pub fn bad(tally: &Tally, rule: &ShadowRule) -> Option<Bad> {
    let enough = least(rule);
    if tally.written >= enough && tally.reversals().is_some_and(|rate| rate > rule.max_reversals) {
        return Some(Bad::Reversals);
    }
    let low = tally.interval().low();
    (tally.decided() >= enough && low < rule.step_back_below).then_some(Bad::Precision)
}

/// What to do with a lane that acts (`live`) or only records.
pub fn advise(tally: &Tally, rule: &ShadowRule, live: bool) -> Advice {
    if live {
        return bad(tally, rule).map_or(Advice::Keep, |because| Advice::StepBack { because });
    }
    let short = least(rule).saturating_sub(tally.decided());
    if short > 0 {
        return Advice::NeedMore { more: short };
    }
    if tally.interval().low() >= rule.promote_from {
        return Advice::Promote;
    }
    more(tally, rule.promote_from).map_or(Advice::Keep, |more| Advice::NeedMore { more })
}

fn least(rule: &ShadowRule) -> u32 {
    rule.min_sample.to_u32().unwrap_or(u32::MAX).max(1)
}

/// How many more it takes until the lower bound reaches `wanted`, if the share stays what it is; `None`
/// where it never does, or not within [`MOST_MORE`].
fn more(tally: &Tally, wanted: Decimal) -> Option<u32> {
    let (right, of) = (tally.right, tally.decided());
    if share(right, of).is_none_or(|known| known <= wanted) {
        return None;
    }
    let reached = |more: u32| {
        let all = of.saturating_add(more);
        let right = u64::from(right) * u64::from(all) / u64::from(of);
        wilson(u32::try_from(right).unwrap_or(u32::MAX), all).low() >= wanted
    };
    let (mut short, mut enough) = (0, 1);
    while !reached(enough) {
        if enough >= MOST_MORE {
            return None;
        }
        (short, enough) = (enough, enough.saturating_mul(2));
    }
    while enough - short > 1 {
        let middle = short + (enough - short) / 2;
        if reached(middle) { enough = middle } else { short = middle }
    }
    Some(enough)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(right: u32, wrong: u32) -> Tally {
        Tally { right, wrong, ..Tally::default() }
    }

    #[test]
    fn each_label_counts_where_it_belongs_and_a_judgement_outranks() {
        let mut counted = Tally::default();
        for label in Label::ALL.iter().filter(|label| !label.is_judgement()) {
            counted.add(Some(*label), None, 1);
        }
        counted.add(None, None, 5);
        let expected = Tally {
            right: 2,
            wrong: 3,
            untouched: 3,
            unclear: 1,
            lapsed: 1,
            written: 5,
            reversed: 1,
            programs: 2,
            waiting: 5,
        };
        assert_eq!(counted, expected);
        let mut judged = Tally::default();
        judged.add(Some(Label::Other), Some(Label::Right), 1);
        judged.add(None, Some(Label::Wrong), 1);
        judged.add(Some(Label::Reversed), Some(Label::Right), 1);
        assert_eq!((judged.right, judged.wrong, judged.waiting), (2, 1, 0));
        assert_eq!((judged.written, judged.reversed), (1, 1), "it was put back, whatever was right");
        let mut both = counted;
        both.join(&judged);
        assert_eq!((both.right, both.wrong, both.reversed), (4, 4, 2));
    }

    #[test]
    fn joining_adds_each_count_to_its_own() {
        let tally = |by: u32| Tally {
            right: by,
            wrong: 2 * by,
            untouched: 3 * by,
            unclear: 4 * by,
            lapsed: 5 * by,
            written: 6 * by,
            reversed: 7 * by,
            programs: 8 * by,
            waiting: 9 * by,
        };
        let mut both = tally(3);
        both.join(&tally(100));
        assert_eq!(both, tally(103));
    }

    #[test]
    fn untouched_is_no_answer() {
        let quiet = Tally { untouched: 900, ..tally(9, 1) };
        assert_eq!(quiet.precision(), Some(Decimal::new(9, 1)));
        assert_eq!(quiet.coverage(), Some(Decimal::new(109, 4)));
        assert_eq!(quiet.interval(), tally(9, 1).interval());
        let all = Tally { untouched: 20, unclear: 30, lapsed: 40, waiting: 999, ..tally(9, 1) };
        assert_eq!(all.coverage(), Some(Decimal::new(1, 1)), "10 of 100");
        let busy = Tally { programs: 90, ..tally(9, 1) };
        assert_eq!((busy.precision(), busy.coverage()), (Some(Decimal::new(9, 1)), Some(Decimal::new(1, 1))));
        assert_eq!(busy.interval(), tally(9, 1).interval(), "what programs did changes no precision");
    }

    #[test]
    fn advice_follows_the_lower_bound_and_says_how_many_are_missing() {
        let rule = ShadowRule {
            min_sample: 50.into(),
            promote_from: "0.90".parse().unwrap(),
            ..ShadowRule::default()
        };
        let shadow = |right, wrong| advise(&tally(right, wrong), &rule, false);
        assert_eq!(shadow(0, 0), Advice::NeedMore { more: 50 });
        assert_eq!(shadow(20, 0), Advice::NeedMore { more: 30 });
        assert_eq!(shadow(50, 0), Advice::Promote, "lower bound 0.9286");
        assert_eq!(shadow(45, 5), Advice::Keep, "no number of these reaches it");
        let Advice::NeedMore { more } = shadow(48, 3) else { panic!("0.9411 can reach 0.90") };
        let at = |more: u32| wilson(48 * (51 + more) / 51, 51 + more).low;
        assert!(at(more) >= 9_000 && at(more - 1) < 9_000, "{more}");
    }

    #[test]
    fn a_lane_that_acts_steps_back_on_enough_bad_ones_only() {
        let rule = ShadowRule {
            min_sample: 10.into(),
            step_back_below: "0.50".parse().unwrap(),
            max_reversals: "0.10".parse().unwrap(),
            ..ShadowRule::default()
        };
        assert_eq!(advise(&tally(0, 9), &rule, true), Advice::Keep, "too few to say");
        assert_eq!(advise(&tally(0, 10), &rule, true), Advice::StepBack { because: Bad::Precision });
        assert_eq!(advise(&tally(10, 0), &rule, true), Advice::Keep);
        let lowest = ShadowRule { step_back_below: 0.into(), ..rule.clone() };
        assert_eq!(advise(&tally(0, 10), &lowest, true), Advice::Keep, "at the bound is within it");
        assert_eq!(
            (Bad::Precision.code(), Bad::Reversals.code()),
            ("precision-too-low", "reversals-too-many")
        );
        let written = |written, reversed| Tally { written, reversed, ..Tally::default() };
        assert_eq!(bad(&written(9, 9), &rule), None);
        assert_eq!(bad(&written(10, 1), &rule), None, "at the bound is within it");
        assert_eq!(bad(&written(10, 2), &rule), Some(Bad::Reversals));
    }
}
