//! The table of single values: org, epoch, head, progress. Each row carries its seal.

use super::{LedgerError, db, seal};
use crate::domain::Digest;

/// One value.
pub(super) async fn meta(
    connection: &mut db::Connection,
    key: &'static str,
) -> Result<Option<String>, LedgerError> {
    let row = db::query("SELECT value, seal FROM meta WHERE key = ?").bind(key);
    let Some(row) = row.fetch_optional(connection).await? else { return Ok(None) };
    checked(key, row.try_get(0)?, &row.text(1)?).map(Some)
}

fn checked(key: &str, value: String, stored: &str) -> Result<String, LedgerError> {
    if seal::of_meta(key, &value) != stored {
        return Err(LedgerError::Damaged(format!("`{key}` does not fit its seal")));
    }
    Ok(value)
}

/// What every transaction starts from.
pub(super) struct Standing {
    /// Place and hash of the last entry.
    pub(super) head: (u64, Digest),
    /// The epoch in force.
    pub(super) epoch: u64,
}

/// Reads it in one statement.
pub(super) async fn standing(connection: &mut db::Connection) -> Result<Standing, LedgerError> {
    let sql = "SELECT key, value, seal FROM meta WHERE key IN ('head_seq', 'head_hash', 'epoch')";
    let (mut seq, mut hash, mut epoch) = (None, None, None);
    for row in db::query(sql).fetch_all(connection).await? {
        let key = row.text(0)?;
        let value = checked(&key, row.try_get(1)?, &row.text(2)?)?;
        match &*key {
            "head_seq" => seq = value.parse().ok(),
            "head_hash" => hash = Some(Digest::from_hex(value)),
            _ => epoch = value.parse().ok(),
        }
    }
    let unreadable = || LedgerError::Damaged("the head of the chain is not readable".to_owned());
    let head = seq.zip(hash).ok_or_else(unreadable)?;
    Ok(Standing { head, epoch: epoch.ok_or_else(unreadable)? })
}

/// Place and hash of the last entry.
pub(super) async fn read_head(connection: &mut db::Connection) -> Result<(u64, Digest), LedgerError> {
    Ok(standing(connection).await?.head)
}

/// Sets one value.
pub(super) async fn set_meta(
    connection: &mut db::Connection,
    key: &'static str,
    value: &str,
) -> Result<(), LedgerError> {
    db::query(
        "INSERT INTO meta (key, value, seal) VALUES (?1, ?2, ?3) \
         ON CONFLICT (key) DO UPDATE SET value = ?2, seal = ?3",
    )
    .bind(key)
    .bind(value)
    .bind(seal::of_meta(key, value))
    .execute(connection)
    .await?;
    Ok(())
}
