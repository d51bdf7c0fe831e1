//! The walk along the chain: places, links, hashes, canonical form, private parts.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use serde_json::Value;
use sqlx::{Row as _, SqliteConnection};

use super::{Report, fold::Fold};
use crate::domain::{
    digest::canonical,
    entry::{Entry, GENESIS, commitment},
    event::Event,
};

/// Entries that are read in one go.
const PAGE: i64 = 1000;

/// A row of the entry table, with its private parts.
struct Stored {
    seq: u64,
    hash: String,
    kind: String,
    proposal: Option<String>,
    text: String,
}

struct Walk {
    next: u64,
    prev: String,
    org: Option<String>,
    fold: Fold,
}

pub(super) async fn walk(
    connection: &mut SqliteConnection,
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) -> Result<Fold, sqlx::Error> {
    let org =
        sqlx::query("SELECT value FROM meta WHERE key = 'org'").fetch_optional(&mut *connection).await?;
    let mut walk =
        Walk { next: 1, prev: GENESIS.to_owned(), org: org.map(|row| row.get(0)), fold: Fold::default() };
    let mut after: i64 = i64::MIN;
    loop {
        let rows: Vec<_> = sqlx::query(
            "SELECT seq, hash, kind, proposal, text FROM entry WHERE seq > ? ORDER BY seq LIMIT ?",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut *connection)
        .await?;
        let Some(last) = rows.last() else { break };
        let last: i64 = last.try_get(0)?;
        let mut parts = private_parts(connection, after, last).await?;
        for row in rows {
            let stored = Stored {
                seq: u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0),
                hash: row.try_get(1)?,
                kind: row.try_get(2)?,
                proposal: row.try_get(3)?,
                text: row.try_get(4)?,
            };
            let parts = parts.remove(&stored.seq).unwrap_or_default();
            walk.entry(&stored, parts, report);
        }
        after = last;
        progress(report.entries);
    }
    report.head.clone_from(&walk.prev);
    Ok(walk.fold)
}

type Parts = BTreeMap<String, (Vec<u8>, String)>;

async fn private_parts(
    connection: &mut SqliteConnection,
    after: i64,
    up_to: i64,
) -> Result<BTreeMap<u64, Parts>, sqlx::Error> {
    let mut found: BTreeMap<u64, Parts> = BTreeMap::new();
    let query = sqlx::query("SELECT seq, path, salt, value FROM private WHERE seq > ? AND seq <= ?");
    let mut rows = query.bind(after).bind(up_to).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let seq = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
        found.entry(seq).or_default().insert(row.try_get(1)?, (row.try_get(2)?, row.try_get(3)?));
    }
    Ok(found)
}

impl Walk {
    fn entry(&mut self, stored: &Stored, parts: Parts, report: &mut Report) {
        let seq = Some(stored.seq);
        report.entries += 1;
        if stored.seq != self.next {
            let what = format!("entry {} follows entry {}", stored.seq, self.next.saturating_sub(1));
            report.damage("chain-gap", seq, what);
        }
        self.next = stored.seq + 1;
        let hash = Entry::hash_text(&stored.text).to_string();
        if hash != stored.hash {
            report.damage("entry-hash", seq, "the text of the entry does not have the hash that was stored");
        }
        let expected_prev = std::mem::replace(&mut self.prev, hash);
        let entry: Entry = match serde_json::from_str(&stored.text) {
            Ok(entry) => entry,
            Err(error) => {
                report.damage("entry-unreadable", seq, error.to_string());
                return;
            }
        };
        if entry.prev != expected_prev {
            report.damage("chain-broken", seq, "it does not point at the entry before it");
        }
        if !entry.text().is_ok_and(|text| text == stored.text) {
            report.damage("entry-not-canonical", seq, "its text is not in canonical form");
        }
        if entry.seq != stored.seq.to_string()
            || entry.kind != stored.kind
            || entry.proposal != stored.proposal
        {
            report.damage("entry-columns", seq, "its columns differ from its text");
        }
        if Some(&entry.org) != self.org.as_ref() {
            report.damage("entry-other-org", seq, "it belongs to another org");
        }
        let mut event = entry.event.clone();
        self.private((stored.seq, &entry), parts, &mut event, report);
        match serde_json::from_value::<Event>(event) {
            Ok(event) if event.kind() != entry.kind => {
                report.damage("entry-kind", seq, "its event is of another kind");
            }
            Ok(event) => self.fold.event(stored.seq, &entry.at, &event, report),
            Err(error) if report.private_erased > 0 => self.fold.unreadable(&entry, &error.to_string()),
            Err(error) => report.damage("event-unreadable", seq, error.to_string()),
        }
    }

    fn private(
        &mut self,
        (seq, entry): (u64, &Entry),
        mut parts: Parts,
        event: &mut Value,
        report: &mut Report,
    ) {
        for (path, committed) in &entry.commit {
            let Some((salt, value)) = parts.remove(path) else {
                report.private_erased += 1;
                report.damage("private-missing", Some(seq), format!("the value of `{path}` is gone"));
                continue;
            };
            report.private_checked += 1;
            let holds = <[u8; 32]>::try_from(salt.as_slice())
                .is_ok_and(|salt| commitment(&salt, path, &value).as_str() == committed);
            if !holds {
                report.damage(
                    "private-changed",
                    Some(seq),
                    format!("the value of `{path}` is not the one recorded"),
                );
                continue;
            }
            match serde_json::from_str::<Value>(&value) {
                Ok(json) if canonical(&json).is_ok_and(|text| text == value) => {
                    super::super::queries::insert_at(event, path, json);
                }
                _ => report.damage("private-not-canonical", Some(seq), format!("the value of `{path}`")),
            }
        }
        for path in parts.keys() {
            report.damage("private-stray", Some(seq), format!("a value of `{path}` that nothing speaks of"));
        }
    }
}
