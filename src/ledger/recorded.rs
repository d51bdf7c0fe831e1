//! Verdicts with everything that they rested on, page by page in the order of the chain.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::{Row as _, SqliteConnection};

use super::{Ledger, LedgerError, append::number, proposals::stage_of, queries::insert_at};
use crate::domain::{Decision, Digest, ObjectSchema, Policy, Proposal, Stage, entry::Entry, event::Event};

/// A verdict as the ledger holds it, not parsed yet: parsing is most of the work, and the reader
/// leaves it to whoever can do it on several cores.
#[derive(Debug, Clone)]
pub struct RecordedVerdict {
    /// Place in the chain.
    pub seq: u64,
    /// Where the proposal stands today.
    pub stage: Stage,
    text: String,
    proposal: String,
    approval: Option<String>,
    private: Vec<(String, String)>,
}

/// The parts of a [`RecordedVerdict`].
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The proposal as it was first seen.
    pub proposal: Proposal,
    /// What a person decided on it in the end.
    pub decided: Option<Decision>,
    /// The verdict.
    pub verdict: Value,
    /// What it rested on; `None` where an older version did not keep it, or it was erased.
    pub input: Option<Value>,
    /// The verdict lacks no part that was erased.
    pub whole: bool,
}

impl RecordedVerdict {
    /// Parses it.
    pub fn parse(&self) -> Result<Parsed, LedgerError> {
        let entry: Entry = serde_json::from_str(&self.text)?;
        let whole = entry.commit.keys().all(|path| self.private.iter().any(|(there, _)| there == path));
        let mut event = entry.event;
        for (path, value) in &self.private {
            insert_at(&mut event, path, serde_json::from_str(value)?);
        }
        let mut part = |key: &str| event.get_mut(key).map(Value::take);
        let verdict = part("verdict").ok_or_else(|| LedgerError::Damaged("a verdict is empty".to_owned()))?;
        let decided = |text: &String| -> Result<Decision, serde_json::Error> {
            let approval: crate::domain::Approval = serde_json::from_str(text)?;
            Ok(approval.decision)
        };
        Ok(Parsed {
            proposal: serde_json::from_str(&self.proposal)?,
            decided: self.approval.as_ref().map(decided).transpose()?,
            verdict,
            input: part("input"),
            whole,
        })
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
    /// The next verdicts after a place, at most `most`, oldest first.
    pub async fn verdicts(&self, after: u64, most: u32) -> Result<Vec<RecordedVerdict>, LedgerError> {
        let mut reader = self.inner.reader.lock().await;
        let rows = sqlx::query(
            "SELECT e.seq, e.text, p.body, p.stage, p.approval FROM entry e JOIN proposal p ON p.id = e.proposal \
             WHERE e.kind = 'verdict_reached' AND e.seq > ? ORDER BY e.seq LIMIT ?",
        )
        .bind(number(after)?)
        .bind(most)
        .fetch_all(&mut *reader)
        .await?;
        let mut verdicts = Vec::with_capacity(rows.len());
        for row in rows {
            let stage: String = row.try_get(3)?;
            verdicts.push(RecordedVerdict {
                seq: u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0),
                stage: stage_of(&stage).ok_or_else(|| LedgerError::Damaged("proposal stage".to_owned()))?,
                text: row.try_get(1)?,
                proposal: row.try_get(2)?,
                approval: row.try_get(4)?,
                private: Vec::new(),
            });
        }
        let (Some(first), Some(last)) = (verdicts.first(), verdicts.last()) else { return Ok(verdicts) };
        let parts = sqlx::query("SELECT seq, path, value FROM private WHERE seq >= ? AND seq <= ?")
            .bind(number(first.seq)?)
            .bind(number(last.seq)?);
        for row in parts.fetch_all(&mut *reader).await? {
            let seq = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
            if let Ok(place) = verdicts.binary_search_by_key(&seq, |verdict| verdict.seq) {
                verdicts[place].private.push((row.try_get(1)?, row.try_get(2)?));
            }
        }
        Ok(verdicts)
    }

    /// Everything that was kept for verdicts to rest on.
    pub async fn basis(&self) -> Result<Basis, LedgerError> {
        let mut reader = self.inner.reader.lock().await;
        // The semicolon follows the colon: every story that starts with `basis:`.
        let rows = sqlx::query(
            "SELECT text FROM entry WHERE proposal >= 'basis:' AND proposal < 'basis;' \
             AND kind IN ('policy_recorded', 'schema_recorded')",
        );
        let mut basis = Basis::default();
        for row in rows.fetch_all(&mut *reader).await? {
            let entry: Entry = serde_json::from_str(row.try_get::<&str, _>(0)?)?;
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
        let mut reader = self.inner.reader.lock().await;
        let head = super::tx::read_head(&mut reader).await?.0;
        place_before(&mut reader, head, since).await
    }

    /// Entries in the chain.
    pub async fn length(&self) -> Result<u64, LedgerError> {
        let mut reader = self.inner.reader.lock().await;
        Ok(super::tx::read_head(&mut reader).await?.0)
    }
}

/// The place before the first entry that is as young as this, by halving.
pub(super) async fn place_before(
    connection: &mut SqliteConnection,
    head: u64,
    since: Timestamp,
) -> Result<u64, LedgerError> {
    let (mut older, mut younger) = (0, head + 1);
    while younger - older > 1 {
        let middle = older + (younger - older) / 2;
        let row = sqlx::query("SELECT text ->> '$.at' FROM entry WHERE seq = ?").bind(number(middle)?);
        let row = row.fetch_optional(&mut *connection).await?;
        let row = row.ok_or_else(|| LedgerError::Damaged(format!("entry {middle} is gone")))?;
        let at: String = row.try_get(0)?;
        let at: Timestamp =
            at.parse().map_err(|_| LedgerError::Damaged(format!("time of entry {middle}")))?;
        if at < since { older = middle } else { younger = middle }
    }
    Ok(older)
}
