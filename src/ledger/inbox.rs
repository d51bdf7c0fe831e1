//! The inbox: what the stream delivered, and how far it has been worked on.

use jiff::Timestamp;
use sqlx::Row as _;

use super::{Ledger, LedgerError, Tx, open::meta};
use crate::domain::Digest;

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
        let digest = Digest::of_bytes(&batch.payload);
        let done = sqlx::query(
            "INSERT INTO inbox (topic, received_at, events, digest, payload) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(&batch.topic)
        .bind(batch.received_at.to_string())
        .bind(batch.events)
        .bind(digest.as_str().to_owned())
        .bind(&batch.payload)
        .execute(self.connection())
        .await?;
        Ok(done.last_insert_rowid())
    }

    /// Moves the place in the stream; `None` forgets it.
    pub async fn set_replay_id(
        &mut self,
        topic: &str,
        replay_id: Option<Vec<u8>>,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO cursor (topic, replay_id) VALUES (?1, ?2) ON CONFLICT (topic) DO UPDATE SET replay_id = ?2",
        )
        .bind(topic)
        .bind(replay_id)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Says that every batch up to this one has been worked on.
    pub async fn mark_processed(&mut self, up_to: i64) -> Result<(), LedgerError> {
        self.set_meta("processed_up_to", &up_to.to_string()).await
    }
}

impl Ledger {
    /// The last committed place in a topic.
    pub async fn replay_id(&self, topic: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let mut reader = self.inner.reader.lock().await;
        let row = sqlx::query("SELECT replay_id FROM cursor WHERE topic = ?").bind(topic);
        let row = row.fetch_optional(&mut *reader).await?;
        Ok(row.and_then(|row| row.get(0)))
    }

    /// Up to which batch the inbox has been worked on.
    pub async fn processed_up_to(&self) -> Result<i64, LedgerError> {
        let mut reader = self.inner.reader.lock().await;
        let text = meta(&mut reader, "processed_up_to").await?;
        Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// The next batches after a place, oldest first, at most `most`.
    pub async fn next_batches(&self, after: i64, most: usize) -> Result<Vec<InboxBatch>, LedgerError> {
        let mut reader = self.inner.reader.lock().await;
        let rows = sqlx::query(
            "SELECT id, topic, received_at, events, payload FROM inbox WHERE id > ? ORDER BY id LIMIT ?",
        )
        .bind(after)
        .bind(i64::try_from(most).unwrap_or(i64::MAX));
        rows.fetch_all(&mut *reader)
            .await?
            .into_iter()
            .map(|row| {
                let received: String = row.get(2);
                Ok(InboxBatch {
                    id: row.get(0),
                    topic: row.get(1),
                    received_at: received
                        .parse()
                        .map_err(|_| LedgerError::Damaged(format!("inbox time `{received}`")))?,
                    events: row.get(3),
                    payload: row.get(4),
                })
            })
            .collect()
    }
}
