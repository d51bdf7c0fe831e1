//! What is checked besides the chain: the file, its schema, the head, the inbox.

use std::path::Path;

use futures::TryStreamExt as _;

use super::Report;
use crate::ledger::{
    db::{self, Dialect, catalog, sqlite},
    migrate::{SCHEMA, STEPS},
    seal::{self, InboxRow},
};

/// What SQLite's own check of pages and indexes finds, and whether the file ends with a page: SQLite takes
/// what is missing of the last one for zeros. PostgreSQL has such a check too, but only as an extension
/// that need not be there. A daemon that is writing may be in the middle of a page, so only a length that
/// stays counts.
pub(super) async fn integrity(path: &Path) -> Result<Vec<String>, sqlx::Error> {
    let mut connection = sqlite::connect_untouched(path).await?;
    let page = db::query("PRAGMA page_size").fetch_one(&mut connection).await?.try_get::<i64>(0)?;
    let before = std::fs::metadata(path)?.len();
    let rows = db::query("PRAGMA integrity_check(20)").fetch_all(&mut connection).await;
    let found = rows.and_then(|rows| rows.iter().map(|row| row.try_get::<String>(0)).collect());
    connection.close().await?;
    let mut found: Vec<String> = found?;
    found.retain(|found| found != "ok");
    let is_cut = u64::try_from(page).is_ok_and(|page| !before.is_multiple_of(page));
    if is_cut && std::fs::metadata(path)?.len() == before {
        found.insert(0, "the file ends in the middle of a page: its end was cut off".to_owned());
    }
    Ok(found)
}

/// The newest migration that the file has seen; 0 where it cannot be read.
pub(super) async fn version(connection: &mut db::Connection) -> i64 {
    let row = db::query("SELECT max(version) FROM _sqlx_migrations").fetch_one(connection).await;
    row.ok().and_then(|row| row.try_get(0).ok()).unwrap_or(0)
}

/// The tables and triggers must be the ones that this version creates: a trigger that is gone
/// would let entries be changed.
pub(super) async fn schema(connection: &mut db::Connection, report: &mut Report) -> Result<(), sqlx::Error> {
    if connection.dialect() == Dialect::Postgres {
        return catalog_differs(connection, report).await;
    }
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    let steps = usize::try_from(report.schema).unwrap_or(0).min(STEPS.len());
    let shipped: String = STEPS[..steps].iter().map(|(_, sqlite, _)| squeeze(sqlite)).collect();
    let rows = db::query(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' \
         AND name NOT LIKE '_sqlx_%'",
    );
    let mut found = 0;
    for row in rows.fetch_all(connection).await? {
        let (name, sql): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        found += 1;
        if !shipped.contains(&squeeze(&sql)) {
            report.damage("schema-differs", None, format!("`{name}` is not what this version creates"));
        }
    }
    let expected = shipped.matches("CREATE").count();
    if found != expected {
        report.damage(
            "schema-differs",
            None,
            format!("{found} tables, indexes and triggers, expected {expected}"),
        );
    }
    Ok(())
}

/// PostgreSQL keeps no text of what was created, so its own description is compared.
async fn catalog_differs(connection: &mut db::Connection, report: &mut Report) -> Result<(), sqlx::Error> {
    if report.schema != SCHEMA {
        return Ok(());
    }
    let found = catalog::describe(connection).await?;
    let shipped: Vec<&str> = catalog::SHIPPED.lines().collect();
    for line in found.iter().filter(|line| !shipped.contains(&line.as_str())) {
        report.damage("schema-differs", None, format!("not what this version creates: {line}"));
    }
    for line in shipped.iter().filter(|line| !found.iter().any(|found| found == *line)) {
        report.damage("schema-differs", None, format!("this version creates, and it is gone: {line}"));
    }
    Ok(())
}

