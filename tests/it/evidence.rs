//! `countersign evidence`: the folder answers who changed what, and everything in it can be checked.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::{checkpoint, daemon_world::text, processes::countersign};

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_answers_who_changed_what_and_is_checked() {
    let mut world = checkpoint::world();
    let deals = world.opportunities().await;
    let id = |place: usize| text(&deals[place]["Id"]).to_owned();
    world.asks(&id(0), ("pack:formula", "=1+1 <script>alert(1)</script>")).await;
    world.decides(&id(0), ("pack:formula", "Approved"), "promoted").await;
    world.asks(&id(1), ("pack:undone", "Call, \"today\"")).await;
    world.decides(&id(1), ("pack:undone", "Approved"), "promoted").await;
    let (code, out, err) =
        countersign(&["rollback", "apply", "pack:undone", "--config", &world.config], None);
    assert_eq!(code, 0, "{out}{err}");
    world.wait_stage("pack:undone", "rolled-back").await;
    world.asks(&id(2), ("pack:waits", "Never promoted")).await;
    world.stop();
    let folder = world.path("pack");
    let make = [
        "evidence",
        "--config",
        &world.config,
        "--private",
        "--since",
        "1d",
        "--until",
        "2100-01-01",
        "--out",
        &folder,
    ];
    let (code, out, err) = countersign(&make, None);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("3 promotion(s)"), "{out}");
    check_words(Path::new(&folder));
    check_proof(Path::new(&folder), &world.path("checkpoint.key.pub"));

    // Never over something that is there; nothing in an empty time.
    assert_eq!(countersign(&make, None).0, 2);
    let folder = world.path("none");
    let words = [
        "evidence",
        "--ledger",
        &world.ledger(),
        "--since",
        "2020-01-01",
        "--until",
        "2020-02-01",
        "--out",
        &folder,
    ];
    let (code, out, err) = countersign(&words, None);
    assert!(code == 0 && out.contains("0 promotion(s) and 0 entries"), "{out}{err}");
    assert!(fs::read_to_string(format!("{folder}/index.html")).unwrap().contains("Nothing was promoted"));
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// What people read: the table and the page.
fn check_words(folder: &Path) {
    let file = |name: &str| read(folder, name);
    // The table: no formula, who and when.
    let csv = file("promotions.csv");
    assert_eq!(csv.lines().count(), 4, "{csv}");
    let row = csv.lines().nth(1).unwrap();
    assert!(
        row.contains("\"'=1+1 <script>alert(1)</script>\"") && row.contains("approved by a person"),
        "{row}"
    );
    assert!(row.contains("\"NextStep\"") && row.contains("\"005"), "the field and the approver: {row}");
    assert!(csv.contains("\"Call, \"\"today\"\"\"") && csv.contains("undoes an earlier one"), "{csv}");

    // The page: escaped, loads and runs nothing.
    let page = file("index.html");
    for bad in ["<script", "src=", "href=", "url(", "@import", "serde_json", "The first "] {
        assert!(!page.contains(bad), "{bad}");
    }
    for good in [
        "=1+1 &lt;script&gt;",
        "pack:undone",
        "approved by a person",
        "checkpoint.txt",
        "prefers-color-scheme",
        "<strong>3</strong>promotions",
        "<li>The entries, 1 to ",
    ] {
        assert!(page.contains(good), "{good} in {page}");
    }
    assert!(!page.contains("Never promoted"));
}

/// What programs check.
fn check_proof(folder: &Path, key: &str) {
    let file = |name: &str| read(folder, name);
    // The stories and the entries, and that they are what was signed.
    let stories: Value = serde_json::from_str(&file("stories.json")).unwrap();
    let stories = stories["stories"].as_array().unwrap();
    assert_eq!(stories.len(), 2);
    assert!(stories.iter().all(|story| story["entries"].as_array().unwrap().len() > 5));
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    assert_eq!(fs::read_to_string(key).unwrap(), file("checkpoint.pub"));
    let words = [
        "verify",
        "--json",
        "--export",
        &at("entries.ndjson"),
        "--checkpoint",
        &at("checkpoint.txt"),
        "--public-key",
        key,
    ];
    let (code, out, _) = countersign(&words, None);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert!(code == 0 && told["checkpoints"]["met"] == 1 && told["checkpoints"]["signed"] == 1, "{out}");
    assert!(told["private_checked"].as_u64().unwrap() > 10, "{out}");
    let sums = Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(folder).output().unwrap();
    assert!(sums.status.success(), "{}", String::from_utf8_lossy(&sums.stdout));
    assert_eq!(String::from_utf8_lossy(&sums.stdout).lines().count(), 6);
}
