//! What each job does, for the schedule and for whoever asks for it now.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{approvers, decay, drift, reconcile, retention, shadow, totals};
use crate::{
    domain::job::{DONE, Job, JobEnd, JobRun},
    ledger::LedgerError,
    workflow::{
        Context, WorkflowError,
        decay::DecayError,
        promote::Promoter,
        reconcile::Options,
        totals::{Totals, TotalsError},
    },
};

/// What a run counted, by name.
pub type Counts = BTreeMap<String, String>;

/// Why a job did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Decay.
    #[error(transparent)]
    Decay(#[from] DecayError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Totals for the org.
    #[error(transparent)]
    Totals(#[from] TotalsError),
    /// Anything else.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
}

impl JobError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Decay(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Totals(error) => error.code(),
            Self::Workflow(error) => error.code(),
        }
    }
}

/// What jobs work with. They take nothing else.
#[derive(Clone)]
pub struct Work {
    /// Ledger, reader, rules and time.
    pub context: Context,
    /// Sends what may move.
    pub promoter: Promoter,
    /// Writes totals into the org.
    pub totals: Totals,
    /// Time to object to a decay.
    pub objection: SignedDuration,
    /// Most records of one object and field in one decay.
    pub most_decays: usize,
    /// How a reconciliation looks.
    pub reconcile: Options,
    /// How long events that were worked on are kept; `None`: for ever.
    pub keep_days: Option<u32>,
}

impl Work {
    /// Does the job; `by` is who the ledger says asked for it.
    pub async fn run(&self, job: Job, by: &str) -> Result<Counts, JobError> {
        let context = &self.context;
        match job {
            Job::Decay => Ok(decay::announce(context, (by, self.objection), self.most_decays).await?),
            Job::DecayRun => Ok(decay::carry_out(context, &self.promoter).await?),
            Job::Reconcile => Ok(reconcile::run(context, &self.promoter, self.reconcile).await?),
            Job::Drift => Ok(drift::look(context).await?),
            Job::Shadow => Ok(shadow::counted(context).await?),
            Job::Totals => Ok(totals::write(&self.totals).await?),
            Job::Approvers => Ok(approvers::look(context).await?),
            Job::InboxRetention => match self.keep_days {
                Some(days) => {
                    let gone = retention::prune(&context.ledger, days, &context.clock).await?;
                    Ok(count("gone", gone))
                }
                None => Ok(count("gone", 0)),
            },
        }
    }

    /// Does the job and says how it ended; what stopped it is told in the log.
    pub async fn ended(&self, run: &JobRun) -> JobEnd {
        let worked = self.run(run.job, &run.by).await;
        let at = self.context.clock.now();
        match worked {
            Ok(counts) => {
                let told: Vec<String> =
                    counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
                tracing::info!(job = run.job.name(), "done for {}: {}", run.slot, told.join(", "));
                JobEnd { at, result: DONE.to_owned(), counts }
            }
            Err(error) => {
                tracing::error!(
                    job = run.job.name(),
                    code = error.code(),
                    "failed for {}: {error}",
                    run.slot
                );
                JobEnd { at, result: error.code().to_owned(), counts: Counts::new() }
            }
        }
    }
}

/// One count.
pub fn count(name: &str, number: u64) -> Counts {
    Counts::from([(name.to_owned(), number.to_string())])
}
