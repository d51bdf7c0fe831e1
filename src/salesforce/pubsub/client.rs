//! The Pub/Sub client: topics, schemas and opening the event stream.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::ExposeSecret as _;
use tokio::sync::OnceCell;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use crate::salesforce::change_event::{ChangeEventError, EventDecoder};

use super::{
    error::{Action, StreamError},
    proto::{SchemaRequest, TopicRequest, pub_sub_client::PubSubClient as Stub},
    settings::PubSubSettings,
    stream::{EventStream, Opening, Start},
    token::{Bearer, TokenSource},
};

/// Responses stay below 3 MB; a schema or a batch may not exceed this.
pub(super) const MAX_MESSAGE_BYTES: usize = 8 * 1024 * 1024;

/// Schema ids in the cache before it is emptied. An org has one for each shape of each object.
const MAX_SCHEMAS: usize = 4_096;

/// A topic as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Name, as asked.
    pub name: String,
    /// The org, in the service's words.
    pub tenant: String,
    /// Whether the caller may subscribe.
    pub can_subscribe: bool,
    /// Newest schema; none on channels of several entities. Each event names its own.
    pub schema_id: Option<String>,
}

/// A schema and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaEntry {
    /// Its id, as events name it.
    pub id: String,
    /// Avro JSON, as received.
    pub json: String,
    /// Reads events of this schema.
    pub decoder: EventDecoder,
}

/// A client over one HTTP/2 connection, which is opened at the first call and opened
/// again when it breaks. Clones share it and the schema cache.
#[derive(Clone)]
pub struct PubSubClient {
    settings: Arc<PubSubSettings>,
    channel: Channel,
    tokens: Arc<dyn TokenSource>,
    schemas: Arc<SchemaCache>,
}

type SchemaCell = Arc<OnceCell<Arc<SchemaEntry>>>;

#[derive(Default)]
struct SchemaCache {
    cells: Mutex<BTreeMap<String, SchemaCell>>,
}

impl SchemaCache {
    fn cell(&self, id: &str) -> SchemaCell {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() >= MAX_SCHEMAS && !cells.contains_key(id) {
            cells.clear();
        }
        Arc::clone(cells.entry(id.to_owned()).or_default())
    }
}

impl PubSubClient {
    /// Checks the settings. The network is first used by a call.
    pub fn connect(settings: PubSubSettings, tokens: Arc<dyn TokenSource>) -> Result<Self, StreamError> {
        let channel = settings.transport()?.connect_lazy();
        Ok(Self { settings: Arc::new(settings), channel, tokens, schemas: Arc::default() })
    }

    /// What the caller may do with a topic.
    pub async fn get_topic(&self, name: &str) -> Result<Topic, StreamError> {
        let request = TopicRequest { topic_name: name.to_owned() };
        let info =
            self.call(request, |mut stub, request| async move { stub.get_topic(request).await }).await?;
        Ok(Topic {
            name: info.topic_name,
            tenant: info.tenant_guid,
            can_subscribe: info.can_subscribe,
            schema_id: Some(info.schema_id).filter(|id| !id.is_empty()),
        })
    }

    /// The schema with this id. Asked for once, however many callers wait for it;
    /// a failure is not remembered.
    pub async fn get_schema(&self, id: &str) -> Result<Arc<SchemaEntry>, StreamError> {
        if id.is_empty() {
            return Err(StreamError::config(
                "pubsub-schema-id-blank",
                "the event names no schema".to_owned(),
            ));
        }
        let cell = self.schemas.cell(id);
        cell.get_or_try_init(|| self.fetch_schema(id)).await.map(Arc::clone)
    }

    async fn fetch_schema(&self, id: &str) -> Result<Arc<SchemaEntry>, StreamError> {
        let request = SchemaRequest { schema_id: id.to_owned() };
        let info =
            self.call(request, |mut stub, request| async move { stub.get_schema(request).await }).await?;
        let decoder = EventDecoder::parse(&info.schema_json)
            .map_err(|error| StreamError::config(error.code(), format!("schema {id:?}: {error}")))?;
        Ok(Arc::new(SchemaEntry { id: id.to_owned(), json: info.schema_json, decoder }))
    }

    /// Makes a schema known that came another way than by a call.
    pub fn learn_schema(&self, id: &str, json: &str) -> Result<(), ChangeEventError> {
        let entry =
            SchemaEntry { id: id.to_owned(), json: json.to_owned(), decoder: EventDecoder::parse(json)? };
        // One that is known already is the same: an id names one schema for ever.
        let _ = self.schemas.cell(id).set(Arc::new(entry));
        Ok(())
    }

    /// Opens the stream of a topic. Failures come out of the stream itself.
    pub fn subscribe(&self, topic: &str, start: Start) -> EventStream {
        EventStream::open(Opening { client: self.clone(), topic: topic.to_owned(), start })
    }

    pub(super) fn settings(&self) -> &PubSubSettings {
        &self.settings
    }

    pub(super) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(super) async fn bearer(&self) -> Result<Bearer, StreamError> {
        Ok(self.tokens.bearer().await?)
    }

    /// Types a failure; a refused token is handed back so that the next call logs in.
    pub(super) async fn failure(&self, status: &Status, bearer: &Bearer) -> StreamError {
        let error = StreamError::from_status(status);
        if error.action() == Action::Relogin {
            self.tokens.invalidate(&bearer.token).await;
        }
        error
    }

    /// One unary call, tried a second time with a new token when the first was refused.
    async fn call<Req, Rep, Fut>(
        &self,
        message: Req,
        send: impl Fn(Stub<Channel>, Request<Req>) -> Fut,
    ) -> Result<Rep, StreamError>
    where
        Req: Clone,
        Fut: Future<Output = Result<tonic::Response<Rep>, Status>>,
    {
        let mut second = false;
        loop {
            let bearer = self.bearer().await?;
            let mut request = authorized(message.clone(), &bearer)?;
            request.set_timeout(self.settings.call_timeout);
            let stub = Stub::new(self.channel()).max_decoding_message_size(MAX_MESSAGE_BYTES);
            match send(stub, request).await {
                Ok(reply) => return Ok(reply.into_inner()),
                Err(status) => {
                    let error = self.failure(&status, &bearer).await;
                    if second || error.action() != Action::Relogin {
                        return Err(error);
                    }
                    second = true;
                }
            }
        }
    }
}

/// Adds the three credentials that every call carries. The token is marked sensitive, so
/// that it is neither printed nor kept in the header compression table.
pub(super) fn authorized<T>(message: T, bearer: &Bearer) -> Result<Request<T>, StreamError> {
    let value = |name: &str, text: &str| -> Result<MetadataValue<Ascii>, StreamError> {
        text.parse().map_err(|_| {
            StreamError::config("pubsub-credential-invalid", format!("the {name} cannot be sent as a header"))
        })
    };
    let mut token = value("access token", bearer.token.expose_secret())?;
    token.set_sensitive(true);
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert("accesstoken", token);
    metadata.insert("instanceurl", value("instance URL", &bearer.instance_url)?);
    metadata.insert("tenantid", value("org id", &bearer.org_id)?);
    Ok(request)
}

/// Where a subscriber gets its stream from.
pub trait EventSource: Send + Sync {
    /// Opens the stream of a topic. Failures come out of the stream itself.
    fn subscribe(&self, topic: &str, start: Start) -> EventStream;
}

impl EventSource for PubSubClient {
    fn subscribe(&self, topic: &str, start: Start) -> EventStream {
        Self::subscribe(self, topic, start)
    }
}
