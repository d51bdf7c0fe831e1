//! Freezes, budgets, disputes and signals with a running daemon: what people stop stays stopped, and what a
//! batch starts counts within the batch.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::{countersign, eventually},
};

fn propose(world: &World, id: &str, proposal: &str, (agent, step): (&str, &str)) -> (i32, String) {
    let body = json!({ "proposal_id": proposal, "object": "Opportunity", "record_id": id,
        "patch": { "NextStep": step }, "confidence": 0.9, "actor": { "agent": agent } });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    (code, format!("{out}{err}"))
}

async fn approve(world: &World, id: &str, proposal: &str) {
    let decision = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": proposal,
        "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("reviewer", "Opportunity", id, decision).await.0, 204);
}

fn freeze(world: &World, words: &[&str]) -> (i32, String) {
    let (code, out, err) = countersign(&[words, &["--config", &world.config]].concat(), None);
    (code, format!("{out}{err}"))
}

async fn what_people_froze_waits_for_them_and_nothing_is_lost() {
    let mut world = World::start();
    world.sweep_often();
    let deals = world.opportunities().await;
    let (one, two) = (text(&deals[0]["Id"]), text(&deals[1]["Id"]));
    let (code, said) = propose(&world, one, "brake:one", ("an-agent", "Send the draft"));
    assert_eq!(code, 4, "{said}");
    world.wait_stage("brake:one", "awaiting-approval").await;

    let (code, said) = freeze(&world, &["freeze", "lane:Opportunity.NextStep"]);
    assert_eq!(code, 2, "who and why must be told: {said}");
    let words = ["freeze", "lane:Opportunity.NextStep", "--by", "Pat Example", "--reason", "odd steps"];
    let (code, said) = freeze(&world, &words);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("lane:Opportunity.NextStep since") && said.contains("by Pat Example: odd steps"),
        "{said}"
    );
    assert_eq!(freeze(&world, &words).0, 0, "twice is as one");

    approve(&world, one, "brake:one").await;
    eventually("the story tells the freeze", Duration::from_secs(20), || async {
        world.story("brake:one").contains("frozen")
    })
    .await;
    let (code, said) = propose(&world, two, "brake:two", ("an-agent", "Call them"));
    assert_eq!(code, 4, "it lands and waits: {said}");
    assert!(said.contains("frozen"), "{said}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.stage("brake:one"), "awaiting-approval");
    let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Opportunity/{one}"), None).await;
    assert_ne!(row["NextStep"], "Send the draft", "an approval passes no freeze");
    let status: Value = serde_json::from_str(&world.over_ledger(&["status", "--json"])).unwrap();
    assert_eq!(status["frozen"][0]["scope"], "lane:Opportunity.NextStep", "{status}");

    let (code, said) = freeze(&world, &["unfreeze", "org", "--by", "Pat Example"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("not-frozen") && said.contains("lane:Opportunity.NextStep"), "{said}");
    let (code, said) = freeze(&world, &["unfreeze", "lane:Opportunity.NextStep", "--by", "Pat Example"]);
    assert_eq!(code, 0, "{said}");
    world.wait_stage("brake:one", "promoted").await;
    world.wait_stage("brake:two", "awaiting-approval").await;
    world.kill();
    world.over_ledger(&["verify"]);
    assert!(world.over_ledger(&["freeze", "--list"]).contains("nothing is frozen"));
    let told: Value = serde_json::from_str(&world.over_ledger(&["replay", "--json"])).unwrap();
    assert_eq!((&told["same"], &told["differing"]), (&told["replayed"], &json!(0)), "{told}");
}

async fn a_rollback_goes_on_while_everything_is_frozen() {
    let world = World::start();
    let deals = world.opportunities().await;
    let id = text(&deals[0]["Id"]);
    assert_eq!(propose(&world, id, "brake:undo", ("an-agent", "Send the draft")).0, 4);
    world.wait_stage("brake:undo", "awaiting-approval").await;
    approve(&world, id, "brake:undo").await;
    world.wait_stage("brake:undo", "promoted").await;
    assert_eq!(freeze(&world, &["freeze", "org", "--by", "Pat Example", "--reason", "stop"]).0, 0);
    let (code, out, err) = countersign(&["rollback", "apply", "brake:undo", "--config", &world.config], None);
    assert_eq!(code, 0, "{out}{err}");
    world.wait_stage("brake:undo", "rolled-back").await;
}

async fn two_agents_with_two_answers_get_a_person() {
    let world = World::start();
    let deals = world.opportunities().await;
    let id = text(&deals[0]["Id"]);
    assert_eq!(propose(&world, id, "brake:first", ("agent-one", "Send the draft")).0, 4);
    world.wait_stage("brake:first", "awaiting-approval").await;
    let (code, said) = propose(&world, id, "brake:second", ("agent-two", "Call them"));
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("agents-disagree") && said.contains("agent-one"), "the card tells it: {said}");
    world.wait_stage("brake:first", "superseded").await;
    world.wait_stage("brake:second", "awaiting-approval").await;
    eventually("the story tells it", Duration::from_secs(20), || async {
        world.story("brake:second").contains("agents-disagree")
    })
    .await;
    approve(&world, id, "brake:second").await;
    world.wait_stage("brake:second", "promoted").await;
}

