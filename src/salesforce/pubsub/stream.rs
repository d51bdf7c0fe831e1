//! The open event stream: reads ahead of its consumer, within credit.
//!
//! Credit is asked for before it runs out, so that a round trip never stops the flow, and
//! only for events that have room in the queue, so that memory stays bounded and reading
//! never waits for the consumer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use prost::bytes::Bytes;
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, client::Grpc, codegen::http::uri::PathAndQuery};

use super::{
    client::{MAX_MESSAGE_BYTES, PubSubClient, authorized},
    error::StreamError,
    proto::{ConsumerEvent, FetchRequest, ReplayPreset},
    raw::{RawCodec, RawFetch},
    token::Bearer,
};

const SUBSCRIBE: &str = "/eventbus.v1.PubSub/Subscribe";

/// What the service is known to cut larger requests down to.
const SERVICE_CREDIT: i64 = 100;

/// How long the service may owe nothing, by its own word, while we believe that it does.
const DRIFT_LIMIT: Duration = Duration::from_secs(1);

/// Where to start reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// New events only.
    Latest,
    /// Everything that is retained.
    Earliest,
    /// Strictly after this place.
    After(Vec<u8>),
}

/// One FetchResponse.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// In stream order; empty in a keepalive.
    pub events: Vec<ConsumerEvent>,
    /// The place to resume after once this response is stored.
    pub latest_replay_id: Bytes,
    /// The message as it was received.
    pub bytes: Bytes,
    /// Id of the stream.
    pub rpc_id: String,
    /// Credit that the server still had.
    pub pending: i32,
}

pub(super) struct Opening {
    pub client: PubSubClient,
    pub topic: String,
    pub start: Start,
}

/// An open subscription. Dropping it closes the stream.
pub struct EventStream {
    batches: mpsc::UnboundedReceiver<Result<Batch, StreamError>>,
    queue: Arc<Queue>,
    opened: watch::Receiver<bool>,
    reader: JoinHandle<()>,
}

/// Events that were received and not yet taken.
#[derive(Default)]
struct Queue {
    events: AtomicI64,
    taken: Notify,
}

impl EventStream {
    pub(super) fn open(opening: Opening) -> Self {
        let (sender, batches) = mpsc::unbounded_channel();
        let queue = Arc::<Queue>::default();
        let (opened_sender, opened) = watch::channel(false);
        let reader = tokio::spawn(read(
            opening,
            Arc::clone(&queue),
            Output { batches: sender, opened: opened_sender },
        ));
        Self { batches, queue, opened, reader }
    }

    /// A stream that somebody else than the network fills; `opened` tells when it is open.
    pub fn fed(
        batches: mpsc::UnboundedReceiver<Result<Batch, StreamError>>,
        opened: watch::Receiver<bool>,
    ) -> Self {
        Self { batches, queue: Arc::default(), opened, reader: tokio::spawn(async {}) }
    }

