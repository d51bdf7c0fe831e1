//! Stored responses to changes: the decoding that happens after recording.

use prost::{Message as _, bytes::Bytes};

use crate::salesforce::change_event::{Change, ChangeEventError, entity_of};

use super::{client::PubSubClient, error::StreamError, proto::FetchResponse};

/// One event of a stored response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// Its place in the stream.
    pub replay_id: Bytes,
    /// The schema that it was written with.
    pub schema_id: String,
    /// What it says. A damaged event does not stop the others.
    pub change: Result<Change, ChangeEventError>,
}

impl PubSubClient {
    /// Decodes a response as it was recorded. Fails only when a schema cannot be had now (try
    /// again later) or the response itself is no FetchResponse. A schema that the service refuses, or
    /// that is none, is the matter of its events alone.
    pub async fn read_response(&self, response: Bytes) -> Result<Vec<ReceivedEvent>, StreamError> {
        let response = FetchResponse::decode(response).map_err(|error| {
            StreamError::config(
                "pubsub-response-damaged",
                format!("a stored response cannot be read: {error}"),
            )
        })?;
        let mut events = Vec::with_capacity(response.events.len());
        for delivered in response.events {
            let event = delivered.event.unwrap_or_default();
            let schema = match self.get_schema(&event.schema_id).await {
                Ok(schema) => schema,
                Err(error) if error.is_about_schema() => {
                    let change = Err(ChangeEventError::SchemaRefused {
                        code: error.code(),
                        schema: event.schema_id.clone(),
                        reason: error.to_string(),
                        entity: entity_of(&event.payload),
                    });
                    let (replay_id, schema_id) = (delivered.replay_id, event.schema_id);
                    events.push(ReceivedEvent { replay_id, schema_id, change });
                    continue;
                }
                Err(error) => return Err(error),
            };
            events.push(ReceivedEvent {
                replay_id: delivered.replay_id,
                change: schema.decoder.change(&event.payload),
                schema_id: event.schema_id,
            });
        }
        Ok(events)
    }
}
