//! Reports: counts, and entries with their private parts put back.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Ledger, LedgerError, append::number, db, meta::standing, proposals::stage_of};
use crate::domain::{Digest, ProposalId, Stage, entry::Entry};

/// The ledger in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Proposals by stage; a stage without any is absent.
    #[serde(serialize_with = "by_name")]
    pub stages: BTreeMap<Stage, u64>,
    /// Recorded responses that have not been worked on.
    pub inbox_waiting: u64,
    /// Promotions that have not ended.
    pub promotions_open: u64,
    /// The same by [`Settlement::name`](crate::domain::Settlement::name); a state without any is absent.
    pub promotions_by_state: BTreeMap<String, u64>,
    /// Landed promotions without proof of landing.
    pub promotions_unconfirmed: u64,
    /// When the oldest proposal that waits for a person came in.
    pub oldest_awaiting: Option<String>,
    /// Entries in the chain.
    pub head_seq: u64,
    /// Hash of the last one.
    pub head_hash: Digest,
    /// When the last one was made; `None`: there is none.
    pub head_at: Option<String>,
    /// The epoch in force: how often the lead was taken.
    pub epoch: u64,
}

fn by_name<S: serde::Serializer>(stages: &BTreeMap<Stage, u64>, out: S) -> Result<S::Ok, S::Error> {
    out.collect_map(stages.iter().map(|(stage, count)| (stage.name(), count)))
}

/// An entry as it is read back.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEntry {
    /// The entry, without its private parts.
    pub entry: Entry,
    /// Its hash.
    pub hash: Digest,
    /// The event with the private parts that have not been erased.
    pub event: Value,
}

async fn count(connection: &mut db::Connection, sql: &'static str) -> Result<u64, LedgerError> {
    let count: i64 = db::query(sql).fetch_one(connection).await?.try_get(0)?;
    u64::try_from(count).map_err(|_| LedgerError::Damaged("a count is negative".to_owned()))
}

/// Only of the promotions that have not ended, which are few.
async fn open_by_state(connection: &mut db::Connection) -> Result<BTreeMap<String, u64>, LedgerError> {
    let sql = "SELECT body ->> '$.settlement.state', count(*) FROM promotion WHERE open = 1 GROUP BY 1";
    let rows = db::query(sql).fetch_all(connection).await?;
    let one = |row: &db::Row| {
        let count = row.try_get::<i64>(1)?;
        Ok((row.try_get(0)?, u64::try_from(count).unwrap_or(0)))
    };
    rows.iter().map(one).collect()
}

impl Ledger {
    /// The ledger in numbers.
    pub async fn counts(&self) -> Result<Counts, LedgerError> {
        let mut reader = self.reader().await?;
        let standing = standing(&mut reader).await?;
        let (head_seq, head_hash) = standing.head;
        let mut stages = BTreeMap::new();
        for row in
            db::query("SELECT stage, count(*) FROM proposal GROUP BY stage").fetch_all(&mut reader).await?
        {
            let (name, found): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            if let Some(stage) = stage_of(&name) {
                stages.insert(stage, u64::try_from(found).unwrap_or(0));
            }
        }
        let oldest = db::query(
            "SELECT body ->> '$.received_at' FROM proposal WHERE stage = 'awaiting-approval' \
             ORDER BY received_seq LIMIT 1",
        );
        let oldest_awaiting =
            oldest.fetch_optional(&mut reader).await?.and_then(|row| row.try_get::<String>(0).ok());
        let last = db::query("SELECT text ->> '$.at' FROM entry WHERE seq = ?").bind(number(head_seq)?);
        let head_at = last.fetch_optional(&mut reader).await?.map(|row| row.try_get(0)).transpose()?;
        let promotions_by_state = open_by_state(&mut reader).await?;
        Ok(Counts {
            stages,
            inbox_waiting: count(
                &mut reader,
                "SELECT count(*) FROM inbox WHERE id > coalesce((SELECT CAST(value AS BIGINT) FROM meta \
                 WHERE key = 'processed_up_to'), 0)",
            )
            .await?,
            promotions_open: promotions_by_state.values().sum(),
            promotions_by_state,
            promotions_unconfirmed: count(
                &mut reader,
                "SELECT count(*) FROM promotion WHERE open = 0 AND confirmed = 0",
            )
            .await?,
            oldest_awaiting,
            head_seq,
            head_hash,
            head_at,
            epoch: standing.epoch,
        })
    }

    /// The story of a proposal, oldest entry first.
    pub async fn entries_for_proposal(&self, id: &ProposalId) -> Result<Vec<StoredEntry>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows =
            db::query("SELECT seq, hash, text FROM entry WHERE proposal = ? ORDER BY seq").bind(id.as_str());
        let mut entries = Vec::new();
        for row in rows.fetch_all(&mut reader).await? {
            let seq = u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0);
            let entry: Entry = serde_json::from_str(&row.text(2)?)?;
            let mut event = entry.event.clone();
            put_back(&mut reader, seq, &mut event).await?;
            entries.push(StoredEntry { hash: Digest::from_hex(row.try_get::<String>(1)?), entry, event });
        }
        Ok(entries)
    }
}

/// Puts the private parts that have not been erased back into an event.
pub(super) async fn put_back(
    connection: &mut db::Connection,
    seq: u64,
    event: &mut Value,
) -> Result<(), LedgerError> {
    let rows = db::query("SELECT path, value FROM private WHERE seq = ?").bind(number(seq)?);
    for row in rows.fetch_all(connection).await? {
        let (path, value): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        insert_at(event, &path, serde_json::from_str(&value)?);
    }
    Ok(())
}

/// Puts a value at a JSON pointer whose parent exists.
pub(super) fn insert_at(event: &mut Value, path: &str, value: Value) {
    if let Some((parent, key)) = path.rsplit_once('/')
        && let Some(Value::Object(map)) = event.pointer_mut(parent)
    {
        map.insert(key.to_owned(), value);
    }
}
