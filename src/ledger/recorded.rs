//! Verdicts with everything that they rested on, page by page in the order of the chain.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use jiff::Timestamp;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Value, value::RawValue};
use tokio::sync::mpsc;

use super::{Ledger, LedgerError, append::number, db, queries::insert_at};
use crate::domain::{Decision, Digest, ObjectSchema, Policy, Proposal, Stage, entry::Entry, event::Event};

mod page;
#[cfg(test)]
mod tests;

use page::Parts;
pub use page::RecordedPage;

/// Pages of one statement: it must not run for long, and its connection serves nobody else.
const PAGES_IN_ONE: u64 = 50;

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
#[derive(Debug, Clone, Copy)]
pub struct RecordedVerdict<'a> {
    /// Place in the chain.
    pub seq: u64,
    /// Where the proposal stands today.
    pub stage: Stage,
    /// What a person decided on the proposal in the end.
    pub decided: Option<Decision>,
    text: &'a str,
    proposal: &'a str,
    input: Option<&'a str>,
    private: Parts<'a>,
}

/// The parts of a verdict as they were written down, by name.
#[derive(Debug)]
pub struct Told<'a> {
    parts: BTreeMap<&'a str, &'a str>,
    /// A part that was asked for was erased.
    pub is_erased: bool,
}

impl<'a> Told<'a> {
    /// The JSON of one part.
    pub fn part(&self, name: &str) -> Option<&'a str> {
        self.parts.get(name).copied()
    }

    /// All of it as one JSON object: in the canonical form where every part is.
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(2048);
        for (name, value) in &self.parts {
            out.push(if out.is_empty() { '{' } else { ',' });
            out.extend(["\"", name, "\":", value]);
        }
        out.push('}');
        out
    }
}

/// The entry of a verdict without a copy of anything.
#[derive(Deserialize)]
struct BorrowedEntry<'a> {
    #[serde(borrow)]
    event: BorrowedEvent<'a>,
    #[serde(borrow, default)]
    commit: BTreeMap<&'a str, IgnoredAny>,
}

#[derive(Deserialize)]
struct BorrowedEvent<'a> {
    #[serde(borrow)]
    verdict: BTreeMap<&'a str, &'a RawValue>,
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

impl<'a> RecordedVerdict<'a> {
    /// The proposal as it was first seen.
    pub fn proposal(&self) -> Result<Proposal, LedgerError> {
        Ok(serde_json::from_str(self.proposal)?)
    }

    /// What the verdict rested on; `None` where an older version did not keep it, or it was erased.
    pub fn input<T: DeserializeOwned>(&self) -> Result<Option<T>, LedgerError> {
        Ok(self.input.map(serde_json::from_str).transpose()?)
    }

    /// The outcome of the verdict alone, and whether what it rested on was erased.
    pub fn outcome<T: DeserializeOwned>(&self) -> Result<(T, bool), LedgerError> {
        let entry: OutcomeEntry<T> = serde_json::from_str(self.text)?;
        let is_erased = self.input.is_none() && entry.commit.contains_key(INPUT);
        Ok((entry.event.verdict.outcome, is_erased))
    }

    /// The verdict part by part, without parsing any; only for [`Depth::Whole`]. `None` where that
    /// cannot be done: then [`RecordedVerdict::verdict`] says more.
    pub fn told(&self) -> Option<Told<'a>> {
        let entry: BorrowedEntry<'a> = serde_json::from_str(self.text).ok()?;
        let parts = entry.event.verdict.into_iter().map(|(name, value)| (name, value.get()));
        let mut told = Told { parts: parts.collect(), is_erased: false };
        let mut missed = entry.commit;
        for (path, value) in self.private.iter() {
            missed.remove(path);
            let name = path.strip_prefix("/verdict/").filter(|name| !name.contains('/'))?;
            told.parts.insert(name, value);
        }
        if self.input.is_some() {
            missed.remove(INPUT);
        }
        told.is_erased = !missed.is_empty();
        Some(told)
    }

    /// The verdict, and whether a part that was asked for was erased. Only for [`Depth::Whole`].
    pub fn verdict(&self) -> Result<(Value, bool), LedgerError> {
        let entry: PublicEntry = serde_json::from_str(self.text)?;
        let mut event = serde_json::json!({ "verdict": entry.event.verdict });
        let is_gone = |path: &String| match path.as_str() {
            INPUT => self.input.is_none(),
            path => !self.private.iter().any(|(known, _)| known == path),
        };
        let is_erased = entry.commit.keys().any(is_gone);
        for (path, value) in self.private.iter() {
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
    /// Sends the verdicts after a place in the order of the chain, those of so many entries in a page. It
    /// ends at the head of the chain, or when nobody wants more.
    pub async fn verdicts(
        &self,
        mut after: u64,
        (depth, span): (Depth, u32),
        pages: &mpsc::Sender<RecordedPage>,
    ) -> Result<(), LedgerError> {
        let mut reader = self.reader().await?;
        let head = super::meta::read_head(&mut reader).await?.0;
        let sql = page::sql(reader.dialect(), depth);
        while after < head {
            // Whole pages, so that no entry stands in two of them.
            let below = after + u64::from(span) * PAGES_IN_ONE;
            let query = db::query(sql.clone()).bind(number(after)?).bind(number(below)?).bind(span);
            let mut rows = query.fetch(&mut reader);
            while let Some(row) = rows.try_next().await? {
                let Some(text) = row.try_get::<Option<String>>(0)? else { continue };
                let page = RecordedPage::of(text, after)?;
                after = page.last();
                if pages.send(page).await.is_err() {
                    return Ok(());
                }
            }
            after = below;
        }
        Ok(())
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
        for row in rows.fetch_all(&mut reader).await? {
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
