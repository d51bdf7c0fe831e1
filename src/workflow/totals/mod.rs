//! Totals of ended runs, written into the org, where its own reports and dashboards show them.
//!
//! An entry says what is about to be written, a second one how it ended. Where that is not known, the
//! org is read: each row has a key that the org keeps once, so the rows that are missing may be sent
//! again, and a late copy of the first request is refused as a duplicate.

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};

use super::{Context, WorkflowError, decay::DecayError};
use crate::{
    domain::{
        Digest,
        event::Event,
        totals::{RunTotals, Source},
    },
    ledger::{Ended, KnownTotals},
    salesforce::{self, NewRow, RowOutcome, Writer},
};

mod rows;

/// Why the totals of a run are not in the org.
#[derive(Debug, thiserror::Error)]
pub enum TotalsError {
    /// The org has no place for them, or the promoter does not see it.
    #[error(
        "the org has no object AI_Run_Total__c, or the promoter does not see it: deploy salesforce-metadata"
    )]
    NoPlace,
    /// The org refused a row; the other rows may stand.
    #[error("the org refused totals of {} {}: {code}", .ran.name(), .run.short())]
    Refused {
        /// What ran.
        ran: Source,
        /// Which run.
        run: Digest,
        /// Salesforce's code.
        code: String,
    },
    /// Nobody knows whether they arrived. The next try reads the org first.
    #[error("it is not known whether the totals of {} {} arrived: {reason}", .ran.name(), .run.short())]
    Unknown {
        /// What ran.
        ran: Source,
        /// Which run.
        run: Digest,
        /// What was seen instead of an answer.
        reason: String,
    },
    /// What a decay run ended with cannot be read.
    #[error(transparent)]
    Decay(#[from] DecayError),
    /// The ledger or Salesforce failed.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
}

impl TotalsError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::NoPlace => "totals-no-place",
            Self::Refused { .. } => "totals-refused",
            Self::Unknown { .. } => "totals-unknown",
            Self::Decay(error) => error.code(),
            Self::Workflow(error) => error.code(),
        }
    }
}

/// What one look wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Runs.
    pub runs: u64,
    /// Their rows.
    pub rows: u64,
}

/// Writes totals into the org.
#[derive(Clone)]
pub struct Totals {
    context: Context,
    writer: Writer,
}

impl Totals {
    /// `writer` is the promoter's.
    pub fn new(context: Context, writer: Writer) -> Self {
        Self { context, writer }
    }

    /// Whether the org has a place for them. Where it cannot be asked now, it is taken to have one.
    pub async fn has_place(&self) -> bool {
        match self.context.reader.has_totals().await {
            Ok(has) => has,
            Err(error) => {
                tracing::warn!(code = error.code(), %error, "it was not looked whether totals can be kept in the org");
                true
            }
        }
    }

    /// When the newest run ended whose totals the org lacks; `None`: it lacks nothing.
    pub async fn due(&self) -> Result<Option<Timestamp>, WorkflowError> {
        Ok(self.owed().await?.into_iter().map(|ended| ended.at).max())
    }

    /// What ended and is not known to be in the org, oldest first.
    pub async fn owed(&self) -> Result<Vec<Ended>, WorkflowError> {
        let known = self.context.ledger.known_totals().await?;
        let mut owed = self.unwritten(&known).await?;
        owed.extend(known.open.into_iter().map(|open| Ended {
            at: open.ended_at,
            source: open.source,
            run: open.run,
        }));
        owed.sort();
        Ok(owed)
    }

    /// Ends what is open, then writes what the org lacks.
    pub async fn write(&self) -> Result<Written, TotalsError> {
        let known = self.context.ledger.known_totals().await.map_err(WorkflowError::from)?;
        let mut written = Written::default();
        let mut count = |totals: &RunTotals| {
            written.runs += 1;
            written.rows += u64::try_from(totals.rows.len()).unwrap_or(u64::MAX);
        };
        for open in &known.open {
            let standing = self.standing(open).await?;
            self.send(open, &standing).await?;
            count(open);
        }
        for ended in self.unwritten(&known).await? {
            let totals = self.totals_of(&ended).await?;
            self.record(&Event::TotalsIntended { totals: totals.clone() }).await?;
            self.send(&totals, &BTreeSet::new()).await?;
            count(&totals);
        }
        Ok(written)
    }

