//! The simulated service as any client sees it: topics, schemas, channels, refusals.

use countersign::{
    domain::FieldValue,
    salesforce::{
        avro::Schema,
        change_event::ChangeType,
        pubsub::{
            PubSubClient, Start,
            proto::{FetchRequest, ReplayPreset, SchemaRequest, pub_sub_client::PubSubClient as Stub},
        },
    },
    simulator::{InjectedChange, model::ChangeKind},
};
use tonic::{Code, Request, Status};

use super::world::{LEADS, World, record_id};

fn change(world: &World, kind: ChangeKind, fields: &[(&str, FieldValue)]) {
    let user = world.org.user("admin").unwrap().user_id;
    let changed = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let change = InjectedChange { object: "Lead".into(), record_id: record_id(1), kind, changed };
    world.org.inject_change(&user, "", change);
}

async fn raw(world: &World, requests: Vec<FetchRequest>) -> Status {
    let token =
        world.org.open_session(&world.org.user("admin").unwrap().user_id, std::time::Duration::from_secs(60));
    let mut stub = Stub::connect(world.endpoint.clone()).await.unwrap();
    let (sender, receiver) = tokio::sync::mpsc::channel(8);
    for request in requests {
        sender.send(request).await.unwrap();
    }
    let mut request = Request::new(tokio_stream::wrappers::ReceiverStream::new(receiver));
    let metadata = request.metadata_mut();
    metadata.insert("accesstoken", token.parse().unwrap());
    metadata.insert("instanceurl", "https://org.example".parse().unwrap());
    metadata.insert("tenantid", world.org.org_id()[..15].parse().unwrap());
    let mut replies = match stub.subscribe(request).await {
        Ok(replies) => replies.into_inner(),
        Err(status) => return status,
    };
    loop {
        match replies.message().await {
            Ok(Some(_)) => {}
            Ok(None) => return Status::ok("ended"),
            Err(status) => return status,
        }
    }
}

fn first(topic: &str) -> FetchRequest {
    FetchRequest { topic_name: topic.into(), num_requested: 10, ..FetchRequest::default() }
}

fn code(status: &Status) -> String {
    let code = status.metadata().get("error-code").expect("every refusal has its code");
    assert!(status.metadata().contains_key("rpc-id") && status.metadata().contains_key("type"));
    assert!(status.message().contains(" rpcId: "), "{}", status.message());
    code.to_str().unwrap().trim_start_matches("sfdc.platform.eventbus.grpc.").to_owned()
}

#[tokio::test]
async fn events_say_what_was_written() {
    let world = World::start().await;
    let client = world.client();
    let topic = client.get_topic(LEADS).await.unwrap();
    let schema = client.get_schema(topic.schema_id.as_deref().unwrap()).await.unwrap();
    assert_eq!(Schema::parse(&schema.json).unwrap().id(), schema.id, "the id is computed from the schema");
    let mut stream = client.subscribe(LEADS, Start::After(world.org.tip().to_be_bytes().to_vec()));
    change(
        &world,
        ChangeKind::Update,
        &[
            ("Status", FieldValue::text("Working - Contacted")),
            ("AnnualRevenue", FieldValue::decimal("1250000.55".parse().unwrap())),
            ("FirstName", FieldValue::text("Ada")),
            ("City", FieldValue::Null),
            ("HasOptedOutOfEmail", FieldValue::Bool(true)),
            ("ConvertedDate", FieldValue::Date("2026-11-20".parse().unwrap())),
        ],
    );
    let batch = stream.next().await.unwrap();
    assert_eq!(batch.pending, 99);
    assert_eq!(batch.latest_replay_id, batch.events[0].replay_id);
    assert_eq!(batch.latest_replay_id.len(), 10);
    let events = client.read_response(batch.bytes).await.unwrap();
    let change = events[0].change.as_ref().unwrap();
    assert_eq!(change.change_type, ChangeType::Update);
    assert_eq!(change.record_ids, [record_id(1)]);
    assert_eq!(change.values["Status"], FieldValue::text("Working - Contacted"));
    assert_eq!(change.values["AnnualRevenue"].to_string(), "1250000.55");
    assert_eq!(change.values["Name.FirstName"], FieldValue::text("Ada"));
    assert_eq!(change.values["HasOptedOutOfEmail"], FieldValue::Bool(true));
    assert_eq!(change.values["ConvertedDate"].to_string(), "2026-11-20");
    assert_eq!(change.nulled_fields, ["Address.City"]);
    let mut changed = change.changed_fields.clone();
    changed.sort();
    let all =
        ["Address.City", "AnnualRevenue", "ConvertedDate", "HasOptedOutOfEmail", "Name.FirstName", "Status"];
    assert_eq!(changed, all);
    assert!(change.commit_number > 1 << 53);
}

