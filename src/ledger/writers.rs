//! Who writes governed fields, read back: the newest entry holds the whole map.

use jiff::Timestamp;

use super::{Ledger, LedgerError, Tx, db, meta::meta};
use crate::domain::{entry::Entry, event::Event, writers::WriterMap};

/// All maps share one story. The kind is asked too: a proposer may choose the same word as an id.
pub(super) const STORY: &str = "writers";

const NEWEST: &str =
    "SELECT text FROM entry WHERE proposal = ? AND kind = 'writers_counted' ORDER BY seq DESC LIMIT 1";

/// The batch of the inbox up to which the newest map holds everything.
const COUNTED_TO: &str = "writers_counted_to";

/// The map that was recorded last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedWriters {
    /// The map.
    pub map: WriterMap,
    /// When.
    pub at: Timestamp,
}

async fn newest(connection: &mut db::Connection) -> Result<Option<CountedWriters>, LedgerError> {
    let row = db::query(NEWEST).bind(STORY).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let entry: Entry = serde_json::from_str(&row.text(0)?)?;
    Ok(match serde_json::from_value(entry.event)? {
        Event::WritersCounted { map, at } => Some(CountedWriters { map, at }),
        _ => None,
    })
}

impl Tx<'_> {
    /// The map that was recorded last.
    pub async fn writers(&mut self) -> Result<Option<CountedWriters>, LedgerError> {
        newest(self.connection().await?).await
    }

    /// Says that the newest map holds every write up to this batch of the inbox.
    pub async fn mark_counted(&mut self, up_to: i64) -> Result<(), LedgerError> {
        self.set_meta(COUNTED_TO, &up_to.to_string()).await
    }
}

impl Ledger {
    /// The map that was recorded last.
    pub async fn writers(&self) -> Result<Option<CountedWriters>, LedgerError> {
        let mut reader = self.reader().await?;
        newest(&mut reader).await
    }

    /// The batch of the inbox up to which the newest map holds everything; `None` where that was never
    /// noted.
    pub async fn counted_up_to(&self) -> Result<Option<i64>, LedgerError> {
        let mut reader = self.reader().await?;
        let Some(text) = meta(&mut reader, COUNTED_TO).await? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| LedgerError::Damaged("place of counted writes".to_owned()))
    }
}
