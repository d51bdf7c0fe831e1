//! Batches that are taken apart, rows that wait, and rows that go together.

use std::{collections::BTreeMap, time::Duration};

use countersign::{
    domain::{ObjectName, RecordId},
    salesforce::{RowOutcome, RowWrite},
    simulator::{
        Fault, FaultAction, FaultMatch, FaultPoint, Org, Settings, WriteOp, WriteOptions, WriteRow,
        metadata::Package, seed,
    },
};
use serde_json::json;

use crate::{
    daemon_world::{self, text},
    processes::countersign,
    salesforce_client::{self, proposal},
};

fn poison(world: &salesforce_client::World, id: &RecordId, (status, code): (u16, &str)) {
    let action = FaultAction::Error { status, code: code.to_owned(), message: "x".to_owned() };
    let matcher = FaultMatch { record_id: Some(id.to_string()), ..FaultMatch::default() };
    let fault = Fault { count: None, matcher, ..Fault::once(FaultPoint::Payload, action) };
    world.running.org.faults().arm(fault);
}

/// Naive: a refused payload is every row's refusal.
#[tokio::test]
async fn a_poisoned_batch_is_taken_apart_and_the_rest_lands() {
    let world = salesforce_client::World::start().await;
    let ids: Vec<RecordId> =
        seed::bulk_leads(&world.running.org, 450).iter().map(|id| RecordId::parse(id).unwrap()).collect();
    let rows: Vec<RowWrite> =
        ids.iter().enumerate().map(|(number, id)| proposal(id, &format!("run-{number}"))).collect();
    for bad in [77, 311] {
        poison(&world, &ids[bad], (400, "JSON_PARSER_ERROR"));
    }
    let writer = world.writer("proposer");
    let outcomes = writer.update(&rows).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        match number {
            77 | 311 => assert!(matches!(outcome, RowOutcome::Refused { .. }), "{number}: {outcome:?}"),
            _ => assert_eq!(*outcome, RowOutcome::Done, "{number}"),
        }
    }
    assert!(writer.connection().calls() <= 40, "halves, not rows: {}", writer.connection().calls());
}

/// Naive: one locked row keeps the seven that share its last batch from landing.
#[tokio::test]
async fn a_locked_row_that_fails_its_batch_ends_up_alone() {
    let settings = Settings { locked_row_fails_batch: true, ..Settings::default() };
    let package = Package::embedded().unwrap();
    let world = salesforce_client::World::settled(package, false, settings).await;
    let ids: Vec<RecordId> =
        seed::bulk_leads(&world.running.org, 200).iter().map(|id| RecordId::parse(id).unwrap()).collect();
    let matcher = FaultMatch { record_id: Some(ids[5].to_string()), ..FaultMatch::default() };
    let fault = Fault { count: None, matcher, ..Fault::once(FaultPoint::Row, FaultAction::LockRow) };
    world.running.org.faults().arm(fault);
    let rows: Vec<RowWrite> =
        ids.iter().enumerate().map(|(number, id)| proposal(id, &format!("run-{number}"))).collect();
    let outcomes = world.writer("proposer").update(&rows).await;
    let open: Vec<usize> = (0..200).filter(|number| outcomes[*number] != RowOutcome::Done).collect();
    assert_eq!(open, [5], "{:?}", outcomes[5]);
}

/// One record that the org's admin makes: its id.
fn made(org: &Org, object: &str, fields: serde_json::Value) -> RecordId {
    let serde_json::Value::Object(fields) = fields else { panic!("fields") };
    let row = WriteRow { op: WriteOp::Create, object: object.to_owned(), id: None, fields };
    let result = org.write(&org.user("admin").unwrap(), &WriteOptions::default(), vec![row]).remove(0);
    RecordId::parse(&result.id.unwrap_or_else(|| panic!("{:?}", result.errors))).unwrap()
}

/// Opportunities of two accounts, the one and the other in turn, with the account of each.
fn of_two_accounts(org: &Org) -> BTreeMap<RecordId, RecordId> {
    let account = |name: &str| made(org, "Account", json!({ "Name": name }));
    let accounts = [account("Example Widgets Ltd"), account("Example Gadgets Ltd")];
    let deal = |number: usize| {
        let parent = accounts[number % 2].clone();
        let fields = json!({ "Name": format!("Example deal {number}"), "StageName": "Prospecting",
            "CloseDate": "2027-09-30", "AccountId": parent.as_str() });
        (made(org, "Opportunity", fields), parent)
    };
    (0..6).map(deal).collect()
}

fn next_step(id: &RecordId) -> RowWrite {
    let fields = json!({ "AI_Gate_Pending__c": true, "AI_Proposal_ID__c": "run-1",
        "AI_Recommended_Next_Step__c": "Call", "AI_Proposed_Fields__c": "NextStep",
        "AI_Last_Evaluated_At__c": "2026-11-20T10:00:00.000+0000", "AI_Decision__c": "Pending" });
    let serde_json::Value::Object(fields) = fields else { unreachable!() };
    let object = ObjectName::parse("Opportunity").unwrap();
    RowWrite { object, record: id.clone(), fields: fields.into_iter().collect() }
}

