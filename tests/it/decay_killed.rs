//! A decay run that is killed in the middle goes on: each announced record moves at most one time, and the
//! report says of each what became of it.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    decay::{OPEN, WORKING, world},
    processes::{countersign, eventually},
};

const CLOSED: &str = "Closed - Not Converted";
/// Small calls, so that there is a middle.
const SMALL: &str = "[promotion]\nbatch_rows = 3\nbatches_per_call = 1\n";
/// Announced leads of a run that is killed while calls go out.
const MANY: usize = 90;
/// Points of a run at which it is ended, one after another.
const ENDS: u64 = 8;

/// Leads in work whose day of decay has come.
async fn stale(world: &World, company: &str, number: usize) -> Vec<String> {
    let attributes = json!({ "type": "Lead" });
    let new = |n| json!({ "attributes": attributes, "LastName": format!("Example {n}"), "Company": company, "Status": OPEN });
    let ids = world.org.collections("admin", "POST", &(0..number).map(new).collect::<Vec<_>>()).await;
    let all = |fields: Value| -> Vec<Value> {
        let row = |id: &String| {
            let mut row = json!({ "attributes": attributes, "id": id });
            row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            row
        };
        ids.iter().map(row).collect()
    };
    world.org.collections("admin", "PATCH", &all(json!({ "Status": WORKING }))).await;
    world.org.collections("promoter", "PATCH", &all(json!({ "Decay_Eligible_Date__c": "2020-01-01" }))).await;
    ids
}

async fn rows(world: &World, company: &str) -> Vec<Value> {
    let soql = format!(
        "SELECT Id, Status, AI_Promotion_Seq__c, Lead_Status_Change_Source__c FROM Lead WHERE Company = '{company}'"
    );
    world.org.query(&soql).await
}

async fn moved(world: &World, company: &str) -> usize {
    rows(world, company).await.iter().filter(|row| row["Status"] == OPEN).count()
}

/// People object to three of the announced: one is held, one is closed, one gets a hold that has ended.
async fn objections(world: &World, ids: &[String]) {
    let hold = |day: &str| json!({ "AI_Hold_Until__c": day, "AI_Hold_Reason__c": "in talks" });
    assert_eq!(world.patch("reviewer", "Lead", &ids[0], hold("2100-01-01")).await.0, 204);
    assert_eq!(world.patch("admin", "Lead", &ids[1], json!({ "Status": CLOSED })).await.0, 204);
    assert_eq!(world.patch("reviewer", "Lead", &ids[2], hold("2020-01-01")).await.0, 204);
}

fn decay(world: &World, words: &[&str]) -> (i32, Value, String) {
    let (code, out, err) =
        countersign(&[&["decay"], words, &["--config", &world.config, "--json"]].concat(), None);
    (code, serde_json::from_str(&out).unwrap_or(Value::Null), format!("{out}{err}"))
}

fn announce(world: &World) -> String {
    let (code, run, said) = decay(world, &["announce", "--by", "Olivia Example"]);
    assert_eq!(code, 0, "{said}");
    text(&run["id"]).to_owned()
}

/// What the report says, and what the org says of each announced record.
async fn ended_rightly(world: &World, (run, company): (&str, &str), ids: &[String]) {
    let report: Value =
        serde_json::from_str(&world.over_ledger(&["decay", "report", run, "--json"])).unwrap();
    let counts = json!({ "moved": ids.len() - 2, "held": 1, "conflicted": 1 });
    assert_eq!(report["counts"], counts, "{report}");
    let ends = report["ends"].as_array().unwrap();
    assert_eq!(ends.len(), ids.len());
    let rows = rows(world, company).await;
    for (place, id) in ids.iter().enumerate() {
        let end = ends.iter().find(|end| end["step"]["record"] == json!(id)).unwrap();
        let row = rows.iter().find(|row| row["Id"] == json!(id)).unwrap();
        let number = row["AI_Promotion_Seq__c"].to_string();
        let (fate, code, status, number_then) = match place {
            0 => ("held", "manual-override", WORKING, "null"),
            1 => ("conflicted", "base-moved", CLOSED, "null"),
            // The number counts every promotion and every void: this one landed, and nothing else ever did.
            _ => ("moved", "", OPEN, "1"),
        };
        assert_eq!((text(&end["fate"]), text(&end["code"])), (fate, code), "{end}");
        assert_eq!((text(&row["Status"]), number.trim_end_matches(".0")), (status, number_then), "{row}");
        assert_eq!(row["Lead_Status_Change_Source__c"] == "Decay", place > 1, "{row}");
    }
    let status: Value = serde_json::from_str(&world.over_ledger(&["status", "--json"])).unwrap();
    assert_eq!(status["promotions_open"], 0, "{status}");
    world.over_ledger(&["verify"]);
}

