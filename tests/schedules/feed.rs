//! The event stream, delivered when the schedule says so, and what can happen to it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use countersign::{
    cli::recorder::Recorder,
    salesforce::pubsub::{
        Batch, BatchSink, EventSource, EventStream, RecordedBatch, SinkError, Start, StreamError,
        proto::FetchResponse,
    },
    simulator::{model::ChangeKind, pubsub::Pull},
};
use prost::{Message as _, bytes::Bytes};
use tokio::sync::{mpsc, watch};
use tonic::{Code, Status};

use crate::scene::Shared;

type Sender = mpsc::UnboundedSender<Result<Batch, StreamError>>;

/// One daemon's stream.
pub struct Feed {
    scene: Shared,
    pull: Pull,
    open: Mutex<Open>,
    /// Grows with each thing that the subscriber did.
    signs: watch::Sender<u64>,
}

#[derive(Default)]
struct Open {
    sender: Option<Sender>,
    position: u64,
    /// The newest response, for a second delivery.
    last: Option<FetchResponse>,
    /// Tells the subscriber that its stream is open.
    opened: Option<watch::Sender<bool>>,
    /// The next stream that starts at the newest event is opened late.
    hold: bool,
    /// Such a stream, not yet open.
    held: Option<Sender>,
    /// The ledger takes nothing more from this process, which ends soon.
    deaf: bool,
}

/// What the network does to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Plain,
    Twice,
    Cut,
    Garbled,
    Gap,
    Overflow,
    PlaceRefused,
}

