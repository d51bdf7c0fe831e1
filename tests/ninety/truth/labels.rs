//! What became of each watched proposal, as a person who knows the definitions would say it.
//!
//! What one of the foreign writers did is no verdict: they are programs, all of them.
//!
//! The limits of the product are stated here exactly. What happens on a lead is heard at once, because its
//! channel carries every change. What happens on a deal is seen at the hourly look, so a value that was
//! set and set again between two looks is not seen; and of a deal that holds what it held nobody can
//! say whether the stamp is about this field.

use jiff::{SignedDuration, Timestamp};

use super::{
    endings::{End, ending},
    next,
};
use crate::{diary::Proposed, history::Commit, world::World};

/// How long a proposal is watched.
const WATCHED: SignedDuration = SignedDuration::from_hours(14 * 24);
/// The governed fields of a deal: a change of any of them moves the stamp.
const OF_A_DEAL: [&str; 4] = ["StageName", "NextStep", "Amount", "CloseDate"];

/// A label, since when the ledger can have it, and the moment for which it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub from: Timestamp,
    pub label: &'static str,
    pub at: Timestamp,
}

/// All labels of a proposal in the order in which they come. `back` is when the agent's lane over leads
/// stepped back.
pub fn steps(world: &World, sent: &Proposed, back: Option<Timestamp>) -> Vec<Step> {
    let looks = world.diary.runs_of("shadow");
    let seen = Seen { world, sent, back, since: sent.at, due: sent.at + WATCHED, looks: &looks };
    match (sent.went_on, sent.object) {
        (true, _) => seen.went_on(),
        (false, "Lead") => seen.heard(),
        (false, _) => seen.looked_at(),
    }
}

/// The label that stands at a moment.
pub fn standing(steps: &[Step], at: Timestamp) -> Option<&Step> {
    steps.iter().rfind(|step| step.from <= at)
}

struct Seen<'a> {
    world: &'a World,
    sent: &'a Proposed,
    back: Option<Timestamp>,
    since: Timestamp,
    due: Timestamp,
    looks: &'a [Timestamp],
}

impl Seen<'_> {
    fn look(&self, at: Timestamp) -> Timestamp {
        next(self.looks, at).unwrap_or(Timestamp::MAX)
    }

    /// Changes of the field by anybody but the daemon while it was watched.
    fn by_others(&self) -> impl Iterator<Item = (&Commit, String)> {
        let changes = self.world.history.on(&self.sent.record);
        let within = changes.filter(|commit| commit.at >= self.since && commit.at <= self.due);
        within
            .filter(|commit| !self.world.history.is_ours(commit))
            .filter_map(|commit| Some((commit, commit.set(self.sent.field)?)))
    }

    /// It went on to people or to the record.
    fn went_on(&self) -> Vec<Step> {
        let Some((at, end)) = ending(self.world, self.sent, self.back) else { return Vec::new() };
        let look = self.look(at);
        let told = |label, from: Timestamp| vec![Step { from, label, at: from }];
        match end {
            End::Rejected => told("rejected", look),
            End::Edited => told("other", look),
            End::SameByHand { by_program: false } => told("match", at),
            End::SameByHand { by_program: true } => told("program", at),
            End::Overtaken | End::Superseded | End::Expired => told("lapsed", look),
            // A new watch begins, as for what was only recorded from the start.
            End::Recorded => Self { since: at, due: at + WATCHED, ..*self }.heard(),
            End::Landed { by_person } => {
                let first = if by_person { "approved" } else { "landed" };
                let mut steps = told(first, look);
                let mut ends = if by_person { None } else { Some("kept") };
                let back = self.by_others().filter(|(it, value)| it.at > at && *value == self.sent.base);
                for (commit, _) in back {
                    // A program takes nothing back that a person approved, and counts one time.
                    let label = match self.world.history.is_by_program(commit) {
                        true if ends.is_some() => "undone",
                        true => continue,
                        false => "reversed",
                    };
                    steps.retain(|step| step.from < commit.at);
                    steps.extend(told(label, commit.at));
                    ends = None;
                    if label == "reversed" {
                        break;
                    }
                }
                steps.extend(ends.into_iter().flat_map(|label| told(label, self.look(self.due))));
                steps
            }
        }
    }

    /// It was only recorded, on a lead.
    fn heard(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (commit, value) in self.by_others() {
            let by_program = self.world.history.is_by_program(commit);
            if by_program && !steps.is_empty() {
                continue;
            }
            let is_match = value == self.sent.value && !by_program;
            let label = if by_program {
                "program"
            } else if is_match {
                "match"
            } else {
                "other"
            };
            steps.push(Step { from: commit.at, label, at: commit.at });
            if is_match {
                return steps;
            }
        }
        if steps.is_empty() {
            steps.extend(self.ends(|now| if now == self.sent.base { "untouched" } else { "unclear" }));
        }
        steps
    }

    /// It was only recorded, on a deal.
    fn looked_at(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let last = self.look(self.due);
        let from = self.looks.partition_point(|look| *look < self.sent.at);
        for look in self.looks[from..].iter().take_while(|look| **look <= last) {
            let now = self.world.history.value(&self.sent.record, self.sent.field, *look);
            let Some(stamped) = self.stamped(*look).filter(|at| *at >= self.sent.at && *at <= self.due)
            else {
                continue;
            };
            let is_match = now == self.sent.value;
            let is_news = steps.last().is_none_or(|known| stamped > known.at);
            if now == self.sent.base || !(is_match || is_news) {
                continue;
            }
            let label = if is_match { "match" } else { "other" };
            steps.push(Step { from: *look, label, at: stamped });
            if is_match {
                return steps;
            }
        }
        if steps.is_empty() {
            let stamped = self.stamped(last).is_some_and(|at| at >= self.sent.at);
            steps.extend(
                self.ends(|now| if now == self.sent.base && !stamped { "untouched" } else { "unclear" }),
            );
        }
        steps
    }

    /// When anybody last changed any governed field of the deal.
    fn stamped(&self, at: Timestamp) -> Option<Timestamp> {
        let mut changes = self.world.history.on(&self.sent.record);
        changes
            .rfind(|it| it.at <= at && OF_A_DEAL.iter().any(|field| it.changed.contains_key(*field)))
            .map(|commit| commit.at)
    }

    /// Its time is over, and nothing was seen.
    fn ends(&self, label: impl Fn(String) -> &'static str) -> Option<Step> {
        let look = next(self.looks, self.due)?;
        let now = self.world.history.value(&self.sent.record, self.sent.field, look);
        Some(Step { from: look, label: label(now), at: look })
    }
}
