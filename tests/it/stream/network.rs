//! Rows 1 to 9, 22, 23, 25 and 26 of the table of failure modes: tokens, connections and credit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use countersign::{
    salesforce::pubsub::PubSubClient,
    simulator::{Fault, FaultAction, FaultPoint, Settings},
    telemetry::stream::StreamMode,
};
use tokio::net::{TcpListener, TcpStream};

use super::{
    faults::{all_arrive_in_order, expected, strike},
    world::{LEADS, MemorySink, Running, World, met, until},
};

/// Naive: the client keeps the token that was refused, and is refused for ever.
#[tokio::test]
async fn each_refused_token_is_replaced() {
    let world = World::start().await;
    strike(&world, FaultAction::ExpireToken, 1, 3);
    let tokens = world.tokens("admin");
    let client = PubSubClient::connect(world.settings(), tokens.clone()).unwrap();
    let sink = MemorySink::from_start(&world);
    let running = Running::start(client.clone(), &sink, LEADS);
    world.publish(0..600);
    until("everything is recorded", || sink.record_count() >= 600).await;
    running.stop().await;
    assert_eq!(sink.record_ids(&client).await, expected(600));
    assert_eq!(tokens.logins.load(Ordering::SeqCst), 4);
    assert!(met(StreamMode::TokenRefused) >= 3);
}

/// Naive: the failed login is remembered as a token, or a refused one ends the daemon.
#[tokio::test]
async fn a_login_that_failed_is_tried_again() {
    for retryable in [false, true] {
        let world = World::start().await;
        let tokens = world.tokens("admin");
        tokens.refused.store(4, Ordering::SeqCst);
        tokens.retryable.store(retryable, Ordering::SeqCst);
        let client = PubSubClient::connect(world.settings(), tokens).unwrap();
        let sink = MemorySink::from_start(&world);
        let running = Running::start(client, &sink, LEADS);
        world.publish(0..10);
        until("everything is recorded", || sink.record_count() == 10).await;
        assert!(running.health.snapshot().failures >= 4);
        running.stop().await;
    }
    assert!(met(StreamMode::LoginFailed) >= 8);
}

/// Naive: waits on a dead connection for ever. Pings find it. That the server still holds the old
/// stream locks nobody out: the place is ours, not a managed subscription's.
#[tokio::test]
async fn a_half_open_connection_is_found_and_locks_nobody_out() {
    let world = World::start().await;
    strike(&world, FaultAction::HalfOpen, 1, 1);
    let mut settings = world.settings();
    (settings.ping_every, settings.ping_timeout) = (Duration::from_millis(200), Duration::from_millis(300));
    settings.silence_limit = Duration::from_secs(3_600);
    let client = PubSubClient::connect(settings, world.tokens("admin")).unwrap();
    let sink = MemorySink::from_start(&world);
    let running = Running::start(client.clone(), &sink, LEADS);
    world.publish(0..300);
    until("everything is recorded", || sink.record_count() >= 300).await;
    running.stop().await;
    assert_eq!(sink.record_ids(&client).await, expected(300));
    assert!(met(StreamMode::ConnectionLost) >= 1);
    let stats = world.org.stats();
    assert!(!stats.rpcs.contains_key("ManagedSubscribe"), "{:?}", stats.rpcs);
}

/// Naive: takes an end without a status for a good end, and stops reading.
#[tokio::test]
async fn every_way_to_lose_a_stream_is_survived() {
    for action in [
        FaultAction::ResetFrame { error_code: 0 },
        FaultAction::ResetFrame { error_code: 2 },
        FaultAction::GoAway,
        FaultAction::StreamCut,
        FaultAction::StreamReset,
    ] {
        let world = World::start().await;
        strike(&world, action.clone(), 1, 2);
        all_arrive_in_order(&world, 900).await;
        assert!(world.org.faults().armed().is_empty(), "{action:?} struck");
    }
}

/// Naive: opens a stream on the error and another one on the end, and reads everything twice.
#[tokio::test]
async fn there_is_one_stream_at_any_time() {
    let world = World::start().await;
    strike(&world, FaultAction::ServiceUnavailable, 1, 4);
    let sink = MemorySink::from_start(&world);
    let running = Running::start(world.client(), &sink, LEADS);
    world.publish(0..1_000);
    until("everything is recorded", || sink.record_count() >= 1_000).await;
    running.stop().await;
    assert_eq!(world.org.stats().streams_most, 1);
    assert!(sink.events() <= 1_004, "one event again for each broken stream: {}", sink.events());
}

