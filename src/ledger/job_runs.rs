//! The history of scheduled work, read back from the entries, and the claim of a slot.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Ledger, LedgerError, Tx, db};
use crate::domain::{
    entry::Entry,
    event::Event,
    job::{self, Job, JobEnd, JobRun, KnownRun},
};

/// The runs of a job share one story. A proposer may choose the same word as an id, so the kind is
/// asked too.
pub(super) fn story(job: Job) -> String {
    format!("job:{job}")
}

/// A run has two entries.
async fn newest(
    connection: &mut db::Connection,
    job: Job,
    most: usize,
) -> Result<Vec<KnownRun>, LedgerError> {
    let rows = db::query(
        "SELECT text FROM entry WHERE proposal = ? AND kind IN ('job_begun', 'job_ended') ORDER BY seq DESC LIMIT ?",
    )
    .bind(story(job))
    .bind(i64::try_from(most.saturating_mul(2)).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    let mut ends: BTreeMap<(Timestamp, u64), JobEnd> = BTreeMap::new();
    let mut found = Vec::new();
    for row in rows {
        let entry: Entry = serde_json::from_str(&row.text(0)?)?;
        match serde_json::from_value(entry.event)? {
            Event::JobEnded { slot, attempt, end, .. } => {
                ends.insert((slot, attempt), end);
            }
            Event::JobBegun { run } => {
                let end = ends.remove(&(run.slot, run.attempt));
                found.push(KnownRun { run, end });
            }
            _ => {}
        }
    }
    found.truncate(most);
    Ok(found)
}

impl Ledger {
    /// The newest runs of a job, newest first.
    pub async fn job_runs(&self, job: Job, most: usize) -> Result<Vec<KnownRun>, LedgerError> {
        let mut reader = self.reader().await?;
        newest(&mut reader, job, most).await
    }

    /// Records that a run of `job` begins for `slot`, unless the slot was served or rests. Several
    /// replicas may ask: the transaction of whoever does not lead is refused.
    pub async fn claim_slot(
        &self,
        (job, slot): (Job, Timestamp),
        (by, now): (&str, Timestamp),
    ) -> Result<Option<JobRun>, LedgerError> {
        let mut tx = self.begin("job begun").await?;
        let known = newest(tx.connection().await?, job, 1).await?;
        let Some(attempt) = job::attempt(known.first(), slot, now) else { return Ok(None) };
        let run = JobRun { job, slot, attempt, by: by.to_owned(), at: now };
        tx.append(&Event::JobBegun { run: run.clone() }).await?;
        tx.commit().await?;
        Ok(Some(run))
    }

    /// Records how a run ended.
    pub async fn end_job(&self, run: &JobRun, end: JobEnd) -> Result<(), LedgerError> {
        let mut tx = self.begin("job ended").await?;
        end_of(&mut tx, run, end).await?;
        tx.commit().await
    }
}

async fn end_of(tx: &mut Tx<'_>, run: &JobRun, end: JobEnd) -> Result<(), LedgerError> {
    tx.append(&Event::JobEnded { job: run.job, slot: run.slot, attempt: run.attempt, end }).await?;
    Ok(())
}
