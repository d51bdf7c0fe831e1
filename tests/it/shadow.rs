//! Shadow lanes with a running daemon: recorded and not shown, measured by what people do, let act until
//! a day, and back again when it goes wrong.

use std::{fs, path::Path, time::Duration};

use countersign::clock::Clock;
use serde_json::{Value, json};

use crate::{
    daemon_world::World,
    processes::{countersign, eventually},
};

const OPEN: &str = "Open - Not Contacted";
const WORKING: &str = "Working - Contacted";
const CLOSED: &str = "Closed - Not Converted";

/// A world whose lane Lead.Status only records; its watches end after so many days.
fn world(label_days: u32) -> World {
    let mut world = World::start();
    let folder = world.folder.path().join("policies");
    fs::create_dir(&folder).unwrap();
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies"));
    fs::copy(shipped.join("opportunity-pilot.toml"), folder.join("opportunity-pilot.toml")).unwrap();
    let lead = fs::read_to_string(shipped.join("lead-lifecycle.toml")).unwrap();
    let changed = lead.replace("mode = \"live\"", "mode = \"shadow\"").replace(
        "[signal_weights]",
        &format!(
            "[shadow]\nlabel_days = {label_days}\nmin_sample = 4\npromote_from = \"0.50\"\nstep_back_below = \"0.40\"\n\
             max_reversals = \"0.25\"\n\n[[shadow.segments]]\nname = \"named\"\n\
             when = {{ field = \"Name\", is_any_of = [\"Zoe Example\"] }}\n\n[signal_weights]"
        ),
    );
    assert!(changed.contains("mode = \"shadow\"") && changed.contains("[shadow]"));
    fs::write(folder.join("lead-lifecycle.toml"), changed).unwrap();
    world.kill();
    world.set(&format!("[policy]\ndirectory = \"{}\"\n", folder.to_str().unwrap()));
    world.restart();
    world
}

fn propose(world: &World, id: &str, record: &str) -> (i32, String) {
    let body = json!({ "proposal_id": id, "object": "Lead", "record_id": record, "patch": { "Status": WORKING },
        "confidence": 0.99, "actor": { "agent": "night-shift", "version": "2" } });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    (code, format!("{out}{err}"))
}

async fn row(world: &World, id: &str) -> Value {
    world.org.call("admin", "GET", &format!("/sobjects/Lead/{id}"), None).await.1
}

fn shadow(world: &World, words: &[&str]) -> (i32, Value, String) {
    let words = [&["shadow"], words, &["--config", &world.config, "--json"]].concat();
    let (code, out, err) = countersign(&words, None);
    (code, serde_json::from_str(&out).unwrap_or(Value::Null), format!("{out}{err}"))
}

/// The card of the agent's lane over all records.
fn card(world: &World) -> Value {
    let (code, told, said) = shadow(world, &["report"]);
    assert_eq!(code, 0, "{said}");
    let cards = told["cards"].as_array().unwrap().clone();
    cards.into_iter().find(|card| card["segment"].is_null()).unwrap_or(Value::Null)
}

async fn counted(world: &World, key: &str, number: u32) {
    eventually(&format!("{number} {key}"), Duration::from_secs(30), || async {
        let (code, _, said) = shadow(world, &["look"]);
        assert_eq!(code, 0, "{said}");
        card(world)["tally"][key] == json!(number)
    })
    .await;
}

async fn sets(world: &World, id: &str, status: &str) {
    let (code, said) = world.patch("admin", "Lead", id, json!({ "Status": status })).await;
    assert_eq!(code, 204, "{said}");
}

/// A person approves, and it is promoted.
async fn approved(world: &World, id: &str, proposal: &str) {
    world.wait_stage(proposal, "awaiting-approval").await;
    let decision = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": proposal,
        "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("reviewer", "Lead", id, decision).await.0, 204);
    world.wait_stage(proposal, "promoted").await;
}

const WHO: [&str; 4] = ["--by", "Olivia Example", "--reason", "two weeks of the card"];

