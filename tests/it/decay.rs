//! Decay with a running daemon: announced, objected to, carried out, reported and put back.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::{countersign, eventually},
};

pub const OPEN: &str = "Open - Not Contacted";
pub const WORKING: &str = "Working - Contacted";

/// A world whose leads in work decay at once, those of one name after a month.
pub fn world(objection: u32, more: &str) -> World {
    let mut world = World::start();
    let folder = world.folder.path().join("policies");
    fs::create_dir(&folder).unwrap();
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies"));
    fs::copy(shipped.join("opportunity-pilot.toml"), folder.join("opportunity-pilot.toml")).unwrap();
    let lead = fs::read_to_string(shipped.join("lead-lifecycle.toml")).unwrap();
    let changed = lead.replace("\"Working - Contacted\" = 30", "\"Working - Contacted\" = 0");
    assert_ne!(lead, changed);
    let part = "[[fields.Status.decay_segments]]\nname = \"named accounts\"\n\
        when = { field = \"Name\", is_any_of = [\"Zoe Example\"] }\nafter_days = { \"Working - Contacted\" = 30 }\n";
    fs::write(folder.join("lead-lifecycle.toml"), format!("{changed}\n{part}")).unwrap();
    world.kill();
    let folder = folder.to_str().unwrap();
    world.set(&format!(
        "[policy]\ndirectory = \"{folder}\"\n[decay]\nobjection_hours = {objection}\n{more}\n"
    ));
    world.restart();
    world
}

/// A lead in work whose day of decay has come.
pub async fn stale(world: &World, name: &str) -> String {
    let id = world.lead(name).await;
    let (code, said) = world.patch("admin", "Lead", &id, json!({ "Status": WORKING })).await;
    assert_eq!(code, 204, "{said}");
    let (code, said) =
        world.patch("promoter", "Lead", &id, json!({ "Decay_Eligible_Date__c": "2020-01-01" })).await;
    assert_eq!(code, 204, "{said}");
    id
}

async fn lead(world: &World, id: &str) -> Value {
    world.org.call("admin", "GET", &format!("/sobjects/Lead/{id}"), None).await.1
}

pub fn decay(world: &World, words: &[&str]) -> (i32, Value, String) {
    let (code, out, err) =
        countersign(&[&["decay"], words, &["--config", &world.config, "--json"]].concat(), None);
    (code, serde_json::from_str(&out).unwrap_or(Value::Null), format!("{out}{err}"))
}

