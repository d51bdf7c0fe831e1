//! Keeps the timetable: wakes each minute, asks the ledger whether the newest slot of a job was
//! served, and serves it.
//!
//! The alarm only wakes. Slots that were missed collapse to the newest, a restart serves nothing
//! twice, and of several replicas only the one that leads can claim a slot.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    decay,
    work::{JobError, Work},
};
use crate::{
    config::{JobSettings, timetable::Timetable},
    domain::job::Job,
};

/// How the ledger names who asked for a run of the timetable.
pub const BY: &str = "the schedule";

/// A job and when it is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Which job.
    pub job: Job,
    /// Its slots; `None`: it is due when what was announced may begin, or when a run has ended whose
    /// totals the org lacks.
    pub timetable: Option<Timetable>,
}

impl Plan {
    /// What these settings ask for, in the order of [`Job::ALL`].
    pub fn of(settings: &JobSettings, keeps_inbox: bool) -> Vec<Self> {
        let mut plans = Vec::new();
        if let Some(timetable) = &settings.decay {
            plans.push(Self { job: Job::Decay, timetable: Some(timetable.clone()) });
            plans.push(Self { job: Job::DecayRun, timetable: None });
        }
        let always = [
            (Job::Reconcile, &settings.reconcile),
            (Job::Drift, &settings.drift),
            (Job::Shadow, &settings.shadow),
            (Job::Approvers, &settings.approvers),
        ];
        for (job, timetable) in always {
            plans.extend(timetable.clone().map(|timetable| Self { job, timetable: Some(timetable) }));
        }
        plans.push(Self { job: Job::Totals, timetable: None });
        if let Some(timetable) = settings.inbox_retention.as_ref().filter(|_| keeps_inbox) {
            plans.push(Self { job: Job::InboxRetention, timetable: Some(timetable.clone()) });
        }
        plans
    }
}

/// Keeps one job until it is stopped: looks at once, and whenever it is woken.
pub async fn keep(work: Work, plan: Plan, (wake, stop): (Arc<Notify>, CancellationToken)) {
    loop {
        if let Err(error) = serve(&work, &plan).await {
            tracing::error!(
                job = plan.job.name(),
                code = error.code(),
                "the timetable was not kept: {error}"
            );
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = wake.notified() => {}
        }
    }
}

/// Runs the job if its newest slot was not served. Says whether it ran.
pub async fn serve(work: &Work, plan: &Plan) -> Result<bool, JobError> {
    let now = work.context.clock.now();
    let Some(slot) = newest_slot(work, plan, now).await? else { return Ok(false) };
    let ledger = &work.context.ledger;
    let Some(run) = ledger.claim_slot((plan.job, slot), (BY, now)).await? else { return Ok(false) };
    let end = work.ended(&run).await;
    metrics::counter!("countersign_job_runs_total", "job" => plan.job.name(), "result" => end.result.clone())
        .increment(1);
    ledger.end_job(&run, end).await?;
    Ok(true)
}

async fn newest_slot(work: &Work, plan: &Plan, now: Timestamp) -> Result<Option<Timestamp>, JobError> {
    match (&plan.timetable, plan.job) {
        (Some(timetable), _) => Ok(timetable.newest(now)),
        (None, Job::Totals) => Ok(work.totals.due().await?),
        (None, _) => Ok(decay::run_slot(&work.context).await?),
    }
}
