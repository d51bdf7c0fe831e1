//! A daemon made of the real parts: ledger, connection, engine, subscriber and recorder.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use countersign::{
    cli::recorder::Recorder,
    clock::Clock,
    domain::{RecordId, ownership::Ownership, shadow::who::Named},
    gate::Rules,
    ledger::{Ledger, OpenOptions, Place},
    salesforce::{
        Connection, ConnectionSettings, Contracts, Credentials, Reader, Writer, names,
        pubsub::{PubSubClient, PubSubSettings},
    },
    simulator::pubsub::Pull,
    subscriber::{self, Pace, StreamHealth, SubscriberDeps},
    workflow::{Context, Engine, context::ContextParts, engine::Waker},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    feed::{Delivery, Feed, Sink, Source},
    net::{HOST, Lot, Net},
};

/// What a daemon is started with.
#[derive(Clone)]
pub struct Kit {
    pub net: Net,
    pub rules: Rules,
    pub ledger: Place,
    pub refresh_token: String,
    pub proposer_token: String,
    pub schemas: Vec<(String, String)>,
    /// Users whom the settings name as programs or people.
    pub named: Named,
}

/// One process.
pub struct Daemon {
    pub engine: Arc<Engine>,
    pub waker: Waker,
    pub feed: Arc<Feed>,
    pub lot: Arc<Lot>,
    pub epoch: u64,
    /// Sweeps that were seen to end.
    pub swept: AtomicU64,
    health: Arc<StreamHealth>,
    subscriber: JoinHandle<()>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.subscriber.abort();
    }
}

impl Kit {
    /// A connection as the promoter, or as the proposer.
    pub fn connection(&self, net: Net, (token, clock): (&str, &Clock)) -> Connection {
        let app = self.net.scene.lock().org.oauth_app();
        let settings = ConnectionSettings {
            login_url: HOST.to_owned(),
            instance_url: Some(HOST.to_owned()),
            api_version: "67.0".to_owned(),
            credentials: Credentials::Refresh {
                client_id: app.client_id,
                client_secret: None,
                refresh_token: token.to_owned().into(),
            },
            org_id: None,
            ca_pem: None,
            timeout: Duration::from_secs(30),
            clock: clock.clone(),
        };
        Connection::over(settings, Arc::new(net)).expect("settings that are right")
    }

    /// Opens the ledger and describes the org, as every command does.
    pub async fn context(&self, connection: &Connection, clock: &Clock) -> anyhow::Result<Context> {
        let (org_id, users) = {
            let scene = self.net.scene.lock();
            let user = |role| scene.org.user(role).map(|user| RecordId::parse(&user.user_id));
            (scene.org.org_id(), [user("promoter"), user("proposer")])
        };
        let options = OpenOptions { place: self.ledger.clone(), org_id, clock: clock.clone(), create: true };
        let ledger = Ledger::open(options).await?;
        let context = Context::new(ContextParts {
            ledger,
            reader: Reader::new(connection.clone()),
            rules: self.rules.clone(),
            clock: clock.clone(),
            machine_users: users.into_iter().flatten().flatten().collect(),
            contracts: Contracts::shipped(),
            named: self.named.clone(),
            ownership: Ownership::default(),
        });
        context.describe().await?;
        Ok(context)
    }

    /// Starts a daemon and takes the lead.
    pub async fn start(&self) -> anyhow::Result<Daemon> {
        let (daemon, ()) = self.start_beside(|_, _| ()).await?;
        Ok(daemon)
    }

    /// The same, with whatever else works with its ledger and its way to the org.
    pub async fn start_beside<T>(
        &self,
        beside: impl FnOnce(&Context, &Connection) -> T,
    ) -> anyhow::Result<(Daemon, T)> {
        let clock = self.net.scene.lock().new_clock();
        let lot = Arc::<Lot>::default();
        let net = Net { lot: Some(Arc::clone(&lot)), ..self.net.clone() };
        let connection = self.connection(net, (&self.refresh_token, &clock));
        let context = self.context(&connection, &clock).await?;
        let events =
            PubSubClient::connect(PubSubSettings::new("http://127.0.0.1:9"), Arc::new(connection.clone()))?;
        for (id, json) in &self.schemas {
            events.learn_schema(id, json)?;
        }
        let waker = Waker::default();
        let scene = self.net.scene.clone();
        let org = scene.lock().org.clone();
        let pull = Pull::open(org, names::TOPIC, "promoter")?;
        let feed = Feed::new(scene, pull);
        let health = Arc::<StreamHealth>::default();
        let recorder = Recorder::new(context.ledger.clone(), clock.clone(), waker.clone());
        let deps = SubscriberDeps {
            client: Source(Arc::clone(&feed)),
            sink: Arc::new(Sink { recorder, feed: Arc::clone(&feed) }),
            topic: names::TOPIC.to_owned(),
            clock,
            health: Arc::clone(&health),
            pace: Pace { short: (Duration::ZERO, Duration::ZERO), long: (Duration::ZERO, Duration::ZERO) },
        };
        let epoch = context.ledger.lead("schedule", context.rules.digest()).await?;
        context.keep_rules().await?;
        let more = beside(&context, &connection);
        let engine = Engine::new(context, Writer::new(connection), events, waker.clone());
        let subscriber = tokio::spawn(subscriber::run(deps, CancellationToken::new()));
        let daemon = Daemon {
            engine: Arc::new(engine),
            waker,
            feed,
            lot,
            epoch,
            swept: AtomicU64::new(0),
            health,
            subscriber,
        };
        daemon.listens().await;
        Ok((daemon, more))
    }

    /// Opens the ledger for looking.
    pub async fn look(place: &Place) -> anyhow::Result<Ledger> {
        Ok(Ledger::open_read_only(place).await?)
    }
}

impl Daemon {
    /// Waits until the subscriber has opened its stream, or never will.
    pub async fn listens(&self) {
        let mut signs = self.feed.signs();
        while !self.feed.is_open() && !self.feed.is_deaf() && !self.feed.is_held() {
            let _ = signs.changed().await;
        }
        while !self.feed.is_deaf() && !self.feed.is_held() && !self.health.snapshot().connected {
            tokio::task::yield_now().await;
        }
    }

    /// Delivers events and waits until the subscriber has done with them. False when there were none.
    pub async fn pump(&self, most: usize, how: Delivery) -> bool {
        self.listens().await;
        let mut signs = self.feed.signs();
        signs.borrow_and_update();
        if !self.feed.deliver(most, how) {
            return false;
        }
        let _ = signs.changed().await;
        self.listens().await;
        true
    }
}
