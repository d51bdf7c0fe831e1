//! The chain as lines of JSON, for people and programs without the database.
//!
//! A first line that says where the file begins, one line an entry with its stored text as it is,
//! and a last line that says what a whole file holds:
//!
//! ```json
//! {"start":{"org":"…","after":{"seq":"0","hash":"0000…"},"tree":[]}}
//! {"entry":{"at":"…","event":{…},"prev":"…","seq":"1",…},"hash":"…"}
//! {"end":{"count":"1","private":false,"head":{"seq":"1","hash":"…"}}}
//! ```
//!
//! `hash` is SHA-256 over a zero byte and the bytes of `entry`. With the private parts, a line also
//! has `private`: JSON pointer to `{"salt":"hex","value":…}`, which the entry's `commit` speaks of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Ledger, LedgerError,
    append::number,
    db::{self, Dialect},
    meta::read_head,
    recorded::place_before,
};
use crate::domain::entry::GENESIS;

/// One entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its canonical text, byte by byte.
    pub entry: Box<RawValue>,
    /// Its hash as it was stored.
    pub hash: String,
    /// Its private parts by path; absent where they were not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<BTreeMap<String, Opening>>,
}

/// What opens a commitment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// 32 bytes in hex.
    pub salt: String,
    /// The canonical value, byte by byte.
    pub value: Box<RawValue>,
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstLine {
    /// Where the file begins.
    pub start: Start,
}

/// Where a file begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The org whose ledger it is.
    pub org: String,
    /// The place before the first entry.
    pub after: Head,
    /// The Merkle tree up to that place, as far as it is needed to go on: the heads of its full
    /// subtrees, largest first, base64. With it, a part of the chain is compared with a checkpoint.
    pub tree: Vec<String>,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastLine {
    /// What a whole file holds.
    pub end: End,
}

/// What a whole file holds. Numbers are text, as everywhere in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Entries in the file.
    pub count: String,
    /// Whether private parts were asked for.
    pub private: bool,
    /// The last entry of the ledger at the time, in the file or after what was asked for.
    pub head: Head,
}

/// A place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Its number; 0 before the first entry.
    pub seq: String,
    /// The hash of the entry there.
    pub hash: String,
}

/// Which entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Where they begin.
    pub start: Start,
    /// The place before the first one.
    pub after: u64,
    /// The last one.
    pub up_to: u64,
    /// The head of the ledger when it was asked.
    pub head: Head,
}

/// The texts of a line: entry, hash, and the private parts as JSON rows of path, salt and value.
type Part = (String, String, String);

impl Ledger {
    /// The entries that were appended from `since` on and before `until`.
    pub async fn span(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Span, LedgerError> {
        let mut reader = self.reader().await?;
        let (head, hash) = read_head(&mut reader).await?;
        let after = match since {
            Some(since) => place_before(&mut reader, head, since).await?,
            None => 0,
        };
        let up_to = match until {
            Some(until) => place_before(&mut reader, head, until).await?,
            None => head,
        };
        let before = hash_at(&mut reader, after).await?;
        drop(reader);
        let tree = self.tree(after).await?.nodes();
        let (org, after_head) = (self.org_id().to_owned(), Head { seq: after.to_string(), hash: before });
        let head = Head { seq: head.to_string(), hash: hash.to_string() };
        Ok(Span { start: Start { org, after: after_head, tree }, after, up_to: up_to.max(after), head })
    }

    /// The next lines of a span, at most `most`, oldest first; the span then starts after them.
    pub async fn lines(
        &self,
        span: &mut Span,
        (private, most): (bool, u32),
    ) -> Result<Vec<Line>, LedgerError> {
        let mut reader = self.reader().await?;
        let parts = match (private, reader.dialect()) {
            (false, _) => "NULL",
            (true, Dialect::Sqlite) => {
                "(SELECT json_group_array(json_array(path, lower(hex(salt)), value)) FROM private \
                 WHERE seq = e.seq)"
            }
            (true, Dialect::Postgres) => {
                "(SELECT coalesce(json_agg(json_build_array(path, encode(salt, 'hex'), value)), '[]')::text \
                 FROM private WHERE seq = e.seq)"
            }
        };
        let sql = format!(
            "SELECT e.text, e.hash, {parts}, e.seq FROM entry e WHERE e.seq > ? AND e.seq <= ? \
             ORDER BY e.seq LIMIT ?"
        );
        let query = db::query(sql);
        let query = query.bind(number(span.after)?).bind(number(span.up_to)?).bind(most);
        let rows = query.fetch_all(&mut reader).await?;
        if let Some(last) = rows.last() {
            span.after = u64::try_from(last.try_get::<i64>(3)?).unwrap_or(u64::MAX);
        }
        rows.iter().map(from_row).collect()
    }
}

async fn hash_at(connection: &mut db::Connection, seq: u64) -> Result<String, LedgerError> {
    if seq == 0 {
        return Ok(GENESIS.to_owned());
    }
    let row = db::query("SELECT hash FROM entry WHERE seq = ?").bind(number(seq)?);
    let row = row.fetch_optional(connection).await?;
    let row = row.ok_or_else(|| LedgerError::Damaged(format!("entry {seq} is gone")))?;
    Ok(row.try_get(0)?)
}

fn from_row(row: &db::Row) -> Result<Line, LedgerError> {
    let parts: Option<String> = row.try_get(2)?;
    let private = parts.map(|parts| -> Result<_, LedgerError> {
        let parts: Vec<Part> = serde_json::from_str(&parts)?;
        let opened = parts
            .into_iter()
            .map(|(path, salt, value)| Ok((path, Opening { salt, value: RawValue::from_string(value)? })));
        opened.collect()
    });
    Ok(Line {
        entry: RawValue::from_string(row.try_get(0)?)?,
        hash: row.try_get(1)?,
        private: private.transpose()?,
    })
}
