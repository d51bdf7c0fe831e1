//! A simulated org with its Pub/Sub endpoint, and a sink that keeps everything in memory.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use countersign::{
    clock::Clock,
    domain::FieldValue,
    salesforce::pubsub::{
        BatchSink, Bearer, PubSubClient, PubSubSettings, RawResponse, RecordedBatch, SinkError, TokenError,
        TokenSource, proto::FetchResponse,
    },
    simulator::{
        InjectedChange, Org, OrgOptions, Settings,
        metadata::{ChannelDef, ChannelMemberDef, Package},
        model::ChangeKind,
        pubsub::Lines,
    },
    subscriber::{self, Pace, StreamHealth, SubscriberDeps},
    telemetry::{
        init_metrics,
        stream::{STREAM_TROUBLES, StreamMode},
    },
};
use prost::Message as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub const LEADS: &str = "/data/LeadChangeEvent";

/// An org, its endpoint and a user's credentials.
pub struct World {
    pub org: Org,
    pub endpoint: String,
}

/// Logs in at the org itself, without HTTP.
pub struct Tokens {
    org: Org,
    user_id: String,
    current: Mutex<Option<SecretString>>,
    pub logins: AtomicU32,
    /// The next logins are refused; whether trying again can help.
    pub refused: AtomicU32,
    pub retryable: AtomicBool,
}

impl World {
    pub async fn start() -> Self {
        Self::with(Settings { stream_auth_refusal_millis: 1, ..Settings::default() }).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::at(Clock::system(), settings).await
    }

    /// With a clock of its own.
    pub async fn at(clock: Clock, settings: Settings) -> Self {
        // Nothing is counted before.
        init_metrics().unwrap();
        let member = ChannelMemberDef {
            full_name: "Hot_chn_LeadChangeEvent".into(),
            channel: "Hot__chn".into(),
            entity: "LeadChangeEvent".into(),
            filter: Some("Rating = 'Hot'".into()),
            enriched: vec!["Company".into()],
        };
        let package = Package {
            channels: vec![ChannelDef { name: "Hot__chn".into(), label: "Hot".into() }],
            channel_members: vec![member],
            ..Package::default()
        };
        let options = OrgOptions { settings, ..OrgOptions::new(clock, package) };
        let org = Org::new(options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = countersign::simulator::pubsub::service(org.clone());
        let serving = tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(Lines::new(listener, true));
        tokio::spawn(serving);
        Self { org, endpoint }
    }

    pub fn tokens(&self, role: &str) -> Arc<Tokens> {
        let user_id = self.org.user(role).unwrap().user_id;
        Arc::new(Tokens {
            org: self.org.clone(),
            user_id,
            current: Mutex::default(),
            logins: AtomicU32::new(0),
            refused: AtomicU32::new(0),
            retryable: AtomicBool::new(false),
        })
    }

    pub fn settings(&self) -> PubSubSettings {
        PubSubSettings::new(&self.endpoint)
    }

    pub fn client(&self) -> PubSubClient {
        PubSubClient::connect(self.settings(), self.tokens("admin")).unwrap()
    }

    /// Puts `count` lead updates on the bus; the record id of each carries its number.
    pub fn publish(&self, numbers: std::ops::Range<u32>) {
        let user = self.org.user("admin").unwrap().user_id;
        let changes = numbers.map(|number| InjectedChange {
            object: "Lead".into(),
            record_id: record_id(number),
            kind: ChangeKind::Update,
            changed: [("Title".to_owned(), FieldValue::text(format!("Title {number}")))].into(),
        });
        self.org.inject_changes(&user, "com/salesforce/api/rest/67.0;client=test", changes.collect());
    }
}

pub fn record_id(number: u32) -> String {
    format!("00Q{number:012}AAA")
}

#[async_trait]
impl TokenSource for Tokens {
    async fn bearer(&self) -> Result<Bearer, TokenError> {
        if self.refused.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            let retryable = self.retryable.load(Ordering::SeqCst);
            return Err(TokenError { code: "test-refused", message: "no".into(), retryable });
        }
        let mut current = self.current.lock().unwrap();
        let token = current.get_or_insert_with(|| {
            self.logins.fetch_add(1, Ordering::SeqCst);
            self.org.open_session(&self.user_id, Duration::from_secs(7_200)).into()
        });
        Ok(Bearer {
            token: token.clone(),
            instance_url: "https://org.example".into(),
            org_id: self.org.org_id(),
        })
    }

