//! Signed checkpoints: a history written anew, a cut tail, an older file and another org's ledger
//! are found, and the daemon does not lead over them until people accept it.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use countersign::{
    domain::entry::{Entry, GENESIS},
    ledger::checkpoint::{Checkpoint, Signer, Tree, append, read},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    daemon_world::{World, text},
    processes::{ServeProcess, countersign, eventually},
};

/// A daemon that writes checkpoints.
pub fn world() -> World {
    let mut world = World::start();
    world.kill();
    let key = world.path("checkpoint.key");
    let (code, out, err) = countersign(&["checkpoint", "--new-key", &key], None);
    assert!(code == 0 && out.starts_with("countersign+"), "{out}{err}");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let (code, _, err) = countersign(&["checkpoint", "--new-key", &key], None);
    assert!(code == 2 && err.contains("output-exists"), "a key is never written over: {err}");
    world.set(&format!(
        "[checkpoint]\npath = \"{}\"\nprivate_key_path = \"{key}\"\nevery_seconds = 1",
        world.path("checkpoints.txt")
    ));
    world.restart();
    world
}

fn verify(world: &World, ledger: &str, key: &str) -> (i32, Value) {
    let (log, key) = (world.path("checkpoints.txt"), world.path(key));
    let words = ["verify", "--json", "--ledger", ledger, "--checkpoint", &log, "--public-key", &key];
    let (code, out, err) = countersign(&words, None);
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}")))
}

fn finding<'a>(told: &'a Value, code: &str) -> &'a Value {
    let findings = told["findings"].as_array().unwrap();
    findings.iter().find(|damage| damage["code"] == code).unwrap_or_else(|| panic!("{code}: {told}"))
}

