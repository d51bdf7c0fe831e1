//! `countersign export` and `verify --export`: the chain without the database, and every cut or
//! change of such a file found.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::countersign,
};

/// A ledger that a daemon wrote: proposals that wait, one approved and promoted.
async fn world() -> World {
    let mut world = World::start();
    let deals = world.opportunities().await;
    let id = |place: usize| text(&deals[place]["Id"]);
    world.asks(id(0), ("export:one", "Send the secret draft")).await;
    world.asks(id(1), ("export:two", "Send the secret draft")).await;
    world.decides(id(0), ("export:one", "Approved"), "promoted").await;
    world.kill();
    world
}

fn verify(file: &Path) -> (i32, Value) {
    let (code, out, err) = countersign(&["verify", "--json", "--export", file.to_str().unwrap()], None);
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}")))
}

fn codes(told: &Value) -> Vec<&str> {
    told["findings"].as_array().unwrap().iter().map(|damage| text(&damage["code"])).collect()
}

async fn an_export_holds_every_entry_and_is_checked_without_the_ledger() {
    let world = world().await;
    let plain = world.over_ledger(&["export"]);
    assert!(!plain.contains("secret draft"), "values stay out unless they are asked for");
    let whole = world.folder.path().join("whole.ndjson");
    let out = whole.to_str().unwrap();
    world.over_ledger(&["export", "--private", "--out", out]);
    assert_eq!(fs::metadata(&whole).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&whole).unwrap().contains("secret draft"));
    let (code, _, err) = countersign(&["export", "--out", out, "--ledger", &world.ledger()], None);
    assert!(code == 2 && err.contains("output-exists"), "nothing is written over: {err}");

    let status: Value = serde_json::from_str(&world.over_ledger(&["status", "--json"])).unwrap();
    let (code, told) = verify(&whole);
    assert_eq!((code, codes(&told)), (0, vec![]), "{told}");
    assert_eq!((&told["entries"], &told["head"]), (&status["head_seq"], &status["head_hash"]));
    assert!(told["private_checked"].as_u64().unwrap() > 8, "{told}");
    let (code, told) = verify_text(&world, &plain);
    assert_eq!((code, codes(&told), &told["private_checked"]), (0, vec![], &json!(0)));

    // A part of the chain is checked as well; nothing is that young.
    let none = world.over_ledger(&["export", "--since", "2100-01-01"]);
    assert_eq!(none.lines().count(), 2, "{none}");
    assert_eq!(verify_text(&world, &none).0, 0);
    let all = world.over_ledger(&["export", "--since", "1d", "--until", "2100-01-01"]);
    assert_eq!(all, plain);
    let entry: Value = serde_json::from_str(plain.lines().nth(4).unwrap()).unwrap();
    let since = text(&entry["entry"]["at"]);
    let later = world.over_ledger(&["export", "--since", since]);
    assert!(later.lines().count() < plain.lines().count());
    let (code, told) = verify_text(&world, &later);
    assert_eq!((code, codes(&told), &told["head"]), (0, vec![], &status["head_hash"]), "{told}");
    let other = later.replacen("\"after\":{\"hash\":\"", "\"after\":{\"hash\":\"0", 1);
    let other = if other == later { later.replacen("\"hash\":\"", "\"hash\":\"0", 1) } else { other };
    assert_eq!(codes(&verify_text(&world, &other).1), ["chain-broken"], "the part is tied to what is before");
}

fn verify_text(world: &World, text: &str) -> (i32, Value) {
    let file = world.folder.path().join("changed.ndjson");
    fs::write(&file, text).unwrap();
    verify(&file)
}

async fn a_changed_export_is_found_and_the_place_is_told() {
    let world = world().await;
    let whole = world.over_ledger(&["export", "--private"]);
    let lines: Vec<&str> = whole.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let mut swapped = lines.clone();
    swapped.swap(5, 6);
    let mut removed = lines.clone();
    removed.remove(7);
    let mut twice = lines.clone();
    twice.insert(4, lines[3]);
    let mut behind = lines.clone();
    behind.push(lines[1]);
    let cases = [
        (joined(&lines[..lines.len() - 1]), "export-cut", None),
        (whole[..whole.len() / 2].to_owned(), "export-cut", None),
        (joined(&swapped), "chain-gap", Some(6)),
        (joined(&removed), "chain-gap", Some(8)),
        (joined(&twice), "chain-gap", Some(3)),
        (joined(&behind), "export-unreadable", None),
        (whole.replacen("export:one", "export:0ne", 1), "entry-hash", None),
        (whole.replacen("secret", "public", 1), "private-changed", None),
        (whole.replacen("\"salt\":\"", "\"salt\":\"00", 1), "private-changed", None),
        (
            whole.replacen("{\"start\":{\"org\":\"00D", "{\"start\":{\"org\":\"00E", 1),
            "entry-other-org",
            Some(1),
        ),
        (joined(&lines[1..]), "export-unreadable", None),
        (whole.replacen(",\"private\":{}}", "}", 1), "export-private", None),
        (whole.replacen("\"count\":\"", "\"count\":\"9", 1), "export-count", None),
        (whole.replacen("\"tree\":[]", "\"tree\":[\"AA==\"]", 1), "export-unreadable", None),
        ("no export\n".to_owned(), "export-unreadable", None),
        (String::new(), "export-cut", None),
    ];
    for (changed, expected, seq) in cases {
        assert_ne!(changed, whole, "{expected}");
        let (code, told) = verify_text(&world, &changed);
        let found = told["findings"].as_array().unwrap().iter().find(|damage| damage["code"] == expected);
        let found = found.unwrap_or_else(|| panic!("{expected} is missing: {told}"));
        assert_eq!(code, 5, "{told}");
        assert!(seq.is_none_or(|seq: u64| found["seq"] == seq), "{found}");
    }
    let (code, _, err) = countersign(&["verify", "--export", "nowhere.ndjson"], None);
    assert!(code == 2 && err.contains("export-unreadable"), "{err}");
}

crate::databases::over_both!(
    an_export_holds_every_entry_and_is_checked_without_the_ledger,
    a_changed_export_is_found_and_the_place_is_told
);
