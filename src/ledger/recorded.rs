//! Verdicts with everything that they rested on, page by page in the order of the chain.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

use super::{
    Ledger, LedgerError,
    append::number,
    db::{self, Dialect},
    proposals::stage_of,
    queries::insert_at,
};
use crate::domain::{Decision, Digest, ObjectSchema, Policy, Proposal, Stage, entry::Entry, event::Event};

/// Where an event keeps what its verdict rested on.
const INPUT: &str = "/input";

/// Which parts of a verdict are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Only its outcome, with what it rested on.
    Outcome,
    /// Every part of it.
    Whole,
}

/// A verdict as the ledger holds it, not parsed yet: parsing is most of the work, and the reader
/// leaves it to whoever can do it on several cores.
#[derive(Debug, Clone)]
pub struct RecordedVerdict {
    /// Place in the chain.
    pub seq: u64,
    /// Where the proposal stands today.
    pub stage: Stage,
    /// What a person decided on the proposal in the end.
    pub decided: Option<Decision>,
    text: String,
    proposal: String,
    input: Option<String>,
    /// The other private parts as one JSON object, by path; only for [`Depth::Whole`].
    private: Option<String>,
}

/// The public part of a verdict's entry.
#[derive(Deserialize)]
struct PublicEntry {
    event: PublicEvent,
    #[serde(default)]
    commit: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct PublicEvent {
    verdict: Value,
}

/// As much of an entry as tells a verdict's outcome.
#[derive(Deserialize)]
struct OutcomeEntry<T> {
    event: OutcomeEvent<T>,
    #[serde(default)]
    commit: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct OutcomeEvent<T> {
    verdict: OutcomeOnly<T>,
}

#[derive(Deserialize)]
struct OutcomeOnly<T> {
    outcome: T,
}

impl RecordedVerdict {
    /// The proposal as it was first seen.
    pub fn proposal(&self) -> Result<Proposal, LedgerError> {
        Ok(serde_json::from_str(&self.proposal)?)
    }