pub fn jobs(world: &World, words: &[&str]) -> (i32, Value, String) {
    let (code, out, err) =
        countersign(&[&["jobs"], words, &["--config", &world.config, "--json"]].concat(), None);
    (code, serde_json::from_str(&out).unwrap_or(Value::Null), format!("{out}{err}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stale_moves_back_and_who_objected_is_spared() {
    let mut world = world(0, "");
    let mut ids = Vec::new();
    for name in ["Amy", "Ben", "Cleo", "Dora", "Zoe"] {
        ids.push(stale(&world, name).await);
    }
    let [amy, ben, cleo, dora, zoe] = &ids[..] else { panic!("five leads") };

    // Looking writes nothing; the part of the records with a month is spared and says why.
    let (code, look, said) = decay(&world, &["preview"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(look["due"].as_array().map(Vec::len), Some(4), "{look}");
    assert_eq!(
        (&look["spared"][0]["step"]["record"], &look["spared"][0]["code"]),
        (&json!(zoe), &json!("decay-active"))
    );
    assert_eq!(look["spared"][0]["step"]["segment"], "named accounts");
    assert_eq!(lead(&world, amy).await["Status"], WORKING);

    let (code, run, said) = decay(&world, &["announce", "--by", "Olivia Example"]);
    assert_eq!(code, 0, "{said}");
    let id = &text(&run["id"])[..12];
    assert_eq!(run["totals"][format!("Lead: {WORKING} > {OPEN} (general)")], "4", "{run}");
    let (code, _, said) = decay(&world, &["announce", "--by", "Olivia Example"]);
    assert!(code == 1 && said.contains("decay-open"), "announced one time: {said}");

    // People object, decide otherwise, and somebody proposes.
    let hold = json!({ "AI_Hold_Until__c": "2100-01-01", "AI_Hold_Reason__c": "in talks" });
    assert_eq!(world.patch("reviewer", "Lead", ben, hold).await.0, 204);
    assert_eq!(
        world.patch("admin", "Lead", cleo, json!({ "Status": "Closed - Not Converted" })).await.0,
        204
    );
    let body = json!({ "proposal_id": "decay-test:dora", "object": "Lead", "record_id": dora,
        "patch": { "Status": "Closed - Not Converted" }, "confidence": 0.9 });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "an announced decay disputes nothing: {out}{err}");
    assert!(!out.contains("agents-disagree"), "{out}");
    world.wait_stage("decay-test:dora", "awaiting-approval").await;

    let (code, report, said) = decay(&world, &["run"]);
    assert_eq!(code, 4, "some stayed: {said}");
    assert_eq!(report["counts"], json!({ "moved": 1, "held": 1, "conflicted": 1, "spared": 1 }), "{report}");
    let fate = |record: &str| {
        let ends = report["ends"].as_array().unwrap();
        let end = ends.iter().find(|end| end["step"]["record"] == record).unwrap();
        (text(&end["fate"]).to_owned(), text(&end["code"]).to_owned())
    };
    assert_eq!(fate(ben), ("held".into(), "manual-override".into()));
    assert_eq!(fate(cleo), ("conflicted".into(), "base-moved".into()));
    assert_eq!(fate(dora), ("spared".into(), "decay-proposal-open".into()));
    let moved = lead(&world, amy).await;
    assert_eq!(
        (&moved["Status"], &moved["Previous_Lead_Status__c"], &moved["Lead_Status_Change_Source__c"]),
        (&json!(OPEN), &json!(WORKING), &json!("Decay")),
        "{moved}"
    );
    assert_eq!(moved["Decay_Eligible_Date__c"], Value::Null, "the first state does not decay");
    assert!(text(&moved["AI_Gate_Outcome__c"]).starts_with("decayed:"), "{moved}");
    for (id, state) in [(ben, WORKING), (cleo, "Closed - Not Converted"), (dora, WORKING), (zoe, WORKING)] {
        assert_eq!(lead(&world, id).await["Status"], state);
    }
    assert_eq!(world.stage("decay-test:dora"), "awaiting-approval", "the agent's proposal goes on");
    told(&world, id, amy);

    // It is a promotion like any other: it has a story, it can be put back, and it stays verifiable.
    let proposal = format!("decay:{id}:{amy}");
    assert!(world.story(&proposal).contains("decay-due"), "{}", world.story(&proposal));
    let (code, out, err) = countersign(&["rollback", "apply", &proposal, "--config", &world.config], None);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(lead(&world, amy).await["Status"], WORKING);
    let (_, look, _) = decay(&world, &["preview"]);
    let again = look["due"].as_array().unwrap().iter().any(|found| found["step"]["record"] == json!(amy));
    assert!(!again, "what was put back does not decay again by itself: {look}");
    world.stop();
    world.over_ledger(&["verify"]);
    let told: Value = serde_json::from_str(&world.over_ledger(&["replay", "--json"])).unwrap();
    assert_eq!((&told["same"], &told["differing"]), (&told["replayed"], &json!(0)), "{told}");
}

/// Every form of the report, and the list.
fn told(world: &World, id: &str, amy: &str) {
    let ledger = world.ledger();
    let report = |words: &[&str]| {
        let (code, out, err) =
            countersign(&[&["decay", "report"], words, &["--ledger", &ledger]].concat(), None);
        assert_eq!(code, 0, "{out}{err}");
        out
    };
    let text = report(&[]);
    assert!(text.contains("moved           1") && text.contains("manual-override"), "{text}");
    let csv = report(&[id, "--format", "csv"]);
    assert!(csv.lines().count() == 5 && csv.contains(&format!("\"Lead\",\"{amy}\",\"Status\"")), "{csv}");
    let page = report(&["--format", "html"]);
    for bad in ["<script", "src=", "href=", "url(", "@import", "serde_json"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("4 announced records") && page.contains("1 of 4 moved"), "{page}");
    let list = countersign(&["decay", "list", "--ledger", &ledger], None).1;
    assert!(list.contains(id) && list.contains("Olivia Example") && list.contains("1 moved"), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_moves_before_its_time_or_twice() {
    let mut world = world(24, "");
    let amy = stale(&world, "Amy").await;
    let (code, _, said) = decay(&world, &["run"]);
    assert!(code == 1 && said.contains("decay-nothing-announced"), "{said}");
    let (code, run, said) = decay(&world, &["announce", "--by", "Olivia Example"]);
    assert_eq!(code, 0, "{said}");
    let id = text(&run["id"]).to_owned();
    let (code, _, said) = decay(&world, &["run"]);
    assert!(code == 1 && said.contains("decay-too-early"), "{said}");
    let (code, _, said) = decay(&world, &["run", "feedbeeffeed"]);
    assert!(code == 1 && said.contains("decay-unknown"), "{said}");

    // An agent cannot carry it out by putting its id on the record.
    let fields = json!({ "AI_Proposal_ID__c": format!("decay:{}:{amy}", &id[..12]), "AI_Recommended_Status__c": OPEN,
        "AI_Status_Confidence__c": 0.99, "AI_Gate_Pending__c": true });
    let (code, said) = world.patch("proposer", "Lead", &amy, fields).await;
    assert_eq!(code, 204, "{said}");
    eventually("it is refused", Duration::from_secs(20), || async {
        world.outcome("Lead", &amy).await.contains("proposal-id-reused")
    })
    .await;
    assert_eq!(lead(&world, &amy).await["Status"], WORKING);
    assert_eq!(world.stage(&format!("decay:{}:{amy}", &id[..12])), "received", "and the announcement stands");

    let ledger = world.ledger();
    let (code, out, err) = countersign(&["decay", "cancel", "--ledger", &ledger], None);
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, said) = decay(&world, &["run", &id]);
    assert!(code == 1 && said.contains("decay-ended"), "{said}");
    let out = countersign(&["decay", "report", "--json", "--ledger", &ledger], None).1;
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["counts"], json!({ "cancelled": 1 }), "{report}");
    world.stop();
    world.over_ledger(&["verify"]);
    assert_eq!(lead(&world, &amy).await["Status"], WORKING);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_announces_by_its_timetable_and_carries_out_under_the_rules_of_then_only() {
    let mut world = world(0, "[jobs]\ndecay = \"0 0 * * *\"");
    let runs = |world: &World| -> Value {
        // A daemon that starts may not have made its ledger yet.
        let out = countersign(&["decay", "list", "--json", "--ledger", &world.ledger()], None).1;
        serde_json::from_str(&out).unwrap_or(Value::Null)
    };
    let served = |world: &World| -> Value {
        let out = countersign(&["jobs", "runs", "decay", "--json", "--ledger", &world.ledger()], None).1;
        serde_json::from_str(&out).unwrap_or(Value::Null)
    };
    eventually("the slot of the day is served", Duration::from_secs(30), || async {
        served(&world)[0]["end"]["counts"] == json!({ "announced": "0", "spared": "0" })
    })
    .await;

    // The slot is served, however often the daemon starts. A person asks for the job now.
    let amy = stale(&world, "Amy").await;
    world.kill();
    world.restart();
    let (code, _, said) = jobs(&world, &["run", "decay", "--dry-run"]);
    assert!(code == 0 && said.contains(&amy), "{said}");
    assert_eq!(runs(&world), json!([]), "neither the restart nor a dry run announces anything");
    // A daemon at work carries out what is announced within the minute.
    world.kill();
    let (code, done, said) = jobs(&world, &["run", "decay", "--by", "Olivia Example"]);
    assert_eq!((code, &done["end"]["counts"]["announced"]), (0, &json!("1")), "{said}");
    assert_eq!(runs(&world)[0]["run"]["by"], "Olivia Example");
    assert_eq!(lead(&world, &amy).await["Status"], WORKING, "announced is not moved");
    world.restart();
    eventually("it is carried out", Duration::from_secs(30), || async {
        runs(&world)[0]["counts"] == json!({ "moved": "1" })
    })
    .await;
    assert_eq!(lead(&world, &amy).await["Status"], OPEN);
    let ben = stale(&world, "Ben").await;

    let (code, listed, said) = jobs(&world, &["list"]);
    assert_eq!(code, 0, "{said}");
    let of = |name: &str| listed.as_array().unwrap().iter().find(|one| one["job"] == name).cloned().unwrap();
    assert_eq!(of("decay")["when"], "0 0 * * * (UTC)");
    assert_eq!(of("decay")["last"]["run"]["by"], "Olivia Example");
    assert!(text(&of("decay")["next"]).ends_with("T00:00:00Z"), "{listed}");
    assert_eq!(of("decay-run")["last"]["end"]["counts"], json!({ "moved": "1" }));
    assert_eq!((&of("reconcile")["when"], &of("reconcile")["next"]), (&json!("off"), &Value::Null));
    let (code, _, said) = jobs(&world, &["run", "approve", "--by", "Olivia Example"]);
    assert!(code == 2 && said.contains("job-unknown"), "{said}");

    // Other rules than it was announced under: a person is refused, the daemon gives it up.
    world.kill();
    let (code, _, said) = decay(&world, &["announce", "--by", "Olivia Example"]);
    assert_eq!(code, 0, "{said}");
    let file = world.folder.path().join("policies/lead-lifecycle.toml");
    let rules = fs::read_to_string(&file).unwrap();
    fs::write(&file, rules.replace("\"Working - Contacted\" = 0", "\"Working - Contacted\" = 1")).unwrap();
    let (code, _, said) = decay(&world, &["run"]);
    assert!(code == 1 && said.contains("decay-policy-changed"), "{said}");
    world.restart();
    eventually("it is given up", Duration::from_secs(30), || async {
        runs(&world)[1]["counts"] == json!({ "cancelled": "1" })
    })
    .await;
    assert_eq!(lead(&world, &ben).await["Status"], WORKING);
    world.stop();
    world.over_ledger(&["verify"]);
}