/// The head must be the last entry: a cut tail shows here.
pub(super) async fn head(connection: &mut db::Connection, report: &mut Report) -> Result<(), sqlx::Error> {
    let rows = db::query("SELECT key, value, seal FROM meta").fetch_all(connection).await?;
    let mut seq = None;
    let mut hash = None;
    for row in rows {
        let (key, value): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if seal::of_meta(&key, &value) != row.try_get::<String>(2)? {
            report.damage("meta-changed", None, format!("`{key}` does not fit its seal"));
        }
        match key.as_str() {
            "head_seq" => seq = value.parse::<u64>().ok(),
            "head_hash" => hash = Some(value),
            "org" | "schema" => {}
            "waiting" | "looked" | "idle_approvers" => {}
            "epoch" | "processed_up_to" | "inbox_last" | "inbox_pruned" | "writers_counted_to"
                if value.parse::<u64>().is_ok() => {}
            _ => report.damage("meta-unknown", None, format!("`{key}` = `{value}`")),
        }
    }
    if seq != Some(report.entries) {
        let what = format!("the head is at {seq:?}, the chain ends at {}", report.entries);
        report.damage("head-differs", None, what);
    }
    if hash.as_ref() != Some(&report.head) {
        report.damage("head-differs", None, "the head does not have the hash of the last entry");
    }
    Ok(())
}

/// Every recorded response must be there, with the bytes that were recorded.
pub(super) async fn inbox(connection: &mut db::Connection, report: &mut Report) -> Result<(), sqlx::Error> {
    let pruned = place(connection, "inbox_pruned").await?;
    let last = place(connection, "inbox_last").await?;
    let mut next = pruned + 1;
    let mut rows = db::query("SELECT id, topic, received_at, events, digest, payload FROM inbox ORDER BY id")
        .fetch(&mut *connection);
    while let Some(row) = rows.try_next().await? {
        let (topic, received_at) = (row.text(1)?, row.text(2)?);
        let stored = InboxRow {
            id: row.try_get(0)?,
            topic: &topic,
            received_at: &received_at,
            events: row.try_get(3)?,
            payload: row.try_get(5)?,
        };
        report.batches += 1;
        if seal::of_inbox(&stored) != row.try_get::<String>(4)? {
            let what = format!("batch {} is not the one that was recorded", stored.id);
            report.damage("inbox-changed", None, what);
        }
        if stored.id != next {
            report.damage("inbox-gap", None, format!("batch {} stands where {next} belongs", stored.id));
        }
        next = stored.id + 1;
    }
    drop(rows);
    if next != last + 1 {
        report.damage(
            "inbox-gap",
            None,
            format!("the inbox ends before batch {next}, expected {last} as last"),
        );
    }
    if place(connection, "processed_up_to").await? > last {
        report.damage("inbox-gap", None, "more batches were worked on than recorded");
    }
    Ok(())
}

async fn place(connection: &mut db::Connection, key: &'static str) -> Result<i64, sqlx::Error> {
    let row = db::query("SELECT value FROM meta WHERE key = ?").bind(key).fetch_optional(connection).await?;
    let text: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Every place in a stream must be the one that was noted.
pub(super) async fn cursors(connection: &mut db::Connection, report: &mut Report) -> Result<(), sqlx::Error> {
    for row in db::query("SELECT topic, replay_id, seal FROM cursor").fetch_all(connection).await? {
        let (topic, place): (String, Option<Vec<u8>>) = (row.try_get(0)?, row.try_get(1)?);
        if seal::of_cursor(&topic, place.as_deref()) != row.try_get::<String>(2)? {
            report.damage("cursor-changed", None, format!("the place in `{topic}` does not fit its seal"));
        }
    }
    Ok(())
}

/// The schema and the record of applied migrations must be the ones that were sealed.
pub(super) async fn sealed_schema(
    connection: &mut db::Connection,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let sealed = db::query("SELECT value FROM meta WHERE key = 'schema'").fetch_optional(&mut *connection);
    let sealed: Option<String> = sealed.await?.map(|row| row.try_get(0)).transpose()?;
    if sealed != Some(seal::of_schema(connection).await?) {
        report.damage("schema-differs", None, "the schema or the record of migrations does not fit its seal");
    }
    Ok(())
}

/// Private parts of entries that do not exist. In a chain without a gap they lie before it or behind it,
/// which saves reading them all once more.
pub(super) async fn strays(
    connection: &mut db::Connection,
    is_gapless: bool,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let sql = if is_gapless {
        "SELECT (SELECT count(*) FROM private WHERE seq < 1) + \
         (SELECT count(*) FROM private WHERE seq > (SELECT coalesce(max(seq), 0) FROM entry))"
    } else {
        "SELECT count(*) FROM private WHERE seq NOT IN (SELECT seq FROM entry)"
    };
    let strays: i64 = db::query(sql).fetch_one(connection).await?.try_get(0)?;
    if strays > 0 {
        report.damage("private-stray", None, format!("{strays} value(s) belong to no entry"));
    }
    Ok(())
}
