//! The demo that a person watches, played for some seconds.

use std::process::Command;

use crate::{postgres::PostgresServer, processes::BINARY};

#[test]
fn one_of_two_is_killed_again_and_again_and_the_counters_stay_exact() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts/two_replicas.py");
    let output = Command::new("python3")
        .args(["-B", script, "--binary", BINARY, "--database", &PostgresServer::shared().database()])
        .args(["--seconds", "14", "--kill-every", "3", "--per-second", "10", "--console-port", "0"])
        .output()
        .expect("python3 runs; tests/run.sh names what is needed");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{wrong}");
    let number = |before: &str| -> u64 {
        let words = said.lines().rev().find(|line| line.contains(before)).expect("a summary");
        let last = words.split(before).next().and_then(|rest| rest.split_whitespace().last());
        last.and_then(|number| number.parse().ok()).expect("a number")
    };
    assert!(number(" kills, ") >= 2, "somebody was killed: {said}");
    assert!(number(" promoted; ") > 50, "there was load: {said}");
    assert!(said.contains("lost 0, doubled 0, unapproved 0\n"), "{said}");
    // That the consoles agree with the org and with what was sent is the script's own check; here it is
    // that they were asked.
    let (sent, promoted) = (number(" proposals sent"), number(" promoted; "));
    let left_alone = sent / 10;
    let agree = format!(
        " looks: promoted {promoted}, rejected {left_alone}, open 0, batches 0, awaiting-approval {left_alone}\n"
    );
    assert!(said.contains(&agree), "{agree}{said}");
    assert!(number(" looks: ") >= 10, "{said}");
}
