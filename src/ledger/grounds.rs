//! What lanes rest on, read back from the entries: what was accepted, and what was seen to differ.

use serde_json::Value;

use super::{Ledger, LedgerError, Tx, db, queries::put_back};
use crate::domain::{Drift, ObjectName, drift::Known, entry::Entry, event::Event};

/// What the ids of [`story`] start with. The kind is asked too: a proposer may choose such an id.
const STORY: &str = "ground:";

/// The newest entries matter, however long the story is.
const NEWEST_OF_BOTH: &str = "SELECT seq, text FROM entry WHERE proposal = ? \
    AND kind IN ('ground_accepted', 'drift_seen') ORDER BY seq DESC LIMIT 1";
const NEWEST_ACCEPTED: &str = "SELECT seq, text FROM entry WHERE proposal = ? \
    AND kind = 'ground_accepted' ORDER BY seq DESC LIMIT 1";
const OBJECTS: &str = "SELECT DISTINCT proposal FROM entry WHERE proposal >= 'ground:' AND proposal < 'ground;' \
    AND kind = 'ground_accepted' ORDER BY proposal";

/// Where the ledger keeps the grounds of an object.
pub(super) fn story(object: &ObjectName) -> String {
    format!("{STORY}{object}")
}

async fn newest(
    connection: &mut db::Connection,
    sql: &'static str,
    object: &ObjectName,
) -> Result<Option<Event>, LedgerError> {
    let row = db::query(sql).bind(story(object)).fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let seq = u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0);
    let entry: Entry = serde_json::from_str(&row.text(1)?)?;
    let mut event: Value = entry.event;
    put_back(connection, seq, &mut event).await?;
    Ok(Some(serde_json::from_value(event)?))
}

async fn known(connection: &mut db::Connection, object: &ObjectName) -> Result<Option<Known>, LedgerError> {
    let Some(Event::GroundAccepted { ground, acceptance }) =
        newest(connection, NEWEST_ACCEPTED, object).await?
    else {
        return Ok(None);
    };
    // A difference that was seen before the last acceptance ended with it.
    let drift = match newest(connection, NEWEST_OF_BOTH, object).await? {
        Some(Event::DriftSeen { drift, ground }) => Some((drift, ground)),
        _ => None,
    };
    Ok(Some(Known { accepted: ground, acceptance, drift }))
}

impl Tx<'_> {
    /// What is known of an object's ground, as this transaction sees it.
    pub async fn ground(&mut self, object: &ObjectName) -> Result<Option<Known>, LedgerError> {
        known(self.connection().await?, object).await
    }

    /// The drift of an object that is in force; one entry is read.
    pub async fn drift(&mut self, object: &ObjectName) -> Result<Option<Drift>, LedgerError> {
        let event = newest(self.connection().await?, NEWEST_OF_BOTH, object).await?;
        Ok(match event {
            Some(Event::DriftSeen { drift, .. }) if !drift.changes.is_empty() => Some(drift),
            _ => None,
        })
    }
}

impl Ledger {
    /// What is known of an object's ground.
    pub async fn ground(&self, object: &ObjectName) -> Result<Option<Known>, LedgerError> {
        let mut reader = self.reader().await?;
        known(&mut reader, object).await
    }

    /// The same of every object that was ever looked at, by name.
    pub async fn grounds(&self) -> Result<Vec<Known>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows = db::query(OBJECTS).fetch_all(&mut reader).await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let story: String = row.try_get(0)?;
            let object = story.strip_prefix(STORY).and_then(|name| ObjectName::parse(name).ok());
            let Some(object) = object else { continue };
            all.extend(known(&mut reader, &object).await?);
        }
        Ok(all)
    }
}