async fn a_lane_earns_trust_and_loses_it() {
    let mut world = world(14);
    a_week_in_shadow(&world).await;
    let until = (Clock::system().now() + jiff::SignedDuration::from_hours(24 * 30)).to_string();
    let acting = it_acts(&world, &until).await;
    it_steps_back(&world, &acting, &until).await;
    told_in_every_form(&world);
    told_in_the_org(&world).await;
    world.stop();
    world.over_ledger(&["verify"]);
    let told: Value = serde_json::from_str(&world.over_ledger(&["replay", "--json"])).unwrap();
    assert_eq!((&told["same"], &told["differing"]), (&told["replayed"], &json!(0)), "{told}");
}

/// The day's scorecard stands in the org one time, as it was when it was written.
async fn told_in_the_org(world: &World) {
    for _ in 0..2 {
        let words = ["jobs", "run", "totals", "--by", "Olivia Example", "--config", &world.config];
        let (code, out, err) = countersign(&words, None);
        assert_eq!(code, 0, "{out}{err}");
    }
    let soql = "SELECT Part__c, Outcome__c, Count__c, Share__c, Note__c FROM AI_Run_Total__c \
                WHERE Source__c = 'Precision' AND Outcome__c = 'right'";
    let rows = world.org.query(soql).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["Part__c"], "Lead.Status: night-shift 2", "{rows:?}");
    let note = rows[0]["Note__c"].as_str().unwrap();
    assert!(note.contains("Wilson, 95 %") || note.contains("nobody has answered"), "{note}");
}

async fn a_week_in_shadow(world: &World) {
    let mut ids = Vec::new();
    for name in ["Amy", "Ben", "Cleo", "Dora", "Eve", "Zoe"] {
        ids.push(world.lead(name).await);
    }
    // Nothing reaches the record: no proposal field, no outcome, no flag.
    for (place, id) in ids.iter().enumerate() {
        let before = row(world, id).await;
        let (code, said) = propose(world, &format!("week:{place}"), id);
        assert!(code == 3 && said.contains("shadow-mode"), "{code} {said}");
        assert_eq!(row(world, id).await, before, "nothing was written");
        assert_eq!(world.stage(&format!("week:{place}")), "shadow");
    }
    counted(world, "waiting", 6).await;

    // People go on with their work; five agree without knowing, one does not, and one of them is judged.
    for id in &ids[..5] {
        sets(world, id, WORKING).await;
    }
    sets(world, &ids[5], CLOSED).await;
    counted(world, "right", 5).await;
    counted(world, "wrong", 1).await;
    let told = card(world);
    assert_eq!(
        (&told["agent"], &told["version"], &told["decided"]),
        (&json!("night-shift"), &json!("2"), &json!(6))
    );
    assert_eq!((&told["precision"], &told["low"]), (&json!("0.8333"), &json!("0.4364")), "{told}");
    let zoe = shadow(world, &["report"]).1["cards"].as_array().unwrap().clone();
    assert!(zoe.iter().any(|card| card["segment"] == "named" && card["tally"]["wrong"] == 1), "{zoe:?}");
    let (code, _, said) = shadow(world, &[&["label", "week:5", "right"][..], &WHO].concat());
    assert_eq!(code, 0, "{said}");
    assert_eq!(
        (&card(world)["low"], &card(world)["advice"]["advice"]),
        (&json!("0.6096"), &json!("promote"))
    );
}

fn promote(world: &World, until: &str) -> (i32, Value, String) {
    let words = ["promote", "Lead.Status", "--agent", "night-shift", "--until", until];
    shadow(world, &[&words[..], &WHO].concat())
}