    /// Resolves when the server has accepted the call. The service may hold this back
    /// until its first response, and never resolves it for a call that fails.
    pub fn opened(&self) -> impl Future<Output = ()> + use<> {
        let mut opened = self.opened.clone();
        async move {
            if opened.wait_for(|opened| *opened).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The next response. After an error the stream is over.
    pub async fn next(&mut self) -> Result<Batch, StreamError> {
        match self.batches.recv().await {
            Some(batch) => self.take(batch),
            None => Err(StreamError::ended()),
        }
    }

    /// The next response, when one is waiting already.
    pub fn try_next(&mut self) -> Option<Result<Batch, StreamError>> {
        let batch = self.batches.try_recv().ok()?;
        Some(self.take(batch))
    }

    fn take(&self, batch: Result<Batch, StreamError>) -> Result<Batch, StreamError> {
        if let Ok(batch) = &batch {
            self.queue.events.fetch_sub(count(batch.events.len()), Ordering::Relaxed);
            self.queue.taken.notify_one();
        }
        batch
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

struct Output {
    batches: mpsc::UnboundedSender<Result<Batch, StreamError>>,
    opened: watch::Sender<bool>,
}

async fn read(opening: Opening, queue: Arc<Queue>, out: Output) {
    let failure = match opening.client.bearer().await {
        Ok(bearer) => {
            let Err(failure) = pump(&opening, &bearer, &queue, &out).await;
            failure
        }
        Err(failure) => failure,
    };
    // A closed channel means that nobody listens any more.
    drop(out.batches.send(Err(failure)));
}

enum Never {}

async fn pump(opening: &Opening, bearer: &Bearer, queue: &Queue, out: &Output) -> Result<Never, StreamError> {
    let client = &opening.client;
    let silence = client.settings().silence_limit;
    let (requests, outgoing) = mpsc::channel(16);
    let mut credit = Credit::new(client, requests);
    credit.first(opening);
    let mut deadline = Instant::now() + silence;
    let mut inbound = match timeout_at(deadline, start(client, bearer, outgoing)).await {
        Ok(inbound) => inbound?,
        Err(_) => return Err(StreamError::silent(silence.as_secs())),
    };
    out.opened.send_replace(true);
    loop {
        tokio::select! {
            message = timeout_at(deadline, inbound.message()) => {
                let fetch = match message {
                    Err(_) => return Err(StreamError::silent(silence.as_secs())),
                    Ok(Err(status)) => return Err(client.failure(&status, bearer).await),
                    Ok(Ok(None)) => return Err(StreamError::ended()),
                    Ok(Ok(Some(fetch))) => fetch,
                };
                deadline = Instant::now() + silence;
                credit.received(&fetch);
                queue.events.fetch_add(count(fetch.response.events.len()), Ordering::Relaxed);
                if out.batches.send(Ok(batch(fetch))).is_err() {
                    return Err(StreamError::ended());
                }
            }
            () = queue.taken.notified() => {}
            () = credit.drifted() => credit.resync(),
        }
        credit.top_up(queue.events.load(Ordering::Relaxed));
    }
}

async fn start(
    client: &PubSubClient,
    bearer: &Bearer,
    outgoing: mpsc::Receiver<FetchRequest>,
) -> Result<Streaming<RawFetch>, StreamError> {
    let request = authorized(ReceiverStream::new(outgoing), bearer)?;
    let mut grpc = Grpc::new(client.channel()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let unreachable = |error: tonic::transport::Error| {
        StreamError::from_status(&tonic::Status::unavailable(error.to_string()))
    };
    grpc.ready().await.map_err(unreachable)?;
    match grpc.streaming(request, PathAndQuery::from_static(SUBSCRIBE), RawCodec).await {
        Ok(reply) => Ok(reply.into_inner()),
        Err(status) => Err(client.failure(&status, bearer).await),
    }
}

fn batch(fetch: RawFetch) -> Batch {
    let RawFetch { bytes, response } = fetch;
    Batch {
        events: response.events,
        latest_replay_id: response.latest_replay_id,
        bytes,
        rpc_id: response.rpc_id,
        pending: response.pending_num_requested,
    }
}

fn count(events: usize) -> i64 {
    i64::try_from(events).unwrap_or(i64::MAX)
}

/// What we have asked for and not yet received.
struct Credit {
    requests: mpsc::Sender<FetchRequest>,
    limit: i64,
    capacity: i64,
    outstanding: i64,
    /// Since when the server says that it owes nothing while we count that it does.
    owes_nothing_since: Option<Instant>,
}

impl Credit {
    fn new(client: &PubSubClient, requests: mpsc::Sender<FetchRequest>) -> Self {
        let limit = i64::from(client.settings().credit.clamp(1, 100_000));
        let capacity = i64::from(client.settings().queue_events).max(limit);
        Self { requests, limit, capacity, outstanding: 0, owes_nothing_since: None }
    }

    fn first(&mut self, opening: &Opening) {
        let (preset, replay_id) = match &opening.start {
            Start::Latest => (ReplayPreset::Latest, Bytes::new()),
            Start::Earliest => (ReplayPreset::Earliest, Bytes::new()),
            Start::After(id) => (ReplayPreset::Custom, Bytes::copy_from_slice(id)),
        };
        self.ask(FetchRequest {
            topic_name: opening.topic.clone(),
            replay_preset: preset.into(),
            replay_id,
            num_requested: self.limit.try_into().unwrap_or(i32::MAX),
            ..FetchRequest::default()
        });
    }

    fn received(&mut self, fetch: &RawFetch) {
        self.outstanding = (self.outstanding - count(fetch.response.events.len())).max(0);
        let drift = fetch.response.pending_num_requested <= 0 && self.outstanding > 0;
        self.owes_nothing_since = drift.then(Instant::now);
    }

    /// Asks for more when at least half of the credit is used up and the queue has room.
    fn top_up(&mut self, queued: i64) {
        let room = self.capacity - queued - self.outstanding;
        let want = (self.limit - self.outstanding).min(room);
        if want > 0 && (want * 2 >= self.limit || self.outstanding == 0) {
            self.ask(FetchRequest {
                num_requested: want.try_into().unwrap_or(i32::MAX),
                ..FetchRequest::default()
            });
        }
    }

    fn ask(&mut self, request: FetchRequest) {
        let events = i64::from(request.num_requested);
        if self.requests.try_send(request).is_ok() {
            self.outstanding += events;
            self.owes_nothing_since = None;
        }
    }

    /// Resolves when the server's count and ours stay apart: it cut a request down.
    async fn drifted(&self) {
        match self.owes_nothing_since {
            Some(since) => sleep_until(since + DRIFT_LIMIT).await,
            None => std::future::pending().await,
        }
    }

    /// Takes the server's word, and asks for no more at once than it is known to grant.
    fn resync(&mut self) {
        self.outstanding = 0;
        self.limit = self.limit.min(SERVICE_CREDIT);
        self.owes_nothing_since = None;
    }
}