    async fn invalidate(&self, token: &SecretString) {
        let mut current = self.current.lock().unwrap();
        if current.as_ref().is_some_and(|held| held.expose_secret() == token.expose_secret()) {
            *current = None;
        }
    }
}

/// What a ledger would hold.
#[derive(Default)]
pub struct MemorySink {
    pub place: Mutex<Option<Vec<u8>>>,
    pub responses: Mutex<Vec<RawResponse>>,
    pub commits: AtomicU32,
    pub resets: Mutex<Vec<String>>,
    pub latest: AtomicU32,
    /// Each commit takes this long.
    pub slow: Mutex<Duration>,
    /// The next commits fail.
    pub failing: AtomicU32,
}

#[async_trait]
impl BatchSink for MemorySink {
    async fn resume_point(&self, _topic: &str) -> Result<Option<Vec<u8>>, SinkError> {
        Ok(self.place.lock().unwrap().clone())
    }

    async fn record(&self, batch: RecordedBatch) -> Result<(), SinkError> {
        let slow = *self.slow.lock().unwrap();
        tokio::time::sleep(slow).await;
        if self.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(SinkError { code: "test-full", message: "the disk is full".into() });
        }
        if let Some(place) = batch.replay_id {
            *self.place.lock().unwrap() = Some(place);
        }
        self.responses.lock().unwrap().extend(batch.responses);
        self.commits.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn stream_reset(&self, _topic: &str, code: &str) -> Result<(), SinkError> {
        *self.place.lock().unwrap() = None;
        self.resets.lock().unwrap().push(code.to_owned());
        Ok(())
    }

    async fn stream_started_at_latest(&self, _topic: &str) -> Result<(), SinkError> {
        self.latest.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl MemorySink {
    /// Starts before everything that the org will publish.
    pub fn from_start(world: &World) -> Arc<Self> {
        let sink = Self::default();
        let mut place = world.org.tip().to_be_bytes().to_vec();
        place.extend([0, 0]);
        *sink.place.lock().unwrap() = Some(place);
        Arc::new(sink)
    }

    pub fn events(&self) -> u32 {
        self.responses.lock().unwrap().iter().map(|response| response.events).sum()
    }

    /// Different events by their replay id; those without one count each.
    pub fn record_count(&self) -> usize {
        let responses = self.responses.lock().unwrap().clone();
        let mut seen = std::collections::BTreeSet::new();
        for (place, response) in responses.iter().filter(|response| response.events > 0).enumerate() {
            for (index, event) in
                FetchResponse::decode(response.bytes.clone()).unwrap().events.iter().enumerate()
            {
                let produced = event.event.clone().unwrap_or_default();
                seen.insert((produced.id, event.replay_id.is_empty().then_some((place, index))));
            }
        }
        seen.len()
    }

    /// Record ids in the order of recording, without immediate repeats: after a broken stream the last
    /// event is delivered again, because more of its place might have come.
    pub async fn record_ids(&self, client: &PubSubClient) -> Vec<String> {
        let responses = self.responses.lock().unwrap().clone();
        let mut ids = Vec::new();
        for response in responses.iter().filter(|response| response.events > 0) {
            for event in client.read_response(response.bytes.clone()).await.unwrap() {
                ids.extend(event.change.unwrap().record_ids);
            }
        }
        ids.dedup();
        ids
    }
}

/// A running subscriber.
pub struct Running {
    pub health: Arc<StreamHealth>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub fn start(client: PubSubClient, sink: &Arc<MemorySink>, topic: &str) -> Self {
        let health = Arc::<StreamHealth>::default();
        let stop = CancellationToken::new();
        let quick = (Duration::from_millis(10), Duration::from_millis(50));
        let deps = SubscriberDeps {
            client,
            sink: Arc::clone(sink) as Arc<dyn BatchSink>,
            topic: topic.to_owned(),
            clock: Clock::system(),
            health: Arc::clone(&health),
            pace: Pace { short: quick, long: quick },
        };
        let task = tokio::spawn(subscriber::run(deps, stop.clone()));
        Self { health, stop, task }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// How often a kind of trouble was met in this process.
pub fn met(mode: StreamMode) -> u64 {
    let page = init_metrics().unwrap().render();
    let start = format!("{STREAM_TROUBLES}{{mode=\"{}\"}} ", mode.name());
    let line = page.lines().find_map(|line| line.strip_prefix(&start));
    line.map_or(0, |number| number.parse().unwrap())
}

/// Waits for a condition, and says which one never came.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..1_500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}
