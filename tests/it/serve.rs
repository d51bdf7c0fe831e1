//! The daemon as its users run it: two doors end in the same place, bad input is refused with
//! a code, and the rest keeps being served.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::{OrgProcess, ServeProcess, countersign, eventually},
};

async fn both_doors_end_in_the_same_place() {
    let world = World::start();
    let deals = world.opportunities().await;
    let (direct, command) = (text(&deals[0]["Id"]), text(&deals[1]["Id"]));

    let fields = json!({ "AI_Proposal_ID__c": "door:direct", "AI_Recommended_Stage__c": "Qualification",
        "AI_Proposed_Fields__c": "StageName", "AI_Proposal_Confidence__c": 0.9, "AI_Gate_Pending__c": true });
    let (status, reply) = world.patch("proposer", "Opportunity", direct, fields).await;
    assert_eq!(status, 204, "{reply}");
    let body = json!({ "proposal_id": "door:command", "object": "Opportunity", "record_id": command,
        "patch": { "StageName": "Qualification" }, "confidence": 0.9 });
    let mut closer = body.clone();
    closer["patch"] = json!({ "StageName": "Negotiation/Review" });
    let (code, out, err) = countersign(&["preview", "--config", &world.config], Some(&closer.to_string()));
    assert_eq!(code, 4, "{out}{err}");
    assert!(out.contains("by the stages' default probabilities"), "the weighted amount moves: {out}");
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "waits for a person: {out}{err}");
    world.wait_stage("door:command", "awaiting-approval").await;
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "sent again, it still waits: {out}{err}");

    for (proposal, id) in [("door:direct", direct), ("door:command", command)] {
        world.wait_stage(proposal, "awaiting-approval").await;
        let decision = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": proposal });
        let (status, reply) = world.patch("reviewer", "Opportunity", id, decision).await;
        assert_eq!(status, 204, "{reply}");
        world.wait_stage(proposal, "promoted").await;
        let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Opportunity/{id}"), None).await;
        assert_eq!(row["StageName"], "Qualification");
        assert_eq!(row["Previous_Stage__c"], "Prospecting");
        assert_eq!(row["Opportunity_Change_Source__c"], "AI Proposal");
        assert_eq!(row["AI_Promoted_Proposal_ID__c"], *proposal);
        assert_eq!(row["AI_Gate_Pending__c"], false);
    }

    // The same body again is the same answer; another body under the same id is refused.
    let (code, out, _) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 0, "{out}");
    let mut other = body.clone();
    other["patch"]["StageName"] = json!("Needs Analysis");
    let (code, out, _) =
        countersign(&["propose", "--config", &world.config, "--json"], Some(&other.to_string()));
    assert_eq!(code, 2, "{out}");
    assert!(out.contains("proposal-id-reused"), "{out}");
}

