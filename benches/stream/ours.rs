//! Our side: the shipped subscriber and recorder into a ledger, and beside it the reading of
//! the inbox that the daemon's intake does. Done when every event is recorded and decoded.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use countersign::{
    cli::recorder::Recorder,
    clock::Clock,
    ledger::{Ledger, OpenOptions},
    salesforce::pubsub::{BatchSink, Bearer, PubSubClient, PubSubSettings, TokenError, TokenSource},
    subscriber::{self, Pace, StreamHealth, SubscriberDeps},
    workflow::engine::Waker,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

struct GivenToken(Bearer);

#[async_trait]
impl TokenSource for GivenToken {
    async fn bearer(&self) -> Result<Bearer, TokenError> {
        Ok(self.0.clone())
    }

    async fn invalidate(&self, _token: &SecretString) {}
}

/// Reads the stream of the org described in `org`; the ledger goes to `output`.
pub fn run(org: &Path, output: &Path) -> Result<(), String> {
    let described = fs::read_to_string(org).map_err(|error| error.to_string())?;
    let org: Value = serde_json::from_str(&described).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(read(&org, output))
}

async fn read(org: &Value, output: &Path) -> Result<(), String> {
    let text = |key: &str| org[key].as_str().unwrap_or_default().to_owned();
    let events = org["events"].as_u64().unwrap_or_default();
    let options =
        OpenOptions { place: output.into(), org_id: text("org_id"), clock: Clock::system(), create: true };
    let ledger = Ledger::open(options).await.map_err(|error| error.to_string())?;
    let place: Vec<u8> = serde_json::from_value(org["place"].clone()).map_err(|error| error.to_string())?;
    let mut tx = ledger.begin("start").await.map_err(|error| error.to_string())?;
    tx.set_replay_id(super::TOPIC, Some(place)).await.map_err(|error| error.to_string())?;
    tx.commit().await.map_err(|error| error.to_string())?;

    let mut settings = PubSubSettings::new(text("endpoint"));
    settings.ca_pem = Some(text("ca_pem").into_bytes());
    let bearer =
        Bearer { token: text("token").into(), instance_url: text("instance_url"), org_id: text("org_id") };
    let client =
        PubSubClient::connect(settings, Arc::new(GivenToken(bearer))).map_err(|error| error.to_string())?;
    let sink: Arc<dyn BatchSink> = Arc::new(Recorder::new(ledger.clone(), Clock::system(), Waker::default()));
    let stop = CancellationToken::new();
    let deps = SubscriberDeps {
        client: client.clone(),
        sink,
        topic: text("topic"),
        clock: Clock::system(),
        health: Arc::<StreamHealth>::default(),
        pace: Pace::default(),
    };
    let started = Instant::now();
    let reading = tokio::spawn(subscriber::run(deps, stop.clone()));
    let (mut after, mut recorded, mut decoded, mut changed_fields) = (0, 0, 0, 0_usize);
    while recorded < events {
        let batches = ledger.next_batches(after, 64).await.map_err(|error| error.to_string())?;
        if batches.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for batch in batches {
            after = batch.id;
            recorded += u64::from(batch.events);
            for event in
                client.read_response(batch.payload.into()).await.map_err(|error| error.to_string())?
            {
                let change = event.change.map_err(|error| error.to_string())?;
                changed_fields += change.changed_fields.len();
                decoded += 1;
            }
        }
        if started.elapsed() > Duration::from_secs(300) {
            return Err(format!("only {recorded} of {events} events in five minutes"));
        }
    }
    let seconds = started.elapsed();
    let memory = super::report::memory_kb();
    stop.cancel();
    reading.await.map_err(|error| error.to_string())?;
    println!(
        "{}",
        json!({
            "events": decoded,
            "changed_fields": changed_fields,
            "millis": u64::try_from(seconds.as_millis()).unwrap_or(u64::MAX),
            "memory_kb": memory,
        })
    );
    Ok(())
}
