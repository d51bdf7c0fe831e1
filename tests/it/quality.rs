//! The numbers of quality against what was done: proposals that people approve, reject and edit or that the
//! gate refuses, promotions with and without people, rollbacks and values that a person put back.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    databases::over_both,
    processes::{countersign, eventually},
};

const OPEN: &str = "Open - Not Contacted";
const WORKING: &str = "Working - Contacted";
const WHO: [&str; 4] = ["--by", "Pat Example", "--reason", "the agent was wrong"];

/// A world in which leads are watched for two weeks, and a lead's status may run by itself.
async fn world() -> World {
    let mut world = World::start();
    world.org.control("/__settings", json!({ "field": "Lead_Status_Auto__c", "on": true })).await;
    let folder = world.folder.path().join("policies");
    fs::create_dir(&folder).unwrap();
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies"));
    fs::copy(shipped.join("opportunity-pilot.toml"), folder.join("opportunity-pilot.toml")).unwrap();
    let lead = fs::read_to_string(shipped.join("lead-lifecycle.toml")).unwrap();
    let watched = lead.replace("[signal_weights]", "[shadow]\nlabel_days = 14\n\n[signal_weights]");
    assert!(watched.contains("[shadow]"));
    fs::write(folder.join("lead-lifecycle.toml"), watched).unwrap();
    world.kill();
    world.set(&format!("[policy]\ndirectory = \"{}\"\n", folder.to_str().unwrap()));
    world.restart();
    world
}

fn quality(world: &World, words: &[&str]) -> Value {
    let told = world.over_ledger(&[&["quality", "--json"], words].concat());
    serde_json::from_str(&told).expect("JSON")
}

/// The row of a name.
fn row<'a>(rows: &'a Value, key: &str, name: &str) -> &'a Value {
    let rows = rows.as_array().expect("rows");
    rows.iter().find(|row| row[key] == name).unwrap_or(&Value::Null)
}

/// An agent's proposal for a lead's status; says how it ended.
async fn status(world: &World, id: &str, (name, value): (&str, &str)) -> (String, i32) {
    let lead = world.lead(name).await;
    let now = countersign::clock::Clock::system().now().to_string();
    let body = json!({ "proposal_id": id, "object": "Lead", "record_id": lead, "patch": { "Status": value },
        "confidence": 0.99, "evaluated_at": now, "actor": { "agent": "night-shift" } });
    let (code, _, _) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    (lead, code)
}

/// Five next steps: two approved, one rejected, one that waits, one that another one displaces.
async fn people_decide(world: &World) {
    let mut deals = Vec::new();
    for place in 0..5 {
        let fields = json!({ "Name": format!("Deal {place}"), "StageName": "Prospecting",
            "CloseDate": "2030-01-31", "NextStep": "first" });
        let (code, made) = world.org.call("admin", "POST", "/sobjects/Opportunity", Some(fields)).await;
        assert_eq!(code, 201, "{made}");
        deals.push(text(&made["id"]).to_owned());
    }
    for (place, deal) in deals.iter().enumerate() {
        world.asks(deal, (&format!("step:{place}"), "Send the draft")).await;
    }
    world.decides(&deals[0], ("step:0", "Approved"), "promoted").await;
    world.decides(&deals[1], ("step:1", "Approved"), "promoted").await;
    world.decides(&deals[2], ("step:2", "Rejected"), "rejected").await;
    world.asks(&deals[3], ("step:newer", "Call them")).await;
    world.wait_stage("step:3", "superseded").await;
    let fields = json!({ "AI_Proposal_ID__c": "step:4~mine", "AI_Edited_From__c": "step:4",
        "AI_Recommended_Next_Step__c": "Send it tomorrow", "AI_Decision__c": "Approved",
        "AI_Decision_Proposal_ID__c": "step:4~mine", "AI_Gate_Pending__c": true });
    let (code, said) = world.patch("reviewer", "Opportunity", &deals[4], fields).await;
    assert_eq!(code, 204, "{said}");
    world.wait_stage("step:4~mine", "promoted").await;
    world.wait_stage("step:4", "superseded").await;
    let words =
        [&["rollback", "apply", "--proposal", "step:0", "--yes", "--config", &world.config], &WHO[..]];
    let (code, out, err) = countersign(&words.concat(), None);
    assert_eq!(code, 0, "{out}{err}");
    world.wait_stage("step:0", "rolled-back").await;
}

/// Three leads that run by themselves, of which a person puts one back, and one that is refused.
async fn agents_act(world: &World) {
    let (first, _) = status(world, "lead:0", ("Amy", WORKING)).await;
    for (id, name) in [("lead:1", "Ben"), ("lead:2", "Cleo")] {
        status(world, id, (name, WORKING)).await;
    }
    for id in ["lead:0", "lead:1", "lead:2"] {
        world.wait_stage(id, "promoted").await;
    }
    assert_eq!(status(world, "lead:3", ("Dora", "No such status")).await.1, 3);
    // Not in the second in which it was promoted.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.patch("admin", "Lead", &first, json!({ "Status": OPEN })).await.0, 204);
    eventually("it is seen", Duration::from_secs(30), || async {
        let (code, out, err) = countersign(&["shadow", "look", "--config", &world.config], None);
        assert_eq!(code, 0, "{out}{err}");
        quality(world, &[])["all"]["reversals"]["put_back"] == 1
    })
    .await;
}

