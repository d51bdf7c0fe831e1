//! Lanes that people let act, or that stepped back, read back from the entries.

use serde_json::Value;

use super::{Ledger, LedgerError, Tx, db, queries::put_back};
use crate::domain::{
    entry::Entry,
    erasure::ERASED,
    shadow::lane::{LaneAct, standing},
};

/// The story of all acts: there are few. A proposer may choose the same word as an id, so the kind is
/// asked too.
pub(super) const STORY: &str = "lanes:";

async fn acts(connection: &mut db::Connection) -> Result<Vec<LaneAct>, LedgerError> {
    let rows =
        db::query("SELECT seq, text FROM entry WHERE proposal = ? AND kind = 'lane_moved' ORDER BY seq")
            .bind(STORY)
            .fetch_all(&mut *connection)
            .await?;
    let mut acts = Vec::with_capacity(rows.len());
    for row in rows {
        let seq = u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0);
        let entry: Entry = serde_json::from_str(&row.text(1)?)?;
        let mut event = entry.event;
        put_back(connection, seq, &mut event).await?;
        let mut act = event.get_mut("act").map(Value::take).unwrap_or_default();
        if act.get("reason").is_none() {
            act["reason"] = ERASED.into();
        }
        acts.push(serde_json::from_value(act)?);
    }
    Ok(acts)
}

impl Tx<'_> {
    /// The acts that still say something, as this transaction sees them, oldest first.
    pub async fn lanes(&mut self) -> Result<Vec<LaneAct>, LedgerError> {
        Ok(standing(acts(self.connection().await?).await?))
    }
}

impl Ledger {
    /// The acts that still say something, oldest first.
    pub async fn lanes(&self) -> Result<Vec<LaneAct>, LedgerError> {
        let mut reader = self.reader().await?;
        Ok(standing(acts(&mut reader).await?))
    }

    /// Every act there was, oldest first.
    pub async fn lane_acts(&self) -> Result<Vec<LaneAct>, LedgerError> {
        let mut reader = self.reader().await?;
        acts(&mut reader).await
    }
}
