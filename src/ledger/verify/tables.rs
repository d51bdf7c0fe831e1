//! What is checked besides the chain: the file, its schema, the head, the inbox.

use futures::TryStreamExt as _;
use sqlx::{Row as _, SqliteConnection};

use super::Report;
use crate::domain::Digest;

/// SQLite's own check of pages and indexes.
pub(super) async fn integrity(
    connection: &mut SqliteConnection,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    for row in sqlx::query("PRAGMA integrity_check(20)").fetch_all(connection).await? {
        let found: String = row.try_get(0)?;
        if found != "ok" {
            report.damage("file-damaged", None, found);
        }
    }
    Ok(())
}

/// The tables and triggers must be the ones that this version creates: a trigger that is gone
/// would let entries be changed.
pub(super) async fn schema(
    connection: &mut SqliteConnection,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let shipped = include_str!("../migrations/sqlite/0001_ledger.sql");
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    let shipped = squeeze(shipped);
    let rows = sqlx::query(
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

/// The head must be the last entry: a cut tail shows here.
pub(super) async fn head(connection: &mut SqliteConnection, report: &mut Report) -> Result<(), sqlx::Error> {
    let rows = sqlx::query("SELECT key, value FROM meta").fetch_all(connection).await?;
    let mut seq = None;
    let mut hash = None;
    for row in rows {
        let (key, value): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        match key.as_str() {
            "head_seq" => seq = value.parse::<u64>().ok(),
            "head_hash" => hash = Some(value),
            "org" => {}
            "epoch" | "processed_up_to" if value.parse::<u64>().is_ok() => {}
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

/// Every recorded response must have the bytes that were recorded.
pub(super) async fn inbox(connection: &mut SqliteConnection, report: &mut Report) -> Result<(), sqlx::Error> {
    let mut rows =
        sqlx::query("SELECT id, received_at, digest, payload FROM inbox ORDER BY id").fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let (id, received): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let (digest, payload): (String, &[u8]) = (row.try_get(2)?, row.try_get(3)?);
        report.batches += 1;
        if Digest::of_bytes(payload).as_str() != digest {
            report.damage("inbox-changed", None, format!("batch {id} is not the one that was recorded"));
        }
        if received.parse::<jiff::Timestamp>().is_err() {
            report.damage("inbox-changed", None, format!("batch {id} has no readable time"));
        }
    }
    Ok(())
}

/// Private parts of entries that do not exist.
pub(super) async fn strays(
    connection: &mut SqliteConnection,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT count(*) FROM private WHERE seq NOT IN (SELECT seq FROM entry)";
    let strays: i64 = sqlx::query(sql).fetch_one(connection).await?.try_get(0)?;
    if strays > 0 {
        report.damage("private-stray", None, format!("{strays} value(s) belong to no entry"));
    }
    Ok(())
}