/// A person lets it act: until a day, for this agent, within the tier. Gives the records that it wrote.
async fn it_acts(world: &World, until: &str) -> Vec<String> {
    let (code, _, said) = promote(world, "2020-01-01");
    assert!(code == 1 && said.contains("shadow-until-out-of-range"), "{said}");
    let (code, act, said) = promote(world, until);
    assert_eq!((code, &act["numbers"]["right"]), (0, &json!("6")), "{said}");
    assert_eq!(card(world)["state"]["state"], "live");
    let mut acting = Vec::new();
    for (place, name) in ["Finn", "Gus", "Hal", "Ida"].iter().enumerate() {
        let id = world.lead(name).await;
        let (code, said) = propose(world, &format!("live:{place}"), &id);
        assert_eq!(code, 4, "it goes on to people, for the org's own switch is off: {said}");
        approved(world, &id, &format!("live:{place}")).await;
        assert_eq!(row(world, &id).await["Status"], WORKING);
        acting.push(id);
    }
    let other = json!({ "proposal_id": "other:1", "object": "Lead", "record_id": world.lead("Kim").await,
        "patch": { "Status": WORKING }, "confidence": 0.99, "actor": { "agent": "day-shift" } });
    let (code, out, _) = countersign(&["preview", "--config", &world.config], Some(&other.to_string()));
    assert!(code == 3 && out.contains("shadow-mode"), "another agent has shown nothing: {out}");

    acting
}

