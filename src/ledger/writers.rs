//! Who writes governed fields, read back: the newest entry holds the whole map.

use super::{Ledger, LedgerError, Tx, db};
use crate::domain::{entry::Entry, event::Event, writers::WriterMap};

/// All maps share one story. The kind is asked too: a proposer may choose the same word as an id.
pub(super) const STORY: &str = "writers";

const NEWEST: &str =
    "SELECT text FROM entry WHERE proposal = ? AND kind = 'writers_counted' ORDER BY seq DESC LIMIT 1";

async fn newest(connection: &mut db::Connection) -> Result<Option<WriterMap>, LedgerError> {
    let row = db::query(NEWEST).bind(STORY).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let entry: Entry = serde_json::from_str(&row.text(0)?)?;
    Ok(match serde_json::from_value(entry.event)? {
        Event::WritersCounted { map, .. } => Some(map),
        _ => None,
    })
}

impl Tx<'_> {
    /// The map that was recorded last.
    pub async fn writers(&mut self) -> Result<Option<WriterMap>, LedgerError> {
        newest(self.connection().await?).await
    }
}

impl Ledger {
    /// The map that was recorded last.
    pub async fn writers(&self) -> Result<Option<WriterMap>, LedgerError> {
        let mut reader = self.reader().await?;
        newest(&mut reader).await
    }
}
