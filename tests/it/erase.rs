//! `countersign erase`: values and their copies are gone for good, and the rest is still proven.

use std::{fs, time::Duration};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    databases,
    postgres::{PostgresServer, name_of},
    processes::{countersign, eventually},
};

const SECRET: &str = "Ring Mrs Canary-Miller at home";

fn erase(world: &World, words: &[&str]) -> (i32, String, String) {
    let ledger = world.ledger();
    let fixed = ["erase", "--reason", "Article 17", "--by", "privacy", "--ledger", &ledger];
    countersign(&[&fixed[..], words].concat(), None)
}

fn verify(world: &World) -> Value {
    let (_, out, err) = countersign(&["verify", "--json", "--ledger", &world.ledger()], None);
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"))
}

/// Whether the words stand anywhere in the files of the ledger.
fn holds(world: &World, words: &str) -> bool {
    if databases::is_postgres() {
        return PostgresServer::shared().tables_hold(name_of(&world.ledger()), words);
    }
    ["ledger.db", "ledger.db-wal"].iter().any(|name| {
        let bytes = fs::read(world.folder.path().join(name)).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    })
}

async fn idle(world: &World) {
    eventually("the inbox is worked off", Duration::from_secs(30), || async {
        let told: Value = serde_json::from_str(&world.over_ledger(&["status", "--json"])).unwrap();
        told["inbox_waiting"] == 0 && told["promotions_unconfirmed"] == 0
    })
    .await;
    // The echo of the notice may still be on its way.
    tokio::time::sleep(Duration::from_secs(2)).await;
}

async fn what_is_erased_is_gone_and_the_rest_is_still_proven() {
    let mut world = World::start();
    let deals = world.opportunities().await;
    let id = |place: usize| text(&deals[place]["Id"]).to_owned();
    let record = format!("Opportunity/{}", id(0));
    world.asks(&id(0), ("erase:one", SECRET)).await;
    world.asks(&id(1), ("erase:other", "Send the draft")).await;

    // What has not ended is refused, and nothing is half done.
    let (code, out, err) = erase(&world, &["--record", &record]);
    assert!(code == 1 && err.contains("countersign: erasure-open"), "{out}{err}");
    assert_eq!(erase(&world, &["--proposal", "erase:unknown"]).0, 1);
    assert_eq!(erase(&world, &["--record", "Opportunity"]).0, 2);
    world.decides(&id(0), ("erase:one", "Approved"), "promoted").await;
    let signal = json!({ "object": "Opportunity", "record_id": id(0), "kind": "reply", "source": "Canary-Miller",
        "occurred_at": "2026-05-01T06:58:00Z" });
    let words = ["signal", "--by", "mailbox", "--config", &world.config];
    assert_eq!(countersign(&words, Some(&signal.to_string())).0, 0);
    idle(&world).await;
    assert!(holds(&world, "Canary-Miller"), "the words are there before");
    let before = verify(&world);

    // Beside the running daemon.
    let (code, out, err) = erase(&world, &["--record", &record, "--dry-run", "--json"]);
    let would: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!((code, verify(&world)["entries"].clone()), (0, before["entries"].clone()), "nothing was done");
    let (code, out, err) = erase(&world, &["--record", &record, "--json"]);
    let done: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!((code, &done["erased"]["values"]), (0, &would["erased"]["values"]), "{done}");
    assert!(done["erased"]["values"].as_u64().unwrap() > 8, "{done}");
    world.wait_stage("erase:other", "awaiting-approval").await;
    world.decides(&id(1), ("erase:other", "Approved"), "promoted").await;
    world.stop();
    for words in [SECRET, "Canary-Miller"] {
        assert!(!holds(&world, words), "`{words}` is still in the file");
    }

    // The chain, the values that are left and the projections are proven, and what is gone is told.
    let told = verify(&world);
    assert_eq!(told["findings"], json!([]), "{told}");
    assert_eq!((&told["private_erased"], &told["erasures"]), (&done["erased"]["values"], &json!(1)));
    let lines = world.over_ledger(&["export", "--private"]);
    assert!(
        !lines.contains("Canary") && lines.contains("Article 17") && lines.contains("\"by\":\"privacy\"")
    );
    let file = world.path("erased.ndjson");
    fs::write(&file, &lines).unwrap();
    let (code, out, _) = countersign(&["verify", "--export", &file], None);
    assert!(code == 0 && out.contains("erased by 1 erasure(s)"), "{out}");

    // Other commands go on, and say so.
    let (code, out, err) = countersign(&["replay", "--ledger", &world.ledger(), "--json"], None);
    let replayed: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!((code, &replayed["differing"]), (0, &json!(0)), "{out}");
    assert!(
        replayed["skipped"]["erased"].as_u64().unwrap() > 0 && replayed["same"].as_u64().unwrap() > 0,
        "{out}"
    );
    assert!(world.story("erase:one").contains("promoted"), "{}", world.story("erase:one"));
    let (code, _, err) = countersign(&["rollback", "plan", "erase:one", "--config", &world.config], None);
    assert!(code != 0 && err.contains("rollback-erased"), "{err}");
    assert!(erase(&world, &["--record", &record]).1.contains("0 value(s) of 0 entries"), "twice is no error");

    // By age: everything that ended is younger than a day.
    let (code, out, err) = erase(&world, &["--older-than", "1"]);
    assert!(code == 0 && out.contains("0 value(s)"), "{out}{err}");
    // The daemon starts over it and serves.
    world.restart();
    world.asks(&id(2), ("erase:later", "Call them")).await;
    world.stop();
    assert_eq!(verify(&world)["findings"], json!([]));
}

crate::databases::over_both!(what_is_erased_is_gone_and_the_rest_is_still_proven);
