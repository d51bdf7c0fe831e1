//! Documentation that names paths and commands is checked, so that it cannot go stale.

use std::{fs, path::Path, process::Command};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

const PAGES: &[&str] = &[
    "README.md",
    "src/ARCHITECTURE.md",
    "tests/README.md",
    "config/README.md",
    "config/policies/README.md",
    "config/policies/RULES.md",
    "deploy/console.md",
    "deploy/ledger.md",
    "deploy/quality.md",
    "deploy/reconciliation.md",
    "deploy/unconfirmed.md",
    "deploy/watchdogs.md",
    "salesforce-metadata/README.md",
    "salesforce-metadata/SANDBOX.md",
    "benches/README.md",
];

/// Words in backticks, outside code blocks.
fn quoted(text: &str) -> Vec<String> {
    let mut inside_block = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside_block = !inside_block;
            continue;
        }
        if !inside_block {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_path_in_the_docs_exists() {
    let tops = ["src/", "tests/", "config/", "deploy/", "salesforce-metadata/", "benches/"];
    let mut missing = Vec::new();
    let mut checked = 0;
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).unwrap_or_else(|e| panic!("{page}: {e}"));
        for word in quoted(&text) {
            let path = word.split([' ', ':', '*']).next().unwrap_or("");
            if tops.iter().any(|top| path.starts_with(top)) && !path.contains(['<', '{', '…']) {
                checked += 1;
                if !root().join(path).exists() {
                    missing.push(format!("{page}: `{path}`"));
                }
            }
        }
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.starts_with("http") && !link.starts_with('#') {
                checked += 1;
                let base = root().join(page).parent().expect("a folder").to_path_buf();
                let file = link.split_once('#').map_or(link, |(file, _)| file);
                if !base.join(file).exists() {
                    missing.push(format!("{page}: ({link})"));
                }
            }
        }
    }
    assert!(checked > 20, "the check must find paths to check");
    assert!(missing.is_empty(), "these do not exist:\n{}", missing.join("\n"));
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let text = fs::read_to_string(root().join("README.md")).expect("README.md");
    let shown = text.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let (code, printed, errors) = crate::processes::countersign(&["demo", "--once"], None);
    assert_eq!(code, 0, "{printed}{errors}");
    assert!(shown.lines().count() > 8, "the block has the story");
    for line in shown.lines() {
        assert!(printed.contains(line.trim()), "the demo does not print `{line}`:\n{printed}");
    }
}

#[test]
fn every_command_in_the_docs_exists() {
    let help = Command::new(env!("CARGO_BIN_EXE_countersign")).arg("--help").output().expect("help");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let known: Vec<&str> = help.lines().filter_map(|line| line.trim_start().split(' ').next()).collect();
    let mut unknown = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).unwrap_or_default();
        for word in quoted(&text) {
            let Some(rest) = word.strip_prefix("countersign ") else { continue };
            let command = rest.split(' ').next().unwrap_or("");
            if !command.starts_with('-') && !known.contains(&command) {
                unknown.push(format!("{page}: `{word}`"));
            }
        }
    }
    assert!(unknown.is_empty(), "these commands do not exist:\n{}", unknown.join("\n"));
}

#[test]
fn every_watchdog_has_an_alert_and_a_page_that_says_what_to_do() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("it is there");
    let (alerts, runbook) = (read("deploy/alerts.yml"), read("deploy/watchdogs.md"));
    for dog in countersign::domain::Watchdog::ALL {
        assert!(alerts.contains(&format!("code: {dog} }}")), "no alert is labelled {dog}");
        assert!(runbook.contains(&format!("\n## {dog}\n")), "the runbook has no part {dog}");
    }
    let labelled = alerts.lines().filter_map(|line| line.split("code: ").nth(1)?.strip_suffix(" }"));
    for code in labelled {
        assert!(runbook.contains(&format!("\n## {code}\n")), "{code} is an alert without a part");
    }
    let shown = metrics_that_are_named();
    for word in alerts.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')) {
        if word.starts_with("countersign_") {
            assert!(shown.contains(word), "an alert asks for {word}, which nothing counts");
        }
    }
}

/// Names of metrics in the sources, as one text.
fn metrics_that_are_named() -> String {
    let mut text = String::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => text.push_str(&fs::read_to_string(&path).unwrap_or_default()),
            }
        }
    }
    text
}
