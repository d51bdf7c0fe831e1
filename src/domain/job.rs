//! Scheduled work: which jobs there are, for which moment one ran, and when it may run again.

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::promotion::number_as_text;

/// A job. It takes no input and is safe to run twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    /// Announces the stale states that are due.
    Decay,
    /// Carries out what was announced, when its time has come.
    DecayRun,
    /// Compares org and ledger, repairs what is safe and lists the rest.
    Reconcile,
    /// Looks at what the lanes rest on.
    Drift,
    /// Labels what shadow lanes proposed, and steps back lanes that turned bad.
    Shadow,
    /// Writes the totals of ended runs into the org.
    Totals,
    /// Looks whether the owners of waiting records can decide.
    Approvers,
    /// Lets go of what the stream delivered and the engine has worked on.
    InboxRetention,
}

impl Job {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Decay,
        Self::DecayRun,
        Self::Reconcile,
        Self::Drift,
        Self::Shadow,
        Self::Approvers,
        Self::Totals,
        Self::InboxRetention,
    ];

    /// Its name in settings, commands and the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decay => "decay",
            Self::DecayRun => "decay-run",
            Self::Reconcile => "reconcile",
            Self::Drift => "drift",
            Self::Shadow => "shadow",
            Self::Totals => "totals",
            Self::Approvers => "approvers",
            Self::InboxRetention => "inbox-retention",
        }
    }

    /// What it does, in words.
    pub fn about(self) -> &'static str {
        match self {
            Self::Decay => "announces the stale states that are due",
            Self::DecayRun => "carries out the announced decay once the time to object is over",
            Self::Reconcile => "compares org and ledger, repairs what is safe, lists the rest",
            Self::Drift => "looks at fields, values, permissions, rules, flows and triggers",
            Self::Shadow => "labels what shadow lanes proposed, steps back lanes that turned bad",
            Self::Totals => "writes the totals of ended runs into the org, for its reports",
            Self::Approvers => "looks whether the owners of waiting records can decide",
            Self::InboxRetention => "lets go of events that were worked on (inbox.keep_days)",
        }
    }

    /// The job of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|job| job.name() == name)
    }
}

impl fmt::Display for Job {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// One run that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRun {
    /// Which job.
    pub job: Job,
    /// The moment that it is for. Moments that were missed collapse to the newest.
    pub slot: Timestamp,
    /// 1 for the first try at this slot.
    #[serde(with = "number_as_text")]
    pub attempt: u64,
    /// The schedule, or who asked for it.
    pub by: String,
    /// When it began.
    pub at: Timestamp,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEnd {
    /// When.
    pub at: Timestamp,
    /// `done`, or the stable code of what stopped it.
    pub result: String,
    /// What it counted, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, String>,
}

/// The result of a run that came to its end.
pub const DONE: &str = "done";

/// A run and, once it ended, its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRun {
    /// What began.
    pub run: JobRun,
    /// `None`: it is under way, or its process ended in the middle.
    pub end: Option<JobEnd>,
}

/// Most tries at one slot. Then the job waits for the next one.
pub const MOST_ATTEMPTS: u64 = 3;

/// How long a try that failed is rested, times the number of tries.
const REST: SignedDuration = SignedDuration::from_mins(10);

/// Which try at `slot` may begin now, after the newest run of the same job. `None`: the slot was
/// served, or was given up, or rests.
///
/// Whoever asks leads the ledger and has no run of this job under way itself, so a run without an
/// end is one whose process ended in the middle.
pub fn attempt(newest: Option<&KnownRun>, slot: Timestamp, now: Timestamp) -> Option<u64> {
    let Some(known) = newest else { return Some(1) };
    if known.run.slot < slot {
        return Some(1);
    }
    let next = known.run.attempt + 1;
    if known.run.slot > slot || next > MOST_ATTEMPTS {
        return None;
    }
    match &known.end {
        None => Some(next),
        Some(end) if end.result == DONE => None,
        Some(end) => {
            let minutes = i64::try_from(known.run.attempt).unwrap_or(i64::MAX);
            let rest = SignedDuration::from_secs(REST.as_secs().saturating_mul(minutes));
            (end.at.saturating_add(rest).unwrap_or(Timestamp::MAX) <= now).then_some(next)
        }
    }
}

/// What is wrong with a job that the timetable asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Late {
    /// A slot has come, and no run was begun for it.
    Overdue {
        /// The first slot that was not served.
        slot: Timestamp,
    },
    /// A run began and has not ended.
    Hanging {
        /// When it began.
        since: Timestamp,
    },
    /// The last try failed; the job rests until its next slot.
    GivenUp {
        /// The slot.
        slot: Timestamp,
        /// The stable code of what stopped it.
        code: String,
    },
}

