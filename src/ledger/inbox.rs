//! The inbox: what the stream delivered, and how far it has been worked on.

use jiff::Timestamp;

use super::{
    Ledger, LedgerError, Tx, db,
    meta::meta,
    seal::{self, InboxRow},
};

/// Batches that are looked at in one go.
const PAGE: i64 = 10_000;

/// One recorded response of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxBatch {
    /// Its place, given by the ledger; 0 before it is recorded.
    pub id: i64,
    /// Topic.
    pub topic: String,
    /// When it was read.
    pub received_at: Timestamp,
    /// Events in it.
    pub events: u32,
    /// The response, byte by byte.
    pub payload: Vec<u8>,
}

impl Tx<'_> {
    /// Records a response. It is worked on later.
    pub async fn record_batch(&mut self, batch: &InboxBatch) -> Result<i64, LedgerError> {
        let id = number_of(meta(self.connection().await?, "inbox_last").await?)? + 1;
        let received_at = batch.received_at.to_string();
        let row = InboxRow {
            id,
            topic: &batch.topic,
            received_at: &received_at,
            events: i64::from(batch.events),
            payload: &batch.payload,
        };
        db::query(
            "INSERT INTO inbox (id, topic, received_at, events, digest, payload) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(row.topic)
        .bind(row.received_at)
        .bind(row.events)
        .bind(seal::of_inbox(&row))
        .bind(row.payload)
        .execute(self.connection().await?)
        .await?;
        self.set_meta("inbox_last", &id.to_string()).await?;
        Ok(id)
    }

    /// Moves the place in the stream; `None` forgets it.
    pub async fn set_replay_id(
        &mut self,
        topic: &str,
        replay_id: Option<Vec<u8>>,
    ) -> Result<(), LedgerError> {
        db::query(
            "INSERT INTO cursor (topic, replay_id, seal) VALUES (?1, ?2, ?3) \
             ON CONFLICT (topic) DO UPDATE SET replay_id = ?2, seal = ?3",
        )
        .bind(topic)
        .bind(replay_id.as_deref())
        .bind(seal::of_cursor(topic, replay_id.as_deref()))
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// Says that every batch up to this one has been worked on.
    pub async fn mark_processed(&mut self, up_to: i64) -> Result<(), LedgerError> {
        self.set_meta("processed_up_to", &up_to.to_string()).await
    }

    /// Removes batches that were worked on and received before `limit`, oldest first, and says
    /// how many. What followed from them is in the chain.
    pub async fn prune_inbox(&mut self, limit: Timestamp) -> Result<u64, LedgerError> {
        let processed = number_of(meta(self.connection().await?, "processed_up_to").await?)?;
        let mut last = None;
        'pages: loop {
            let sql = "SELECT id, received_at FROM inbox WHERE id > ? AND id <= ? ORDER BY id LIMIT ?";
            let rows = db::query(sql).bind(last.unwrap_or(0)).bind(processed).bind(PAGE);
            let rows = rows.fetch_all(self.connection().await?).await?;
            for row in &rows {
                let old = row.text(1)?.parse::<Timestamp>().is_ok_and(|received| received < limit);
                if !old {
                    break 'pages;
                }
                last = Some(row.try_get::<i64>(0)?);
            }
            if rows.is_empty() {
                break;
            }
        }
        let Some(last) = last else { return Ok(0) };
        let gone = db::query("DELETE FROM inbox WHERE id <= ?").bind(last).execute(self.connection().await?);
        let gone = gone.await?;
        self.set_meta("inbox_pruned", &last.to_string()).await?;
        Ok(gone)
    }
}

impl Ledger {
    /// The last committed place in a topic.
    pub async fn replay_id(&self, topic: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let mut reader = self.reader().await?;
        let row = db::query("SELECT replay_id FROM cursor WHERE topic = ?").bind(topic);
        let row = row.fetch_optional(&mut reader).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
    }

    /// Up to which batch the inbox has been worked on.
    pub async fn processed_up_to(&self) -> Result<i64, LedgerError> {
        let mut reader = self.reader().await?;
        number_of(meta(&mut reader, "processed_up_to").await?)
    }

    /// The next batches after a place, oldest first, at most `most`.
    pub async fn next_batches(&self, after: i64, most: usize) -> Result<Vec<InboxBatch>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows = db::query(
            "SELECT id, topic, received_at, events, payload FROM inbox WHERE id > ? ORDER BY id LIMIT ?",
        )
        .bind(after)
        .bind(i64::try_from(most).unwrap_or(i64::MAX));
        rows.fetch_all(&mut reader)
            .await?
            .into_iter()
            .map(|row| {
                let received: String = row.try_get(2)?;
                Ok(InboxBatch {
                    id: row.try_get(0)?,
                    topic: row.try_get(1)?,
                    received_at: received
                        .parse()
                        .map_err(|_| LedgerError::Damaged(format!("inbox time `{received}`")))?,
                    events: row.try_get(3)?,
                    payload: row.try_get(4)?,
                })
            })
            .collect()
    }
}

/// A place that was never noted is 0.
fn number_of(text: Option<String>) -> Result<i64, LedgerError> {
    let Some(text) = text else { return Ok(0) };
    text.parse().map_err(|_| LedgerError::Damaged(format!("`{text}` is no place in the inbox")))
}
