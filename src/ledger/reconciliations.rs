//! Reconciliations, read back from the entries, and what the next one compares with.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt as _;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Ledger, LedgerError, Tx,
    append::number,
    db::{self, Sql},
    proposals::{COLUMNS, ProposalRecord, from_row},
    queries::put_back,
};
use crate::domain::{Digest, Discrepancy, Reconciliation, RecordId, entry::Entry};

/// All runs share one story. A proposer may choose the same word as an id, so the kind is asked too.
pub(super) const STORY: &str = "reconciliations";

/// Where an entry keeps what was found.
pub(super) const LIST: &str = "/run/found";

/// Names that are bound as a list.
macro_rules! listed {
    ($before:literal, $after:literal) => {
        Sql::Either(
            concat!($before, "(SELECT value FROM json_each(?1))", $after),
            concat!($before, "(SELECT json_array_elements_text(?1::json))", $after),
        )
    };
}

/// What the gate found in the first verdict of each of these proposals.
const FIRST_FINDINGS: Sql = listed!(
    "SELECT e.proposal, v.value FROM entry e JOIN private v ON v.seq = e.seq AND v.path = '/verdict/findings' \
     WHERE e.seq IN (SELECT min(seq) FROM entry WHERE kind = 'verdict_reached' AND proposal IN ",
    " GROUP BY proposal)"
);

/// Ids that were refused at the door.
const REFUSED: Sql =
    listed!("SELECT DISTINCT proposal FROM entry WHERE kind = 'submission_refused' AND proposal IN ", "");

/// A run as its event tells it; what was put back into the event included.
fn of_event(mut event: Value) -> Result<Reconciliation, LedgerError> {
    let run = event.get_mut("run").map(Value::take).unwrap_or_default();
    Ok(serde_json::from_value(run)?)
}

/// Places and events of the runs, without their lists, oldest first.
async fn events(connection: &mut db::Connection) -> Result<Vec<(u64, Value)>, LedgerError> {
    let sql = "SELECT seq, text FROM entry WHERE proposal = ? AND kind = 'reconciled' ORDER BY seq";
    let rows = db::query(sql).bind(STORY).fetch_all(connection).await?;
    let event = |row: &db::Row| {
        let seq = u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0);
        let entry: Entry = serde_json::from_str(&row.text(1)?)?;
        Ok((seq, entry.event))
    };
    rows.iter().map(event).collect()
}

async fn runs(connection: &mut db::Connection) -> Result<Vec<Reconciliation>, LedgerError> {
    events(connection).await?.into_iter().map(|(_, event)| of_event(event)).collect()
}

impl Ledger {
    /// Every run without its list, oldest first.
    pub async fn reconciliations(&self) -> Result<Vec<Reconciliation>, LedgerError> {
        runs(&mut *self.reader().await?).await
    }