/// Naive: starts at the newest event after the service was away, and loses what came meanwhile.
#[tokio::test]
async fn what_happens_while_the_service_is_away_is_read_after_it() {
    let world = World::start().await;
    let sink = MemorySink::from_start(&world);
    let client = world.client();
    let running = Running::start(client.clone(), &sink, LEADS);
    world.publish(0..10);
    until("the first are recorded", || sink.record_count() == 10).await;
    strike(&world, FaultAction::ServiceUnavailable, 0, 1);
    let away = Fault::once(FaultPoint::StreamOpen, FaultAction::ServiceUnavailable);
    world.org.faults().arm(Fault { count: Some(5), ..away });
    world.publish(10..40);
    until("the rest is recorded", || sink.record_count() == 40).await;
    running.stop().await;
    assert_eq!(sink.record_ids(&client).await, expected(40));
    assert!(!world.org.stats().rpcs.contains_key("Subscribe LATEST"), "{:?}", world.org.stats().rpcs);
}

/// Naive: asks for events once; the service closes the stream when they are delivered.
#[tokio::test]
async fn more_is_asked_for_in_time() {
    let world = World::with(Settings { idle_close_seconds: 1, ..Settings::default() }).await;
    let sink = MemorySink::from_start(&world);
    let running = Running::start(world.client(), &sink, LEADS);
    world.publish(0..250);
    until("more than one credit is recorded", || sink.record_count() == 250).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    world.publish(250..260);
    until("the rest is recorded", || sink.record_count() == 260).await;
    assert_eq!(running.health.snapshot().failures, 0, "the stream was never closed");
    running.stop().await;
}

/// Naive: handles events in the loop that reads; a slow or hanging store makes it deaf, nothing is
/// asked for, and the service closes the stream.
#[tokio::test]
async fn a_slow_store_does_not_close_the_stream() {
    let world = World::with(Settings { idle_close_seconds: 1, ..Settings::default() }).await;
    let sink = MemorySink::from_start(&world);
    *sink.slow.lock().unwrap() = Duration::from_millis(2_500);
    let running = Running::start(world.client(), &sink, LEADS);
    world.publish(0..400);
    until("everything is recorded", || sink.record_count() == 400).await;
    let health = running.health.snapshot();
    assert_eq!((health.failures, health.events_received), (0, 400));
    running.stop().await;
}

/// Naive: tries again with the session that the service calls illegal.
#[tokio::test]
async fn an_illegal_session_means_a_new_login() {
    let world = World::start().await;
    let illegal = FaultAction::StreamError {
        grpc_status: 13,
        code: "subscription.internal.error".into(),
        message: Some("Illegal Session".into()),
    };
    strike(&world, illegal, 0, 1);
    let tokens = world.tokens("admin");
    let client = PubSubClient::connect(world.settings(), tokens.clone()).unwrap();
    let sink = MemorySink::from_start(&world);
    let running = Running::start(client, &sink, LEADS);
    world.publish(0..10);
    until("everything is recorded", || sink.record_count() == 10).await;
    running.stop().await;
    assert_eq!(tokens.logins.load(Ordering::SeqCst), 2);
}

/// Naive: gives up, or starts anew at the newest event, after a laptop slept or a network was away.
#[tokio::test]
async fn a_network_that_was_away_costs_nothing() {
    let world = World::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let up = Arc::new(AtomicBool::new(true));
    let (inside, target) = (Arc::clone(&up), world.endpoint.trim_start_matches("http://").to_owned());
    // A network: while it is down, what is open breaks, and nothing new is let through.
    let network = tokio::spawn(async move {
        loop {
            let (mut outer, _) = listener.accept().await.unwrap();
            let (inside, target) = (Arc::clone(&inside), target.clone());
            tokio::spawn(async move {
                let down = async {
                    while inside.load(Ordering::SeqCst) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                };
                let through = async {
                    let mut inner = TcpStream::connect(&target).await.unwrap();
                    drop(tokio::io::copy_bidirectional(&mut outer, &mut inner).await);
                };
                tokio::select! { biased; () = down => {}, () = through => {} }
            });
        }
    });
    let mut settings = world.settings();
    settings.endpoint = format!("http://{address}");
    let client = PubSubClient::connect(settings, world.tokens("admin")).unwrap();
    let sink = MemorySink::from_start(&world);
    let running = Running::start(client.clone(), &sink, LEADS);
    world.publish(0..100);
    until("the first are recorded", || sink.record_count() == 100).await;
    up.store(false, Ordering::SeqCst);
    world.publish(100..200);
    until("several attempts fail", || running.health.snapshot().failures >= 5).await;
    up.store(true, Ordering::SeqCst);
    until("the rest is recorded", || sink.record_count() == 200).await;
    running.stop().await;
    assert_eq!(sink.record_ids(&client).await, expected(200));
    network.abort();
    assert!(sink.resets.lock().unwrap().is_empty() && met(StreamMode::ConnectionLost) >= 1);
}
