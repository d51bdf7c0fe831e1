//! Totals of runs in the org: each stands once however often an answer is lost, nobody changes them,
//! and an org without a place for them goes without.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    decay::{OPEN, WORKING, decay, jobs, stale, world},
    older_package,
    processes::{OrgProcess, ServeProcess, countersign, eventually},
};

const ROWS: &str = "SELECT Id, Total_Key__c, Source__c, Run__c, Part__c, Outcome__c, Count__c, Share__c, \
                    Note__c FROM AI_Run_Total__c";
const PATH: &str = "/sobjects/AI_Run_Total__c";

async fn rows(org: &OrgProcess) -> Vec<Value> {
    org.query(ROWS).await
}

/// Part and outcome to count, of what one source wrote.
fn counts(rows: &[Value], source: &str) -> BTreeMap<(String, String), i64> {
    let mine = rows.iter().filter(|row| row["Source__c"] == source);
    let one = |row: &Value| {
        let count = row["Count__c"].as_f64().unwrap() as i64;
        ((text(&row["Part__c"]).to_owned(), text(&row["Outcome__c"]).to_owned()), count)
    };
    mine.map(one).collect()
}

/// Announces what is due and carries it out; the run's digest.
fn decays(world: &World) -> String {
    let (code, run, said) = decay(world, &["announce", "--by", "Olivia Example"]);
    assert_eq!(code, 0, "{said}");
    let (_, report, said) = decay(world, &["run"]);
    assert!(report["counts"].is_object(), "{said}");
    text(&run["id"]).to_owned()
}

fn write(world: &World) -> (i32, Value, String) {
    jobs(world, &["run", "totals", "--by", "Olivia Example"])
}

