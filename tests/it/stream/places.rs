//! Rows 10 to 15, 21 and 24: the place in the stream, and streams that are not what they were.

use std::{sync::atomic::Ordering, time::Duration};

use countersign::{
    cli::recorder::Recorder,
    clock::Clock,
    domain::Digest,
    ledger::{Ledger, OpenOptions},
    salesforce::pubsub::{BatchSink as _, RawResponse, RecordedBatch},
    simulator::{FaultAction, Settings},
    telemetry::stream::StreamMode,
    workflow::engine::Waker,
};

use super::{
    faults::{all_arrive_in_order, expected, strike},
    world::{LEADS, MemorySink, Running, World, met, until},
};

/// Naive: reads a number out of the replay id and sends that back.
#[tokio::test]
async fn a_place_is_kept_byte_by_byte() {
    let world = World::with(Settings { opaque_replay_ids: true, ..Settings::default() }).await;
    strike(&world, FaultAction::StreamReset, 1, 3);
    all_arrive_in_order(&world, 900).await;
    assert!(world.org.faults().armed().is_empty(), "the fault struck");
}

/// Naive: subscribes with the expired place again and again.
#[tokio::test]
async fn an_expired_place_is_told_once_and_left() {
    let clock = Clock::adjustable();
    let world = World::at(clock.clone(), Settings::default()).await;
    let sink = MemorySink::from_start(&world);
    world.publish(0..10);
    clock.advance(Duration::from_secs(73 * 3_600));
    world.org.expire_changes();
    let running = Running::start(world.client(), &sink, LEADS);
    until("the stream starts at the newest event", || sink.latest.load(Ordering::SeqCst) >= 1).await;
    world.publish(10..12);
    until("new events are recorded", || sink.record_count() == 2).await;
    running.stop().await;
    assert_eq!(*sink.resets.lock().unwrap(), ["subscription.fetch.replayid.corrupted"]);
    assert!(world.org.stats().rpcs["Subscribe"] <= 3, "{:?}", world.org.stats().rpcs);
    assert!(met(StreamMode::PlaceRefused) >= 1);
}

/// Naive: goes back to where it began, and reads everything again after each break.
#[tokio::test]
async fn a_broken_stream_goes_on_after_what_was_stored() {
    let world = World::start().await;
    strike(&world, FaultAction::StreamError { grpc_status: 14, code: "x".into(), message: None }, 4, 3);
    let sink = MemorySink::from_start(&world);
    let running = Running::start(world.client(), &sink, LEADS);
    world.publish(0..1_500);
    until("everything is recorded", || sink.record_count() >= 1_500).await;
    running.stop().await;
    assert!(sink.events() <= 1_503, "at most one event again for each break: {}", sink.events());
}

/// Naive: keeps the id of the last event only. The topic is quiet for longer than events are kept.
#[tokio::test]
async fn a_quiet_topic_can_be_resumed_after_the_retention() {
    let clock = Clock::adjustable();
    let world = World::at(clock.clone(), Settings { keepalive_seconds: 1, ..Settings::default() }).await;
    let sink = MemorySink::from_start(&world);
    let before = sink.place.lock().unwrap().clone();
    world.publish(0..5);
    let running = Running::start(world.client(), &sink, "/data/AccountChangeEvent");
    until("a keepalive moves the place", || *sink.place.lock().unwrap() != before).await;
    running.stop().await;
    clock.advance(Duration::from_secs(73 * 3_600));
    world.org.expire_changes();
    let running = Running::start(world.client(), &sink, "/data/AccountChangeEvent");
    until("the stream is open", || running.health.snapshot().last_response_at.is_some()).await;
    running.stop().await;
    assert!(sink.resets.lock().unwrap().is_empty(), "the place is still good");
}