#[tokio::test]
async fn a_channel_filters_and_enriches() {
    let world = World::start().await;
    let client = world.client();
    assert_eq!(client.get_topic("/data/Hot__chn").await.unwrap().schema_id, None);
    let mut stream = client.subscribe("/data/Hot__chn", Start::After(world.org.tip().to_be_bytes().to_vec()));
    change(&world, ChangeKind::Update, &[("Rating", FieldValue::text("Cold"))]);
    change(&world, ChangeKind::Update, &[("Rating", FieldValue::text("Hot"))]);
    let batch = stream.next().await.unwrap();
    assert_eq!(batch.events.len(), 1, "the cold one is kept back");
    let events = client.read_response(batch.bytes).await.unwrap();
    let change = events[0].change.as_ref().unwrap();
    assert_eq!(change.values["Rating"], FieldValue::text("Hot"));
    assert_eq!(change.changed_fields, ["Rating"], "enriched fields are not changed fields");
}

#[tokio::test]
async fn the_place_decides_what_is_delivered() {
    let world = World::start().await;
    let client = world.client();
    world.publish(0..3);
    let mut earliest = client.subscribe(LEADS, Start::Earliest);
    let batch = earliest.next().await.unwrap();
    assert_eq!(batch.events.len(), 3);
    let second = batch.events[1].replay_id.to_vec();
    let mut after = client.subscribe(LEADS, Start::After(second.clone()));
    assert_eq!(after.next().await.unwrap().events.len(), 1);
    let mut short = client.subscribe(LEADS, Start::After(second[..8].to_vec()));
    assert_eq!(short.next().await.unwrap().events.len(), 1, "8 bytes are accepted too");
    let mut latest = client.subscribe(LEADS, Start::Latest);
    latest.opened().await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    world.publish(7..8);
    assert_eq!(latest.next().await.unwrap().events.len(), 1);
}

#[tokio::test]
async fn bad_requests_are_refused_with_their_codes() {
    let world = World::start().await;
    world.publish(0..1);
    let zero = FetchRequest { num_requested: 0, ..first(LEADS) };
    let status = raw(&world, vec![zero]).await;
    assert_eq!(
        (status.code(), code(&status).as_str()),
        (Code::InvalidArgument, "subscription.fetch.requested.events.invalid")
    );
    let status = raw(&world, vec![first(LEADS), first("/data/AccountChangeEvent")]).await;
    assert_eq!(code(&status), "subscription.fetch.topic.mismatch");
    let status = raw(&world, vec![first("")]).await;
    assert_eq!(code(&status), "topic.validation.empty");
    let status = raw(&world, vec![first("/data/leadChangeEvent")]).await;
    assert_eq!((status.code(), code(&status).as_str()), (Code::NotFound, "topic.not.found"));
    let custom = |id: &[u8]| FetchRequest {
        replay_preset: ReplayPreset::Custom.into(),
        replay_id: id.to_vec().into(),
        ..first(LEADS)
    };
    assert_eq!(code(&raw(&world, vec![custom(b"")]).await), "subscription.fetch.replayid.validation.failed");
    let beyond = (world.org.tip() + 1).to_be_bytes();
    for bad in [&b"12907414"[..], b"-1", &[0; 8], &beyond] {
        assert_eq!(code(&raw(&world, vec![custom(bad)]).await), "subscription.fetch.replayid.corrupted");
    }
}

#[tokio::test]
async fn callers_need_a_session_and_the_right_to_see_all() {
    let world = World::start().await;
    let mut stub = Stub::connect(world.endpoint.clone()).await.unwrap();
    let status = stub.get_schema(SchemaRequest::default()).await.unwrap_err();
    assert_eq!(
        (status.code(), code(&status).as_str()),
        (Code::Unauthenticated, "service.auth.headers.invalid")
    );
    let mut request = Request::new(SchemaRequest::default());
    for (key, value) in [("accesstoken", "00D!x"), ("instanceurl", "https://x"), ("tenantid", "00D")] {
        request.metadata_mut().insert(key, value.parse().unwrap());
    }
    assert_eq!(code(&stub.get_schema(request).await.unwrap_err()), "service.auth.error");

    let outsider = PubSubClient::connect(world.settings(), world.tokens("outsider")).unwrap();
    let failure = outsider.subscribe(LEADS, Start::Latest).next().await.unwrap_err();
    assert_eq!(failure.service_code.as_deref(), Some("subscription.topic.cannot.subscribe"));
    assert!(!outsider.get_topic(LEADS).await.unwrap().can_subscribe);
    let mut silent = outsider.subscribe("/data/ChangeEvents", Start::Earliest);
    world.publish(0..3);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(silent.try_next().is_none(), "a channel keeps back what may not be seen, without a word");
}
