//! Statements about the ledger that were sent to the org, read back from the entries.

use super::{Ledger, LedgerError, append::number, db};
use crate::domain::{anchor::Anchor, entry::Entry, event::Event, restore::Restore};

/// The story of all anchors: there are few, and one range of an index finds them.
pub(super) const STORY: &str = "anchor:";

/// How many of their entries are looked at, from the newest on.
const NEWEST: i64 = 500;

/// How the ledger stands to its anchors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anchors {
    /// Was to be sent, and nobody knows yet whether it arrived.
    pub open: Option<Anchor>,
    /// The newest that is known to stand in the org.
    pub done: Option<Anchor>,
}

impl Ledger {
    /// The anchors that the entries speak of.
    pub async fn anchors(&self) -> Result<Anchors, LedgerError> {
        let mut reader = self.reader().await?;
        // The kind as well: a proposer may choose an id that looks like this story.
        let sql = "SELECT text FROM entry WHERE proposal = ? AND kind IN ('anchor_intended', 'anchor_settled') \
                   ORDER BY seq DESC LIMIT ?";
        let rows = db::query(sql).bind(STORY).bind(NEWEST).fetch_all(&mut reader).await?;
        let mut anchors = Anchors::default();
        for (place, row) in rows.iter().enumerate() {
            match event(&row.text(0)?)? {
                Event::AnchorIntended { anchor } if place == 0 => anchors.open = Some(anchor),
                Event::AnchorSettled { anchor, result } if result == "done" => {
                    anchors.done = Some(anchor);
                    break;
                }
                _ => {}
            }
        }
        Ok(anchors)
    }

    /// Whether anything but anchors was added after so many entries.
    pub async fn grew_since(&self, size: u64) -> Result<bool, LedgerError> {
        let mut reader = self.reader().await?;
        let sql =
            "SELECT 1 FROM entry WHERE seq > ? AND kind NOT IN ('anchor_intended', 'anchor_settled') LIMIT 1";
        let row = db::query(sql).bind(number(size)?).fetch_optional(&mut reader).await?;
        Ok(row.is_some())
    }

    /// The restores that people accepted, oldest first. Reads all entries: for the rare moment in
    /// which a checkpoint is not met.
    pub async fn restores(&self) -> Result<Vec<Restore>, LedgerError> {
        let mut reader = self.reader().await?;
        let sql = "SELECT seq, text FROM entry WHERE kind = 'restore_accepted' ORDER BY seq";
        let rows = db::query(sql).fetch_all(&mut reader).await?;
        let mut restores = Vec::with_capacity(rows.len());
        for row in rows {
            restores.extend(restore(&mut reader, row.try_get(0)?, &row.text(1)?).await?);
        }
        Ok(restores)
    }
}

async fn restore(reader: &mut db::Connection, seq: i64, text: &str) -> Result<Option<Restore>, LedgerError> {
    let mut event = serde_json::from_str::<Entry>(text)?.event;
    super::queries::put_back(reader, u64::try_from(seq).unwrap_or(0), &mut event).await?;
    let Some(mut restore) = event.get_mut("restore").map(serde_json::Value::take) else { return Ok(None) };
    if restore.get("reason").is_none() {
        restore["reason"] = crate::domain::erasure::ERASED.into();
    }
    Ok(Some(serde_json::from_value(restore)?))
}

/// Anchors have no private parts.
fn event(text: &str) -> Result<Event, LedgerError> {
    Ok(serde_json::from_value(serde_json::from_str::<Entry>(text)?.event)?)
}
