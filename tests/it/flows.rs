//! A running daemon, and a reviewer who decides through the shipped flows over REST.

use serde_json::{Value, json};

use crate::daemon_world::{World, text};

const REVIEW: &str = "/actions/custom/flow/AI_Opportunity_Review";

/// Proposes a stage by the proposer's own write and waits until it is the reviewer's turn.
async fn proposed(world: &World, proposal: &str) -> String {
    let deals = world.opportunities().await;
    let id = text(&deals[0]["Id"]).to_owned();
    let fields = json!({ "AI_Proposal_ID__c": proposal, "AI_Recommended_Stage__c": "Qualification",
        "AI_Proposed_Fields__c": "StageName", "AI_Proposal_Confidence__c": 0.9, "AI_Gate_Pending__c": true });
    let (status, reply) = world.patch("proposer", "Opportunity", &id, fields).await;
    assert_eq!(status, 204, "{reply}");
    world.wait_stage(proposal, "awaiting-approval").await;
    id
}

/// One call of the review flow as the reviewer; gives the outputs.
async fn call(world: &World, body: Value) -> Value {
    let (status, reply) = world.org.call("reviewer", "POST", REVIEW, Some(body)).await;
    assert_eq!((status, &reply[0]["isSuccess"]), (200, &json!(true)), "{reply}");
    reply[0]["outputValues"].clone()
}

async fn open(world: &World, id: &str) -> Value {
    let at = call(world, json!({ "inputs": [{ "recordId": id }] })).await;
    assert_eq!(at["Flow__InterviewStatus"], "Waiting");
    assert_eq!(at["Flow__Screen"]["name"], "Review", "{at}");
    at
}

async fn next(world: &World, at: &Value, values: Value) -> Value {
    let body = json!({ "interview": at["Flow__InterviewGuid"], "navigation": "NEXT", "values": values });
    call(world, body).await
}

/// What the last screen says.
fn said(at: &Value) -> String {
    assert_eq!(at["Flow__Screen"]["name"], "Result", "{at}");
    at["Flow__Screen"]["fields"][0]["value"].as_str().unwrap_or_default().to_owned()
}

async fn deal(world: &World, id: &str) -> Value {
    world.org.call("admin", "GET", &format!("/sobjects/Opportunity/{id}"), None).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_on_the_screen_is_promoted() {
    let world = World::start();
    let id = proposed(&world, "flow:approve").await;
    let at = open(&world, &id).await;
    let at = next(&world, &at, json!({ "Decision_Choice": "Approve", "Comments": "Go." })).await;
    assert!(said(&at).starts_with("Approved."), "{at}");
    let at = next(&world, &at, json!({})).await;
    assert_eq!(at["Flow__InterviewStatus"], "Finished");
    world.wait_stage("flow:approve", "promoted").await;
    let row = deal(&world, &id).await;
    assert_eq!(
        (&row["StageName"], &row["Previous_Stage__c"]),
        (&json!("Qualification"), &json!("Prospecting"))
    );
    assert_eq!(row["AI_Decision_Comments__c"], "Go.");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edited_value_is_promoted_and_not_the_proposed_one() {
    let world = World::start();
    let id = proposed(&world, "flow:edit").await;
    let at = open(&world, &id).await;
    let at = next(&world, &at, json!({ "Decision_Choice": "EditAndApprove" })).await;
    assert_eq!(at["Flow__Screen"]["name"], "Edit", "{at}");
    let at = next(&world, &at, json!({ "Edit_StageName": "Needs Analysis" })).await;
    let words = said(&at);
    assert!(words.starts_with("Your values are approved"), "{words}");
    let edited = deal(&world, &id).await["AI_Proposal_ID__c"].as_str().unwrap_or_default().to_owned();
    assert!(edited.starts_with("flow:edit~"), "{edited}");
    world.wait_stage(&edited, "promoted").await;
    let row = deal(&world, &id).await;
    assert_eq!(row["StageName"], "Needs Analysis");
    assert_eq!(row["AI_Edited_From__c"], "flow:edit");
    assert_ne!(world.stage("flow:edit"), "promoted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_on_the_screen_ends_the_proposal() {
    let world = World::start();
    let id = proposed(&world, "flow:reject").await;
    let at = open(&world, &id).await;
    let at = next(&world, &at, json!({ "Decision_Choice": "Reject" })).await;
    let at = next(&world, &at, json!({ "Reason_Choice": "Too Early" })).await;
    assert!(said(&at).starts_with("Rejected."), "{at}");
    world.wait_stage("flow:reject", "rejected").await;
    assert_eq!(deal(&world, &id).await["StageName"], "Prospecting");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_on_what_was_seen_before_is_not_taken() {
    let world = World::start();
    let id = proposed(&world, "flow:stale").await;
    let at = open(&world, &id).await;
    let fields = json!({ "AI_Proposal_ID__c": "flow:newer", "AI_Recommended_Stage__c": "Needs Analysis",
        "AI_Proposed_Fields__c": "StageName", "AI_Proposal_Confidence__c": 0.9, "AI_Decision__c": "Pending",
        "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("proposer", "Opportunity", &id, fields).await.0, 204);
    let at = next(&world, &at, json!({ "Decision_Choice": "Approve" })).await;
    assert!(said(&at).starts_with("A newer AI proposal"), "{at}");
    world.wait_stage("flow:newer", "awaiting-approval").await;

    let at = open(&world, &id).await;
    assert_eq!(
        world.patch("admin", "Opportunity", &id, json!({ "StageName": "Perception Analysis" })).await.0,
        204
    );
    let at = next(&world, &at, json!({ "Decision_Choice": "Approve" })).await;
    assert!(said(&at).contains("has changed since you looked"), "{at}");
    let row = deal(&world, &id).await;
    assert_eq!(
        (&row["AI_Decision__c"], &row["StageName"]),
        (&json!("Pending"), &json!("Perception Analysis"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_action_is_described_and_closed_to_others() {
    let world = World::start();
    let id = proposed(&world, "flow:closed").await;
    let (_, list) = world.org.call("reviewer", "GET", "/actions/custom/flow", None).await;
    let names: Vec<&str> = list["actions"].as_array().unwrap().iter().map(|it| text(&it["name"])).collect();
    assert!(names.contains(&"AI_Opportunity_Review") && names.contains(&"AI_Lead_Decide"), "{names:?}");
    assert!(!names.contains(&"AI_Lead_Guard"), "a record starts it: {names:?}");
    let (_, about) =
        world.org.call("reviewer", "GET", "/actions/custom/flow/AI_Opportunity_Decide", None).await;
    let inputs: Vec<&str> = about["inputs"].as_array().unwrap().iter().map(|it| text(&it["name"])).collect();
    assert!(inputs.contains(&"proposalId") && inputs.contains(&"decision"), "{inputs:?}");
    let body = json!({ "inputs": [{ "recordId": id }] });
    for role in ["proposer", "promoter", "outsider"] {
        let (status, reply) = world.org.call(role, "POST", REVIEW, Some(body.clone())).await;
        assert_eq!((status, &reply[0]["isSuccess"]), (400, &json!(false)), "{role}: {reply}");
    }
    let (status, _) = world.org.call("reviewer", "POST", "/actions/custom/flow/Nothing", Some(body)).await;
    assert_eq!(status, 404);
    let (_, actions) = world.org.call("reviewer", "GET", "/sobjects/Opportunity/quickActions", None).await;
    assert!(actions.to_string().contains("AI_Review_Proposal"), "{actions}");
}