async fn bad_proposals_are_told_why_and_the_rest_is_served() {
    let world = World::start();
    let deals = world.opportunities().await;
    let (bad, good) = (text(&deals[0]["Id"]), text(&deals[1]["Id"]));

    let fields = json!({ "AI_Proposal_ID__c": "bad:stage", "AI_Recommended_Stage__c": "Almost There",
        "AI_Proposed_Fields__c": "StageName", "AI_Proposal_Confidence__c": 0.9, "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("proposer", "Opportunity", bad, fields).await.0, 204);
    world.wait_stage("bad:stage", "refused").await;
    eventually("the record is told", Duration::from_secs(20), || async {
        world.outcome("Opportunity", bad).await.contains("picklist-value-unknown")
    })
    .await;

    let fields = json!({ "AI_Proposal_ID__c": "not an id!", "AI_Recommended_Next_Step__c": "x",
        "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("proposer", "Opportunity", bad, fields).await.0, 204);
    eventually("the malformed id is told", Duration::from_secs(20), || async {
        world.outcome("Opportunity", bad).await.contains("proposal-id-malformed")
    })
    .await;

    let fields = json!({ "AI_Proposal_ID__c": "good:step", "AI_Recommended_Next_Step__c": "Send the draft",
        "AI_Proposed_Fields__c": "NextStep", "AI_Proposal_Confidence__c": 0.9, "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("proposer", "Opportunity", good, fields).await.0, 204);
    world.wait_stage("good:step", "awaiting-approval").await;
    let decision = json!({ "AI_Decision__c": "Rejected", "AI_Decision_Proposal_ID__c": "good:step",
        "AI_Decision_Comments__c": "Not yet." });
    assert_eq!(world.patch("reviewer", "Opportunity", good, decision).await.0, 204);
    world.wait_stage("good:step", "rejected").await;
}

async fn an_approval_dies_when_its_base_moves_and_a_rollback_spares_people() {
    let world = World::start();
    let deals = world.opportunities().await;
    let id = text(&deals[0]["Id"]);
    let propose = |proposal: &str, patch: Value| {
        let body = json!({ "proposal_id": proposal, "object": "Opportunity", "record_id": id,
            "patch": patch, "confidence": 0.9 });
        countersign(&["propose", "--config", &world.config], Some(&body.to_string()))
    };
    let (code, out, err) = propose("base:amount", json!({ "Amount": 64000 }));
    assert_eq!(code, 4, "{out}{err}");
    world.wait_stage("base:amount", "awaiting-approval").await;
    assert_eq!(world.patch("admin", "Opportunity", id, json!({ "Amount": 52000 })).await.0, 204);
    world.wait_stage("base:amount", "stale").await;
    let (code, out, err) = propose("base:amount", json!({ "Amount": 64000 }));
    assert_eq!(code, 3, "sent again, it has ended without being on the record: {out}{err}");

    // A change and a decision in one second would be a decision on nobody knows what.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let (code, out, err) =
        propose("undo:bundle", json!({ "StageName": "Qualification", "NextStep": "Send it" }));
    assert_eq!(code, 4, "{out}{err}");
    world.wait_stage("undo:bundle", "awaiting-approval").await;
    let decision = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "undo:bundle",
        "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("reviewer", "Opportunity", id, decision).await.0, 204);
    world.wait_stage("undo:bundle", "promoted").await;
    assert_eq!(
        world.patch("admin", "Opportunity", id, json!({ "NextStep": "A person's words" })).await.0,
        204
    );

    let (code, out, err) =
        countersign(&["rollback", "apply", "undo:bundle", "--config", &world.config], None);
    assert_eq!(code, 0, "{out}{err}");
    let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Opportunity/{id}"), None).await;
    assert_eq!(row["StageName"], "Prospecting");
    assert_eq!(row["NextStep"], "A person's words");
    assert_eq!(row["Amount"].to_string().trim_end_matches(".0"), "52000");
    assert_eq!(row["Opportunity_Change_Source__c"], "Rollback");
}

async fn what_was_approved_before_the_first_start_is_promoted() {
    let folder = tempfile::tempdir().unwrap();
    let org = OrgProcess::start(&["--seed", "demo"]);
    let config = org.write_config(folder.path());
    let leads = org.query("SELECT Id FROM Lead WHERE Status = 'Open - Not Contacted' LIMIT 1").await;
    let id = text(&leads[0]["Id"]).to_owned();
    let path = format!("/sobjects/Lead/{id}");
    let proposal = json!({ "AI_Proposal_ID__c": "early:1", "AI_Recommended_Status__c": "Working - Contacted",
        "AI_Status_Confidence__c": 0.8, "AI_Gate_Pending__c": true });
    assert_eq!(org.call("proposer", "PATCH", &path, Some(proposal)).await.0, 204);
    let decision = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "early:1" });
    assert_eq!(org.call("reviewer", "PATCH", &path, Some(decision)).await.0, 204);
    let _serve = ServeProcess::start(&config);
    eventually("the early approval is promoted", Duration::from_secs(30), || async {
        org.call("admin", "GET", &path, None).await.1["Status"] == "Working - Contacted"
    })
    .await;
}

#[test]
fn wrong_settings_are_all_named_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    std::fs::write(&path, "[org]\nlogin_url = \"not a url\"\nsurprise = 1\n").unwrap();
    let (code, out, err) = countersign(&["serve", "--config", path.to_str().unwrap()], None);
    assert_eq!(code, 2, "{out}{err}");
    for word in ["surprise", "login_url", "promoter"] {
        assert!(err.contains(word), "`{word}` is named: {err}");
    }
}

crate::databases::over_both!(
    both_doors_end_in_the_same_place,
    bad_proposals_are_told_why_and_the_rest_is_served,
    an_approval_dies_when_its_base_moves_and_a_rollback_spares_people,
    what_was_approved_before_the_first_start_is_promoted
);
