//! Keeps the event stream alive and feeds the inbox.
//!
//! What is received is recorded, raw, together with the place that follows it; decoding
//! comes later. Reading never waits for recording beyond a bounded queue. After any
//! failure the stream is opened again from the last committed place, so that nothing is
//! lost; what a crash between receiving and committing costs is only a second delivery.
//!
//! A place that is refused is told, and the stream is opened at the newest event: only then is
//! everything read that waits, so that nothing falls between. There is one stream at any time.

mod gather;
mod health;
mod pace;
pub mod watch;

use std::{pin::pin, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    clock::Clock,
    salesforce::pubsub::{
        Action, Batch, BatchSink, EventSource, EventStream, PubSubClient, RecordedBatch, SinkError, Start,
        StreamError,
    },
    telemetry::stream::StreamMode,
};

use gather::{Gathered, Place};
pub use health::{HealthSnapshot, StreamHealth};
pub use pace::Pace;

/// The service may not acknowledge a subscription before its first event. After this long
/// without a failure it is taken for open; longer than connecting may take.
const OPEN_WITHOUT_WORD: Duration = Duration::from_secs(25);

/// What the subscriber works with.
pub struct SubscriberDeps<Source = PubSubClient> {
    /// The Pub/Sub client.
    pub client: Source,
    /// Where responses go.
    pub sink: Arc<dyn BatchSink>,
    /// Topic, such as `/data/AI_Proposals__chn`.
    pub topic: String,
    /// For the times of receipt.
    pub clock: Clock,
    /// Told of every sign of life.
    pub health: Arc<StreamHealth>,
    /// Pauses between attempts.
    pub pace: Pace,
}

/// Why a stream was left.
enum Left {
    Shutdown,
    Stream(StreamError),
    Sink(SinkError),
}

/// Reads the topic until shutdown. Failures are logged, shown in the health and tried again.
pub async fn run<Source: EventSource>(deps: SubscriberDeps<Source>, shutdown: CancellationToken) {
    let mut attempt = Attempt { deps: &deps, from_latest: false, refused_latest: false, progress: false };
    let mut pauses = deps.pace.pauses();
    loop {
        attempt.progress = false;
        let left = attempt.stream(&shutdown).await;
        deps.health.disconnected();
        if attempt.progress {
            pauses = deps.pace.pauses();
        }
        let pause = match left {
            Left::Shutdown => return,
            Left::Sink(failure) => {
                error!(code = failure.code(), error = %failure, topic = %deps.topic, "recording failed");
                StreamMode::StoreFailed.count(1);
                deps.health.failed(failure.code(), &failure.to_string());
                pauses.short()
            }
            Left::Stream(failure) => {
                failure.mode().count(1);
                deps.health.failed(failure.code(), &failure.to_string());
                attempt.after(&failure, &mut pauses).await
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

struct Attempt<'a, Source> {
    deps: &'a SubscriberDeps<Source>,
    /// The stored place was refused: the next stream starts at the newest event.
    from_latest: bool,
    /// The same was said of a stream that had no place.
    refused_latest: bool,
    /// Something was recorded.
    progress: bool,
}

impl<Source: EventSource> Attempt<'_, Source> {
    /// What a failure asks for; gives the pause before the next attempt.
    async fn after(&mut self, failure: &StreamError, pauses: &mut pace::Pauses) -> Duration {
        let topic = &self.deps.topic;
        warn!(
            code = failure.code(),
            service_code = failure.service_code.as_deref(),
            rpc_id = failure.rpc_id.as_deref(),
            error = %failure,
            %topic,
            "the event stream broke"
        );
        match failure.action() {
            Action::Relogin | Action::Backoff => pauses.short(),
            Action::LongBackoff | Action::Config => pauses.long(),
            Action::ReplayInvalid if self.refused_latest => pauses.long(),
            Action::ReplayInvalid => {
                let code = failure.service_code.as_deref().unwrap_or(failure.code());
                match self.deps.sink.stream_reset(topic, code).await {
                    Ok(()) => self.from_latest = true,
                    Err(error) => error!(code = error.code(), %error, %topic, "the reset was not recorded"),
                }
                pauses.short()
            }
        }
    }

    async fn stream(&mut self, shutdown: &CancellationToken) -> Left {
        let (deps, topic) = (self.deps, &self.deps.topic);
        let stored = match deps.sink.resume_point(topic).await {
            Ok(stored) => stored.filter(|_| !self.from_latest),
            Err(failure) => return Left::Sink(failure),
        };
        self.refused_latest = stored.is_none();
        // Told when the stream is open and again at its first word: which of the two comes after the
        // server has taken its place is not known.
        let (mut announce, mut announce_again) = (stored.is_none(), stored.is_none());
        let mut place = Place::new(stored.is_some());
        let start = match stored {
            Some(place) => Start::After(place),
            None if self.from_latest => Start::Latest,
            // A ledger that never read the topic: what is retained tells who decided what and when.
            None => Start::Earliest,
        };
        let mut stream = deps.client.subscribe(topic, start);
        let mut open = pin!(open(stream.opened()));
        let mut opened = false;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Left::Shutdown,
                () = &mut open, if !opened => {
                    opened = true;
                    deps.health.connected(deps.clock.now());
                    info!(%topic, "the event stream is open");
                    if std::mem::take(&mut announce)
                        && let Err(failure) = deps.sink.stream_started_at_latest(topic).await
                    {
                        return Left::Sink(failure);
                    }
                }
                received = stream.next() => match received {
                    Err(failure) => return Left::Stream(failure),
                    Ok(first) => {
                        let (batch, failure) = self.gather(first, &mut stream, &mut place);
                        if let Some(batch) = batch
                            && let Err(failure) = self.record(batch).await
                        {
                            return Left::Sink(failure);
                        }
                        if std::mem::take(&mut announce_again)
                            && let Err(failure) = deps.sink.stream_started_at_latest(topic).await
                        {
                            return Left::Sink(failure);
                        }
                        if let Some(failure) = failure {
                            return Left::Stream(failure);
                        }
                    }
                },
            }
        }
    }

    /// Not interrupted: a commit that started is waited for.
    async fn record(&mut self, batch: RecordedBatch) -> Result<(), SinkError> {
        let health = &self.deps.health;
        let placed = batch.replay_id.is_some();
        health.recording(self.deps.clock.now());
        let recorded = self.deps.sink.record(batch).await;
        health.recording_ended();
        recorded?;
        self.progress = true;
        // Only a stored place ends what a refused one began.
        self.from_latest &= !placed;
        health.recorded(self.deps.clock.now());
        Ok(())
    }

    /// One commit's worth: the response at hand and those that wait behind it.
    fn gather(
        &self,
        first: Batch,
        stream: &mut EventStream,
        place: &mut Place,
    ) -> (Option<RecordedBatch>, Option<StreamError>) {
        let now = self.deps.clock.now();
        let mut gathered = Gathered::new(&self.deps.topic);
        let mut next = Some(Ok(first));
        let mut failure = None;
        while let Some(received) = next {
            match received {
                Ok(batch) => {
                    self.deps.health.received(now, batch.events.len());
                    gathered.add(batch, place, now);
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
            next = if gathered.is_full() { None } else { stream.try_next() };
        }
        (gathered.into_batch(), failure)
    }
}

async fn open(opened: impl Future<Output = ()>) {
    tokio::select! {
        () = opened => {}
        () = tokio::time::sleep(OPEN_WITHOUT_WORD) => {}
    }
}
