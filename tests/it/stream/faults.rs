//! Broken streams: nothing is lost, nothing loops for ever.

use std::{sync::atomic::Ordering, time::Duration};

use countersign::{
    salesforce::pubsub::PubSubClient,
    simulator::{Fault, FaultAction, FaultPoint, Settings},
};

use super::world::{LEADS, MemorySink, Running, World, record_id, until};

pub fn expected(count: u32) -> Vec<String> {
    (0..count).map(record_id).collect()
}

pub fn strike(world: &World, action: FaultAction, skip: u32, count: u32) {
    let fault = Fault::once(FaultPoint::StreamDelivery, action);
    world.org.faults().arm(Fault { skip, count: Some(count), ..fault });
}

pub async fn all_arrive_in_order(world: &World, count: u32) {
    let sink = MemorySink::from_start(world);
    let client = world.client();
    let running = Running::start(client.clone(), &sink, LEADS);
    world.publish(0..count);
    until("everything is recorded", || sink.record_count() >= count as usize).await;
    running.stop().await;
    assert_eq!(sink.record_ids(&client).await, expected(count));
}

#[tokio::test]
async fn a_reset_stream_goes_on_where_it_was() {
    let world = World::start().await;
    strike(&world, FaultAction::StreamReset, 2, 3);
    all_arrive_in_order(&world, 1_500).await;
    assert!(world.org.faults().armed().is_empty(), "the fault struck");
}

#[tokio::test]
async fn an_unavailable_service_is_tried_again() {
    let world = World::start().await;
    strike(&world, FaultAction::ServiceUnavailable, 1, 2);
    world.org.faults().arm(Fault {
        skip: 1,
        count: Some(3),
        ..Fault::once(FaultPoint::StreamOpen, FaultAction::ServiceUnavailable)
    });
    all_arrive_in_order(&world, 700).await;
}

#[tokio::test]
async fn an_expired_token_means_a_new_login() {
    let world = World::start().await;
    strike(&world, FaultAction::ExpireToken, 1, 1);
    let tokens = world.tokens("admin");
    let client = PubSubClient::connect(world.settings(), tokens.clone()).unwrap();
    let sink = MemorySink::from_start(&world);
    let running = Running::start(client.clone(), &sink, LEADS);
    world.publish(0..600);
    until("everything is recorded", || sink.record_count() >= 600).await;
    running.stop().await;
    assert_eq!(sink.record_ids(&client).await, expected(600));
    assert_eq!(tokens.logins.load(Ordering::SeqCst), 2, "one login at first and one after the refusal");
}

#[tokio::test]
async fn a_silent_stream_is_given_up() {
    let world = World::start().await;
    strike(&world, FaultAction::StreamStall { millis: None }, 1, 1);
    let mut settings = world.settings();
    settings.silence_limit = Duration::from_secs(1);
    let client = PubSubClient::connect(settings, world.tokens("admin")).unwrap();
    let sink = MemorySink::from_start(&world);
    let running = Running::start(client.clone(), &sink, LEADS);
    world.publish(0..300);
    until("everything is recorded", || sink.record_count() >= 300).await;
    assert!(running.health.snapshot().failures >= 1);
    running.stop().await;
    assert_eq!(sink.record_ids(&client).await, expected(300));
}

#[tokio::test]
async fn a_refused_place_is_reported_once_and_reading_starts_anew() {
    let world = World::start().await;
    let sink = MemorySink::from_start(&world);
    *sink.place.lock().unwrap() = Some(b"not-a-place".to_vec());
    let client = world.client();
    let running = Running::start(client.clone(), &sink, LEADS);
    until("the stream starts at the newest event", || sink.latest.load(Ordering::SeqCst) == 1).await;
    world.publish(0..10);
    until("new events are recorded", || sink.record_count() >= 10).await;
    assert_eq!(*sink.resets.lock().unwrap(), ["subscription.fetch.replayid.corrupted"]);
    // Told when the stream was open, and again at its first word.
    assert_eq!(sink.latest.load(Ordering::SeqCst), 2);
    assert!(world.org.stats().rpcs["Subscribe"] <= 3, "no loop: {:?}", world.org.stats().rpcs);
    running.stop().await;
    assert_eq!(sink.record_ids(&client).await, expected(10));
}

#[tokio::test]
async fn a_failing_store_loses_nothing() {
    let world = World::start().await;
    let sink = MemorySink::from_start(&world);
    sink.failing.store(3, Ordering::SeqCst);
    let client = world.client();
    let running = Running::start(client.clone(), &sink, LEADS);
    world.publish(0..400);
    until("everything is recorded", || sink.record_count() >= 400).await;
    running.stop().await;
    assert_eq!(sink.record_ids(&client).await, expected(400));
}

#[tokio::test]
async fn a_slow_store_bounds_what_is_read_ahead() {
    let world = World::start().await;
    let mut settings = world.settings();
    settings.queue_events = 250;
    let client = PubSubClient::connect(settings, world.tokens("admin")).unwrap();
    let sink = MemorySink::from_start(&world);
    *sink.slow.lock().unwrap() = Duration::from_secs(600);
    let running = Running::start(client, &sink, LEADS);
    world.publish(0..5_000);
    tokio::time::sleep(Duration::from_millis(700)).await;
    let delivered = world.org.stats().deliveries;
    assert!(delivered >= 250, "reading goes on while the store is busy: {delivered}");
    // The first commit holds what was taken from the queue before the store became busy.
    assert!(delivered <= 1_000, "and stops when the queue is full: {delivered}");
    drop(running);
}

#[tokio::test]
async fn a_second_delivery_has_another_place_and_the_same_transaction() {
    let world = World::start().await;
    strike(&world, FaultAction::DuplicateDelivery, 0, 1);
    let sink = MemorySink::from_start(&world);
    let client = world.client();
    world.publish(0..1);
    let running = Running::start(client.clone(), &sink, LEADS);
    until("both are recorded", || sink.events() == 2).await;
    running.stop().await;
    let bytes = sink.responses.lock().unwrap()[0].bytes.clone();
    let events = client.read_response(bytes).await.unwrap();
    assert_ne!(events[0].replay_id, events[1].replay_id);
    assert_eq!(events[0].change, events[1].change);
}

#[tokio::test]
async fn keepalives_move_the_place_of_a_quiet_topic() {
    let world = World::with(Settings { keepalive_seconds: 1, ..Settings::default() }).await;
    let sink = MemorySink::from_start(&world);
    let running = Running::start(world.client(), &sink, "/data/AccountChangeEvent");
    world.publish(0..5);
    let tip = world.org.tip();
    let place = || sink.place.lock().unwrap().as_ref().map(|place| place[..8].to_vec());
    until("the place is the org's newest", || place() == Some(tip.to_be_bytes().to_vec())).await;
    assert_eq!(sink.events(), 0);
    assert!(running.health.snapshot().last_response_at.is_some());
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_topic_is_named_and_not_hammered() {
    let world = World::start().await;
    let sink = MemorySink::from_start(&world);
    let running = Running::start(world.client(), &sink, "/data/NoSuchChangeEvent");
    until("the failure shows", || running.health.snapshot().failure_code == Some("pubsub-topic-refused"))
        .await;
    assert!(!running.health.snapshot().connected);
    running.stop().await;
}