impl Feed {
    pub fn new(scene: Shared, pull: Pull) -> Arc<Self> {
        Arc::new(Self { scene, pull, open: Mutex::default(), signs: watch::channel(0).0 })
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn signs(&self) -> watch::Receiver<u64> {
        self.signs.subscribe()
    }

    fn sign(&self) {
        self.signs.send_modify(|signs| *signs += 1);
    }

    pub fn is_open(&self) -> bool {
        self.open().sender.is_some()
    }

    /// The next stream that starts at the newest event is not open before [`Feed::let_open`].
    pub fn hold(&self) {
        self.open().hold = true;
    }

    pub fn is_held(&self) -> bool {
        self.open().held.is_some()
    }

    /// Opens a stream that was held; it starts at what is the newest event now.
    pub fn let_open(&self) {
        let mut open = self.open();
        let Some(sender) = open.held.take() else { return };
        open.position = self.pull.start(&Start::Latest).expect("the newest event is always a place");
        open.sender = Some(sender);
        if let Some(opened) = &open.opened {
            opened.send_replace(true);
        }
    }

    pub fn is_deaf(&self) -> bool {
        self.open().deaf
    }

    /// Delivers the next events; false when there are none.
    pub fn deliver(&self, most: usize, how: Delivery) -> bool {
        let mut open = self.open();
        if open.deaf {
            return false;
        }
        let Some(sender) = open.sender.clone() else { return false };
        match how {
            Delivery::Cut | Delivery::PlaceRefused => {
                if how == Delivery::PlaceRefused {
                    self.scene.lock().owes();
                }
                let status = if how == Delivery::Cut { cut() } else { refused() };
                open.sender = None;
                return sender.send(Err(StreamError::from_status(&status))).is_ok();
            }
            Delivery::Twice => {
                if let Some(last) = open.last.clone() {
                    return sender.send(Ok(batch(last))).is_ok();
                }
            }
            Delivery::Plain | Delivery::Garbled | Delivery::Gap | Delivery::Overflow => {}
        }
        let gap = match how {
            Delivery::Gap => Some(ChangeKind::GapUpdate),
            Delivery::Overflow => Some(ChangeKind::GapOverflow),
            _ => None,
        };
        let Some((mut response, position)) = self.pull.after(open.position, most, gap) else { return false };
        if how == Delivery::Overflow {
            self.scene.lock().owes();
        }
        open.position = position;
        open.last = Some(response.clone());
        self.scene.lock().say(format!("{} events up to {position}, {how:?}", response.events.len()));
        if how == Delivery::Garbled {
            self.scene.lock().owes();
            for event in response.events.iter_mut().filter_map(|event| event.event.as_mut()) {
                event.payload = Bytes::from_static(&[0xff; 4]);
            }
        }
        sender.send(Ok(batch(response))).is_ok()
    }
}

fn batch(response: FetchResponse) -> Batch {
    Batch {
        bytes: Bytes::from(response.encode_to_vec()),
        latest_replay_id: response.latest_replay_id,
        rpc_id: response.rpc_id,
        pending: response.pending_num_requested,
        events: response.events,
    }
}

fn cut() -> Status {
    Status::new(Code::Unavailable, "the stream was cut")
}

fn refused() -> Status {
    let mut status = Status::new(Code::InvalidArgument, "the Replay ID validation failed");
    let code = "sfdc.platform.eventbus.grpc.subscription.fetch.replayid.corrupted";
    status.metadata_mut().insert("error-code", code.parse().expect("a header"));
    status
}

/// The source that a subscriber opens its streams from.
pub struct Source(pub Arc<Feed>);

impl EventSource for Source {
    fn subscribe(&self, _topic: &str, start: Start) -> EventStream {
        let feed = &self.0;
        let (sender, receiver) = mpsc::unbounded_channel();
        let (opened, watched) = watch::channel(true);
        if feed.is_deaf() {
            let mut open = feed.open();
            open.sender = Some(sender);
            open.opened = Some(opened);
            return EventStream::fed(receiver, watched);
        }
        let mut open = feed.open();
        if start == Start::Latest && std::mem::take(&mut open.hold) {
            opened.send_replace(false);
            open.opened = Some(opened);
            open.held = Some(sender);
            open.last = None;
            drop(open);
            feed.scene.lock().say("a stream is opened late");
            feed.scene.lock().reached("fault: stream opened late");
            feed.sign();
            return EventStream::fed(receiver, watched);
        }
        drop(open);
        let from = match &start {
            Start::After(_) => "after a place",
            Start::Latest => "at the newest",
            Start::Earliest => "at the oldest",
        };
        feed.scene.lock().reached(format!("stream opened {from}"));
        let begun = feed.pull.start(&start);
        let mut open = feed.open();
        open.last = None;
        open.opened = Some(opened);
        match begun {
            Ok(position) => {
                open.position = position;
                open.sender = Some(sender);
            }
            Err(status) => {
                feed.scene.lock().reached("fault: place expired or refused");
                feed.scene.lock().owes();
                // The receiver is right here.
                let _ = sender.send(Err(StreamError::from_status(&status)));
                open.sender = None;
            }
        }
        drop(open);
        feed.scene.lock().say(format!("a stream is opened {from}"));
        feed.sign();
        EventStream::fed(receiver, watched)
    }
}

/// The real recorder, watched.
pub struct Sink {
    pub recorder: Recorder,
    pub feed: Arc<Feed>,
}

impl Sink {
    fn told<T>(&self, what: &str, result: Result<T, SinkError>) -> Result<T, SinkError> {
        if self.feed.is_deaf() {
            return result;
        }
        let code = result.as_ref().map_or_else(SinkError::code, |_| "ok");
        self.feed.scene.lock().say(format!("{what}: {code}"));
        if result.is_err() {
            // The subscriber leaves the stream now.
            self.feed.open().sender = None;
        }
        if matches!(code, "ledger-fenced" | "ledger-in-doubt") {
            self.feed.open().deaf = true;
        }
        self.feed.sign();
        result
    }
}

#[async_trait]
impl BatchSink for Sink {
    async fn resume_point(&self, topic: &str) -> Result<Option<Vec<u8>>, SinkError> {
        self.recorder.resume_point(topic).await
    }

    async fn record(&self, batch: RecordedBatch) -> Result<(), SinkError> {
        let result = self.recorder.record(batch).await;
        self.told("recorded", result)
    }

    async fn stream_reset(&self, topic: &str, code: &str) -> Result<(), SinkError> {
        let result = self.recorder.stream_reset(topic, code).await;
        self.told("stream reset", result)
    }

    async fn stream_started_at_latest(&self, topic: &str) -> Result<(), SinkError> {
        let result = self.recorder.stream_started_at_latest(topic).await;
        self.told("stream started at the newest", result)
    }
}
