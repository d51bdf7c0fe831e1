//! Jobs that were not begun in time, do not end, or were given up.

use jiff::{SignedDuration, Timestamp};

use super::Limits;
use crate::{
    domain::{
        alarm::{Alarm, Watchdog},
        job::{self, Job, KnownRun, Late},
    },
    jobs::{decay::HOUR, keeper::Plan},
    ledger::{Ledger, LedgerError},
};

pub(super) async fn look(
    ledger: &Ledger,
    limits: &Limits,
    now: Timestamp,
) -> Result<Vec<Alarm>, LedgerError> {
    let within = SignedDuration::from_secs(
        i64::try_from(limits.watch.job_late_minutes.saturating_mul(60)).unwrap_or(i64::MAX),
    );
    let mut alarms = Vec::new();
    for plan in &limits.plans {
        let newest = ledger.job_runs(plan.job, 1).await?.pop();
        let due = due(ledger, plan, newest.as_ref()).await?;
        alarms.extend(job::late(newest.as_ref(), due, (now, within)).map(|late| told(plan.job, &late)));
    }
    Ok(alarms)
}

/// The first slot after the one of the newest run. A job that never ran is due from the ledger's
/// beginning on.
async fn due(
    ledger: &Ledger,
    plan: &Plan,
    newest: Option<&KnownRun>,
) -> Result<Option<Timestamp>, LedgerError> {
    let timetable = match (&plan.timetable, plan.job) {
        (Some(timetable), _) => timetable,
        (None, Job::DecayRun) => return announced(ledger, newest).await,
        // It follows the other jobs, and has no slots of its own.
        (None, _) => return Ok(None),
    };
    let after = match newest {
        Some(known) => Some(known.run.slot),
        None => ledger.began().await?,
    };
    Ok(after.and_then(|after| timetable.next(after)))
}

/// When the announced decay should have been carried out.
async fn announced(ledger: &Ledger, newest: Option<&KnownRun>) -> Result<Option<Timestamp>, LedgerError> {
    let runs = ledger.decay_runs().await?;
    let from = runs.into_iter().find(|known| known.counts.is_none()).map(|known| known.run.runs_from);
    Ok(from.map(|from| match newest.map(|known| known.run.slot).filter(|slot| *slot >= from) {
        Some(slot) => slot.saturating_add(SignedDuration::from_secs(HOUR)).unwrap_or(slot),
        None => from,
    }))
}

fn told(job: Job, late: &Late) -> Alarm {
    match late {
        Late::Overdue { slot } => {
            Alarm::new(Watchdog::JobOverdue, format!("{job} was due at {slot} and was not begun"))
        }
        Late::Hanging { since } => {
            Alarm::new(Watchdog::JobOverdue, format!("{job} began at {since} and has not ended"))
        }
        Late::GivenUp { slot, code } => Alarm::new(
            Watchdog::JobFailed,
            format!("{job} failed its last try for {slot} ({code}) and rests until its next slot"),
        ),
    }
}
