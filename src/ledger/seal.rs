//! Digests of rows that no entry speaks of: places in the stream, progress, the org.
//!
//! They find a byte that changed by itself or by a slip. Whoever can write the file can also
//! write a new seal; what matters for the story is in the chain.

use sha2::{Digest as _, Sha256};

use super::db::{self, Dialect, catalog};
use crate::domain::digest::hex;

/// Digest over parts, each preceded by its length.
pub(super) fn seal(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"seal-v1");
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hex(&hasher.finalize())
}

/// Seal of a row of `meta`.
pub(super) fn of_meta(key: &str, value: &str) -> String {
    seal(&[b"meta", key.as_bytes(), value.as_bytes()])
}

/// Seal of a row of `cursor`. A forgotten place is not the same as an empty one.
pub(super) fn of_cursor(topic: &str, replay_id: Option<&[u8]>) -> String {
    let known: &[u8] = if replay_id.is_some() { b"known" } else { b"forgotten" };
    seal(&[b"cursor", topic.as_bytes(), known, replay_id.unwrap_or_default()])
}

/// The columns of a row of `inbox` that its digest covers.
pub(super) struct InboxRow<'a> {
    pub(super) id: i64,
    pub(super) topic: &'a str,
    pub(super) received_at: &'a str,
    pub(super) events: i64,
    pub(super) payload: &'a [u8],
}

/// Digest of a row of `inbox`.
pub(super) fn of_inbox(row: &InboxRow<'_>) -> String {
    let (id, events) = (row.id.to_be_bytes(), row.events.to_be_bytes());
    seal(&[b"inbox", &id, row.topic.as_bytes(), row.received_at.as_bytes(), &events, row.payload])
}

/// Digest of the schema, letter by letter, and of the record of applied migrations. How long
/// a migration took is no part of it: that is noted later, maybe by another process.
pub(super) async fn of_schema(connection: &mut db::Connection) -> Result<String, sqlx::Error> {
    let mut text = String::new();
    if connection.dialect() == Dialect::Postgres {
        for line in catalog::describe(connection).await? {
            text.push_str(&line);
            text.push('\n');
        }
        let sql = "SELECT concat_ws(' ', version, description, extract(epoch FROM installed_on), success, \
                   encode(checksum, 'hex')) FROM _sqlx_migrations ORDER BY version";
        for row in db::query(sql).fetch_all(connection).await? {
            text.push_str(&row.text(0)?);
            text.push('\n');
        }
        return Ok(seal(&[b"schema", text.as_bytes()]));
    }
    for sql in [
        "SELECT quote(type) || quote(name) || quote(tbl_name) || quote(sql) FROM sqlite_schema ORDER BY name",
        "SELECT quote(version) || quote(description) || quote(installed_on) || quote(success) \
         || quote(checksum) FROM _sqlx_migrations ORDER BY version",
    ] {
        for row in db::query(sql).fetch_all(&mut *connection).await? {
            text.push_str(&row.try_get::<String>(0)?);
            text.push('\n');
        }
    }
    Ok(seal(&[b"schema", text.as_bytes()]))
}