/// The shipped policies with a rule that lets every next step run, and one budget.
fn with_budget(world: &mut World, budget: &str) {
    world.kill();
    let folder = world.folder.path().join("policies");
    fs::create_dir(&folder).unwrap();
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies"));
    let text = fs::read_to_string(shipped.join("opportunity-pilot.toml")).unwrap();
    let rule = "[fields.NextStep]\ntier = \"autonomous\"\n\
                auto = [{ from = \"any\", to = \"any\", min_confidence = \"0.8\" }]";
    let text = text.replace("[fields.NextStep]\ntier = \"reviewed\"", rule);
    let text = text.replace("[fields.StageName]", &format!("{budget}\n[fields.StageName]"));
    fs::write(folder.join("opportunity-pilot.toml"), text).unwrap();
    let settings = fs::read_to_string(&world.config).unwrap();
    fs::write(&world.config, format!("{settings}\n[policy]\ndirectory = {folder:?}\n")).unwrap();
    world.restart();
}

async fn a_batch_counts_within_itself() {
    let mut world = World::start();
    world.org.control("/__settings", json!({ "field": "Opportunity_Next_Step_Auto__c", "on": true })).await;
    with_budget(
        &mut world,
        "[[budgets]]\nof = \"promotions\"\nper = \"lane\"\nat_most = 2\nminutes = 60\nthen = \"review\"\n",
    );
    let deals = world.opportunities().await;
    assert!(deals.len() >= 3, "the seed has three such deals");
    let rows: Vec<Value> = deals
        .iter()
        .take(3)
        .enumerate()
        .map(|(place, deal)| {
            json!({ "attributes": { "type": "Opportunity" }, "id": deal["Id"],
                "AI_Proposal_ID__c": format!("budget:{place}"), "AI_Recommended_Next_Step__c": "Call them",
                "AI_Proposed_Fields__c": "NextStep", "AI_Proposal_Confidence__c": 0.9, "AI_Gate_Pending__c": true })
        })
        .collect();
    world.org.collections("proposer", "PATCH", &rows).await;
    eventually("two ran and one waits", Duration::from_secs(30), || async {
        let mut stages: Vec<String> = (0..3).map(|place| world.stage(&format!("budget:{place}"))).collect();
        stages.sort();
        stages == ["awaiting-approval", "promoted", "promoted"]
    })
    .await;
    let waits = (0..3).find(|place| world.stage(&format!("budget:{place}")) == "awaiting-approval").unwrap();
    assert!(world.story(&format!("budget:{waits}")).contains("budget-needs-person"));
    world.kill();
    let told: Value = serde_json::from_str(&world.over_ledger(&["replay", "--json"])).unwrap();
    assert_eq!((&told["same"], &told["replayed"]), (&json!(3), &json!(3)), "{told}");
}

