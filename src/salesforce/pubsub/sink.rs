//! Where received responses go. The subscriber calls it; whoever owns the ledger implements it.

use async_trait::async_trait;
use jiff::Timestamp;
use prost::bytes::Bytes;

/// One FetchResponse as it came from the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawResponse {
    /// The protobuf message, byte by byte. Empty for a keepalive, which only moves the place.
    pub bytes: Bytes,
    /// Events in it.
    pub events: u32,
    /// Id of the stream that it came on.
    pub rpc_id: String,
    /// When it was read.
    pub received_at: Timestamp,
}

/// Responses to store in one transaction together with the place that follows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedBatch {
    /// Topic.
    pub topic: String,
    /// Resume strictly after this. Opaque, at most a few bytes. Absent: the place stays where it is,
    /// because more events of the last place may come, or because none came with the events.
    pub replay_id: Option<Vec<u8>>,
    /// In stream order. Those without events carry no bytes.
    pub responses: Vec<RawResponse>,
}

impl RecordedBatch {
    /// Events in all responses.
    pub fn events(&self) -> u64 {
        self.responses.iter().map(|response| u64::from(response.events)).sum()
    }
}

/// The store refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the batch was not recorded: {message}")]
pub struct SinkError {
    /// Stable kebab-case code of the cause.
    pub code: &'static str,
    /// What happened and what to do.
    pub message: String,
}

impl SinkError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

/// Durable home of what the stream delivers.
#[async_trait]
pub trait BatchSink: Send + Sync {
    /// The last committed place, or none when the topic was never read.
    async fn resume_point(&self, topic: &str) -> Result<Option<Vec<u8>>, SinkError>;
    /// Stores responses and place in one transaction, durably, before it returns.
    async fn record(&self, batch: RecordedBatch) -> Result<(), SinkError>;
    /// The stored place is no longer valid: forget it, write that down, and order a full
    /// read of what is pending. Events may have been missed.
    async fn stream_reset(&self, topic: &str, code: &str) -> Result<(), SinkError>;
    /// The stream now runs from the newest event on, not from a stored place. Whatever was
    /// committed before this call is not going to be delivered: only a sweep finds it. Called when
    /// the stream is open and again at its first word: the server may take its place in between.
    async fn stream_started_at_latest(&self, _topic: &str) -> Result<(), SinkError> {
        Ok(())
    }
}
