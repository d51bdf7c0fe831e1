//! Checkpoints that stand in the org: who cuts the ledger and the file of checkpoints is found by
//! them, who forges one is named, and nobody with our permission sets changes one.

use std::{fs, time::Duration};

use serde_json::{Value, json};

use crate::{
    checkpoint,
    daemon_world::{World, text},
    older_package,
    processes::{OrgProcess, ServeProcess, countersign, eventually},
};

const FIELDS: &str = "SELECT Id, Checkpoint_Key__c, Size__c, Note__c FROM AI_Checkpoint__c ORDER BY Size__c";

async fn anchors(org: &OrgProcess) -> Vec<Value> {
    org.query(FIELDS).await
}

/// Verifies the settings' ledger against the org: exit code and report.
fn verify(config: &str, more: &[&str]) -> (i32, Value) {
    let words = [&["verify", "--json", "--config", config], more].concat();
    let (code, out, err) = countersign(&words, None);
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}")))
}

fn codes(told: &Value) -> Vec<&str> {
    told["findings"].as_array().unwrap().iter().map(|damage| text(&damage["code"])).collect()
}

/// The daemon listens for the signal to stop.
async fn serves(world: &World) {
    eventually("it serves", Duration::from_secs(30), || async { world.said().contains("serving;") }).await;
}

async fn serves_and_stops(world: &mut World) {
    world.restart();
    serves(world).await;
    world.stop();
}

