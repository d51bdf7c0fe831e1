//! Who was right: what later became of a value that people set in place of a promoted one.
//!
//! A disagreement begins when a person changes what was promoted. It stays open until a fact settles it,
//! and the first fact that does is the last word. What programs do settles nothing, and a person's own
//! value is no proof of itself: it has to stand for some time, or something has to follow from it.
//!
//! | What follows | Fact | For |
//! |---|---|---|
//! | the person's value stands for the `label_days` of the policy | `kept` | people |
//! | while it stands, a person moves the field to another terminal state, or the lead is converted | `closed` | people |
//! | a person moves the field on, away from the promoted value in the order of the lifecycle | `moved-on` | people |
//! | a person sets the promoted value again, or approves that it is promoted again | `came-to-it` | what was promoted |
//! | a person moves the field past the promoted value, in the direction in which that lay | `went-past` | what was promoted |
//! | less than that, a value in between, another value of a field without a lifecycle, a program's value | none | open |

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{
    ids::{FieldName, PromotionId},
    policy::FieldPolicy,
    promotion::number_as_text,
    shadow::wilson::wilson,
    value::FieldValue,
};

/// What settled a disagreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// The person's value stood for long enough.
    Kept,
    /// The record came to its end from the person's value.
    Closed,
    /// People moved the field on, away from what was promoted.
    MovedOn,
    /// A person set what was promoted after all.
    CameToIt,
    /// A person moved the field past what was promoted.
    WentPast,
}

impl Fact {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Kept, Self::Closed, Self::MovedOn, Self::CameToIt, Self::WentPast];

    /// The name in entries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Closed => "closed",
            Self::MovedOn => "moved-on",
            Self::CameToIt => "came-to-it",
            Self::WentPast => "went-past",
        }
    }

    /// Whether it confirms the people; else it confirms what was promoted.
    pub fn is_for_people(self) -> bool {
        matches!(self, Self::Kept | Self::Closed | Self::MovedOn)
    }
}

/// A value that a field came to hold after the disagreement began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// The value.
    pub value: FieldValue,
    /// A person set it, or approved it.
    pub by_person: bool,
    /// The record is converted with it: nothing leaves that.
    pub converted: bool,
    /// When.
    pub at: Timestamp,
}

/// A disagreement, and what is known of the field since.
#[derive(Debug, Clone, Copy)]
pub struct Disagreement<'a> {
    /// What was promoted.
    pub computed: &'a FieldValue,
    /// What a person set in its place.
    pub set: &'a FieldValue,
    /// When.
    pub at: Timestamp,
    /// The values since then, oldest first.
    pub later: &'a [Later],
}

/// The first fact that settles it, and since when it is so; `None`: it is open. `rules` are those of the
/// field, and `kept` is how long the person's value has to stand.
pub fn settle(
    of: &Disagreement<'_>,
    rules: Option<&FieldPolicy>,
    kept: SignedDuration,
    now: Timestamp,
) -> Option<(Fact, Timestamp)> {
    // Since when the person's value stands; it stands no more where another one took its place.
    let mut stands = Some(of.at);
    for later in of.later {
        if let Some(since) = stands.filter(|since| later.at.duration_since(*since) >= kept) {
            return Some((Fact::Kept, after(since, kept)));
        }
        let is_set = later.value.is_kept_as(of.set);
        if later.by_person {
            if let Some(fact) = said(of, later, rules, stands.is_some()) {
                return Some((fact, later.at));
            }
            stands = if is_set { stands.or(Some(later.at)) } else { None };
        } else if !is_set {
            stands = None;
        }
    }
    let since = stands.filter(|since| now.duration_since(*since) >= kept)?;
    Some((Fact::Kept, after(since, kept)))
}

fn after(since: Timestamp, kept: SignedDuration) -> Timestamp {
    since.saturating_add(kept).unwrap_or(since)
}

