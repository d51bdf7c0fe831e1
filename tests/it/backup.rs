//! `countersign backup` beside a running daemon, and putting the copy back.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use serde_json::{Value, json};

use crate::{
    checkpoint,
    daemon_world::text,
    processes::{ServeProcess, countersign},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_beside_the_daemon_and_the_daemon_goes_on_from_it() {
    let mut world = checkpoint::world();
    let deals = world.opportunities().await;
    let id = |place: usize| text(&deals[place]["Id"]).to_owned();
    world.asks(&id(0), ("backup:one", "Call them")).await;
    let copy = world.path("backup.db");
    let (code, out, err) =
        countersign(&["backup", "--config", &world.config, "--out", &copy, "--json"], None);
    let told: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!((code, &told["findings"]), (0, &json!([])), "{told}");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(countersign(&["verify", "--ledger", &copy], None).0, 0);
    let (code, _, err) = countersign(&["backup", "--config", &world.config, "--out", &copy], None);
    assert!(code == 2 && err.contains("output-exists"), "nothing is written over: {err}");
    assert_eq!(countersign(&["verify", "--ledger", &copy], None).0, 0, "the first copy is still whole");

    // The daemon went on, and what came after is not in the copy.
    world.asks(&id(1), ("backup:two", "Call them")).await;
    world.stop();
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = fs::remove_file(world.folder.path().join(name));
    }
    fs::copy(&copy, world.ledger()).unwrap();
    let mut refused = ServeProcess::start(world.config.as_ref());
    assert_eq!(refused.ends(Duration::from_secs(30)).await, 1);
    assert!(refused.said().contains("ledger-older-than-checkpoint"), "{}", refused.said());
    let words = ["checkpoint", "--config", &world.config, "--accept-restore", "the disk died", "--by", "ops"];
    let (code, out, err) = countersign(&words, None);
    assert_eq!(code, 0, "{out}{err}");

    // It finds again what the copy does not know, and people are asked as before.
    world.restart();
    world.wait_stage("backup:two", "awaiting-approval").await;
    world.decides(&id(0), ("backup:one", "Approved"), "promoted").await;
    world.stop();
    assert_eq!(countersign(&["verify", "--ledger", &world.ledger()], None).0, 0);
}
