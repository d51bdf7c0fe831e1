//! Undoing many promotions with a running daemon, and without one after a kill.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::{countersign, eventually},
};

const MANY: usize = 300;
const FIRST: &str = "Open - Not Contacted";
const NEXT: &str = "Working - Contacted";
const WHO: [&str; 4] = ["--by", "Pat Example", "--reason", "the agent was wrong"];

/// A world in which next steps run by themselves, and new deals with the next step `first`.
async fn world(deals: usize) -> (World, Vec<String>) {
    let mut world = World::start();
    world.org.control("/__settings", json!({ "field": "Opportunity_Next_Step_Auto__c", "on": true })).await;
    world.kill();
    let folder = world.folder.path().join("policies");
    fs::create_dir(&folder).unwrap();
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies"));
    let policy = fs::read_to_string(shipped.join("opportunity-pilot.toml")).unwrap();
    let rule = "[fields.NextStep]\ntier = \"autonomous\"\n\
                auto = [{ from = \"any\", to = \"any\", min_confidence = \"0.8\" }]";
    let policy = policy.replace("[fields.NextStep]\ntier = \"reviewed\"", rule);
    fs::write(folder.join("opportunity-pilot.toml"), policy).unwrap();
    let settings = fs::read_to_string(&world.config).unwrap();
    fs::write(&world.config, format!("{settings}\n[policy]\ndirectory = {folder:?}\n")).unwrap();
    world.restart();
    let rows: Vec<Value> = (0..deals)
        .map(|n| {
            json!({ "attributes": { "type": "Opportunity" }, "Name": format!("Deal {n}"),
                "StageName": "Prospecting", "CloseDate": "2030-01-31", "NextStep": "first" })
        })
        .collect();
    let ids = world.org.collections("admin", "POST", &rows).await;
    (world, ids)
}

/// A next step that runs by itself; waits until it stands.
async fn step(world: &World, id: &str, proposal: &str, (agent, words): (&str, &str)) {
    let body = json!({ "proposal_id": proposal, "object": "Opportunity", "record_id": id,
        "patch": { "NextStep": words }, "confidence": 0.95,
        "evaluated_at": now(), "actor": { "agent": agent, "run": format!("run-of-{agent}") } });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert!(code == 0 || code == 4, "{out}{err}");
    world.wait_stage(proposal, "promoted").await;
}

fn now() -> String {
    countersign::clock::Clock::system().now().to_string()
}

async fn next_step(world: &World, id: &str) -> String {
    let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Opportunity/{id}"), None).await;
    row["NextStep"].as_str().unwrap_or_default().to_owned()
}

async fn edit(world: &World, id: &str, words: &str) {
    assert_eq!(world.patch("admin", "Opportunity", id, json!({ "NextStep": words })).await.0, 204);
}

fn rollback(world: &World, words: &[&str]) -> (i32, String) {
    let (code, out, err) = countersign(&[&["rollback"], words, &["--config", &world.config]].concat(), None);
    (code, format!("{out}{err}"))
}