/// How a job stands to its timetable. `due` is the first slot after the one of its newest run;
/// `within` is how long a slot may wait, and how long a run may take.
pub fn late(
    newest: Option<&KnownRun>,
    due: Option<Timestamp>,
    (now, within): (Timestamp, SignedDuration),
) -> Option<Late> {
    let is_long_ago = |at: Timestamp| now.duration_since(at) > within;
    match newest.map(|known| (&known.run, &known.end)) {
        Some((run, None)) if is_long_ago(run.at) => return Some(Late::Hanging { since: run.at }),
        Some((run, Some(end))) if end.result != DONE && run.attempt >= MOST_ATTEMPTS => {
            return Some(Late::GivenUp { slot: run.slot, code: end.result.clone() });
        }
        _ => {}
    }
    due.filter(|slot| is_long_ago(*slot)).map(|slot| Late::Overdue { slot })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-05-20T{text}Z").parse().unwrap()
    }

    fn known(attempt: u64, end: Option<(&str, &str)>) -> KnownRun {
        let run = JobRun {
            job: Job::Decay,
            slot: at("06:00:00"),
            attempt,
            by: "the schedule".to_owned(),
            at: at("06:00:01"),
        };
        let end = end.map(|(time, result)| JobEnd {
            at: at(time),
            result: result.to_owned(),
            counts: BTreeMap::new(),
        });
        KnownRun { run, end }
    }

    #[test]
    fn a_slot_is_served_once_and_a_missed_one_collapses_into_the_newest() {
        let slot = at("06:00:00");
        assert_eq!(attempt(None, slot, slot), Some(1), "it never ran");
        let done = known(1, Some(("06:00:05", DONE)));
        assert_eq!(attempt(Some(&done), slot, at("06:01:00")), None);
        assert_eq!(attempt(Some(&done), slot, at("23:00:00")), None, "however long ago");
        assert_eq!(attempt(Some(&done), at("05:00:00"), at("06:01:00")), None, "an older slot");
        assert_eq!(attempt(Some(&done), at("09:00:00"), at("09:30:00")), Some(1), "07 and 08 were missed");
        let hanging = known(3, None);
        assert_eq!(attempt(Some(&hanging), at("07:00:00"), at("07:00:00")), Some(1));
    }

    #[test]
    fn a_run_whose_process_ended_is_taken_up_and_one_that_failed_rests_longer_each_time() {
        let slot = at("06:00:00");
        assert_eq!(attempt(Some(&known(1, None)), slot, at("06:00:02")), Some(2));
        assert_eq!(attempt(Some(&known(3, None)), slot, at("06:30:00")), None, "three were enough");
        let failed = known(1, Some(("06:00:05", "salesforce-unavailable")));
        assert_eq!(attempt(Some(&failed), slot, at("06:10:04")), None);
        assert_eq!(attempt(Some(&failed), slot, at("06:10:05")), Some(2));
        let again = known(2, Some(("06:11:00", "salesforce-unavailable")));
        assert_eq!(attempt(Some(&again), slot, at("06:30:59")), None);
        assert_eq!(attempt(Some(&again), slot, at("06:31:00")), Some(3));
        assert_eq!(
            attempt(Some(&failed), at("05:00:00"), at("08:00:00")),
            None,
            "an older slot is not taken up"
        );
        let given_up = known(3, Some(("06:32:00", "salesforce-unavailable")));
        assert_eq!(attempt(Some(&given_up), slot, at("23:00:00")), None);
    }

    #[test]
    fn what_is_late_is_told_apart() {
        let told = |newest: Option<&KnownRun>, due: &str, now: &str| {
            late(newest, Some(at(due)), (at(now), SignedDuration::from_mins(60)))
        };
        let done = known(1, Some(("06:00:05", DONE)));
        assert_eq!(told(Some(&done), "07:00:00", "08:00:00"), None, "an hour is allowed");
        assert_eq!(told(Some(&done), "07:00:00", "08:00:01"), Some(Late::Overdue { slot: at("07:00:00") }));
        assert_eq!(told(None, "07:00:00", "08:00:01"), Some(Late::Overdue { slot: at("07:00:00") }));
        assert_eq!(told(Some(&known(1, None)), "12:00:00", "07:00:01"), None);
        let hangs = Some(Late::Hanging { since: at("06:00:01") });
        assert_eq!(told(Some(&known(1, None)), "12:00:00", "07:00:02"), hangs);
        let failed = |attempt| known(attempt, Some(("06:00:05", "salesforce-unavailable")));
        assert_eq!(told(Some(&failed(2)), "12:00:00", "06:01:00"), None, "it is tried again");
        assert_eq!(
            told(Some(&failed(3)), "12:00:00", "06:01:00"),
            Some(Late::GivenUp { slot: at("06:00:00"), code: "salesforce-unavailable".to_owned() })
        );
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for job in Job::ALL {
            assert_eq!(Job::of_name(job.name()), Some(job));
            assert_eq!(serde_json::to_value(job).unwrap(), job.name());
            assert_eq!(job.to_string(), job.name());
        }
        let told: std::collections::BTreeSet<&str> = Job::ALL.iter().map(|job| job.about()).collect();
        assert_eq!(told.len(), Job::ALL.len(), "each says what it alone does");
        assert!(told.iter().all(|about| about.contains(' ')), "{told:?}");
        assert_eq!(Job::of_name("approve"), None);
    }
}
