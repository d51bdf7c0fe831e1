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

/// Switches on what runs by itself for leads, and lets the org ask for a heartbeat.
async fn ask_for_a_heartbeat(world: &World) {
    let value = |field: &str, kind: &str, value: &str| {
        format!("<values><field>{field}</field><value xsi:type=\"xsd:{kind}\">{value}</value></values>")
    };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CustomMetadata xmlns=\"http://soap.sforce.com/2006/04/metadata\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\
         <label>Default</label><protected>false</protected>{}{}</CustomMetadata>\n",
        value("Lead_Status_Auto__c", "boolean", "true"),
        value("Silent_Hours__c", "double", "24"),
    );
    let file = "customMetadata/AI_Gate_Setting.Default.md";
    world.org.deploy(&[("CustomMetadata", "AI_Gate_Setting.Default", file, &text)]).await;
}

/// When the daemon's user was last heard of, as the org has it.
async fn heard(world: &World) -> Value {
    let user = world.org.text("/users/promoter/user_id");
    world.org.query(&format!("SELECT AI_Heartbeat_At__c FROM User WHERE Id = '{user}'")).await[0]["AI_Heartbeat_At__c"].clone()
}

async fn the_org_lets_nothing_run_by_itself_while_the_daemon_is_silent() {
    let mut world = World::start();
    world.kill();
    ask_for_a_heartbeat(&world).await;
    world.restart();
    let (unheard, approved, after) =
        (world.lead("Amy").await, world.lead("Ben").await, world.lead("Cleo").await);
    // The gate lets it through, the org does not.
    proposes(&world, &unheard, "silence:unheard");
    world.wait_stage("silence:unheard", "stale").await;
    assert!(world.story("silence:unheard").contains("AI_GATE_23"), "{}", world.story("silence:unheard"));
    assert_eq!(source(&world, &unheard).await, Value::Null);
    assert_eq!(heard(&world).await, Value::Null);
    // A person's approval goes through.
    let body = json!({ "proposal_id": "silence:approved", "object": "Lead", "record_id": approved,
        "patch": { "Status": WORKING }, "confidence": 0.7 });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "{out}{err}");
    world.wait_stage("silence:approved", "awaiting-approval").await;
    let fields = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "silence:approved",
        "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("reviewer", "Lead", &approved, fields).await.0, 204);
    world.wait_stage("silence:approved", "promoted").await;

    nobody_else_beats(&world).await;
    world.kill();
    world.set("[heartbeat]\nevery_minutes = 1\n");
    world.restart();
    proposes(&world, &after, "silence:heard");
    world.wait_stage("silence:heard", "promoted").await;
    assert!(heard(&world).await.is_string(), "the first one goes out before anything is promoted");
    world.stop();
    world.over_ledger(&["verify"]);
    let export = world.over_ledger(&["export"]);
    let told = |kind: &str| export.lines().filter(|line| line.contains(kind)).count();
    assert_eq!(
        (told("heartbeat_intended"), told("heartbeat_settled")),
        (1, 1),
        "intended before, settled after"
    );
}

/// Not the other roles on their own users, not the promoter on another user or in another field.
async fn nobody_else_beats(world: &World) {
    let beat = json!({ "AI_Heartbeat_At__c": "2026-01-01T00:00:00Z" });
    let promoter = world.org.text("/users/promoter/user_id");
    for role in ["proposer", "reviewer", "breaker", "outsider"] {
        let own = world.org.text(&format!("/users/{role}/user_id"));
        for user in [&own, &promoter] {
            let (status, said) = world.patch(role, "User", user, beat.clone()).await;
            assert!((400..500).contains(&status), "{role}: {status} {said}");
        }
    }
    let reviewer = world.org.text("/users/reviewer/user_id");
    for (user, fields) in [(&reviewer, beat), (&promoter, json!({ "Username": "another@example.com" }))] {
        let (status, said) = world.patch("promoter", "User", user, fields).await;
        assert!((400..500).contains(&status), "{status} {said}");
    }
    assert_eq!(heard(world).await, Value::Null);
}

async fn a_heartbeat_that_the_org_refuses_is_told_and_holds_nothing_up() {
    let mut world = World::with_settings(&json!({ "users-edit-themselves": false }));
    world.org.control("/__settings", json!({ "field": "Lead_Status_Auto__c", "on": true })).await;
    world.kill();
    world.set("[heartbeat]\nevery_minutes = 1\n[watch]\ndisk_free_mb = 0\n");
    world.restart();
    let lead = world.lead("Amy").await;
    proposes(&world, &lead, "silence:refused");
    world.wait_stage("silence:refused", "promoted").await;
    assert!(world.said().contains("code=heartbeat-refused"), "{}", world.said());
    let (_, out, err) = countersign(&["watch", "--json", "--config", &world.config], None);
    let told: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let row =
        told["watchdogs"].as_array().unwrap().iter().find(|row| row["code"] == "heartbeat-late").unwrap();
    assert_eq!(text(&row["state"]), "alarm", "{told:#}");
}

over_both!(
    who_was_silent_asks_people_until_one_of_them_says_go_on,
    the_org_lets_nothing_run_by_itself_while_the_daemon_is_silent,
    a_heartbeat_that_the_org_refuses_is_told_and_holds_nothing_up
);
