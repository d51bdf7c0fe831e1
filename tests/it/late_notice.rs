//! An outcome that was thought lost and arrives late: the org refuses it over a newer proposal.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::eventually,
};

const LONG: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_notice_that_comes_late_hides_no_newer_proposal() {
    let mut world = World::start();
    let id = text(&world.opportunities().await[0]["Id"]).to_owned();
    let row = async |world: &World| {
        world.org.call("admin", "GET", &format!("/sobjects/Opportunity/{id}"), None).await.1
    };
    world.asks(&id, ("late:one", "Call them")).await;
    let rejected = json!({ "AI_Decision__c": "Rejected", "AI_Decision_Proposal_ID__c": "late:one",
        "AI_Rejection_Reason__c": "Wrong Value", "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("reviewer", "Opportunity", &id, rejected).await.0, 204);
    world.wait_stage("late:one", "rejected").await;
    eventually("the record is told", LONG, || async { row(&world).await["AI_Gate_Pending__c"] == false })
        .await;
    let told = row(&world).await;
    assert_eq!(told["AI_Gate_Outcome_Of__c"], "late:one", "{told}");

    // No daemon hears of the next proposal, and then the copy arrives.
    world.stop();
    let next = json!({ "AI_Proposal_ID__c": "late:two", "AI_Recommended_Next_Step__c": "Write to them",
        "AI_Proposal_Confidence__c": 0.9, "AI_Decision__c": "Pending", "AI_Gate_Pending__c": true });
    let (status, reply) = world.patch("proposer", "Opportunity", &id, next).await;
    assert_eq!(status, 204, "{reply}");
    let copy: Value = ["AI_Gate_Pending__c", "AI_Gate_Outcome__c", "AI_Gate_Outcome_Of__c"]
        .map(|field| (field.to_owned(), told[field].clone()))
        .into_iter()
        .collect::<serde_json::Map<_, _>>()
        .into();
    let (status, reply) = world.patch("promoter", "Opportunity", &id, copy).await;
    assert_eq!(status, 400, "{reply}");
    assert!(text(&reply[0]["message"]).starts_with("AI_GATE_22: "), "{reply}");
    assert_eq!(row(&world).await["AI_Gate_Pending__c"], true, "the flag still asks");

    world.restart();
    world.wait_stage("late:two", "awaiting-approval").await;
}