async fn refused(config: &str, code: &str) -> String {
    let mut refused = ServeProcess::start(config.as_ref());
    assert_eq!(refused.ends(Duration::from_secs(30)).await, 1);
    let said = refused.said();
    assert!(said.contains(&format!("countersign: {code}")), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_from_ledger_and_file_stands_in_the_org() {
    let mut world = checkpoint::world();
    let deals = world.opportunities().await;
    let id = |place: usize| text(&deals[place]["Id"]).to_owned();
    world.asks(&id(0), ("anchor:one", "Call them")).await;
    world.stop();
    let kept = anchors(&world.org).await;
    assert!(kept.len() >= 2, "one at the start, one at the stop: {kept:?}");
    let (code, told) = verify(&world.config, &[]);
    assert_eq!((code, codes(&told).len()), (0, 0), "{told}");
    let met = &told["anchors"];
    assert_eq!((&met["met"], &met["signed"]), (&json!(kept.len()), &json!(kept.len())), "{told}");

    let (ledger, log) = (world.ledger(), world.path("checkpoints.txt"));
    let (older, older_log) = (world.path("older.db"), world.path("older.txt"));
    fs::copy(&ledger, &older).unwrap();
    fs::copy(&log, &older_log).unwrap();
    world.restart();
    world.asks(&id(1), ("anchor:two", "Call them")).await;
    world.decides(&id(1), ("anchor:two", "Approved"), "promoted").await;
    world.stop();
    fs::rename(&ledger, world.path("newest.db")).unwrap();
    // Whoever can write the disk cuts both. They agree with each other.
    fs::copy(&older, &ledger).unwrap();
    fs::copy(&older_log, &log).unwrap();
    let key = world.path("checkpoint.key.pub");
    let words = ["verify", "--ledger", &ledger, "--checkpoint", &log, "--public-key", &key];
    assert_eq!(countersign(&words, None).0, 0, "the disk alone cannot tell");
    let (code, told) = verify(&world.config, &["--checkpoint", &log]);
    assert_eq!((code, codes(&told).contains(&"anchor-ahead")), (5, true), "{told}");
    let said = refused(&world.config, "ledger-older-than-anchor").await;
    assert!(said.contains("--accept-restore"), "{said}");

    let accept =
        ["checkpoint", "--config", &world.config, "--accept-restore", "both disks died", "--by", "ops"];
    let (code, out, err) = countersign(&accept, None);
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = countersign(&accept, None);
    assert!(code == 1 && err.contains("checkpoint-agrees"), "{err}");
    world.restart();
    world.asks(&id(2), ("anchor:three", "Call them")).await;
    world.stop();
    let (code, told) = verify(&world.config, &["--checkpoint", &log]);
    assert_eq!((code, &told["findings"]), (0, &json!([])), "{told}");
    assert!(told["anchors"]["set_aside"].as_u64().unwrap() > 0, "{told}");
    // What was accepted is not forgotten: the newer ledger is not led any more.
    fs::copy(world.path("newest.db"), &ledger).unwrap();
    assert_eq!(verify(&world.config, &[]).0, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_anchor_is_named_and_none_can_be_changed() {
    let mut world = checkpoint::world();
    eventually("an anchor at the start", Duration::from_secs(20), || async {
        !anchors(&world.org).await.is_empty()
    })
    .await;
    world.stop();
    let before = anchors(&world.org).await;
    let (path, first) = ("/sobjects/AI_Checkpoint__c", text(&before[0]["Id"]));
    for role in ["promoter", "proposer", "reviewer", "breaker"] {
        for (method, body) in [("PATCH", Some(json!({ "Size__c": 1 }))), ("DELETE", None)] {
            let (status, told) = world.org.call(role, method, &format!("{path}/{first}"), body).await;
            assert!((400..500).contains(&status), "{role} {method}: {status} {told}");
        }
    }
    assert_eq!(anchors(&world.org).await, before);
    // The same statement is kept once.
    let again = json!({ "Name": "x", "Checkpoint_Key__c": before[0]["Checkpoint_Key__c"] });
    let (status, told) = world.org.call("promoter", "POST", path, Some(again)).await;
    assert!(status == 400 && told.to_string().contains("DUPLICATE_VALUE"), "{told}");

    // Somebody with the promoter's login writes one that is not signed.
    let note = text(&before[0]["Note__c"]);
    let lines: Vec<&str> = note.lines().collect();
    let forged = note.replacen(&format!("\n{}\n", lines[1]), "\n70707\n", 1);
    assert_ne!(forged, text(&before[0]["Note__c"]));
    let row = json!({ "Name": "forged", "Checkpoint_Key__c": "70707-forged", "Origin__c": lines[0], "Size__c": 70_707,
        "Root__c": lines[2], "Note__c": forged });
    let (status, told) = world.org.call("promoter", "POST", path, Some(row)).await;
    assert_eq!(status, 201, "{told}");
    let bad = text(&told["id"]).to_owned();
    let said = refused(&world.config, "anchor-forged").await;
    assert!(said.contains(&bad) && said.contains(&world.org.text("/users/promoter/user_id")), "{said}");
    let (code, told) = verify(&world.config, &[]);
    assert_eq!((code, codes(&told)), (5, vec!["anchor-forged"]), "{told}");
    assert!(text(&told["findings"][0]["what"]).contains(&bad), "{told}");
    let (status, _) = world.org.call("admin", "DELETE", &format!("{path}/{bad}"), None).await;
    assert_eq!(status, 204);
    assert_eq!(verify(&world.config, &[]).0, 0);

    // An admin can delete them all; the ledger remembers that there was one.
    for row in anchors(&world.org).await {
        let gone = format!("{path}/{}", text(&row["Id"]));
        assert_eq!(world.org.call("admin", "DELETE", &gone, None).await.0, 204);
    }
    let (code, told) = verify(&world.config, &[]);
    assert_eq!((code, codes(&told)), (5, vec!["anchor-missing"]), "{told}");

    // Another key signs from now on; with the old one named, what it signed is believed.
    let (new, old) = (world.path("new.key"), world.path("checkpoint.key.pub"));
    serves_and_stops(&mut world).await;
    countersign(&["checkpoint", "--new-key", &new], None);
    let config = fs::read_to_string(&world.config).unwrap();
    let config = config.replace(&world.path("checkpoint.key"), &new);
    let config = config.replace(&world.path("checkpoints.txt"), &world.path("new.txt"));
    fs::write(&world.config, config).unwrap();
    refused(&world.config, "anchor-forged").await;
    world.set(&format!("former_keys_path = \"{old}\""));
    serves_and_stops(&mut world).await;
    let (code, told) = verify(&world.config, &[]);
    assert_eq!((code, codes(&told).len()), (0, 0), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_settled_by_reading() {
    let mut world = checkpoint::world();
    serves(&world).await;
    world.stop();
    let before = anchors(&world.org).await.len();
    // The answer is lost after the record is saved, and once before anything is done.
    for point in ["reply", "request"] {
        let fault = json!({ "name": point, "point": point, "count": 1,
            "action": { "kind": "drop-reply" },
            "match": { "method": "POST", "path_contains": "/sobjects/AI_Checkpoint__c" } });
        world.org.control("/__faults", fault).await;
        world.restart();
        eventually("the anchor is settled", Duration::from_secs(30), || async {
            world.over_ledger(&["export"]).lines().filter(|line| line.contains("\"anchor_settled\"")).count()
                == world
                    .over_ledger(&["export"])
                    .lines()
                    .filter(|line| line.contains("\"anchor_intended\""))
                    .count()
                && world.org.fired().await.contains(&point.to_owned())
        })
        .await;
        world.stop();
    }
    let after = anchors(&world.org).await;
    let mut keys: Vec<&str> = after.iter().map(|row| text(&row["Checkpoint_Key__c"])).collect();
    keys.dedup();
    assert!(after.len() > before && keys.len() == after.len(), "each statement stands once: {keys:?}");
    let (code, told) = verify(&world.config, &[]);
    assert_eq!((code, &told["anchors"]["met"]), (0, &json!(after.len())), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_without_the_object_goes_without_anchors() {
    let folder = tempfile::tempdir().unwrap();
    let org = OrgProcess::start(&[
        "--seed",
        "demo",
        "--metadata",
        &older_package::without(folder.path(), "AI_Checkpoint__c"),
    ]);
    let config = org.write_config(folder.path()).to_str().unwrap().to_owned();
    let key = folder.path().join("checkpoint.key").display().to_string();
    countersign(&["checkpoint", "--new-key", &key], None);
    let settings = format!(
        "{}\n[checkpoint]\npath = \"{key}.txt\"\nprivate_key_path = \"{key}\"\nevery_seconds = 1\n",
        fs::read_to_string(&config).unwrap()
    );
    fs::write(&config, settings).unwrap();
    let serve = ServeProcess::start(config.as_ref());
    eventually("a checkpoint in the file", Duration::from_secs(20), || async {
        fs::read_to_string(format!("{key}.txt")).is_ok_and(|text| !text.is_empty())
    })
    .await;
    assert!(serve.said().contains("anchors-off"), "{}", serve.said());
    assert_eq!(serve.terminate(), 0);
    let (code, told) = verify(&config, &[]);
    assert_eq!((code, &told["anchors"]), (0, &Value::Null), "{told}");
    let (_, out, _) = countersign(&["doctor", "--config", &config], None);
    assert!(out.contains("anchors-off"), "{out}");
}