    /// What ended and is neither in the org nor under way to it.
    async fn unwritten(&self, known: &KnownTotals) -> Result<Vec<Ended>, WorkflowError> {
        let mut ended = self.context.ledger.ended_runs().await?;
        ended.extend(self.scorecards_of_today().await?);
        let is_open =
            |one: &Ended| known.open.iter().any(|it| (it.source, &it.run) == (one.source, &one.run));
        ended.retain(|one| !known.done.contains(&(one.source, one.run.clone())) && !is_open(one));
        Ok(ended)
    }

    /// One scorecard for each day (UTC), once anything was watched.
    async fn scorecards_of_today(&self) -> Result<Option<Ended>, WorkflowError> {
        if self.context.ledger.watched_objects(false).await?.is_empty() {
            return Ok(None);
        }
        let day = self.context.clock.now().to_zoned(TimeZone::UTC).date();
        let Ok(at) = day.to_zoned(TimeZone::UTC) else { return Ok(None) };
        let named = [self.context.ledger.org_id().to_owned(), day.to_string()];
        Ok(Some(Ended { at: at.timestamp(), source: Source::Precision, run: Digest::of(&named)? }))
    }

    async fn totals_of(&self, ended: &Ended) -> Result<RunTotals, TotalsError> {
        let Ended { at, source, run } = ended;
        let (context, now) = (&self.context, self.context.clock.now());
        let (ended_at, rows) = match source {
            Source::Decay => (*at, rows::of_decay(&context.ledger, run).await?),
            Source::Reconciliation => (*at, rows::of_reconciliation(&context.ledger, run).await?),
            Source::Precision => (now, rows::of_cards(context, now).await?),
        };
        Ok(RunTotals { source: *source, run: run.clone(), ended_at, rows })
    }

    async fn standing(&self, totals: &RunTotals) -> Result<BTreeSet<String>, TotalsError> {
        let standing = self.context.reader.standing_totals(totals).await.map_err(WorkflowError::from)?;
        standing.ok_or(TotalsError::NoPlace)
    }

    /// Sends the rows that do not stand.
    async fn send(&self, totals: &RunTotals, standing: &BTreeSet<String>) -> Result<(), TotalsError> {
        let rows = salesforce::total_rows(totals).map_err(WorkflowError::from)?;
        let missing: Vec<NewRow> =
            rows.into_iter().filter(|(key, _)| !standing.contains(key)).map(|(_, row)| row).collect();
        let outcomes = self.writer.create(&missing).await;
        let Some(failed) =
            outcomes.into_iter().map(|(outcome, _)| outcome).find(|it| *it != RowOutcome::Done)
        else {
            return self.settled(totals, "done").await;
        };
        // The answer may be lost, or be about a copy that arrived before.
        let standing = self.standing(totals).await?;
        if totals.keys().all(|key| standing.contains(&key)) {
            return self.settled(totals, "done").await;
        }
        let (ran, run) = (totals.source, totals.run.clone());
        match code(failed) {
            Err(reason) => Err(TotalsError::Unknown { ran, run, reason }),
            Ok(code) => {
                self.settled(totals, &code).await?;
                Err(TotalsError::Refused { ran, run, code })
            }
        }
    }

    async fn settled(&self, totals: &RunTotals, result: &str) -> Result<(), TotalsError> {
        let (source, run, result) = (totals.source, totals.run.clone(), result.to_owned());
        Ok(self.record(&Event::TotalsSettled { source, run, result }).await?)
    }

    async fn record(&self, event: &Event) -> Result<(), WorkflowError> {
        let mut tx = self.context.ledger.begin("run totals").await?;
        tx.append(event).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The code of an outcome that proves that the row was not saved; the words of one that proves nothing.
fn code(outcome: RowOutcome) -> Result<String, String> {
    match outcome {
        RowOutcome::Refused { code, .. }
        | RowOutcome::RaceLost { code, .. }
        | RowOutcome::Retry { code }
        | RowOutcome::NotSent { code }
        | RowOutcome::Gone { code } => Ok(code),
        RowOutcome::Unknown { reason } => Err(reason),
        RowOutcome::Done => Err("an answer that says done".to_owned()),
    }
}
