//! A daemon that comes back after a long silence: nothing runs by itself until a person says so.

use countersign::{
    clock::Clock,
    domain::alarm::Looked,
    ledger::{Ledger, OpenOptions, Place},
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    databases::over_both,
    processes::countersign,
};

const WORKING: &str = "Working - Contacted";

/// Makes the daemon's last sign of life two days old.
async fn silent_for_two_days(world: &World) {
    let place = Place::parse(&world.ledger()).unwrap();
    let org_id = Ledger::open_read_only(&place).await.unwrap().org_id().to_owned();
    let clock = Clock::system();
    let options = OpenOptions { place, org_id, clock: clock.clone(), create: false };
    let ledger = Ledger::open(options).await.unwrap();
    let at = clock.now() - SignedDuration::from_hours(49);
    let mut tx = ledger.begin("test").await.unwrap();
    tx.note_looked(&Looked { at, alarms: Vec::new() }).await.unwrap();
    tx.commit().await.unwrap();
    ledger.close().await.unwrap();
}

/// An agent proposes what policy and org let run by itself.
fn proposes(world: &World, lead: &str, id: &str) {
    let body = json!({ "proposal_id": id, "object": "Lead", "record_id": lead,
        "patch": { "Status": WORKING }, "confidence": 0.95,
        "evaluated_at": Clock::system().now().to_string() });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert!(code == 0 || code == 4, "{out}{err}");
}

async fn source(world: &World, lead: &str) -> Value {
    let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Lead/{lead}"), None).await;
    row["Lead_Status_Change_Source__c"].clone()
}

async fn who_was_silent_asks_people_until_one_of_them_says_go_on() {
    let mut world = World::start();
    world.org.control("/__settings", json!({ "field": "Lead_Status_Auto__c", "on": true })).await;
    world.kill();
    world.set("[watch]\nevery_seconds = 1\ndisk_free_mb = 0\n");
    world.restart();
    let (before, during, after) =
        (world.lead("Amy").await, world.lead("Ben").await, world.lead("Cleo").await);
    proposes(&world, &before, "silence:before");
    world.wait_stage("silence:before", "promoted").await;
    assert_eq!(source(&world, &before).await, "AI Auto");
    world.stop();
    silent_for_two_days(&world).await;

    world.restart();
    proposes(&world, &during, "silence:during");
    world.wait_stage("silence:during", "awaiting-approval").await;
    assert!(world.story("silence:during").contains("frozen-automatic"), "{}", world.story("silence:during"));
    let (code, out, err) = countersign(&["watch", "--json", "--config", &world.config], None);
    let told: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let row = told["watchdogs"].as_array().unwrap().iter().find(|row| row["code"] == "review-only").unwrap();
    assert_eq!((code, text(&row["state"])), (1, "alarm"), "{told:#}");

    // What a person approves goes through.
    let fields = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "silence:during",
        "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("reviewer", "Lead", &during, fields).await.0, 204);
    world.wait_stage("silence:during", "promoted").await;
    assert_eq!(source(&world, &during).await, "AI Proposal");

    let lift = ["unfreeze", "automatic", "--by", "Olivia Example", "--config", &world.config];
    let (code, out, err) = countersign(&lift, None);
    assert_eq!(code, 0, "{out}{err}");
    // It is lifted for good, also for the next daemon.
    world.kill();
    world.restart();
    proposes(&world, &after, "silence:after");
    world.wait_stage("silence:after", "promoted").await;
    assert_eq!(source(&world, &after).await, "AI Auto");
    world.stop();
    world.over_ledger(&["verify"]);
    let told: Value = serde_json::from_str(&world.over_ledger(&["replay", "--json"])).unwrap();
    assert_eq!((&told["same"], &told["differing"]), (&told["replayed"], &json!(0)), "{told}");
}

over_both!(who_was_silent_asks_people_until_one_of_them_says_go_on);