/// A bad week: people put back what it wrote.
async fn it_steps_back(world: &World, acting: &[String], until: &str) {
    for id in &acting[..2] {
        sets(world, id, OPEN).await;
    }
    counted(world, "reversed", 2).await;
    let (code, looked, said) = shadow(world, &["look"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(card(world)["state"]["state"], "stepped-back", "{looked}");
    let again = world.lead("Jan").await;
    let (code, said) = propose(world, "after:1", &again);
    assert!(code == 3 && said.contains("shadow-stepped-back"), "{said}");
    assert_eq!(shadow(world, &["look"]).1["back"], json!([]), "twice is as one");

    // Only a person brings it back, and what was before no longer counts against it.
    assert_eq!(promote(world, until).0, 0);
    assert_eq!(shadow(world, &["look"]).1["back"], json!([]));
    let (code, said) = propose(world, "after:2", &again);
    assert_eq!(code, 4, "{said}");
    approved(world, &again, "after:2").await;
    let (code, _, said) =
        shadow(world, &[&["back", "Lead.Status", "--agent", "night-shift"][..], &WHO].concat());
    assert_eq!(code, 0, "{said}");
}

fn told_in_every_form(world: &World) {
    let text = world.over_ledger(&["shadow", "report"]);
    assert!(text.contains("Lead.Status  night-shift 2") && text.contains("put back"), "{text}");
    let csv = world.over_ledger(&["shadow", "report", "--format", "csv"]);
    assert!(
        csv.starts_with("\"object\",\"field\"") && csv.contains("\"night-shift\",\"2\",\"named\""),
        "{csv}"
    );
    let file = world.folder.path().join("card.html");
    world.over_ledger(&["shadow", "report", "--format", "html", "--out", file.to_str().unwrap()]);
    let page = fs::read_to_string(file).unwrap();
    for bad in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("reversals-too-many") && page.contains("Olivia Example"), "{page}");
    let list = world.over_ledger(&["shadow", "list"]);
    assert!(list.contains("week:5") && list.contains("reversed"), "{list}");
}

async fn what_nobody_touched_is_no_answer_and_what_an_agent_wrote_itself_is_not_shown() {
    let mut world = world(0);
    let amy = world.lead("Amy").await;
    let fields = json!({ "AI_Proposal_ID__c": "direct:1", "AI_Recommended_Status__c": WORKING,
        "AI_Status_Confidence__c": 0.99, "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("proposer", "Lead", &amy, fields).await.0, 204);
    world.wait_stage("direct:1", "shadow").await;
    eventually("no list shows it", Duration::from_secs(20), || async {
        row(&world, &amy).await["AI_Gate_Pending__c"] == false
    })
    .await;
    assert_eq!(row(&world, &amy).await["Status"], OPEN);
    eventually("its watch has ended", Duration::from_secs(30), || async {
        shadow(&world, &["look"]);
        card(&world)["tally"]["untouched"] == 1
    })
    .await;
    let told = card(&world);
    assert_eq!(
        (&told["decided"], &told["precision"], &told["coverage"]),
        (&json!(0), &Value::Null, &json!("0.0000"))
    );
    assert_eq!(told["advice"], json!({ "advice": "need-more", "more": 4 }), "{told}");
    world.stop();
    world.over_ledger(&["verify"]);
}

async fn what_programs_set_is_left_out_and_people_still_count() {
    let mut world = world(14);
    // One is an integration by its licence, one by the settings, and one is a person by them.
    for role in ["breaker", "manager"] {
        world.org.control("/__users", json!({ "user": role, "program": true })).await;
    }
    let username = |role: &str| world.org.text(&format!("/users/{role}/username"));
    let (program, person) = (username("outsider"), username("manager"));
    let id = world.org.text("/users/outsider/user_id");
    world.kill();
    world.set(&format!("[shadow]\nprograms = [\"{}\"]\npeople = \"{person}\"\n", &id[..15]));
    world.restart();
    eventually("the rules are known before anything is judged", Duration::from_secs(30), || async {
        // The new daemon makes the ledger, so at first there is none.
        let (_, entries, _) = countersign(&["export", "--ledger", &world.ledger()], None);
        entries.contains("\"min_sample\":\"4\"")
    })
    .await;
    let mut ids = Vec::new();
    for (place, name) in ["Amy", "Ben", "Cleo", "Dora"].iter().enumerate() {
        ids.push(world.lead(name).await);
        propose(&world, &format!("who:{place}"), &ids[place]);
    }
    counted(&world, "waiting", 4).await;
    for (place, role) in ["breaker", "outsider", "manager", "reviewer"].iter().enumerate() {
        let value = if place == 3 { CLOSED } else { WORKING };
        let (code, said) = world.patch(role, "Lead", &ids[place], json!({ "Status": value })).await;
        assert_eq!(code, 204, "{role}: {said}");
    }
    for (key, number) in [("programs", 2), ("right", 1), ("wrong", 1)] {
        counted(&world, key, number).await;
    }
    let told = card(&world);
    assert_eq!((&told["tally"]["right"], &told["tally"]["wrong"]), (&json!(1), &json!(1)), "{told}");
    assert_eq!((&told["coverage"], &told["precision"]), (&json!("0.5000"), &json!("0.5000")), "{told}");
    let text = world.over_ledger(&["shadow", "report"]);
    assert!(text.contains("left out   2 that a program set"), "{text}");
    let csv = world.over_ledger(&["shadow", "report", "--format", "csv"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].ends_with("\"programs\"") && lines[1].ends_with("\"2\",\"2\""), "{csv}");

    // A person who changes it later is heard.
    sets(&world, &ids[0], CLOSED).await;
    counted(&world, "wrong", 2).await;
    assert_eq!(card(&world)["tally"]["programs"], 1);
    let entries = world.over_ledger(&["export"]).replace('\\', "");
    for who in ["program", "person"] {
        assert!(entries.contains(&format!("\"who\":\"{who}\"")), "{who}");
    }
    let bad = world.path("bad.toml");
    let known = fs::read_to_string(&world.config).unwrap();
    fs::write(&bad, known.replace(&format!("\"{person}\""), &format!("\"{program}, night-sync\""))).unwrap();
    let (code, out, err) = countersign(&["shadow", "look", "--config", &bad], None);
    assert!(code == 2 && err.contains("shadow.people") && err.contains("night-sync"), "{out}{err}");
    world.stop();
    world.over_ledger(&["verify"]);
}

crate::databases::over_both!(
    what_programs_set_is_left_out_and_people_still_count,
    a_lane_earns_trust_and_loses_it,
    what_nobody_touched_is_no_answer_and_what_an_agent_wrote_itself_is_not_shown,
);