fn is_lead_step(counts: &BTreeMap<(String, String), i64>, outcome: &str) -> i64 {
    let part = format!("Lead: {WORKING} > {OPEN} (general)");
    counts.get(&(part, outcome.to_owned())).copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_is_told_in_the_org_by_the_daemon_and_stays_as_it_was() {
    let mut world = world(0, "");
    // A daemon at work could tell the org of the first run before anybody asks what is owed.
    world.kill();
    let mut ids = Vec::new();
    for name in ["Amy", "Ben", "Cleo"] {
        ids.push(stale(&world, name).await);
    }
    let (code, run, said) = decay(&world, &["announce", "--by", "Olivia Example"]);
    assert_eq!(code, 0, "{said}");
    let run = text(&run["id"]);
    let hold = json!({ "AI_Hold_Until__c": "2100-01-01", "AI_Hold_Reason__c": "in talks" });
    assert_eq!(world.patch("reviewer", "Lead", &ids[1], hold).await.0, 204);
    let (code, _, said) = decay(&world, &["run"]);
    assert_eq!(code, 4, "{said}");
    let (code, out, err) = countersign(&["reconcile", "run", "--config", &world.config], None);
    assert!(code == 0 || code == 4, "{out}{err}");
    let (_, owed, said) = jobs(&world, &["run", "totals", "--dry-run"]);
    assert_eq!(owed.as_array().map(Vec::len), Some(2), "{said}");
    assert!(rows(&world.org).await.is_empty(), "a dry run writes nothing");

    // The daemon finds them when it starts, and each minute.
    world.restart();
    eventually("the totals stand", Duration::from_secs(30), || async {
        let found = rows(&world.org).await;
        ["Decay", "Reconciliation"].iter().all(|source| !counts(&found, source).is_empty())
    })
    .await;
    let found = rows(&world.org).await;
    let decayed = counts(&found, "Decay");
    assert_eq!((is_lead_step(&decayed, "moved"), is_lead_step(&decayed, "held")), (2, 1), "{found:?}");
    assert_eq!(decayed.len(), 2, "{found:?}");
    let moved = found.iter().find(|row| row["Outcome__c"] == "moved").unwrap();
    assert_eq!((&moved["Run__c"], moved["Share__c"].as_f64()), (&json!(run), Some(66.6)), "{moved}");
    let read = counts(&found, "Reconciliation");
    assert!(read.contains_key(&("Lead".to_owned(), "records read".to_owned())), "{found:?}");

    // Whoever only proposes sees none; reviewers see all; nobody changes or deletes one.
    let id = text(&moved["Id"]);
    assert_eq!(world.org.call("reviewer", "GET", &format!("{PATH}/{id}"), None).await.0, 200);
    assert!((400..500).contains(&world.org.call("proposer", "GET", &format!("{PATH}/{id}"), None).await.0));
    for role in ["promoter", "proposer", "reviewer", "breaker"] {
        for (method, body) in [("PATCH", Some(json!({ "Count__c": 0 }))), ("DELETE", None)] {
            let (status, told) = world.org.call(role, method, &format!("{PATH}/{id}"), body).await;
            assert!((400..500).contains(&status), "{role} {method}: {status} {told}");
        }
    }
    // A late copy of the request is refused.
    let copy = json!({ "Name": "x", "Total_Key__c": moved["Total_Key__c"] });
    let (status, told) = world.org.call("promoter", "POST", PATH, Some(copy)).await;
    assert!(status == 400 && told.to_string().contains("DUPLICATE_VALUE"), "{told}");

    // What stands is written no second time.
    let (code, end, said) = write(&world);
    assert_eq!((code, &end["end"]["counts"]), (0, &json!({ "runs": "0", "rows": "0" })), "{said}");
    assert_eq!(rows(&world.org).await, found);
    let (_, out, _) = countersign(&["doctor", "--no-canary", "--config", &world.config], None);
    assert!(out.contains("totals of runs can be added to AI_Run_Total__c, and not changed"), "{out}");
    world.stop();
    world.over_ledger(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_settled_by_reading_and_a_refusal_is_told_and_tried_again() {
    let mut world = world(0, "");
    // Nobody but the commands tells the org.
    world.kill();
    stale(&world, "Amy").await;
    let first = decays(&world);
    let lost = |point: &str| {
        json!({ "name": point, "point": point, "count": 1, "action": { "kind": "drop-reply" },
            "match": { "method": "POST", "path_contains": "/composite/sobjects" } })
    };
    // Lost before anything was saved: nobody knows, and the next try reads first.
    world.org.control("/__faults", lost("request")).await;
    let (code, _, said) = write(&world);
    assert!(code == 1 && said.contains("totals-unknown"), "{said}");
    assert!(rows(&world.org).await.is_empty());
    let (code, end, said) = write(&world);
    assert_eq!((code, &end["end"]["counts"]["runs"]), (0, &json!("1")), "{said}");
    let found = rows(&world.org).await;
    assert_eq!((found.len(), &found[0]["Run__c"]), (1, &json!(first)), "{found:?}");

    // Lost after it was saved: the org shows that it stands.
    stale(&world, "Ben").await;
    decays(&world);
    world.org.control("/__faults", lost("reply")).await;
    let (code, end, said) = write(&world);
    assert_eq!((code, &end["end"]["counts"]["runs"]), (0, &json!("1")), "{said}");
    assert!(world.org.fired().await.contains(&"reply".to_owned()));
    assert_eq!(rows(&world.org).await.len(), 2);

    // Refused: it is told, stays owed, and is written when the org takes it.
    stale(&world, "Cleo").await;
    let third = decays(&world);
    let refusal = json!({ "name": "refused", "point": "request", "count": 1,
        "action": { "kind": "error", "status": 400, "code": "STORAGE_LIMIT_EXCEEDED", "message": "no room" },
        "match": { "method": "POST", "path_contains": "/composite/sobjects" } });
    world.org.control("/__faults", refusal).await;
    let (code, _, said) = write(&world);
    assert!(code == 1 && said.contains("totals-refused"), "{said}");
    let (_, owed, said) = jobs(&world, &["run", "totals", "--dry-run"]);
    assert_eq!(owed[0]["run"], json!(third), "{said}");
    let (code, _, said) = write(&world);
    assert_eq!(code, 0, "{said}");
    let mut keys: Vec<String> =
        rows(&world.org).await.iter().map(|row| text(&row["Total_Key__c"]).to_owned()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 3, "each row stands one time");
    world.over_ledger(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_without_the_object_goes_without_totals() {
    let folder = tempfile::tempdir().unwrap();
    let package = older_package::without(folder.path(), "AI_Run_Total__c");
    let org = OrgProcess::start(&["--seed", "demo", "--metadata", &package]);
    let config = org.write_config(folder.path());
    let serve = ServeProcess::start(&config);
    eventually("it serves", Duration::from_secs(30), || async { serve.said().contains("serving;") }).await;
    assert!(serve.said().contains("totals-off"), "{}", serve.said());
    let config = config.to_str().unwrap();
    let (code, out, err) = countersign(&["reconcile", "run", "--config", config], None);
    assert!(code == 0 || code == 4, "{out}{err}");
    let (code, out, err) =
        countersign(&["jobs", "run", "totals", "--by", "Olivia Example", "--config", config], None);
    assert!(code == 1 && format!("{out}{err}").contains("totals-no-place"), "{out}{err}");
    let (_, out, _) = countersign(&["doctor", "--no-canary", "--config", config], None);
    assert!(out.contains("totals-off"), "{out}");
    assert_eq!(serve.terminate(), 0);
}
