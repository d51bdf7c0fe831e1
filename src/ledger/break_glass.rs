//! Uses of break-glass, read back from the entries.

use serde_json::Value;

use super::{Ledger, LedgerError, Tx, db, queries::put_back};
use crate::domain::{BreakGlassUse, RecordId, break_glass::STORY, entry::Entry};

async fn uses(
    connection: &mut db::Connection,
    from: String,
    before: String,
) -> Result<Vec<BreakGlassUse>, LedgerError> {
    // The story's id has an index; a range of it covers one record or all.
    let rows = db::query("SELECT seq, text FROM entry WHERE proposal >= ? AND proposal < ? ORDER BY seq")
        .bind(from)
        .bind(before)
        .fetch_all(&mut *connection)
        .await?;
    let mut uses = Vec::new();
    for row in rows {
        let seq = u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0);
        let entry: Entry = serde_json::from_str(&row.text(1)?)?;
        let mut event = entry.event;
        put_back(connection, seq, &mut event).await?;
        // A notice about a use stands in the same story.
        if let Some(used) = event.get_mut("used").map(Value::take) {
            uses.push(serde_json::from_value(used)?);
        }
    }
    Ok(uses)
}

impl Tx<'_> {
    /// The uses on one record, as they were recorded.
    pub async fn break_glass_uses(&mut self, record: &RecordId) -> Result<Vec<BreakGlassUse>, LedgerError> {
        let story = BreakGlassUse::story(record);
        uses(self.connection().await?, story.clone(), format!("{story}!")).await
    }
}

impl Ledger {
    /// All uses, each one time, in the order in which they became known.
    pub async fn break_glass_uses(&self) -> Result<Vec<BreakGlassUse>, LedgerError> {
        let mut reader = self.reader().await?;
        let past = STORY.replace(':', ";");
        Ok(BreakGlassUse::each_once(uses(&mut reader, STORY.to_owned(), past).await?))
    }
}