fn plan(world: &World, words: &[&str]) -> Value {
    let (code, out, err) =
        countersign(&[&["rollback", "plan"], words, &["--json", "--config", &world.config]].concat(), None);
    assert_eq!(code, 0, "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

/// How many fields a plan puts back, and the codes of those that stay.
fn shape(plan: &Value) -> (usize, Vec<String>) {
    let records = plan["manifest"]["records"].as_array().unwrap();
    let steps = records.iter().map(|record| record["steps"].as_array().unwrap().len()).sum();
    let kept = records.iter().flat_map(|record| record["kept"].as_array().unwrap());
    let mut kept: Vec<String> = kept.map(|kept| text(&kept["why"]["code"]).to_owned()).collect();
    kept.sort();
    (steps, kept)
}

/// Commands that say too little, or two things.
fn refused_words(world: &World) {
    for (words, code) in [
        (vec!["apply", "--agent", "bad", "--yes"], "rollback-words-wanted"),
        ([vec!["apply", "--agent", "bad"], WHO.to_vec()].concat(), "rollback-manifest-wanted"),
        ([vec!["apply", "--yes"], WHO.to_vec()].concat(), "rollback-nothing-chosen"),
        (vec!["plan", "bad:0", "--agent", "bad"], "rollback-two-choices"),
        (vec!["plan", "--policy", "none-such"], "rollback-policy-unknown"),
    ] {
        let (_, said) = rollback(world, &words);
        assert!(said.contains(code), "{words:?}: {said}");
    }
}

async fn an_agents_promotions_go_back_and_people_and_later_promotions_are_spared() {
    let (mut world, ids) = world(4).await;
    for (n, id) in ids.iter().take(3).enumerate() {
        step(&world, id, &format!("bad:{n}"), ("bad", "nonsense")).await;
    }
    step(&world, &ids[3], "good:3", ("good", "sense")).await;
    edit(&world, &ids[1], "a person's words").await;
    step(&world, &ids[2], "good:2", ("good", "better")).await;

    let by_agent = plan(&world, &["--agent", "bad"]);
    let expected = (1, vec!["later-promotion".to_owned(), "newer-edit".to_owned()]);
    assert_eq!(shape(&by_agent), expected, "{by_agent}");
    assert!(
        by_agent["automations"]["Opportunity"].to_string().contains("AI_Opportunity_Guard"),
        "{by_agent}"
    );
    let same: &[&[&str]] = &[
        &["--agent", "bad", "--lane", "Opportunity.NextStep", "--since", "1h"],
        &["--run", "run-of-bad", "--rule", "auto-allowed", "--policy", "opportunity-pilot"],
    ];
    for words in same {
        assert_eq!(plan(&world, words)["digest"], by_agent["digest"], "{words:?}");
    }
    for words in [["--until", "1h"], ["--lane", "Opportunity.Amount"], ["--rule", "approved"]] {
        assert_eq!(shape(&plan(&world, &words)).0, 0, "{words:?}");
    }
    let one = format!("Opportunity/{}", ids[0]);
    assert_eq!(shape(&plan(&world, &["--record", &one])), (1, vec![]));
    let all = shape(&plan(&world, &["--lane", "Opportunity.NextStep"]));
    assert_eq!(all, (3, vec!["newer-edit".to_owned(), "out-of-reach".to_owned()]), "newest first");

    refused_words(&world);
    let digest = text(&by_agent["digest"]).to_owned();
    let apply = |digest: &str| {
        let words = [&["apply", "--agent", "bad", "--manifest", digest], &WHO[..]].concat();
        rollback(&world, &words)
    };
    edit(&world, &ids[1], "other words").await;
    let (code, said) = apply(&digest);
    assert_eq!((code, said.contains("rollback-manifest-changed")), (1, true), "{said}");
    assert_eq!(next_step(&world, &ids[0]).await, "nonsense", "nothing was written");

    let file = world.folder.path().join("manifest.json");
    let file = file.to_str().unwrap();
    let (code, said) = rollback(&world, &["plan", "--agent", "bad", "--out", file]);
    let digest = countersign::domain::Digest::of_bytes(&fs::read(file).unwrap()).to_string();
    assert!(code == 0 && said.contains(&digest) && said.contains("other words"), "{said}");
    let (code, said) = apply(&digest);
    assert_eq!(code, 4, "{said}");
    for words in
        ["restored 1 promotion(s), spared 2 field(s), conflicted 0, failed 0", "other words", "good:2"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let steps = [next_step(&world, &ids[0]).await, next_step(&world, &ids[1]).await];
    assert_eq!(steps, ["first", "other words"]);
    let steps = [next_step(&world, &ids[2]).await, next_step(&world, &ids[3]).await];
    assert_eq!(steps, ["better", "sense"]);
    let (code, said) = apply(&digest);
    assert_eq!((code, said.contains("rollback-manifest-done")), (1, true), "{said}");
    let story = world.story("bad:0");
    assert!(story.contains("asked for by Pat Example: the agent was wrong"), "{story}");
    assert_eq!((world.stage("bad:0"), world.stage("bad:1")), ("rolled-back".into(), "promoted".into()));
    world.kill();
    world.over_ledger(&["verify"]);
}

async fn an_undo_can_be_undone_and_people_are_spared_then_too() {
    let (mut world, ids) = world(2).await;
    for (n, id) in ids.iter().enumerate() {
        step(&world, id, &format!("twice:{n}"), ("an-agent", "nonsense")).await;
    }
    let words = [&["apply", "--agent", "an-agent", "--yes", "--json"], &WHO[..]].concat();
    let (code, out, err) =
        countersign(&[&["rollback"], &words[..], &["--config", &world.config]].concat(), None);
    assert_eq!(code, 0, "{out}{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    let undo_of = |id: &str| {
        let ends = told["ends"].as_array().unwrap().iter();
        let mut mine = ends.filter(|end| end["record"] == id);
        text(&mine.next().unwrap()["promotion"]).to_owned()
    };
    assert_eq!(next_step(&world, &ids[0]).await, "first");
    assert_eq!(world.stage("twice:0"), "rolled-back");
    edit(&world, &ids[1], "a person's words").await;

    let first = undo_of(&ids[0]);
    let (code, said) =
        rollback(&world, &["apply", &first, "--by", "Sam Example", "--reason", "it was right"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(next_step(&world, &ids[0]).await, "nonsense");
    world.wait_stage("twice:0", "promoted").await;
    let story = world.story("twice:0");
    assert!(story.contains("rollback-undone") && story.contains("Sam Example: it was right"), "{story}");
    let (code, said) = rollback(&world, &["apply", &undo_of(&ids[1])]);
    assert!(code == 0 && said.contains("nothing to restore"), "{said}");
    assert_eq!(next_step(&world, &ids[1]).await, "a person's words");

    assert_eq!(shape(&plan(&world, &["--agent", "an-agent"])).0, 1, "what was redone can be undone again");
    let words = [&["apply", "--proposal", "twice:0", "--yes"], &WHO[..]].concat();
    assert_eq!(rollback(&world, &words).0, 0);
    assert_eq!(next_step(&world, &ids[0]).await, "first");
    world.wait_stage("twice:0", "rolled-back").await;
    world.kill();
    world.over_ledger(&["verify"]);
}

async fn with_status(world: &World, status: &str) -> usize {
    let soql = format!("SELECT Id FROM Lead WHERE Status = '{status}' AND Company = 'Burst Example'");
    world.org.query(&soql).await.len()
}

/// Leads whose status was promoted with no person.
async fn promoted_leads(world: &World) -> Vec<String> {
    let leads: Vec<Value> = (0..MANY)
        .map(|n| {
            json!({ "attributes": { "type": "Lead" }, "LastName": format!("Burst {n}"),
                "Company": "Burst Example", "Status": FIRST })
        })
        .collect();
    let ids = world.org.collections("admin", "POST", &leads).await;
    let proposals: Vec<Value> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| {
            json!({ "attributes": { "type": "Lead" }, "id": id, "AI_Proposal_ID__c": format!("burst:{n}"),
                "AI_Recommended_Status__c": NEXT, "AI_Status_Confidence__c": 0.95,
                "AI_Last_Evaluated_At__c": now(), "AI_Gate_Pending__c": true })
        })
        .collect();
    world.org.collections("proposer", "PATCH", &proposals).await;
    eventually("all are promoted", Duration::from_secs(120), || async {
        with_status(world, NEXT).await == MANY && {
            let status: Value = serde_json::from_str(&world.over_ledger(&["status", "--json"])).unwrap();
            status["promotions_open"] == 0
        }
    })
    .await;
    ids
}

async fn killed_in_the_middle_it_goes_on_and_ends_the_same() {
    let mut world = World::start();
    world.org.control("/__settings", json!({ "field": "Lead_Status_Auto__c", "on": true })).await;
    world.kill();
    world.restart();
    let ids = promoted_leads(&world).await;
    world.kill();
    // Small calls, so that there is a middle.
    let settings = fs::read_to_string(&world.config).unwrap();
    fs::write(&world.config, format!("{settings}\n[promotion]\nbatch_rows = 3\nbatches_per_call = 1\n"))
        .unwrap();
    assert_eq!(
        world.patch("admin", "Lead", &ids[7], json!({ "Status": "Closed - Not Converted" })).await.0,
        204
    );

    let shown = plan(&world, &["--lane", "Lead.Status"]);
    assert_eq!(shape(&shown), (MANY - 1, vec!["newer-edit".to_owned()]));
    let digest = text(&shown["digest"]).to_owned();
    let words = [&["rollback", "apply", "--lane", "Lead.Status", "--manifest", &digest], &WHO[..]].concat();
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(&words)
        .args(["--config", &world.config])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it is under way", Duration::from_secs(60), || async { with_status(&world, FIRST).await > 0 })
        .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let at_kill = with_status(&world, FIRST).await;
    println!("killed with {at_kill} of {MANY} restored");
    assert!(at_kill < MANY - 1, "there is a rest");

    let (code, said) = rollback(&world, &words[1..]);
    assert_eq!(code, 4, "one was edited by a person: {said}");
    assert!(said.contains("goes on") && said.contains("Closed - Not Converted"), "{said}");
    let whole = format!("restored {} promotion(s), spared 1 field(s), conflicted 0, failed 0", MANY - 1);
    assert!(said.contains(&whole), "{said}");
    assert_eq!((with_status(&world, FIRST).await, with_status(&world, NEXT).await), (MANY - 1, 0));
    let soql = "SELECT Id, AI_Promotion_Seq__c FROM Lead WHERE Company = 'Burst Example'";
    for row in world.org.query(soql).await {
        let expected = if row["Id"] == ids[7] { "1" } else { "2" };
        let number = row["AI_Promotion_Seq__c"].to_string();
        assert_eq!(number.trim_end_matches(".0"), expected, "each was undone one time: {row}");
    }
    let status: Value = serde_json::from_str(&world.over_ledger(&["status", "--json"])).unwrap();
    assert_eq!(status["stages"]["rolled-back"], MANY - 1, "{status}");
    world.over_ledger(&["verify"]);
    world.restart();
}

#[test]
fn the_drill_checks_every_record() {
    let (code, out, err) = countersign(&["rollback", "drill", "--records", "60", "--json"], None);
    assert_eq!(code, 0, "{out}{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["restored"], &told["spared"]), (&json!(54), &json!(6)), "{told}");
    assert_eq!(told["not_as_expected"], json!([]), "{told}");
}

crate::databases::over_both!(
    an_agents_promotions_go_back_and_people_and_later_promotions_are_spared,
    an_undo_can_be_undone_and_people_are_spared_then_too,
    killed_in_the_middle_it_goes_on_and_ends_the_same
);