/// On a fast machine all would be over before anybody could look.
async fn slow(world: &World) {
    let slow = json!({ "name": "slow", "point": "request", "count": 1000,
        "action": { "kind": "delay", "millis": 300 }, "match": { "path_contains": "/composite" } });
    world.org.control("/__faults", slow).await;
}

async fn killed_while_it_writes_it_goes_on_and_moves_each_one_time() {
    let mut world = world(0, SMALL);
    world.kill();
    let ids = stale(&world, "Killed Example", MANY).await;
    let run = announce(&world);
    objections(&world, &ids).await;
    slow(&world).await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["decay", "run", &run, "--config", &world.config])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it is under way", Duration::from_secs(60), || async {
        moved(&world, "Killed Example").await > 0
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let at_kill = moved(&world, "Killed Example").await;
    println!("killed with {at_kill} of {MANY} moved");
    assert!(at_kill < MANY - 2, "there is a rest");
    world.org.reset("/__faults").await;

    let (code, report, said) = decay(&world, &["run"]);
    assert_eq!(code, 4, "two stayed: {said}");
    assert_eq!(report["run"]["id"], json!(run), "the same run goes on");
    ended_rightly(&world, (&run, "Killed Example"), &ids).await;
    let (code, _, said) = decay(&world, &["run", &run]);
    assert!(code == 1 && said.contains("decay-ended"), "{said}");
    world.restart();
}

/// The same at chosen points of the run: before and after commits, requests and replies.
async fn ended_at_any_point_it_goes_on() {
    let mut world = world(0, SMALL);
    world.kill();
    let mut points = 0;
    for place in 0..=ENDS {
        let company = format!("Point {place} Example");
        let ids = stale(&world, &company, 6).await;
        let run = announce(&world);
        objections(&world, &ids).await;
        // The first run goes to its end and tells how many points there are.
        let at = points * place / ENDS;
        let (code, _, said) = decay(&world, &["run", "--crash-at", &at.to_string()]);
        if place == 0 {
            let told = said.lines().find_map(|line| line.strip_prefix("crash points: "));
            points = told.expect("it counts").parse().expect("a number");
            assert!(code == 4 && points > ENDS, "{said}");
        } else {
            assert!(
                code != 0 && code != 4 && said.contains(&format!("crash at point {at}")),
                "{code} {said}"
            );
            let (code, again, said) = decay(&world, &["run"]);
            // Whoever was ended after the last commit has nothing left to do.
            let was_over = said.contains("decay-nothing-announced");
            assert!(was_over || (code == 4 && again["run"]["id"] == json!(run)), "{at} of {points}: {said}");
        }
        ended_rightly(&world, (&run, &company), &ids).await;
    }
    world.restart();
}

async fn a_daemon_that_is_killed_in_its_slot_carries_the_run_out_when_it_is_back() {
    let mut world = world(0, &format!("{SMALL}[jobs]\ndecay = \"0 0 1 1 *\"\n"));
    world.kill();
    let ids = stale(&world, "Slot Example", MANY).await;
    let run = announce(&world);
    objections(&world, &ids).await;
    slow(&world).await;
    world.restart();
    eventually("the slot is under way", Duration::from_secs(60), || async {
        moved(&world, "Slot Example").await > 0
    })
    .await;
    world.kill();
    let at_kill = moved(&world, "Slot Example").await;
    println!("killed with {at_kill} of {MANY} moved");
    assert!(at_kill < MANY - 2, "there is a rest");
    world.org.reset("/__faults").await;

    world.restart();
    eventually("it is carried out", Duration::from_secs(60), || async {
        let runs: Value = serde_json::from_str(&world.over_ledger(&["decay", "list", "--json"])).unwrap();
        runs[0]["counts"].is_object()
    })
    .await;
    world.stop();
    ended_rightly(&world, (&run, "Slot Example"), &ids).await;
    let told = world.over_ledger(&["jobs", "runs", "decay-run", "--json"]);
    let tries: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&tries[0]["run"]["attempt"], &tries[0]["end"]["result"]),
        (&json!("2"), &json!("done")),
        "{told}"
    );
    assert_eq!((&tries[1]["run"]["attempt"], &tries[1]["end"]), (&json!("1"), &Value::Null), "{told}");
}

crate::databases::over_both!(
    killed_while_it_writes_it_goes_on_and_moves_each_one_time,
    ended_at_any_point_it_goes_on,
    a_daemon_that_is_killed_in_its_slot_carries_the_run_out_when_it_is_back,
);
