//! What the watchdogs look for, and what they found.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ObjectName, ProposalId, RecordId, promotion::number_as_text};

/// One thing that is watched. Its name is the stable code of the alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watchdog {
    /// Proposals wait for a person longer than expected.
    ApprovalsStuck,
    /// Who owns a waiting record can decide nothing.
    ApproverInactive,
    /// The event stream is late.
    StreamLate,
    /// A slot of the timetable was not served in time, or a run does not end.
    JobOverdue,
    /// A job failed its last try.
    JobFailed,
    /// The ledger grows faster than usual, or than the limit.
    LedgerGrowth,
    /// The disk of the ledger is nearly full.
    DiskLow,
    /// The org's daily API calls are nearly used.
    ApiBudget,
    /// What lanes rest on has changed in the org.
    DriftOpen,
    /// Nothing runs by itself: people said so, or the daemon was silent for long.
    ReviewOnly,
    /// The org does not hear that the daemon is at work.
    HeartbeatLate,
    /// No daemon has looked for a while.
    DaemonSilent,
}

impl Watchdog {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::DaemonSilent,
        Self::ReviewOnly,
        Self::HeartbeatLate,
        Self::StreamLate,
        Self::ApiBudget,
        Self::DiskLow,
        Self::LedgerGrowth,
        Self::JobOverdue,
        Self::JobFailed,
        Self::DriftOpen,
        Self::ApprovalsStuck,
        Self::ApproverInactive,
    ];

    /// The stable code.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApprovalsStuck => "approvals-stuck",
            Self::ApproverInactive => "approver-inactive",
            Self::StreamLate => "stream-late",
            Self::JobOverdue => "job-overdue",
            Self::JobFailed => "job-failed",
            Self::LedgerGrowth => "ledger-growth",
            Self::DiskLow => "disk-low",
            Self::ApiBudget => "api-budget",
            Self::DriftOpen => "drift-open",
            Self::ReviewOnly => "review-only",
            Self::HeartbeatLate => "heartbeat-late",
            Self::DaemonSilent => "daemon-silent",
        }
    }

    /// What a person does about it, in one line; the runbook says more.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::ApprovalsStuck => {
                "ask the owners: countersign proposals --stage awaiting-approval; or let the agent withdraw them"
            }
            Self::ApproverInactive => "give the records to active owners, or the queue a member",
            Self::StreamLate => "read the daemon's log and /readyz; countersign doctor tries the login",
            Self::JobOverdue => "see that a daemon leads (/readyz) and read its log; countersign jobs list",
            Self::JobFailed => {
                "countersign jobs runs NAME tells the code; mend it, then countersign jobs run NAME --by YOU"
            }
            Self::LedgerGrowth => {
                "countersign proposals shows who floods; countersign freeze agent:NAME stops an agent"
            }
            Self::DiskLow => "give the ledger's disk room; set inbox.keep_days so that events are let go of",
            Self::ApiBudget => "find out who else calls: Setup > System Overview; api.keep_free_percent",
            Self::DriftOpen => "countersign drift report, then countersign drift accept",
            Self::ReviewOnly => {
                "look at what happened meanwhile, then countersign unfreeze automatic --by YOU"
            }
            Self::HeartbeatLate => {
                "give the promoter AI_Promoter anew, or empty Silent Hours in AI Gate Setting; the log has the code"
            }
            Self::DaemonSilent => "start the daemon, or find out why it does not lead: its log and /readyz",
        }
    }
}

impl fmt::Display for Watchdog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A watchdog that found something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alarm {
    /// Which.
    pub code: Watchdog,
    /// What it found. Ids, codes, counts and times; no values of records.
    pub words: String,
}

impl Alarm {
    /// An alarm in these words.
    pub fn new(code: Watchdog, words: impl Into<String>) -> Self {
        Self { code, words: words.into() }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code, self.words)
    }
}

/// What the daemon saw when it last looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// When.
    pub at: Timestamp,
    /// What it found.
    pub alarms: Vec<Alarm>,
}

/// Somebody who should decide and cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleApprover {
    /// The proposal that waits.
    pub proposal: ProposalId,
    /// Object of its record.
    pub object: ObjectName,
    /// The record.
    pub record: RecordId,
    /// User or queue that owns the record.
    pub owner: RecordId,
    /// Why the owner can decide nothing: `owner-inactive` or `queue-empty`.
    pub code: String,
}

/// What the last look at the owners of waiting records found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleApprovers {
    /// When.
    pub at: Timestamp,
    /// Proposals that waited for a person then.
    #[serde(with = "number_as_text")]
    pub waiting: u64,
    /// How many of them have an owner who can decide nothing.
    #[serde(with = "number_as_text")]
    pub idle: u64,
    /// The first of those.
    pub first: Vec<IdleApprover>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Alarm, Watchdog};

    #[test]
    fn names_are_told_apart_and_read_as_they_are_written() {
        let names: BTreeSet<&str> = Watchdog::ALL.into_iter().map(Watchdog::name).collect();
        assert_eq!(names.len(), Watchdog::ALL.len());
        for dog in Watchdog::ALL {
            assert_eq!(serde_json::to_value(dog).unwrap(), dog.name());
        }
        let steps: BTreeSet<&str> = Watchdog::ALL.into_iter().map(Watchdog::next_step).collect();
        assert_eq!(steps.len(), Watchdog::ALL.len(), "each has a next step of its own");
    }

    #[test]
    fn an_alarm_is_told_with_its_code() {
        let alarm = Alarm::new(Watchdog::DiskLow, "3 % are free");
        assert_eq!(alarm.to_string(), "disk-low: 3 % are free");
    }
}
