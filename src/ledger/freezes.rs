//! Freezes in force, read back from the entries.

use serde_json::Value;

use super::{Ledger, LedgerError, Tx, db, queries::put_back};
use crate::domain::{
    entry::Entry,
    freeze::{Change, Freeze, in_force},
};

/// The story of all freezes: there are few, and one range of an index finds them.
pub(super) const STORY: &str = "freeze:";

async fn frozen(connection: &mut db::Connection) -> Result<Vec<Freeze>, LedgerError> {
    // The kind as well: a proposer may choose an id that looks like this story.
    let rows = db::query(
        "SELECT seq, text FROM entry WHERE proposal = ? AND kind IN ('frozen', 'unfrozen') ORDER BY seq",
    )
    .bind(STORY)
    .fetch_all(&mut *connection)
    .await?;
    let mut changes = Vec::with_capacity(rows.len());
    for row in rows {
        let seq = u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0);
        let entry: Entry = serde_json::from_str(&row.text(1)?)?;
        let mut event = entry.event;
        put_back(connection, seq, &mut event).await?;
        let mut part = |key: &str| event.get_mut(key).map(Value::take);
        changes.push(match part("freeze") {
            // Words that were erased leave the freeze in force.
            Some(mut freeze) => {
                if freeze.get("reason").is_none() {
                    freeze["reason"] = "(erased)".into();
                }
                Change::Frozen(serde_json::from_value(freeze)?)
            }
            None => Change::Unfrozen(serde_json::from_value(part("scope").unwrap_or_default())?),
        });
    }
    Ok(in_force(changes))
}

impl Tx<'_> {
    /// The freezes in force, as this transaction sees them.
    pub async fn freezes(&mut self) -> Result<Vec<Freeze>, LedgerError> {
        frozen(self.connection().await?).await
    }
}

impl Ledger {
    /// The freezes in force, oldest first.
    pub async fn freezes(&self) -> Result<Vec<Freeze>, LedgerError> {
        let mut reader = self.reader().await?;
        frozen(&mut reader).await
    }
}