/// Naive: stores the place of the first of several events with one replay id, and after a break never
/// gets the others.
#[tokio::test]
async fn events_that_share_a_place_all_arrive() {
    let world = World::start().await;
    let same = |number| super::content::update(&world, number, "Equal");
    let sink = MemorySink::from_start(&world);
    let user = world.org.user("admin").unwrap().user_id;
    world.publish(0..3);
    super::content::one_transaction(&world, &user, vec![same(10), same(11), same(12)]);
    // The merged change is split, and the stream breaks between its parts.
    strike(&world, FaultAction::SplitDelivery, 1, 1);
    strike(&world, FaultAction::StreamError { grpc_status: 14, code: "x".into(), message: None }, 1, 1);
    let client = world.client();
    let running = Running::start(client.clone(), &sink, LEADS);
    world.publish(3..4);
    until("all are recorded", || sink.record_count() >= 7).await;
    running.stop().await;
    let mut ids = sink.record_ids(&client).await;
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 7, "{ids:?}");
}

/// Naive: fails on an event without a replay id, or drops it.
#[tokio::test]
async fn events_without_a_place_are_kept() {
    let world = World::start().await;
    strike(&world, FaultAction::OmitReplayId, 1, 2);
    all_arrive_in_order(&world, 500).await;
    assert!(met(StreamMode::PlaceMissing) >= 1);
}

/// Naive: resumes on a stream that has nothing to do with the stored place, or asks for it for ever.
#[tokio::test]
async fn a_stream_that_starts_anew_is_told_and_read_from_now_on() {
    let world = World::start().await;
    let sink = MemorySink::from_start(&world);
    let running = Running::start(world.client(), &sink, LEADS);
    world.publish(0..50);
    until("the first are recorded", || sink.record_count() == 50).await;
    world.org.reset_stream(None);
    until("the new stream is open", || sink.latest.load(Ordering::SeqCst) >= 1).await;
    world.publish(50..60);
    until("new events are recorded", || sink.record_count() == 60).await;
    running.stop().await;
    assert_eq!(*sink.resets.lock().unwrap(), ["subscription.fetch.replayid.corrupted"]);
}

/// Naive: goes away at the limit, or starts anew at the newest event.
#[tokio::test]
async fn a_delivery_limit_is_waited_out() {
    let clock = Clock::adjustable();
    let limited = Settings { daily_event_deliveries: 100, ..Settings::default() };
    let world = World::at(clock.clone(), limited).await;
    let sink = MemorySink::from_start(&world);
    let client = world.client();
    let running = Running::start(client.clone(), &sink, LEADS);
    world.publish(0..150);
    until("the limit is met", || running.health.snapshot().failure_code == Some("pubsub-limit-reached"))
        .await;
    assert!(sink.record_count() <= 100);
    clock.advance(Duration::from_secs(25 * 3_600));
    until("the rest is recorded", || sink.record_count() == 150).await;
    running.stop().await;
    assert_eq!(sink.record_ids(&client).await, expected(150));
    assert!(met(StreamMode::LimitReached) >= 1);
}

/// Naive: whoever commits last wins, so an old listener moves the place back.
#[tokio::test]
async fn a_listener_that_lost_the_lead_moves_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let open = || {
        let org_id = "00D000000000001EAA".to_owned();
        Ledger::open(OpenOptions { place: path.clone().into(), org_id, clock: Clock::system(), create: true })
    };
    let batch = |place: &str| RecordedBatch {
        topic: LEADS.to_owned(),
        replay_id: Some(place.as_bytes().to_vec()),
        responses: vec![RawResponse {
            bytes: b"raw".to_vec().into(),
            events: 1,
            rpc_id: String::new(),
            received_at: Clock::system().now(),
        }],
    };
    let (old, new) = (open().await.unwrap(), open().await.unwrap());
    old.lead("old", &Digest::of_bytes(b"policy")).await.unwrap();
    let late = Recorder::new(old.clone(), Clock::system(), Waker::default());
    late.record(batch("5")).await.unwrap();
    new.lead("new", &Digest::of_bytes(b"policy")).await.unwrap();
    let recorder = Recorder::new(new.clone(), Clock::system(), Waker::default());
    recorder.record(batch("9")).await.unwrap();
    let refused = late.record(batch("6")).await.unwrap_err();
    assert_eq!(refused.code(), "ledger-fenced");
    assert_eq!(new.replay_id(LEADS).await.unwrap().as_deref(), Some(&b"9"[..]));
}