/// Naive: rows in the order of their ids; each collection locks the accounts of the one before.
#[tokio::test]
async fn rows_of_one_parent_go_together() {
    let settings = Settings { parent_lock_millis: 60_000, ..Settings::default() };
    for grouped in [true, false] {
        let package = Package::embedded().unwrap();
        let world = salesforce_client::World::settled(package, false, settings.clone()).await;
        let parents = of_two_accounts(&world.running.org);
        let writes: Vec<RowWrite> = parents.keys().map(next_step).collect();
        // As many rows in a collection as one account has.
        let writer = world.writer("proposer").with_batches(3, 5);
        let known = if grouped { parents } else { BTreeMap::new() };
        let outcomes = writer.update_by_parent(&writes, &known).await;
        let landed = outcomes.iter().filter(|outcome| **outcome == RowOutcome::Done).count();
        match grouped {
            true => assert_eq!(landed, 6, "{outcomes:?}"),
            false => assert_eq!(landed, 3, "without it rows lock each other out: {outcomes:?}"),
        }
    }
}

async fn arm(world: &daemon_world::World, fault: serde_json::Value) {
    world.org.control("/__faults", fault).await;
}

fn entries(world: &daemon_world::World, kind: &str) -> usize {
    let file = world.path(&format!("entries-{kind}.ndjson"));
    let _ = std::fs::remove_file(&file);
    let (code, _, err) = countersign(&["export", "--out", &file, "--ledger", &world.ledger()], None);
    assert_eq!(code, 0, "{err}");
    let lines = std::fs::read_to_string(&file).unwrap();
    lines.lines().filter(|line| line.contains(&format!("\"{kind}\""))).count()
}

/// Naive: refused for good while an approval process holds the record, and told anew at every sweep.
#[tokio::test]
async fn a_locked_record_is_waited_for_and_told_once() {
    let mut world = daemon_world::World::start();
    world.sweep_often();
    let rows = world.opportunities().await;
    let (id, other) = (text(&rows[0]["Id"]), text(&rows[1]["Id"]));
    world.asks(id, ("p-1", "Call on Monday")).await;
    world.asks(other, ("p-2", "Call on Monday")).await;
    let locked = |id: &str| {
        json!({ "point": "row", "match": { "record_id": id, "username": world.org.text("/users/promoter/username") },
            "count": null, "action": { "kind": "error", "status": 400, "code": "ENTITY_IS_LOCKED",
            "message": "the entity is locked for editing" } })
    };
    arm(&world, locked(id)).await;
    arm(&world, locked(other)).await;
    world.decides(id, ("p-1", "Approved"), "approved").await;
    world.decides(other, ("p-2", "Rejected"), "rejected").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.stage("p-1"), "approved");
    assert_eq!(entries(&world, "notice_intended"), 1, "sweeps write no further notice");
    assert_eq!(entries(&world, "promotions_sent"), 1, "it is not sent at each step");
    assert_eq!(world.said().matches("p-2 waits").count(), 1, "told one time");
    world.org.reset("/__faults").await;
    world.wait_stage("p-1", "promoted").await;
    crate::processes::eventually("the notice arrives", Duration::from_secs(30), || async {
        world.outcome("Opportunity", other).await.starts_with("rejected")
    })
    .await;
}

/// Naive: a call that fails for one row's sake is sent again as it is, and nothing of it ever lands.
#[tokio::test]
async fn a_row_that_fails_whole_calls_is_left_alone() {
    let world = daemon_world::World::start();
    let rows = world.opportunities().await;
    let bad = text(&rows[0]["Id"]).to_owned();
    for (number, row) in rows.iter().take(3).enumerate() {
        world.asks(text(&row["Id"]), (&format!("p-{number}"), "Call on Monday")).await;
    }
    arm(
        &world,
        json!({ "point": "payload", "match": { "record_id": bad, "username": world.org.text("/users/promoter/username") },
            "count": null, "action": { "kind": "error", "status": 500, "code": "UNKNOWN_EXCEPTION", "message": "ErrorId: 1" } }),
    )
    .await;
    let approve = |number: usize| {
        json!({ "attributes": { "type": "Opportunity" }, "id": rows[number]["Id"], "AI_Decision__c": "Approved",
            "AI_Decision_Proposal_ID__c": format!("p-{number}"), "AI_Gate_Pending__c": true })
    };
    world.org.collections("reviewer", "PATCH", &[approve(0), approve(1), approve(2)]).await;
    world.wait_stage("p-1", "promoted").await;
    world.wait_stage("p-2", "promoted").await;
    assert_eq!(world.stage("p-0"), "approved");
    world.org.reset("/__faults").await;
    world.wait_stage("p-0", "promoted").await;
}
