//! What the org will not take, under a running daemon: converted leads and values that a record
//! type lacks. What was open ends, and nobody tries again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::eventually,
};

const LONG: Duration = Duration::from_secs(30);

async fn lead(world: &World) -> String {
    let leads = world.org.query("SELECT Id FROM Lead WHERE Status = 'Open - Not Contacted' LIMIT 1").await;
    text(&leads[0]["Id"]).to_owned()
}

/// Proposes a status and waits until it is a person's turn.
async fn proposed(world: &World, id: &str, proposal: &str) {
    let fields = json!({ "AI_Proposal_ID__c": proposal, "AI_Recommended_Status__c": "Working - Contacted",
        "AI_Status_Confidence__c": 0.6, "AI_Requires_Review__c": true, "AI_Gate_Pending__c": true });
    let (status, reply) = world.patch("proposer", "Lead", id, fields).await;
    assert_eq!(status, 204, "{reply}");
    world.wait_stage(proposal, "awaiting-approval").await;
}

fn approval(proposal: &str) -> Value {
    json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": proposal, "AI_Gate_Pending__c": true })
}

async fn convert(world: &World, id: &str) -> Value {
    world.org.control("/__convert", json!({ "lead": id, "opportunity": true })).await
}

async fn row(world: &World, id: &str) -> Value {
    world.org.call("admin", "GET", &format!("/sobjects/Lead/{id}"), None).await.1
}

/// Entries of the ledger.
fn entries(world: &World) -> u64 {
    let told: Value = serde_json::from_str(&world.over_ledger(&["verify", "--json"])).unwrap();
    told["entries"].as_u64().expect("a count")
}

/// Entries of one proposal's story. A start has others: its own, and those of jobs that were cut off.
fn entries_of(world: &World, proposal: &str) -> usize {
    let whole = world.over_ledger(&["export"]);
    let lines = whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["entry"]["proposal"] == proposal).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_ends_when_its_lead_is_converted() {
    let mut world = World::start();
    world.sweep_often();
    let id = lead(&world).await;
    proposed(&world, &id, "convert:open").await;
    let converted = convert(&world, &id).await;
    assert!(text(&converted["opportunity"]).starts_with("006"), "{converted}");
    world.wait_stage("convert:open", "refused").await;
    assert!(world.over_ledger(&["status"]).contains("refused"), "{}", world.over_ledger(&["status"]));
    let story = world.story("convert:open");
    assert!(story.contains("record-converted"), "{story}");

    let after = row(&world, &id).await;
    assert_eq!((&after["Status"], &after["IsConverted"]), (&json!("Closed - Converted"), &json!(true)));
    assert_eq!(after["AI_Promotion_Seq__c"].as_f64().unwrap_or(0.0), 0.0, "nothing was promoted");
    // Nothing can be written on the lead, so nothing goes on being tried.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = entries(&world);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(entries(&world), before, "{}", world.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_not_promoted_on_a_converted_lead() {
    let mut world = World::start();
    let id = lead(&world).await;
    proposed(&world, &id, "convert:approved").await;
    world.kill();
    assert_eq!(world.patch("reviewer", "Lead", &id, approval("convert:approved")).await.0, 204);
    convert(&world, &id).await;
    world.restart();
    world.wait_stage("convert:approved", "refused").await;
    assert!(world.story("convert:approved").contains("record-converted"));
    assert_eq!(row(&world, &id).await["Status"], "Closed - Converted");
    world.over_ledger(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_same_where_conversion_runs_no_rules() {
    let settings = json!({ "conversion-is-validated": false, "conversion-event-has-last-modified": true });
    let world = World::with_settings(&settings);
    let id = lead(&world).await;
    proposed(&world, &id, "convert:unvalidated").await;
    convert(&world, &id).await;
    world.wait_stage("convert:unvalidated", "refused").await;
    assert!(world.story("convert:unvalidated").contains("record-converted"));
    assert_eq!(row(&world, &id).await["Lead_Status_Change_Source__c"], Value::Null, "no flow ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_comes_back_does_not_begin_anew() {
    let mut world = World::start();
    let id = lead(&world).await;
    proposed(&world, &id, "convert:again").await;
    convert(&world, &id).await;
    world.wait_stage("convert:again", "refused").await;
    world.kill();
    let before = entries_of(&world, "convert:again");
    assert!(before > 2, "{before}");
    world.restart();
    eventually("it has looked again", LONG, || async { world.said().contains("sweep finished") }).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(entries_of(&world, "convert:again"), before, "{}", world.said());
    assert_eq!(world.stage("convert:again"), "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_record_type_lacks_is_refused_by_the_org_and_not_tried_again() {
    let world = World::start();
    let id = lead(&world).await;
    proposed(&world, &id, "record-type:lacks").await;
    // The simulated org has one record type per object; the refusal is what another would say.
    let said = "bad value for restricted picklist field: Working - Contacted";
    let fault = json!({ "name": "record type", "point": "row", "count": null,
        "match": { "object": "Lead", "username": world.org.text("/users/promoter/username"), "field": "Status" },
        "action": { "kind": "error", "status": 400,
            "code": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "message": said } });
    world.org.control("/__faults", fault).await;
    assert_eq!(world.patch("reviewer", "Lead", &id, approval("record-type:lacks")).await.0, 204);
    world.wait_stage("record-type:lacks", "refused").await;
    eventually("the record says why", LONG, || async {
        world.outcome("Lead", &id).await.contains("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
    })
    .await;
    let story = world.story("record-type:lacks");
    assert!(story.contains("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"), "{story}");
    assert_eq!(row(&world, &id).await["Status"], "Open - Not Contacted");
    assert_eq!(world.org.fired().await, ["record type"], "it is not tried again");
}