fn checkpoints(world: &World) -> usize {
    read(Path::new(&world.path("checkpoints.txt"))).map_or(0, |log| log.notes.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_ledger_is_refused_until_people_accept_it() {
    let mut world = world();
    let deals = world.opportunities().await;
    let id = |place: usize| text(&deals[place]["Id"]).to_owned();
    world.asks(&id(0), ("point:one", "Call them")).await;
    world.stop();
    let (ledger, older) = (world.ledger(), world.path("older.db"));
    fs::copy(&ledger, &older).unwrap();
    world.restart();
    world.asks(&id(1), ("point:two", "Call them")).await;
    let before = checkpoints(&world);
    world.decides(&id(1), ("point:two", "Approved"), "promoted").await;
    eventually("a checkpoint follows", Duration::from_secs(20), || async { checkpoints(&world) > before })
        .await;
    world.stop();

    let (code, told) = verify(&world, &ledger, "checkpoint.key.pub");
    assert_eq!((code, &told["findings"]), (0, &json!([])), "{told}");
    let met = &told["checkpoints"];
    assert!(met["read"].as_u64().unwrap() >= 3, "{told}");
    assert_eq!((&met["met"], &met["signed"], &met["up_to"]), (&met["read"], &met["read"], &told["entries"]));
    // An export is compared as well, whole or from somewhere on.
    for since in ["2000-01-01", "1s"] {
        let file = world.path(&format!("{since}.ndjson"));
        world.over_ledger(&["export", "--since", since, "--out", &file]);
        let log = world.path("checkpoints.txt");
        let (code, out, _) =
            countersign(&["verify", "--export", &file, "--checkpoint", &log, "--json"], None);
        let told: Value = serde_json::from_str(&out).unwrap();
        assert!(code == 0 && told["checkpoints"]["met"].as_u64().unwrap() > 0, "{out}");
    }

    // An older file is put back.
    let newest = world.path("newest.db");
    fs::rename(&ledger, &newest).unwrap();
    fs::copy(&older, &ledger).unwrap();
    assert_eq!(
        countersign(&["verify", "--ledger", &ledger], None).0,
        0,
        "by itself nothing is wrong with it"
    );
    let (code, told) = verify(&world, &ledger, "checkpoint.key.pub");
    assert!(code == 5 && finding(&told, "checkpoint-ahead")["what"].as_str().unwrap().contains("older file"));
    let mut refused = ServeProcess::start(world.config.as_ref());
    assert_eq!(refused.ends(Duration::from_secs(30)).await, 1);
    let said = refused.said();
    assert!(
        said.contains("countersign: ledger-older-than-checkpoint") && said.contains("--accept-restore"),
        "{said}"
    );

    // Nobody accepts by chance; what is accepted is in the ledger.
    let words = ["checkpoint", "--config", &world.config, "--accept-restore", "the disk died"];
    assert_eq!(countersign(&words, None).0, 2, "somebody has to sign for it");
    let (code, out, err) = countersign(&[&words[..], &["--by", "ops"]].concat(), None);
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = countersign(&[&words[..], &["--by", "ops"]].concat(), None);
    assert!(code == 1 && err.contains("checkpoint-agrees"), "{err}");
    let told = world.over_ledger(&["export", "--private"]);
    assert!(told.contains("restore_accepted") && told.contains("the disk died"), "{told}");
    world.restart();
    world.wait_stage("point:one", "awaiting-approval").await;
    world.asks(&id(2), ("point:three", "Call them")).await;
    world.stop();
    let (code, told) = verify(&world, &ledger, "checkpoint.key.pub");
    assert_eq!((code, &told["restores"]), (0, &json!(1)), "{told}");
    assert!(told["checkpoints"]["set_aside"].as_u64().unwrap() > 0, "{told}");
    // The ledger that was set aside does not come back unnoticed either.
    assert_eq!(verify(&world, &newest, "checkpoint.key.pub").0, 5);
}

/// A row's digest, as the ledger seals it.
fn seal(key: &str, value: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"seal-v1");
    for part in ["meta", key, value] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Changes an entry and writes every later one anew, with fresh hashes.
async fn write_anew(connection: &mut SqliteConnection, seq: usize) {
    let rows = sqlx::query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'");
    let triggers = rows.fetch_all(&mut *connection).await.unwrap();
    for trigger in &triggers {
        let drop = format!("DROP TRIGGER {}", trigger.get::<String, _>(0));
        sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut *connection).await.unwrap();
    }
    let rows = sqlx::query("SELECT text FROM entry ORDER BY seq").fetch_all(&mut *connection).await.unwrap();
    let mut prev = GENESIS.to_owned();
    for (place, row) in rows.iter().enumerate() {
        let mut entry: Entry = serde_json::from_str(row.get::<&str, _>(0)).unwrap();
        entry.prev = prev;
        if place + 1 == seq {
            entry.at = "2026-01-01T00:00:00Z".to_owned();
        }
        let text = entry.text().unwrap();
        prev = Entry::hash_text(&text).to_string();
        let update = sqlx::query("UPDATE entry SET text = ?, hash = ? WHERE seq = ?").bind(text).bind(&prev);
        update.bind(i64::try_from(place + 1).unwrap()).execute(&mut *connection).await.unwrap();
    }
    let head = sqlx::query("UPDATE meta SET value = ?, seal = ? WHERE key = 'head_hash'");
    head.bind(&prev).bind(seal("head_hash", &prev)).execute(&mut *connection).await.unwrap();
    for trigger in &triggers {
        let sql = trigger.get::<String, _>(1);
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_written_anew_and_strange_checkpoints_are_found() {
    let mut world = world();
    let deals = world.opportunities().await;
    eventually("a first checkpoint", Duration::from_secs(20), || async { checkpoints(&world) > 0 }).await;
    let first = read(Path::new(&world.path("checkpoints.txt"))).unwrap().notes[0].checkpoint.size;
    world.asks(text(&deals[0]["Id"]), ("anew:one", "Call them")).await;
    world.stop();
    let (ledger, anew) = (world.ledger(), world.path("anew.db"));
    fs::copy(&ledger, &anew).unwrap();
    let (_, told) = verify(&world, &ledger, "checkpoint.key.pub");
    // A kind of entry that no projection takes its time from.
    let entries = world.over_ledger(&["export"]);
    let schema = entries.lines().skip(first as usize + 1).position(|line| line.contains("_recorded"));
    let seq = first as usize + 1 + schema.expect("what verdicts rest on is recorded");
    let mut connection = SqliteConnectOptions::new().filename(&anew).connect().await.unwrap();
    write_anew(&mut connection, seq).await;
    connection.close().await.unwrap();
    let (code, out, _) = countersign(&["verify", "--ledger", &anew], None);
    assert_eq!(code, 0, "the chain alone cannot tell: {out}");
    let (code, found) = verify(&world, &anew, "checkpoint.key.pub");
    let damage = finding(&found, "checkpoint-differs");
    assert!(
        code == 5 && damage["seq"].as_u64().unwrap() > first && damage["seq"].as_u64().unwrap() <= seq as u64
    );
    assert_eq!(told["findings"], json!([]));

    // The daemon does not lead over it.
    let kept = world.path("kept.db");
    fs::rename(&ledger, &kept).unwrap();
    fs::copy(&anew, &ledger).unwrap();
    let mut refused = ServeProcess::start(world.config.as_ref());
    assert_eq!(refused.ends(Duration::from_secs(30)).await, 1);
    assert!(refused.said().contains("countersign: ledger-differs-from-checkpoint"), "{}", refused.said());
    fs::rename(&kept, &ledger).unwrap();

    // A key that did not sign, and a checkpoint of another org by the key that did.
    let other = world.path("other.key");
    countersign(&["checkpoint", "--new-key", &other], None);
    let (code, told) = verify(&world, &ledger, "other.key.pub");
    assert!(
        code == 5 && finding(&told, "checkpoint-signature")["what"].as_str().unwrap().contains("not signed")
    );
    let signer = Signer::read(Path::new(&world.path("checkpoint.key"))).unwrap();
    let at = "2026-05-01T08:00:00Z".parse().unwrap();
    let strange = Checkpoint::over("00D000000000009EAA", &Tree::default(), at).sign(&signer);
    append(Path::new(&world.path("checkpoints.txt")), &strange).unwrap();
    let (code, told) = verify(&world, &ledger, "checkpoint.key.pub");
    assert_eq!((code, finding(&told, "checkpoint-other-org")["seq"].is_null()), (5, true));
    let mut refused = ServeProcess::start(world.config.as_ref());
    assert_eq!(refused.ends(Duration::from_secs(30)).await, 1);
    assert!(refused.said().contains("countersign: checkpoint-other-org"), "{}", refused.said());

    // A key that others can read is no key.
    fs::set_permissions(world.path("checkpoint.key"), fs::Permissions::from_mode(0o640)).unwrap();
    let words = ["checkpoint", "--ledger", &ledger, "--key", &world.path("checkpoint.key")];
    let (code, out, err) = countersign(&words, None);
    assert!(code == 1 && err.contains("checkpoint-key-open"), "{out}{err}");
    let (code, out, _) = countersign(&["check", "--config", &world.config], None);
    assert!(code == 2 && out.contains("private-key-readable-by-others"), "{out}");
}
