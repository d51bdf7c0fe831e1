//! What the daemon told the org about itself, read back from the entries.

use jiff::Timestamp;

use super::{Ledger, LedgerError, db};
use crate::domain::{entry::Entry, event::Event};

/// The story of all heartbeats. A proposer may choose the same word as an id, so the kind is asked too.
pub(super) const STORY: &str = "heartbeat:";

/// How many of them are looked at, from the newest on.
const NEWEST: i64 = 500;

/// How the org and the daemon's heartbeat stand to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heartbeats {
    /// The newest that arrived.
    pub done: Option<Timestamp>,
    /// How the newest ended, where it did not arrive.
    pub failed: Option<String>,
}

impl Ledger {
    /// The newest heartbeats.
    pub async fn heartbeats(&self) -> Result<Heartbeats, LedgerError> {
        let mut reader = self.reader().await?;
        let sql = "SELECT text FROM entry WHERE proposal = ? AND kind = 'heartbeat_settled' \
                   ORDER BY seq DESC LIMIT ?";
        let rows = db::query(sql).bind(STORY).bind(NEWEST).fetch_all(&mut reader).await?;
        let mut known = Heartbeats::default();
        for (place, row) in rows.iter().enumerate() {
            let entry: Entry = serde_json::from_str(&row.text(0)?)?;
            let Event::HeartbeatSettled { at, result } = serde_json::from_value(entry.event)? else {
                continue;
            };
            if result == "done" {
                known.done = Some(at);
                break;
            }
            if place == 0 {
                known.failed = Some(result);
            }
        }
        Ok(known)
    }
}
