//! The stream's sink: each batch and its replay id in one ledger transaction, nothing else.

use async_trait::async_trait;

use crate::{
    clock::Clock,
    domain::event::Event,
    ledger::{InboxBatch, Ledger, LedgerError},
    salesforce::pubsub::{BatchSink, RecordedBatch, SinkError},
    workflow::engine::Waker,
};

/// Records what the stream delivers.
pub struct Recorder {
    ledger: Ledger,
    clock: Clock,
    waker: Waker,
}

impl Recorder {
    /// Records into this ledger and wakes this engine.
    pub fn new(ledger: Ledger, clock: Clock, waker: Waker) -> Self {
        Self { ledger, clock, waker }
    }

    async fn store(&self, batch: RecordedBatch) -> Result<bool, LedgerError> {
        let mut tx = self.ledger.begin("events recorded").await?;
        let mut events = false;
        for response in batch.responses.iter().filter(|response| !response.bytes.is_empty()) {
            events = true;
            tx.record_batch(&InboxBatch {
                id: 0,
                topic: batch.topic.clone(),
                received_at: response.received_at,
                events: response.events,
                payload: response.bytes.to_vec(),
            })
            .await?;
        }
        if let Some(place) = batch.replay_id {
            tx.set_replay_id(&batch.topic, Some(place)).await?;
        }
        tx.commit().await?;
        Ok(events)
    }
}

#[async_trait]
impl BatchSink for Recorder {
    async fn resume_point(&self, topic: &str) -> Result<Option<Vec<u8>>, SinkError> {
        self.ledger.replay_id(topic).await.map_err(sink_error)
    }

    async fn record(&self, batch: RecordedBatch) -> Result<(), SinkError> {
        let events = batch.events();
        if self.store(batch).await.map_err(sink_error)? {
            metrics::counter!("countersign_events_recorded_total").increment(events);
            self.waker.wake();
        }
        Ok(())
    }

    async fn stream_reset(&self, topic: &str, code: &str) -> Result<(), SinkError> {
        let at = self.clock.now();
        let reset = Event::StreamReset { topic: topic.to_owned(), code: code.to_owned(), at };
        let append = async {
            let mut tx = self.ledger.begin("stream reset").await?;
            tx.append(&reset).await?;
            tx.set_replay_id(topic, None).await?;
            tx.commit().await
        };
        append.await.map_err(sink_error)?;
        self.waker.ask_sweep();
        Ok(())
    }

    /// Only now does the stream run again; a sweep before this could miss what came between.
    async fn stream_started_at_latest(&self, _topic: &str) -> Result<(), SinkError> {
        self.waker.ask_sweep();
        Ok(())
    }
}

fn sink_error(error: LedgerError) -> SinkError {
    SinkError { code: error.code(), message: error.to_string() }
}