    /// What the verdict rested on; `None` where an older version did not keep it, or it was erased.
    pub fn input<T: DeserializeOwned>(&self) -> Result<Option<T>, LedgerError> {
        Ok(self.input.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// The outcome of the verdict alone, and whether what it rested on was erased.
    pub fn outcome<T: DeserializeOwned>(&self) -> Result<(T, bool), LedgerError> {
        let entry: OutcomeEntry<T> = serde_json::from_str(&self.text)?;
        let is_erased = self.input.is_none() && entry.commit.contains_key(INPUT);
        Ok((entry.event.verdict.outcome, is_erased))
    }

    /// The verdict, and whether a part that was asked for was erased.
    pub fn verdict(&self) -> Result<(Value, bool), LedgerError> {
        let entry: PublicEntry = serde_json::from_str(&self.text)?;
        let mut event = serde_json::json!({ "verdict": entry.event.verdict });
        let parts = self.private.as_deref().map(serde_json::from_str::<BTreeMap<String, String>>);
        let parts = parts.transpose()?.unwrap_or_default();
        let is_gone = |path: &String| match path.as_str() {
            INPUT => self.input.is_none(),
            // Only what was asked for can be missed.
            path => self.private.is_some() && !parts.contains_key(path),
        };
        let is_erased = entry.commit.keys().any(is_gone);
        for (path, value) in &parts {
            insert_at(&mut event, path, serde_json::from_str(value)?);
        }
        Ok((event["verdict"].take(), is_erased))
    }
}

/// Policies and descriptions that verdicts rest on, by digest.
#[derive(Debug, Clone, Default)]
pub struct Basis {
    /// Rules.
    pub policies: BTreeMap<Digest, Policy>,
    /// Descriptions of objects.
    pub schemas: BTreeMap<Digest, ObjectSchema>,
}

impl Ledger {
    /// The next verdicts after a place, at most `most`, oldest first. One row each: a row costs
    /// more than what is in it.
    pub async fn verdicts(
        &self,
        after: u64,
        (depth, most): (Depth, u32),
    ) -> Result<Vec<RecordedVerdict>, LedgerError> {
        let mut reader = self.reader().await?;
        let parts = match (depth, reader.dialect()) {
            (Depth::Outcome, _) => "NULL",
            (Depth::Whole, Dialect::Sqlite) => {
                "(SELECT json_group_object(path, value) FROM private WHERE seq = e.seq AND path <> '/input')"
            }
            (Depth::Whole, Dialect::Postgres) => {
                "(SELECT coalesce(json_object_agg(path, value), '{}')::text FROM private \
                 WHERE seq = e.seq AND path <> '/input')"
            }
        };
        let sql = format!(
            "SELECT e.seq, e.text, p.body, p.stage, p.approval ->> '$.decision', \
             (SELECT value FROM private WHERE seq = e.seq AND path = '/input'), {parts} \
             FROM entry e JOIN proposal p ON p.id = e.proposal \
             WHERE e.kind = 'verdict_reached' AND e.seq > ? ORDER BY e.seq LIMIT ?"
        );
        let query = db::query(sql).bind(number(after)?).bind(most);
        query.fetch_all(&mut *reader).await?.iter().map(from_row).collect()
    }

    /// Everything that was kept for verdicts to rest on.
    pub async fn basis(&self) -> Result<Basis, LedgerError> {
        let mut reader = self.reader().await?;
        // The semicolon follows the colon: every story that starts with `basis:`.
        let rows = db::query(
            "SELECT text FROM entry WHERE proposal >= 'basis:' AND proposal < 'basis;' \
             AND kind IN ('policy_recorded', 'schema_recorded')",
        );
        let mut basis = Basis::default();
        for row in rows.fetch_all(&mut *reader).await? {
            let entry: Entry = serde_json::from_str(&row.text(0)?)?;
            match serde_json::from_value(entry.event)? {
                Event::PolicyRecorded { policy } => basis.policies.insert(policy.digest()?, policy).map(drop),
                Event::SchemaRecorded { schema } => basis.schemas.insert(schema.digest()?, schema).map(drop),
                _ => None,
            };
        }
        Ok(basis)
    }

    /// The place before the first entry that is as young as this.
    pub async fn place_before(&self, since: Timestamp) -> Result<u64, LedgerError> {
        let mut reader = self.reader().await?;
        let head = super::meta::read_head(&mut reader).await?.0;
        place_before(&mut reader, head, since).await
    }

    /// Entries in the chain.
    pub async fn length(&self) -> Result<u64, LedgerError> {
        let mut reader = self.reader().await?;
        Ok(super::meta::read_head(&mut reader).await?.0)
    }
}

fn from_row(row: &db::Row) -> Result<RecordedVerdict, LedgerError> {
    let (stage, decided): (String, Option<String>) = (row.try_get(3)?, row.try_get(4)?);
    Ok(RecordedVerdict {
        seq: u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0),
        stage: stage_of(&stage).ok_or_else(|| LedgerError::Damaged("proposal stage".to_owned()))?,
        decided: decided.map(|word| serde_json::from_value(word.into())).transpose()?,
        text: row.try_get(1)?,
        proposal: row.try_get(2)?,
        input: row.try_get(5)?,
        private: row.try_get(6)?,
    })
}

/// The place before the first entry that is as young as this, by halving.
pub(super) async fn place_before(
    connection: &mut db::Connection,
    head: u64,
    since: Timestamp,
) -> Result<u64, LedgerError> {
    let (mut older, mut younger) = (0, head + 1);
    while younger - older > 1 {
        let middle = older + (younger - older) / 2;
        let row = db::query("SELECT text ->> '$.at' FROM entry WHERE seq = ?").bind(number(middle)?);
        let row = row.fetch_optional(&mut *connection).await?;
        let row = row.ok_or_else(|| LedgerError::Damaged(format!("entry {middle} is gone")))?;
        let at: String = row.try_get(0)?;
        let at: Timestamp =
            at.parse().map_err(|_| LedgerError::Damaged(format!("time of entry {middle}")))?;
        if at < since { older = middle } else { younger = middle }
    }
    Ok(older)
}
