//! Numbers of quality, by week, by lane and by agent: a fold over the stories of proposals.
//!
//! A fact belongs to the week in which the ledger heard of it, in UTC, weeks from Monday. That a promotion
//! went back belongs to the week in which the promotion landed, so that a share is always one of the
//! promotions beside it. A proposal of several fields counts in each of its lanes, and one time elsewhere.
//!
//! The ledger is read in pages, and only numbers are kept of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use self::story::{Told, told};
use crate::{
    domain::quality::{Fact, Numbers},
    ledger::{Ledger, LedgerError, QualityStory},
};

mod story;
#[cfg(test)]
mod tests;

/// Stories of one page.
const PAGE: u32 = 500;

/// Most lanes, and most agents, that are told one by one.
pub const MOST: usize = 200;

/// The lane, or the agent, of what found no room.
pub const OTHERS: &str = "(all others)";

/// What is counted by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Everything.
    All,
    /// A week, by its Monday.
    Week(Date),
    /// Object and field.
    Lane(String),
    /// A lane in a week.
    LaneWeek(String, Date),
    /// Who proposed.
    Agent(String),
}

/// The numbers since a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quality {
    /// From when on.
    pub since: Timestamp,
    /// By group; every week has one, from the first to the last of which there is something to tell.
    pub groups: BTreeMap<Group, Numbers>,
    lanes: BTreeSet<String>,
    agents: BTreeSet<String>,
}

impl Quality {
    /// Of nothing yet.
    pub fn new(since: Timestamp) -> Self {
        let groups = BTreeMap::from([(Group::All, Numbers::default())]);
        Self { since, groups, lanes: BTreeSet::new(), agents: BTreeSet::new() }
    }

    /// Reads what the ledger knows.
    pub async fn read(ledger: &Ledger, since: Timestamp) -> Result<Self, LedgerError> {
        let part = (ledger.place_before(since).await?, ledger.length().await?);
        let (mut quality, mut from) = (Self::new(since), part.0);
        while let Some(page) = ledger.quality_page(part, from, PAGE).await? {
            page.stories.iter().for_each(|story| quality.take(story));
            from = page.last;
        }
        quality.fill_weeks();
        Ok(quality)
    }

    /// Counts one proposal.
    pub fn take(&mut self, story: &QualityStory) {
        for one in told(story) {
            if one.at >= self.since {
                self.count(one);
            }
        }
    }

    fn count(&mut self, told: Told) {
        let week = week_of(told.at);
        self.add(Group::All, told.whole);
        self.add(Group::Week(week), told.whole);
        if let Some(agent) = told.agent {
            let agent = seat(&mut self.agents, agent);
            self.add(Group::Agent(agent), told.whole);
        }
        for (lane, fact) in told.lanes {
            let lane = seat(&mut self.lanes, lane);
            self.add(Group::LaneWeek(lane.clone(), week), fact);
            self.add(Group::Lane(lane), fact);
        }
    }

    fn add(&mut self, group: Group, fact: Fact) {
        self.groups.entry(group).or_default().take(fact);
    }

    /// A week without anything stands between its neighbours, so that a trend has no hole.
    fn fill_weeks(&mut self) {
        let weeks = self.groups.keys().filter_map(|group| match group {
            Group::Week(week) => Some(*week),
            _ => None,
        });
        let (Some(first), Some(last)) = (weeks.clone().min(), weeks.max()) else { return };
        let mut week = first;
        while week < last {
            self.groups.entry(Group::Week(week)).or_default();
            week = week.saturating_add(1.week());
        }
    }

    /// The numbers of everything.
    pub fn all(&self) -> &Numbers {
        &self.groups[&Group::All]
    }
}

/// The Monday of the week, in UTC.
fn week_of(at: Timestamp) -> Date {
    let day = at.to_zoned(TimeZone::UTC).date();
    day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days())
}

/// The name under which it is counted.
fn seat(known: &mut BTreeSet<String>, name: String) -> String {
    if known.len() >= MOST && !known.contains(&name) {
        return OTHERS.to_owned();
    }
    known.insert(name.clone());
    name
}