    /// What the lists of the runs since then tell as overridden, by people and by programs, oldest run
    /// first.
    pub async fn overrides_since(&self, since: Timestamp) -> Result<Vec<Discrepancy>, LedgerError> {
        let sql = "SELECT e.text ->> '$.at', v.value FROM private v JOIN entry e ON e.seq = v.seq \
                   WHERE e.proposal = ? AND e.kind = 'reconciled' AND v.path = ? ORDER BY v.seq";
        let mut reader = self.reader().await?;
        let mut rows = db::query(sql).bind(STORY).bind(LIST).fetch(&mut reader);
        let mut found = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let at: Timestamp = row
                .text(0)?
                .parse()
                .map_err(|_| LedgerError::Damaged("time of a reconciliation".to_owned()))?;
            if at < since {
                continue;
            }
            let list: Vec<Discrepancy> = serde_json::from_str(&row.text(1)?)?;
            found.extend(list.into_iter().filter(Discrepancy::is_override));
        }
        Ok(found)
    }

    /// One run with its list, as far as that was not erased.
    pub async fn reconciliation(&self, id: &Digest) -> Result<Option<Reconciliation>, LedgerError> {
        let mut reader = self.reader().await?;
        let is_meant = |event: &Value| event.pointer("/run/id").and_then(Value::as_str) == Some(id.as_str());
        let found = events(&mut reader).await?.into_iter().find(|(_, event)| is_meant(event));
        let Some((seq, mut event)) = found else { return Ok(None) };
        put_back(&mut reader, seq, &mut event).await?;
        of_event(event).map(Some)
    }

    /// When the ledger began; `None` for one without entries.
    pub async fn began(&self) -> Result<Option<Timestamp>, LedgerError> {
        let mut reader = self.reader().await?;
        let row =
            db::query("SELECT text ->> '$.at' FROM entry WHERE seq = 1").fetch_optional(&mut reader).await?;
        let Some(row) = row else { return Ok(None) };
        let at: String = row.try_get(0)?;
        at.parse().map(Some).map_err(|_| LedgerError::Damaged("time of entry 1".to_owned()))
    }

    /// The proposals with these ids, by id. What stands on a record may be no id; it finds nothing.
    pub async fn proposals_by_id(
        &self,
        ids: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, ProposalRecord>, LedgerError> {
        let (sqlite, postgres) = (
            format!("{COLUMNS} WHERE p.id IN (SELECT value FROM json_each(?))"),
            format!("{COLUMNS} WHERE p.id IN (SELECT json_array_elements_text(?::json))"),
        );
        let mut reader = self.reader().await?;
        let sql = match reader.dialect() {
            db::Dialect::Sqlite => sqlite,
            db::Dialect::Postgres => postgres,
        };
        let rows = db::query(sql).bind(serde_json::to_string(ids)?).fetch_all(&mut reader).await?;
        let found = rows.iter().map(|row| {
            let known = from_row(row)?;
            Ok((known.proposal.id.to_string(), known))
        });
        found.collect()
    }

    /// Proposals that have not ended and came in after this place, oldest first, at most `most`.
    pub async fn open_proposals(&self, after: u64, most: u32) -> Result<Vec<ProposalRecord>, LedgerError> {
        self.proposals_where("p.open = 1 AND p.received_seq > ?", after, most).await
    }

    /// The same of all proposals.
    pub async fn proposals_after(&self, after: u64, most: u32) -> Result<Vec<ProposalRecord>, LedgerError> {
        self.proposals_where("p.received_seq > ?", after, most).await
    }

    async fn proposals_where(
        &self,
        which: &'static str,
        after: u64,
        most: u32,
    ) -> Result<Vec<ProposalRecord>, LedgerError> {
        let sql = format!("{COLUMNS} WHERE {which} ORDER BY p.received_seq LIMIT ?");
        let query = db::query(sql).bind(number(after)?).bind(most);
        let mut reader = self.reader().await?;
        query.fetch_all(&mut reader).await?.iter().map(from_row).collect()
    }

    /// What the gate found in the first verdict of each of these proposals, as JSON. Those without a
    /// verdict, and those whose findings were erased, are left out.
    pub async fn first_findings(&self, ids: &[&str]) -> Result<BTreeMap<String, Value>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows = db::query(FIRST_FINDINGS).bind(serde_json::to_string(ids)?).fetch_all(&mut reader).await?;
        rows.iter().map(|row| Ok((row.text(0)?.into_owned(), serde_json::from_str(&row.text(1)?)?))).collect()
    }

    /// Those of these ids that were refused at the door.
    pub async fn refused_ids(&self, ids: &BTreeSet<&str>) -> Result<BTreeSet<String>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows = db::query(REFUSED).bind(serde_json::to_string(ids)?).fetch_all(&mut reader).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }
}

impl Tx<'_> {
    /// The entries whose lists speak of the record or of one of the proposals.
    pub(super) async fn lists_about(
        &mut self,
        record: Option<&RecordId>,
        proposals: &[String],
    ) -> Result<Vec<u64>, LedgerError> {
        let sql = "SELECT v.seq, v.value FROM private v JOIN entry e ON e.seq = v.seq \
                   WHERE e.proposal = ? AND e.kind = 'reconciled' AND v.path = ? ORDER BY v.seq";
        let rows = db::query(sql).bind(STORY).bind(LIST).fetch_all(self.connection().await?).await?;
        let proposals: BTreeSet<&str> = proposals.iter().map(String::as_str).collect();
        let is_meant = |one: &Discrepancy| {
            record == Some(&one.record) || one.proposal.as_deref().is_some_and(|id| proposals.contains(id))
        };
        let mut found = Vec::new();
        for row in rows {
            let list: Vec<Discrepancy> = serde_json::from_str(&row.text(1)?)?;
            if list.iter().any(is_meant) {
                found.push(u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0));
            }
        }
        Ok(found)
    }
}
