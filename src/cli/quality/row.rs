//! The numbers of quality in rows, and as JSON.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    cli::show,
    domain::quality::{LONGEST, Numbers, percent},
    workflow::quality::{Group, Quality},
};

/// What is told.
pub struct Report {
    /// The numbers.
    pub quality: Quality,
    /// By agent, too.
    pub agents: bool,
    /// What cleaning up one value takes.
    pub minutes_per_cleanup: Option<u64>,
}

/// The name of a group and its numbers.
pub type Row<'a> = (String, &'a Numbers);

impl Report {
    /// By week, oldest first.
    pub fn weeks(&self) -> Vec<Row<'_>> {
        self.rows(|group| match group {
            Group::Week(week) => Some(week.to_string()),
            _ => None,
        })
    }

    /// By lane.
    pub fn lanes(&self) -> Vec<Row<'_>> {
        self.rows(|group| match group {
            Group::Lane(lane) => Some(lane.clone()),
            _ => None,
        })
    }

    /// By agent; none where they were not asked for.
    pub fn agents(&self) -> Vec<Row<'_>> {
        self.rows(|group| match group {
            Group::Agent(agent) if self.agents => Some(agent.clone()),
            _ => None,
        })
    }

    fn rows(&self, name: impl Fn(&Group) -> Option<String>) -> Vec<Row<'_>> {
        self.quality.groups.iter().filter_map(|(group, told)| Some((name(group)?, told))).collect()
    }

    /// Minutes that nobody had to spend.
    pub fn saved(&self) -> Option<u64> {
        Some(self.minutes_per_cleanup?.saturating_mul(self.quality.all().stopped()))
    }

    /// What kept values are, and what they would have cost.
    pub fn kept_away(&self) -> Vec<String> {
        let all = self.quality.all();
        let (stopped, refused, rejected) = (all.stopped(), all.refused_values, all.rejected_values);
        let mut lines = vec![format!(
            "{stopped} value(s) of agents never reached their field: {refused} refused by the gate or the org, \
             {rejected} rejected by people"
        )];
        if let (Some(each), Some(saved)) = (self.minutes_per_cleanup, self.saved()) {
            let (hours, minutes) = (saved / 60, saved % 60);
            lines
                .push(format!("at {each} min for each that is {hours} h {minutes} min of cleaning up saved"));
        }
        lines.push(
            "Each refused or rejected value counts, also one that an agent tries again; what expired or was \
             edited does not. Nobody can know from here whether a value was wrong, or whether anybody would \
             have cleaned it up."
                .to_owned(),
        );
        lines
    }

    /// For scripts.
    pub fn json(&self) -> Value {
        let named = |key: &str, rows: Vec<Row<'_>>| -> Vec<Value> {
            let one = |(name, told): (String, &Numbers)| {
                let mut row = numbers(told);
                row[key] = name.into();
                row
            };
            rows.into_iter().map(one).collect()
        };
        let lane_weeks = self.quality.groups.iter().filter_map(|(group, told)| match group {
            Group::LaneWeek(lane, week) => {
                let mut row = numbers(told);
                (row["lane"], row["week"]) = (lane.as_str().into(), week.to_string().into());
                Some(row)
            }
            _ => None,
        });
        let mut told = json!({
            "since": self.quality.since, "all": numbers(self.quality.all()),
            "weeks": named("week", self.weeks()), "lanes": named("lane", self.lanes()),
            "lane_weeks": lane_weeks.collect::<Vec<_>>(),
            "minutes_per_cleanup": self.minutes_per_cleanup, "saved_minutes": self.saved(),
        });
        if self.agents {
            told["agents"] = named("agent", self.agents()).into();
        }
        told
    }
}

fn numbers(told: &Numbers) -> Value {
    json!({
        "decided": told.decided(), "accepted": told.accepted, "rejected": told.rejected, "edited": told.edited,
        "acceptance_percent": percent(told.accepted, told.decided()),
        "expired": told.expired, "ended_undecided": told.ended_undecided, "waiting": told.waiting,
        "review": { "timed": told.review.count(), "median_minutes": told.review.percentile(50),
            "p90_minutes": told.review.percentile(90) },
        "promotions": { "all": told.promotions(), "approved": told.approved, "auto": told.auto,
            "decay": told.decay },
        "reversals": { "all": told.reversed(), "rolled_back": told.rolled_back, "put_back": told.put_back,
            "percent": percent(told.reversed(), told.promotions()) },
        "stopped": { "values": told.stopped(), "refused": told.refused_values,
            "rejected": told.rejected_values },
    })
}

/// A percentile of the review times, in words.
pub fn review(told: &Numbers, of: u64) -> String {
    match told.review.percentile(of) {
        None => "-".to_owned(),
        Some(0) => "under 1 min".to_owned(),
        Some(LONGEST) => "30 d or more".to_owned(),
        Some(minutes) => {
            let start = jiff::Timestamp::UNIX_EPOCH;
            let length = SignedDuration::from_mins(i64::try_from(minutes).unwrap_or(i64::MAX / 60));
            show::span(start.saturating_add(length).unwrap_or(start), start)
        }
    }
}

/// A share in percent, in words.
pub fn share(part: u64, all: u64) -> String {
    percent(part, all).map_or_else(|| "-".to_owned(), |percent| format!("{percent} %"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(minutes: i64) -> Numbers {
        let mut told = Numbers::default();
        told.review.add(SignedDuration::from_mins(minutes));
        told
    }

    #[test]
    fn review_times_and_shares_are_told_in_words() {
        for (minutes, words) in [
            (0, "under 1 min"),
            (1, "1 min"),
            (59, "59 min"),
            (135, "2 h 15 min"),
            (26 * 60 + 59, "1 d 2 h"),
            (30 * 24 * 60 - 1, "29 d 23 h"),
            (30 * 24 * 60, "30 d or more"),
        ] {
            assert_eq!(review(&took(minutes), 50), words);
        }
        assert_eq!(review(&Numbers::default(), 90), "-");
        assert_eq!((share(1, 3), share(0, 0)), ("33.3 %".to_owned(), "-".to_owned()));
    }

    #[test]
    fn what_was_saved_is_counted_only_when_a_time_is_given() {
        let mut quality = Quality::new(jiff::Timestamp::UNIX_EPOCH);
        let all = Numbers { refused_values: 5, rejected_values: 2, edited: 9, ..Numbers::default() };
        quality.groups.insert(Group::All, all);
        let mut report = Report { quality, agents: false, minutes_per_cleanup: None };
        assert_eq!((report.saved(), report.kept_away().len()), (None, 2));
        report.minutes_per_cleanup = Some(15);
        let told = report.kept_away();
        assert!(told[0].starts_with("7 value(s)") && told[0].contains("5 refused"), "{told:?}");
        assert_eq!(told[1], "at 15 min for each that is 1 h 45 min of cleaning up saved");
        assert_eq!(report.json()["saved_minutes"], 105);
    }
}