async fn each_number_is_what_was_done() {
    let mut world = world().await;
    eventually("it serves", Duration::from_secs(60), || async { world.said().contains("serving;") }).await;
    let empty = quality(&world, &[]);
    assert_eq!((&empty["all"]["decided"], &empty["all"]["acceptance_percent"]), (&json!(0), &Value::Null));
    assert_eq!((&empty["weeks"], &empty["all"]["review"]["median_minutes"]), (&json!([]), &Value::Null));
    people_decide(&world).await;
    agents_act(&world).await;
    eventually("all has landed", Duration::from_secs(30), || async {
        let status: Value = serde_json::from_str(&world.over_ledger(&["status", "--json"])).unwrap();
        status["promotions_open"] == 0
    })
    .await;
    let told = quality(&world, &["--agents", "--minutes-per-cleanup", "25"]);
    let mut all = told["all"].clone();
    let review = all["review"].take();
    assert_eq!(review["timed"], 4, "{told:#}");
    for minutes in [&review["median_minutes"], &review["p90_minutes"]] {
        assert!(minutes.as_u64().is_some_and(|minutes| minutes < 10), "{review}");
    }
    let expected = json!({
        "decided": 4, "accepted": 2, "rejected": 1, "edited": 1, "acceptance_percent": "50.0",
        "expired": 0, "ended_undecided": 1, "waiting": 1,
        "review": null,
        "promotions": { "all": 6, "approved": 3, "auto": 3, "decay": 0 },
        "reversals": { "all": 2, "rolled_back": 1, "put_back": 1, "percent": "33.3" },
        "stopped": { "values": 2, "refused": 1, "rejected": 1 },
    });
    assert_eq!(all, expected, "{told:#}");
    assert_eq!((&told["minutes_per_cleanup"], &told["saved_minutes"]), (&json!(25), &json!(50)));
    lanes_and_agents(&told);
    told_in_every_form(&world, &told);
    since_when(&world);
    world.stop();
    world.over_ledger(&["verify"]);
}

fn lanes_and_agents(told: &Value) {
    let next_step = row(&told["lanes"], "lane", "Opportunity.NextStep");
    assert_eq!(
        (&next_step["decided"], &next_step["promotions"]["approved"]),
        (&json!(4), &json!(3)),
        "{told:#}"
    );
    assert_eq!(
        (&next_step["reversals"]["rolled_back"], &next_step["stopped"]["rejected"]),
        (&json!(1), &json!(1))
    );
    let status = row(&told["lanes"], "lane", "Lead.Status");
    assert_eq!((&status["decided"], &status["promotions"]["auto"]), (&json!(0), &json!(3)), "{told:#}");
    assert_eq!((&status["reversals"]["put_back"], &status["stopped"]["refused"]), (&json!(1), &json!(1)));
    assert_eq!(status["reversals"]["percent"], "33.3");
    let agent = row(&told["agents"], "agent", "night-shift");
    assert_eq!(
        (&agent["promotions"]["auto"], &agent["reversals"]["all"]),
        (&json!(3), &json!(1)),
        "{told:#}"
    );
    let sum = |rows: &Value, key: &str| -> u64 {
        rows.as_array().unwrap().iter().map(|row| row["promotions"][key].as_u64().unwrap()).sum()
    };
    for rows in ["weeks", "lanes", "lane_weeks"] {
        assert_eq!((sum(&told[rows], "approved"), sum(&told[rows], "auto")), (3, 3), "{rows} of {told:#}");
    }
    assert_eq!(sum(&told["agents"], "approved"), 2, "the edit was a person's: {told:#}");
}

fn told_in_every_form(world: &World, told: &Value) {
    let text = world.over_ledger(&["quality", "--minutes-per-cleanup", "25"]);
    for words in [
        "Opportunity.NextStep  4        2         1         1       50.0 %      ",
        "2 value(s) of agents never reached their field: 1 refused by the gate or the org, 1 rejected by people",
        "at 25 min for each that is 0 h 50 min of cleaning up saved",
        "1 more ended before anybody decided",
        "Nobody can know from here",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(
        !text.contains("night-shift") && world.over_ledger(&["quality", "--agents"]).contains("night-shift")
    );
    let csv = world.over_ledger(&["quality", "--format", "csv"]);
    let rows = |key: &str| told[key].as_array().unwrap().len();
    assert_eq!(csv.lines().count(), 2 + rows("weeks") + rows("lanes") + rows("lane_weeks"), "{csv}");
    let all = csv.lines().find(|line| line.starts_with("\"all\"")).expect("a row of all");
    let cells: Vec<&str> = all.split(',').map(|cell| cell.trim_matches('"')).collect();
    assert_eq!(cells[4..12], ["4", "2", "1", "1", "50.0", "0", "1", "1"], "{csv}");
    assert_eq!(cells[14..], ["3", "3", "0", "1", "1", "33.3", "1", "1"], "{csv}");
    let page = world.over_ledger(&["quality", "--format", "html"]);
    for bad in ["<script", "src=", "href=", "url("] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(
        page.contains("2 of 4") && page.contains("2 of 6") && page.contains("Promotions, by week"),
        "{page}"
    );
}

/// Nothing is from the future, and what cannot be read as a moment is refused.
fn since_when(world: &World) {
    let none = quality(world, &["--since", "2100-01-01"]);
    assert_eq!((&none["all"]["decided"], &none["weeks"]), (&json!(0), &json!([])));
    let text = world.over_ledger(&["quality", "--since", "2100-01-01"]);
    assert!(text.contains("nothing was decided, promoted or refused"), "{text}");
    assert_eq!(quality(world, &["--since", "2h"])["all"]["decided"], 4);
    let ledger = world.ledger();
    for (words, said) in [
        (["--since", "yesterday"], "since-unreadable"),
        (["--minutes-per-cleanup", "0"], "minutes-per-cleanup"),
    ] {
        let (code, _, err) = countersign(&[&["quality", "--ledger", &ledger], &words[..]].concat(), None);
        assert!(code == 2 && err.contains(said), "{code}: {err}");
    }
}

over_both!(each_number_is_what_was_done);
