//! `countersign policy` and the page about policies, with the real binary.

use std::{collections::BTreeSet, fs, path::Path};

use countersign::gate::FindingCode;
use serde_json::{Value, json};

use crate::processes::countersign;

fn shipped() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies"))
}

/// A copy of the shipped policies, the lead's changed by `change`.
fn candidates(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("cases")).unwrap();
    for name in ["lead-lifecycle.toml", "opportunity-pilot.toml"] {
        let text = fs::read_to_string(shipped().join(name)).unwrap();
        let text = if name.starts_with("lead") { change(&text) } else { text };
        fs::write(folder.path().join(name), text).unwrap();
        fs::copy(shipped().join("cases").join(name), folder.path().join("cases").join(name)).unwrap();
    }
    folder
}

fn policy(words: &[&str]) -> (i32, String, String) {
    countersign(&[&["policy"], words].concat(), None)
}

#[test]
fn the_shipped_policies_are_clean_and_pass_their_cases() {
    let (code, out, err) = policy(&["lint"]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = policy(&["test"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("16 cases, 0 not as written"), "{out}");
    let place = shipped().to_str().unwrap();
    let (code, out, _) = policy(&["test", place, "--json"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["ok"]), (0, &serde_json::json!(true)));
    let (code, out, _) = policy(&["diff", place]);
    assert_eq!(code, 0, "the built-in policies are the shipped files: {out}");
    assert!(out.starts_with("0 change(s) in meaning"), "{out}");
}

#[test]
fn a_looser_rule_fails_its_case_and_is_told_by_the_difference() {
    let folder = candidates(|text| text.replace("min_confidence = \"0.90\"", "min_confidence = \"0.80\""));
    let place = folder.path().to_str().unwrap();
    let (code, out, _) = policy(&["test", place]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("NOT") && out.contains("found    promote (auto-allowed)"), "{out}");
    let (code, out, _) = policy(&["diff", shipped().to_str().unwrap(), place]);
    assert_eq!(code, 4, "{out}");
    assert!(
        out.contains("looser") && out.contains("from confidence 0.9 on → from confidence 0.8 on"),
        "{out}"
    );
    let (code, out, _) = policy(&["diff", place, "--markdown"]);
    assert_eq!(code, 0, "stricter asks nobody: {out}");
    assert!(out.contains("| stricter | Lead |"), "{out}");
}

#[test]
fn what_is_probably_not_meant_ends_with_its_code() {
    let folder =
        candidates(|text| text.replace("to = [\"Working - Contacted\"]", "to = [\"Open - Not Contacted\"]"));
    let (code, out, _) = policy(&["lint", folder.path().to_str().unwrap()]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("[lint-rule-unreachable]"), "{out}");
}

#[test]
fn mistakes_are_usage_errors_with_their_place() {
    let folder = candidates(|text| text.replace("tier = \"autonomous\"", "tier = \"autonomus\""));
    let place = folder.path().to_str().unwrap();
    for command in ["lint", "test"] {
        let (code, _, err) = policy(&[command, place]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("policy-unusable") && err.contains("did you mean `autonomous`?"), "{err}");
    }
    let cases = folder.path().join("broken.cases");
    fs::write(&cases, "[[case]]\nname = \"no object\"\n").unwrap();
    let (code, _, err) = policy(&["test", "--cases", cases.to_str().unwrap()]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("case-unreadable") && err.contains("object"), "{err}");
}

/// Quoted words of one column, of all rows of a page's tables.
fn column(page: &str, column: usize) -> Vec<String> {
    let text = fs::read_to_string(shipped().join(page)).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| You want"));
    let cells = rows.filter_map(|row| row.split(" | ").nth(column).map(str::to_owned));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_pages_about_policies_name_codes_that_exist() {
    let codes: BTreeSet<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    for (page, least) in [("README.md", 22), ("RULES.md", 30)] {
        let named = column(page, 2);
        assert!(named.len() >= least, "{page}: {named:?}");
        for code in named {
            assert!(codes.contains(code.as_str()), "{page}: `{code}`");
        }
    }
}

#[test]
fn each_rule_names_a_test_that_knows_its_codes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(shipped().join("RULES.md")).unwrap();
    let mut checked = 0;
    for row in text.lines().filter(|line| line.contains(".json` |")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let file = cells[3].split('`').nth(1).expect("a file");
        let cases = fs::read_to_string(root.join(file)).unwrap();
        let known = |code: &str| cases.contains(&format!("\"{code}\""));
        let codes: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(codes.iter().any(|code| known(code)), "{file} reaches none of {codes:?}");
        checked += 1;
    }
    assert!(checked >= 12, "{checked}");
}

#[test]
fn cases_know_budgets_and_count_nothing_unless_they_say_so() {
    let budget =
        "[[budgets]]\nof = \"promotions\"\nper = \"agent\"\nat_most = 5\nminutes = 60\nthen = \"review\"\n";
    let folder = candidates(|text| text.replace("[signal_weights]", &format!("{budget}\n[signal_weights]")));
    let case = |counted: &str, expect: &str| {
        format!(
            "[[case]]\nname = \"{expect}\"\nobject = \"Lead\"\nrecord = {{ Status = \"Open - Not Contacted\" }}\n\
             change = {{ Status = \"Working - Contacted\" }}\nconfidence = \"0.95\"\nswitches = [\"Status\"]\n\
             {counted}\nexpect = \"{expect}\"\n"
        )
    };
    let cases = [case("", "promote"), case("counted = \"4\"", "promote"), case("counted = \"5\"", "review")];
    fs::write(folder.path().join("cases/budgets.toml"), cases.join("\n")).unwrap();
    let (code, out, err) = policy(&["test", folder.path().to_str().unwrap()]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("19 cases, 0 not as written"), "{out}");
}

#[test]
fn an_org_has_rules_of_its_own_and_every_tool_says_so() {
    let own = "00DCs0000000001MAA";
    let folder = candidates(|text| {
        let block = format!(
            "\n[org.{own}]\nundecided_max_age_minutes = 60\n[org.{own}.fields.Status]\nmode = \"shadow\"\n"
        );
        if text.contains("object = \"Lead\"") { format!("{text}{block}") } else { text.to_owned() }
    });
    let directory = folder.path().to_str().unwrap();
    let (code, out, err) = policy(&["lint", directory]);
    assert!(code == 0 && out.contains("1 org(s) with rules of their own"), "{out}{err}");
    let (code, out, err) = policy(&["diff", shipped().to_str().unwrap(), directory]);
    assert!(code == 0 && out.contains(&format!("Lead in {own}")), "stricter for one org only: {out}{err}");

    let cases = folder.path().join("own.cases");
    let case = |org: &str, expect: &str| {
        format!(
            "[[case]]\nname = \"{expect}\"\norg = \"{org}\"\nobject = \"Lead\"\nconfidence = \"0.95\"\nswitches = [\"Status\"]\n\
             record = {{ Status = \"Open - Not Contacted\" }}\nchange = {{ Status = \"Working - Contacted\" }}\nexpect = \"{expect}\"\n"
        )
    };
    std::fs::write(&cases, case(own, "shadow")).unwrap();
    let words = ["test", directory, "--cases", cases.to_str().unwrap()];
    let (code, out, err) = policy(&words);
    assert_eq!(code, 0, "{out}{err}");
    std::fs::write(&cases, case("00DCs0000000002MAA", "promote")).unwrap();
    let (code, out, err) = policy(&words);
    assert!(code == 1 && out.contains("case-org-unknown"), "{out}{err}");

    let elsewhere = tempfile::tempdir().unwrap();
    let settings = elsewhere.path().join("settings.toml");
    let check = |org_id: &str| {
        let text = format!(
            "[org]\nlogin_url = \"https://example.my.salesforce.com\"\norg_id = \"{org_id}\"\n\
             [promoter]\nkind = \"client_credentials\"\nclient_id = \"app\"\nclient_secret = \"canary\"\n[policy]\ndirectory = \"{directory}\"\n"
        );
        std::fs::write(&settings, text).unwrap();
        countersign(&["check", "--json", "--config", settings.to_str().unwrap()], None).1
    };
    for (org_id, applies) in [(own, "yes"), ("00DCs0000000002MAA", "no")] {
        let told: Value = serde_json::from_str(&check(org_id)).unwrap();
        let found = &told["overrides"][0];
        assert_eq!((&found["org"], &found["applies"]), (&json!(own), &json!(applies)), "{told}");
        assert_eq!(found["keys"].as_array().map(Vec::len), Some(2), "{told}");
    }
}
