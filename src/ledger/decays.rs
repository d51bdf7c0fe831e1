//! Decay runs that were announced, read back from the entries, and the proposals of one.

use super::{
    Ledger, LedgerError, Tx, db,
    proposals::{COLUMNS, ProposalRecord, from_row},
};
use crate::domain::{DecayRun, Digest, entry::Entry, event::Event};

/// All runs share one story. A proposer may choose the same word as an id, so the kind is asked too.
pub(super) const STORY: &str = "decay-runs";

const RUNS: &str = "SELECT text FROM entry WHERE proposal = ? \
    AND kind IN ('decay_announced', 'decay_ended') ORDER BY seq";

/// A run, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// What was announced.
    pub run: DecayRun,
    /// How many records ended how; `None` while it has not ended.
    pub counts: Option<std::collections::BTreeMap<String, String>>,
}

impl Ledger {
    /// Every run, oldest first.
    pub async fn decay_runs(&self) -> Result<Vec<Announced>, LedgerError> {
        let mut reader = self.inner.reader.lock().await;
        let rows = db::query(RUNS).bind(STORY).fetch_all(&mut reader).await?;
        let texts: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        runs(&texts?)
    }

    /// The proposals of a run, by record.
    pub async fn proposals_of_run(&self, id: &Digest) -> Result<Vec<ProposalRecord>, LedgerError> {
        let prefix = DecayRun::prefix(id);
        // The sign after the colon: every id with the prefix lies between.
        let end = format!("{};", prefix.trim_end_matches(':'));
        let sql = format!("{COLUMNS} WHERE p.id > ? AND p.id < ? ORDER BY p.id");
        let query = db::query(sql).bind(prefix).bind(end);
        let mut reader = self.inner.reader.lock().await;
        query.fetch_all(&mut reader).await?.iter().map(from_row).collect()
    }
}

impl Tx<'_> {
    /// Every run as this transaction sees it, oldest first.
    pub async fn decay_runs(&mut self) -> Result<Vec<Announced>, LedgerError> {
        let rows = db::query(RUNS).bind(STORY).fetch_all(self.connection().await?).await?;
        let texts: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        runs(&texts?)
    }
}

fn runs(texts: &[String]) -> Result<Vec<Announced>, LedgerError> {
    let mut found: Vec<Announced> = Vec::new();
    for text in texts {
        let entry: Entry = serde_json::from_str(text)?;
        match serde_json::from_value(entry.event)? {
            Event::DecayAnnounced { run } => found.push(Announced { run, counts: None }),
            Event::DecayEnded { run, counts } => {
                if let Some(known) = found.iter_mut().find(|known| known.run.id == run) {
                    known.counts = Some(counts);
                }
            }
            _ => {}
        }
    }
    Ok(found)
}
