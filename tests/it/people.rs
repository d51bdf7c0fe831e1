//! What people do beside approving: edit a proposal, hold a record, let a proposal end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::{countersign, eventually},
};

const LONG: Duration = Duration::from_secs(30);

async fn propose(world: &World, id: &str, record: &str, more: Value) {
    let mut body = json!({ "proposal_id": id, "object": "Opportunity", "record_id": record,
        "patch": { "StageName": "Qualification" }, "confidence": 0.9 });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "waits for a person: {out}{err}");
    world.wait_stage(id, "awaiting-approval").await;
}

async fn an_edited_proposal_is_promoted_as_the_reviewers_own() {
    let world = World::start();
    let deals = world.opportunities().await;
    let id = text(&deals[0]["Id"]);
    propose(&world, "edit:1", id, json!({})).await;
    // One save by the reviewer: another value, a new id, and the decision on it.
    let edit = json!({ "AI_Proposal_ID__c": "edit:1~081500", "AI_Edited_From__c": "edit:1",
        "AI_Recommended_Stage__c": "Needs Analysis", "AI_Decision__c": "Approved",
        "AI_Decision_Proposal_ID__c": "edit:1~081500", "AI_Gate_Pending__c": true });
    let (status, reply) = world.patch("reviewer", "Opportunity", id, edit).await;
    assert_eq!(status, 204, "{reply}");
    world.wait_stage("edit:1~081500", "promoted").await;
    world.wait_stage("edit:1", "superseded").await;
    let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Opportunity/{id}"), None).await;
    assert_eq!(row["StageName"], "Needs Analysis");
    assert_eq!(row["AI_Promoted_Proposal_ID__c"], "edit:1~081500");
    let reviewer = world.org.text("/users/reviewer/user_id");
    let story = world.story("edit:1~081500");
    assert!(story.contains(&format!("edited from edit:1 by {reviewer}")), "{story}");
    assert!(story.contains(&format!("approved by {reviewer}")), "{story}");
    assert!(
        world.story("edit:1").contains("superseded (edited as edit:1~081500)"),
        "{}",
        world.story("edit:1")
    );
}

async fn a_record_on_hold_takes_no_proposal() {
    let world = World::start();
    let deals = world.opportunities().await;
    let (before, after) = (text(&deals[0]["Id"]), text(&deals[1]["Id"]));
    let hold =
        json!({ "AI_Hold_Until__c": "2999-12-31", "AI_Hold_Reason__c": "I am on the phone with them" });

    // On hold already: refused by command, and nothing reaches the record.
    assert_eq!(world.patch("reviewer", "Opportunity", before, hold.clone()).await.0, 204);
    let body = json!({ "proposal_id": "hold:before", "object": "Opportunity", "record_id": before,
        "patch": { "StageName": "Qualification" }, "confidence": 0.9 });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 3, "{out}{err}");
    assert!(out.contains("manual-override"), "{out}");

    // On hold after the proposal: the approval changes nothing any more.
    propose(&world, "hold:after", after, json!({})).await;
    assert_eq!(world.patch("reviewer", "Opportunity", after, hold).await.0, 204);
    let decision = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "hold:after",
        "AI_Gate_Pending__c": true });
    world.patch("reviewer", "Opportunity", after, decision).await;
    world.wait_stage("hold:after", "refused").await;
    eventually("the record is told", LONG, || async {
        world.outcome("Opportunity", after).await.contains("manual-override")
    })
    .await;
    let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Opportunity/{after}"), None).await;
    assert_eq!(row["StageName"], "Prospecting");
}

async fn a_proposal_ends_when_its_proposer_said() {
    let world = World::start();
    let deals = world.opportunities().await;
    let id = text(&deals[0]["Id"]);
    let soon = countersign::clock::Clock::system().now() + jiff::SignedDuration::from_secs(4);
    propose(
        &world,
        "end:1",
        id,
        json!({ "expires_at": soon.to_string(),
        "evidence": [{ "kind": "reply", "source": "mailbox", "occurred_at": "2026-05-01T06:58:00Z" }] }),
    )
    .await;
    let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Opportunity/{id}"), None).await;
    assert_eq!(row["AI_Proposal_Evidence__c"], "2026-05-01T06:58:00Z reply (mailbox)");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let decision = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "end:1",
        "AI_Gate_Pending__c": true });
    let (status, reply) = world.patch("reviewer", "Opportunity", id, decision).await;
    assert_eq!(status, 400, "the org refuses a late approval: {reply}");
    assert!(reply.to_string().contains("AI_GATE_14"), "{reply}");
    let (code, out, _) = countersign(&["explain", "AI_GATE_14"], None);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("AI_Proposal_Expires_At__c"), "{out}");
}

async fn an_approval_of_another_value_that_was_put_back_is_asked_for_again() {
    let mut world = World::start();
    let deals = world.opportunities().await;
    let id = text(&deals[0]["Id"]).to_owned();
    propose(&world, "back:1", &id, json!({})).await;
    world.kill();
    // While nobody listens the stage moves, is approved as it then stands, and is put back.
    let decide = || json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "back:1", "AI_Gate_Pending__c": true });
    let steps = [
        ("outsider", json!({ "StageName": "Needs Analysis" })),
        ("reviewer", decide()),
        ("outsider", json!({ "StageName": "Prospecting" })),
    ];
    for (who, fields) in steps {
        let (status, reply) = world.patch(who, "Opportunity", &id, fields).await;
        assert_eq!(status, 204, "{who}: {reply}");
    }
    world.restart();
    eventually("the decision is asked for again", LONG, || async {
        world.story("back:1").contains("base-unproven")
    })
    .await;
    assert_eq!(world.stage("back:1"), "awaiting-approval");
    let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Opportunity/{id}"), None).await;
    assert_eq!(row["StageName"], "Prospecting", "nothing was promoted over a value that nobody approved");

    // A decision on what is there now counts.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let (status, reply) =
        world.patch("reviewer", "Opportunity", &id, json!({ "AI_Decision__c": "Pending" })).await;
    assert_eq!(status, 204, "{reply}");
    assert_eq!(world.patch("reviewer", "Opportunity", &id, decide()).await.0, 204);
    world.wait_stage("back:1", "promoted").await;
    world.over_ledger(&["verify"]);
}

crate::databases::over_both!(
    an_edited_proposal_is_promoted_as_the_reviewers_own,
    a_record_on_hold_takes_no_proposal,
    a_proposal_ends_when_its_proposer_said,
    an_approval_of_another_value_that_was_put_back_is_asked_for_again
);
