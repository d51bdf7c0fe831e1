//! The same against the whole daemon: events that say little, schemas that changed, a late stream.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::eventually,
};

const SOON: Duration = Duration::from_secs(20);

/// A world whose daemon tells how it is; `settings` are the daemon's.
async fn world(org: Value, settings: &str) -> (World, String) {
    let mut world = World::with_settings(&org);
    world.kill();
    world.set(&format!("[http]\nlisten = \"127.0.0.1:0\"\n{settings}"));
    world.restart();
    let mut found = None;
    eventually("the daemon says where it listens", SOON, || {
        found = world
            .said()
            .split("address=")
            .nth(1)
            .map(|rest| rest.split_whitespace().next().unwrap_or_default().to_owned());
        let there = found.is_some();
        async move { there }
    })
    .await;
    let http = format!("http://{}", found.unwrap());
    ready(&http, true).await;
    // The sweeps of the start may still be under way; what follows is not for them to find.
    let mut before = 0;
    loop {
        let calls = world.org.stats().await["api_calls"].as_u64().unwrap();
        if calls == before || settings.contains("every_seconds") {
            return (world, http);
        }
        before = calls;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
    }
}

/// An event that says nothing, for a record without a proposal.
async fn empty_event(world: &World, record: &Value) {
    let event = json!({ "kind": "GAP_UPDATE", "object": "Opportunity", "record_id": record });
    world.org.control("/__events", event).await;
}

async fn page(url: String) -> (u16, String) {
    let reply = reqwest::get(url).await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

async fn ready(http: &str, yes: bool) {
    let status = if yes { 200 } else { 503 };
    eventually(&format!("/readyz says {status}"), SOON, || async {
        page(format!("{http}/readyz")).await.0 == status
    })
    .await;
}

async fn metric(http: &str, start: &str) -> String {
    let (_, text) = page(format!("{http}/metrics")).await;
    text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default().trim().to_owned()
}

async fn arm(world: &World, fault: Value) {
    world.org.control("/__faults", fault).await;
}

async fn proposes(world: &World, record: &str, id: &str) {
    let fields = json!({ "AI_Proposal_ID__c": id, "AI_Recommended_Next_Step__c": "Call on Monday",
        "AI_Proposed_Fields__c": "NextStep", "AI_Proposal_Confidence__c": 0.9, "AI_Gate_Pending__c": true,
        "AI_Last_Evaluated_At__c": countersign::clock::Clock::system().now().to_string() });
    let (status, reply) = world.patch("proposer", "Opportunity", record, fields).await;
    assert_eq!(status, 204, "{reply}");
}

/// Naive: an event without values, for an unknown number of records or with a pattern in the place of
/// an id changes nothing. The event that told more was lost.
#[tokio::test]
async fn events_that_say_little_lead_to_reading() {
    let (world, http) = world(json!({}), "").await;
    let rows = world.opportunities().await;
    for (number, (kind, record, mode)) in [
        ("GAP_UPDATE", text(&rows[0]["Id"]).to_owned(), "gap"),
        ("GAP_OVERFLOW", "000000000000000AAA".to_owned(), "overflow"),
        ("GAP_UPDATE", "006*".to_owned(), "wildcard"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("p-{number}");
        arm(&world, json!({ "name": id, "point": "stream-delivery", "action": { "kind": "lose-delivery" } }))
            .await;
        proposes(&world, text(&rows[number]["Id"]), &id).await;
        eventually("the event is lost", SOON, || async { world.org.fired().await.contains(&id) }).await;
        assert_eq!(world.stage(&id), "", "nothing told of it");
        let event = json!({ "kind": kind, "object": "Opportunity", "record_id": record });
        world.org.control("/__events", event).await;
        world.wait_stage(&id, "awaiting-approval").await;
        let met = metric(&http, &format!("countersign_stream_troubles_total{{mode=\"{mode}\"}}")).await;
        assert_eq!(met, "1", "{mode}");
    }
}

/// Naive: one schema that cannot be had stops everything, or its events are skipped for good.
#[tokio::test]
async fn an_unknown_schema_pauses_its_object_and_no_other() {
    let (world, http) = world(json!({}), "[sweep]\nevery_seconds = 1\n").await;
    let rows = world.opportunities().await;
    arm(
        &world,
        json!({ "point": "stream-open", "match": { "method": "GetSchema" }, "count": null,
            "action": { "kind": "stream-error", "grpc_status": 5, "code": "schema.not.found" } }),
    )
    .await;
    empty_event(&world, &rows[1]["Id"]).await;
    ready(&http, false).await;
    let (_, told) = page(format!("{http}/readyz")).await;
    assert!(told.contains("pubsub-topic-refused: Opportunity"), "{told}");
    proposes(&world, text(&rows[0]["Id"]), "p-1").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(world.stage("p-1"), "", "sweeps leave it alone too");
    assert_eq!(metric(&http, "countersign_object_paused{object=\"Opportunity\"}").await, "1");
    assert_eq!(world.said().matches("an object is paused").count(), 1, "told one time");
    disarm(&world).await;
    world.wait_stage("p-1", "awaiting-approval").await;
    ready(&http, true).await;
}

async fn disarm(world: &World) {
    let url = format!("{}/__faults", world.org.text("/instance_url"));
    assert!(reqwest::Client::new().delete(url).send().await.unwrap().status().is_success());
}

/// Naive: a decision that is no text any more is read as no decision.
#[tokio::test]
async fn a_field_of_another_type_pauses_its_object_until_it_is_put_back() {
    let (world, http) = world(json!({}), "[sweep]\nevery_seconds = 1\n").await;
    let rows = world.opportunities().await;
    let drift =
        |change: &str| json!({ "object": "Opportunity", "field": "AI_Decision__c", "change": change });
    world.org.control("/__schema", drift("number")).await;
    empty_event(&world, &rows[1]["Id"]).await;
    ready(&http, false).await;
    let (_, told) = page(format!("{http}/readyz")).await;
    assert!(told.contains("event-field-retyped: Opportunity"), "{told}");
    proposes(&world, text(&rows[0]["Id"]), "p-1").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(world.stage("p-1"), "");
    world.org.control("/__schema", drift("text")).await;
    proposes(&world, text(&rows[1]["Id"]), "p-2").await;
    world.wait_stage("p-2", "awaiting-approval").await;
    world.wait_stage("p-1", "awaiting-approval").await;
    ready(&http, true).await;
}

/// Naive: an open connection is taken for a good one.
#[tokio::test]
async fn a_silent_stream_turns_readiness_red_and_a_word_turns_it_green() {
    let (world, http) = world(json!({ "keepalive-seconds": 1 }), "[stream]\nlate_after_seconds = 2\n").await;
    assert_eq!(metric(&http, "countersign_stream_late").await, "0");
    arm(&world, json!({ "point": "stream-delivery", "action": { "kind": "stream-stall", "millis": 6_000 } }))
        .await;
    ready(&http, false).await;
    let (_, told) = page(format!("{http}/readyz")).await;
    assert!(told.contains("stream-late"), "{told}");
    eventually("an error line", SOON, || async { world.said().contains("the event stream is late") }).await;
    assert_eq!(metric(&http, "countersign_stream_late").await, "1");
    ready(&http, true).await;
    eventually("the end is told", SOON, || async { world.said().contains("the event stream is well again") })
        .await;
    assert_eq!(metric(&http, "countersign_stream_late").await, "0");
}
