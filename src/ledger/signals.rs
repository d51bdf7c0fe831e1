//! Signals about records, read back from the entries.

use serde_json::Value;

use super::{LedgerError, Tx, db, queries::put_back};
use crate::domain::{Evidence, RecordId, entry::Entry};

/// Most signals of one record that a decision takes, the last ones that came in.
const MOST: i64 = 100;

/// The story of a record's signals.
pub(super) fn story(record: &RecordId) -> String {
    format!("signal:{record}")
}

impl Tx<'_> {
    /// Whether any signal ever came in; most ledgers then need no look for each record.
    pub async fn any_signal(&mut self) -> Result<bool, LedgerError> {
        let found = db::query(
            "SELECT 1 FROM entry WHERE proposal >= 'signal:' AND proposal < 'signal;' \
             AND kind = 'signal_received' LIMIT 1",
        );
        Ok(found.fetch_optional(self.connection().await?).await?.is_some())
    }

    /// The last signals of a record, oldest first. Erased ones are left out.
    pub async fn signals(&mut self, record: &RecordId) -> Result<Vec<Evidence>, LedgerError> {
        // The kind as well: a proposer may choose an id that looks like this story.
        let rows = db::query(
            "SELECT seq, text FROM entry WHERE proposal = ? AND kind = 'signal_received' \
             ORDER BY seq DESC LIMIT ?",
        )
        .bind(story(record))
        .bind(MOST)
        .fetch_all(self.connection().await?)
        .await?;
        let mut signals = Vec::with_capacity(rows.len());
        for row in rows.iter().rev() {
            let seq = u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0);
            let entry: Entry = serde_json::from_str(&row.text(1)?)?;
            let mut event = entry.event;
            put_back(self.connection().await?, seq, &mut event).await?;
            if let Some(signal) = event.get_mut("signal").map(Value::take) {
                signals.push(serde_json::from_value(signal)?);
            }
        }
        Ok(signals)
    }
}
