//! Runs that ended, and whose totals the org has: read back from the entries.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Ledger, LedgerError, db, decays, reconciliations};
use crate::domain::{
    Digest,
    entry::Entry,
    event::Event,
    totals::{RunTotals, Source},
};

/// The totals of all runs share one story. A proposer may choose the same word as an id, so the kind is
/// asked too.
pub(super) const STORY: &str = "run-totals:";

/// How many runs of a source are looked at, from the newest on. What is older is not made up for.
const MOST_RUNS: i64 = 30;

/// How many entries about totals are looked at: those of these runs, also when each was tried some times.
const MOST_ENTRIES: i64 = 500;

/// A run that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ended {
    /// When the ledger heard of it.
    pub at: Timestamp,
    /// What ran.
    pub source: Source,
    /// Which run.
    pub run: Digest,
}

/// What is known of the totals in the org.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownTotals {
    /// Were to be written, and nobody knows yet whether they arrived, oldest first.
    pub open: Vec<RunTotals>,
    /// Stand in the org.
    pub done: BTreeSet<(Source, Digest)>,
}

impl Ledger {
    /// The totals that the entries speak of.
    pub async fn known_totals(&self) -> Result<KnownTotals, LedgerError> {
        let sql = "SELECT text FROM entry WHERE proposal = ? AND kind IN ('totals_intended', 'totals_settled') \
                   ORDER BY seq DESC LIMIT ?";
        let mut reader = self.reader().await?;
        let rows = db::query(sql).bind(STORY).bind(MOST_ENTRIES).fetch_all(&mut reader).await?;
        let (mut known, mut settled) = (KnownTotals::default(), BTreeSet::new());
        for row in &rows {
            let entry: Entry = serde_json::from_str(&row.text(0)?)?;
            match serde_json::from_value(entry.event)? {
                Event::TotalsSettled { source, run, result } => {
                    settled.insert((source, run.clone()));
                    if result == "done" {
                        known.done.insert((source, run));
                    }
                }
                Event::TotalsIntended { totals } => {
                    let has_no_end = settled.insert((totals.source, totals.run.clone()));
                    known.open.extend(has_no_end.then_some(totals));
                }
                _ => {}
            }
        }
        known.open.reverse();
        Ok(known)
    }

    /// The newest runs of decay and reconciliation that ended, oldest first.
    pub async fn ended_runs(&self) -> Result<Vec<Ended>, LedgerError> {
        let decays = "SELECT text ->> '$.at', text ->> '$.event.run' FROM entry \
                      WHERE proposal = ? AND kind = 'decay_ended' ORDER BY seq DESC LIMIT ?";
        let compared = "SELECT text ->> '$.at', text ->> '$.event.run.id' FROM entry \
                        WHERE proposal = ? AND kind = 'reconciled' ORDER BY seq DESC LIMIT ?";
        let of = [
            (Source::Decay, decays, decays::STORY),
            (Source::Reconciliation, compared, reconciliations::STORY),
        ];
        let mut reader = self.reader().await?;
        let mut found = Vec::new();
        for (source, sql, story) in of {
            for row in db::query(sql).bind(story).bind(MOST_RUNS).fetch_all(&mut reader).await? {
                let damaged = |_| LedgerError::Damaged(format!("time of a {} run", source.name()));
                let at = row.text(0)?.parse().map_err(damaged)?;
                let run = Digest::from_hex(row.text(1)?);
                found.push(Ended { at, source, run });
            }
        }
        found.sort();
        Ok(found)
    }
}