async fn a_proposal_that_is_sent_again_does_not_count_itself() {
    let mut world = World::start();
    with_budget(
        &mut world,
        "[[budgets]]\nof = \"proposals\"\nper = \"agent\"\nat_most = 1\nminutes = 60\nthen = \"block\"\n",
    );
    let deals = world.opportunities().await;
    let (one, two) = (text(&deals[0]["Id"]), text(&deals[1]["Id"]));
    assert_eq!(propose(&world, one, "again:one", ("an-agent", "Call them")).0, 4);
    world.wait_stage("again:one", "awaiting-approval").await;
    let body = json!({ "proposal_id": "again:one", "object": "Opportunity", "record_id": one,
        "patch": { "NextStep": "Call them" }, "confidence": 0.9, "actor": { "agent": "an-agent" } });
    let (code, out, err) = countersign(&["preview", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "it is the one that the budget lets in: {out}{err}");
    let (code, said) = propose(&world, two, "again:two", ("an-agent", "Write to them"));
    assert_eq!((code, said.contains("budget-exceeded")), (3, true), "{said}");
}

async fn signals_count_for_a_proposal_that_was_written_to_the_record() {
    let mut world = World::start();
    world.org.control("/__settings", json!({ "field": "Lead_Status_Auto__c", "on": true })).await;
    world.kill();
    let folder = world.folder.path().join("policies");
    fs::create_dir(&folder).unwrap();
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies/lead-lifecycle.toml"));
    let text = fs::read_to_string(shipped).unwrap();
    let rule =
        "[fields.Status.evidence]\nat_least = 2\nkinds = [\"reply\", \"meeting\"]\nthen = \"review\"\n";
    fs::write(folder.join("lead.toml"), format!("{text}\n{rule}")).unwrap();
    let settings = fs::read_to_string(&world.config).unwrap();
    fs::write(&world.config, format!("{settings}\n[policy]\ndirectory = {folder:?}\n")).unwrap();
    world.restart();

    let leads = world.org.query("SELECT Id FROM Lead WHERE Status = 'Open - Not Contacted'").await;
    let (with, without) = (text_of(&leads[0]), text_of(&leads[1]));
    let signal = |kind: &str, at: &str| json!({ "object": "Lead", "record_id": with, "kind": kind, "source": "mailbox", "occurred_at": at });
    let two = json!([signal("reply", "2026-01-05T10:00:00Z"), signal("meeting", "2026-01-06T10:00:00Z")]);
    let send = |body: &Value| {
        let words = ["signal", "--by", "mail-sync", "--config", &world.config];
        let (code, out, err) = countersign(&words, Some(&body.to_string()));
        (code, format!("{out}{err}"))
    };
    eventually("the daemon has made its ledger", Duration::from_secs(20), || async {
        countersign(&["status", "--config", &world.config], None).0 == 0
    })
    .await;
    let (code, said) = send(&two);
    assert_eq!((code, said.contains("2 signal(s) recorded, 0 known")), (0, true), "{said}");
    let (code, said) = send(&two);
    assert_eq!((code, said.contains("0 signal(s) recorded, 2 known")), (0, true), "{said}");
    let (code, said) = send(&signal("reply", "2100-01-01T00:00:00Z"));
    assert_eq!((code, said.contains("signal-time")), (2, true), "{said}");

    for (id, proposal, stage) in
        [(&with, "signal:with", "promoted"), (&without, "signal:without", "awaiting-approval")]
    {
        let fields = json!({ "AI_Proposal_ID__c": proposal, "AI_Recommended_Status__c": "Working - Contacted",
            "AI_Status_Confidence__c": 0.95, "AI_Gate_Pending__c": true });
        assert_eq!(world.patch("proposer", "Lead", id, fields).await.0, 204);
        world.wait_stage(proposal, stage).await;
    }
    let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Lead/{with}"), None).await;
    assert_eq!(row["Signal_Score__c"], 55.0, "reply 25 and meeting 30, by the policy's weights: {row}");
    assert_eq!(row["Last_Signal_Source__c"], "mailbox");
    assert!(row["Last_Signal_Date__c"].as_str().unwrap().starts_with("2026-01-06"), "{row}");
    assert!(world.story("signal:without").contains("evidence-thin"));
    world.kill();
    world.over_ledger(&["verify"]);
    let told: Value = serde_json::from_str(&world.over_ledger(&["replay", "--json"])).unwrap();
    assert_eq!((&told["same"], &told["differing"]), (&told["replayed"], &json!(0)), "{told}");
}

fn text_of(row: &Value) -> String {
    text(&row["Id"]).to_owned()
}

crate::databases::over_both!(
    what_people_froze_waits_for_them_and_nothing_is_lost,
    a_rollback_goes_on_while_everything_is_frozen,
    two_agents_with_two_answers_get_a_person,
    a_batch_counts_within_itself,
    a_proposal_that_is_sent_again_does_not_count_itself,
    signals_count_for_a_proposal_that_was_written_to_the_record
);