/// What one value says that a person set.
fn said(of: &Disagreement<'_>, later: &Later, rules: Option<&FieldPolicy>, stands: bool) -> Option<Fact> {
    if later.value.is_kept_as(of.computed) {
        return Some(Fact::CameToIt);
    }
    let is_set = later.value.is_kept_as(of.set);
    let is_end = rules.zip(later.value.as_text()).is_some_and(|(rules, state)| rules.is_terminal(state));
    if later.converted || (is_end && !is_set) {
        return stands.then_some(Fact::Closed);
    }
    if is_set {
        return None;
    }
    let place = |value: &FieldValue| rules?.place(value.as_text()?);
    let (computed, set, now) = (place(of.computed)?, place(of.set)?, place(&later.value)?);
    // Counted in the direction from the person's value to the promoted one.
    let (past, away) = if computed > set { (now > computed, now < set) } else { (now < computed, now > set) };
    match (past, away) {
        (true, _) => Some(Fact::WentPast),
        (_, true) => Some(Fact::MovedOn),
        _ => None,
    }
}

/// A disagreement was settled. No value and no person stands here, so it need not be erased.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Settled {
    /// What was promoted.
    pub promotion: PromotionId,
    /// Which of its fields.
    pub field: FieldName,
    /// By what.
    pub fact: Fact,
    /// Since when that is so.
    pub at: Timestamp,
    /// The part of the records that the record belonged to, as scorecards count them.
    pub part: String,
}

/// What disagreements are told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactsBy {
    /// Policy, field and tier.
    Rule,
    /// Object and field.
    Lane,
    /// The part of the records, where the policy names parts.
    Part,
    /// The promoted value and the person's, where the field has a lifecycle, of one rule.
    Step,
}

impl FactsBy {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Rule, Self::Lane, Self::Part, Self::Step];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Lane => "lane",
            Self::Part => "part",
            Self::Step => "step",
        }
    }
}

/// How disagreements stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsTally {
    /// People overrode it, and facts confirmed them.
    #[serde(with = "number_as_text")]
    pub people: u64,
    /// People overrode it, and facts confirmed what was promoted.
    #[serde(with = "number_as_text")]
    pub computed: u64,
    /// People overrode it, and nothing is settled.
    #[serde(with = "number_as_text")]
    pub open: u64,
    /// A program overrode it and no person did: nobody's word.
    #[serde(with = "number_as_text")]
    pub programs: u64,
}

/// What the numbers say about a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "advice", content = "more", rename_all = "kebab-case")]
pub enum Advice {
    /// So many more have to be settled first.
    NeedMore(u64),
    /// Facts mostly confirm the people: the rule wants too much.
    Relax,
    /// Facts mostly confirm what was promoted: the rule stands.
    Keep,
    /// The facts are divided.
    Divided,
}

impl FactsTally {
    /// What people overrode.
    pub fn overridden(&self) -> u64 {
        self.people + self.computed + self.open
    }

    /// Of these, what facts settled.
    pub fn settled(&self) -> u64 {
        self.people + self.computed
    }

    /// What follows with a sample of at least so many. The facts confirm one side where the interval of
    /// its share at 95 % lies above one half.
    pub fn advice(&self, least: u64) -> Advice {
        const HALF: u32 = 5_000;
        let settled = self.settled();
        if settled < least {
            return Advice::NeedMore(least - settled);
        }
        let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let interval = wilson(number(self.people), number(settled));
        match (interval.low > HALF, interval.high < HALF) {
            (true, _) => Advice::Relax,
            (_, true) => Advice::Keep,
            _ => Advice::Divided,
        }
    }
}

/// One row of what was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsRow {
    /// By what.
    pub by: FactsBy,
    /// Which one.
    pub name: String,
    /// The rule of a step, where it is still known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Settled ones that it takes before anything is said.
    #[serde(with = "number_as_text")]
    pub least: u64,
    /// How they stand.
    #[serde(flatten)]
    pub tally: FactsTally,
}

impl FactsRow {
    /// What the numbers say.
    pub fn advice(&self) -> Advice {
        self.tally.advice(self.least)
    }
}

#[cfg(test)]
mod tests;
