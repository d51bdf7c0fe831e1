//! The Pub/Sub API: topics, schemas and the event stream.

pub mod client;
pub mod error;
pub mod proto;
pub mod raw;
pub mod read;
pub mod settings;
pub mod sink;
pub mod stream;
pub mod token;

pub use client::{EventSource, PubSubClient, SchemaEntry, Topic};
pub use error::{Action, StreamError};
pub use read::ReceivedEvent;
pub use settings::PubSubSettings;
pub use sink::{BatchSink, RawResponse, RecordedBatch, SinkError};
pub use stream::{Batch, EventStream, Start};
pub use token::{Bearer, TokenError, TokenSource};
