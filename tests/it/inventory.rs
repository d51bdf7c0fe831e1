//! What is set up in an org to set governed fields is told, and what does not set them is not.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::{OrgProcess, countersign},
};

/// A flow that runs before a lead is saved and assigns a value to one of its fields.
fn router(field: &str, status: &str) -> String {
    format!(
        "<Flow xmlns=\"http://soap.sforce.com/2006/04/metadata\"><apiVersion>67.0</apiVersion>\
         <assignments><name>Route</name><label>Route</label><locationX>0</locationX><locationY>0</locationY>\
         <assignmentItems><assignToReference>$Record.{field}</assignToReference><operator>Assign</operator>\
         <value><stringValue>Working - Contacted</stringValue></value></assignmentItems></assignments>\
         <label>Example Router</label><processType>AutoLaunchedFlow</processType>\
         <start><locationX>0</locationX><locationY>0</locationY>\
         <connector><targetReference>Route</targetReference></connector>\
         <object>Lead</object><recordTriggerType>Create</recordTriggerType>\
         <triggerType>RecordBeforeSave</triggerType></start><status>{status}</status></Flow>"
    )
}

fn setters(config: &str) -> Value {
    let (code, out, err) = countersign(&["inventory", "--json", "--config", config], None);
    assert_eq!(code, 0, "{out}{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["hidden"], json!([]));
    assert!(found["flows"].as_u64().unwrap() > 5 && found["code"].as_u64().unwrap() > 1, "{found}");
    let all = found["setters"].as_array().unwrap();
    all.iter().filter(|one| one["kind"] == "flow").cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_active_flow_that_sets_a_governed_field_is_told() {
    let world = World::start();
    let shipped = setters(&world.config);
    assert_eq!(shipped, json!([]), "no flow of the package sets a governed field");
    for (field, status, told) in [
        ("Status", "Draft", json!([])),
        ("Description", "Active", json!([])),
        (
            "Status",
            "Active",
            json!([{ "object": "Lead", "field": "Status", "kind": "flow", "name": "Example_Router" }]),
        ),
    ] {
        let file = "flows/Example_Router.flow";
        world.org.deploy(&[("Flow", "Example_Router", file, &router(field, status))]).await;
        assert_eq!(setters(&world.config), told, "{field} {status}");
    }
    let (code, out, err) = countersign(&["inventory", "--config", &world.config], None);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.lines().any(|line| line.split_whitespace().eq(["Lead.Status", "flow", "Example_Router"])),
        "{out}"
    );
}

#[test]
fn an_identity_that_does_not_see_setup_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("org.json");
    std::fs::write(&settings, r#"{"promoter-sees-setup": false}"#).unwrap();
    let org = OrgProcess::start(&["--seed", "demo", "--settings", settings.to_str().unwrap()]);
    let config = org.write_config(folder.path());
    let (code, out, err) = countersign(&["inventory", "--config", config.to_str().unwrap()], None);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("setup-hidden") && err.contains("View Setup"), "{err}");
}

/// Who may edit a field, by the names of sets and profiles, and how many users each has.
fn through(found: &Value, field: &str) -> Vec<(String, u64, bool)> {
    let grants = found["access"]["grants"].as_array().unwrap();
    let of_field =
        grants.iter().filter(|one| format!("{}.{}", text(&one["object"]), text(&one["field"])) == field);
    let told = |one: &Value| {
        let set = &one["set"];
        (text(&set["name"]).to_owned(), set["users"].as_u64().unwrap(), one["with_object"] == true)
    };
    of_field.map(told).collect()
}

fn inventory(config: &str, words: &[&str]) -> (String, Value) {
    let told = |more: &[&str]| {
        let (code, out, err) = countersign(&[&["inventory", "--config", config], words, more].concat(), None);
        assert_eq!(code, 0, "{out}{err}");
        out
    };
    (told(&[]), serde_json::from_str(&told(&["--json"])).unwrap())
}

fn an_org(settings: &Value) -> (tempfile::TempDir, OrgProcess, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("org.json");
    std::fs::write(&file, settings.to_string()).unwrap();
    let org = OrgProcess::start(&["--seed", "demo", "--settings", file.to_str().unwrap()]);
    let config = org.write_config(folder.path()).to_str().unwrap().to_owned();
    (folder, org, config)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_edit_a_governed_field_is_told_by_set_and_by_name_when_asked() {
    let (_folder, org, config) = an_org(&json!({}));
    let (out, found) = inventory(&config, &[]);
    let named = |name: &str, users, whole| (name.to_owned(), users, whole);
    // A required field: whoever may edit the object. The agent's set edits leads, and a rule keeps it from the status.
    let status = through(&found, "Lead.Status");
    for expected in [
        named("AI_Promoter", 1, true),
        named("AI_Proposer", 1, true),
        named("Standard User", 5, true),
        named("System Administrator", 1, true),
    ] {
        assert!(status.contains(&expected), "{expected:?} in {status:?}");
    }
    assert!(!status.iter().any(|(name, ..)| name.contains("Minimum Access")), "{status:?}");
    // A field with field-level security: the agent's set does not open it.
    let step = through(&found, "Opportunity.NextStep");
    assert!(step.contains(&named("AI_Promoter", 1, true)) && step.contains(&named("Standard User", 5, true)));
    assert!(!step.iter().any(|(name, ..)| name == "AI_Proposer"), "{step:?}");
    assert_eq!(found["access"]["administrators"][0]["name"], "System Administrator");
    assert!(
        found["access"].get("editors").is_none() && !out.contains("outsider@"),
        "no names unless asked for"
    );
    assert!(out.contains("may change rules and all data: System Administrator (profile), users: 1"), "{out}");

    let (out, found) = inventory(&config, &["--names"]);
    let editors = found["access"]["editors"].as_array().unwrap();
    let of_step: Vec<&str> = editors
        .iter()
        .filter(|one| one["field"] == "NextStep")
        .map(|one| text(&one["username"]).split('@').next().unwrap())
        .collect();
    assert_eq!(of_step, ["admin", "breaker", "manager", "outsider", "promoter", "reviewer2", "reviewer"]);
    assert!(out.contains("Otto Outsider (outsider@"), "{out}");
    // Who is not active may do nothing.
    org.control("/__users", json!({ "user": "outsider", "active": false })).await;
    let (_, found) = inventory(&config, &[]);
    assert!(through(&found, "Lead.Status").contains(&named("Standard User", 4, true)), "{found}");
    org.control("/__users", json!({ "user": "proposer", "active": false })).await;
    let (_, found) = inventory(&config, &[]);
    assert!(through(&found, "Lead.Status").contains(&named("AI_Proposer", 0, true)), "{found}");
    let sets: BTreeMap<&str, u64> = found["access"]["grants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|grant| (text(&grant["set"]["name"]), grant["set"]["users"].as_u64().unwrap()))
        .collect();
    assert!(sets.len() > 3, "{sets:?}");
    assert_eq!(found["access"]["assignments"], sets.values().sum::<u64>(), "{sets:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_that_are_not_shown_are_not_told_as_none() {
    let other = json!({ "Example Loader": ["breaker", "reviewer"] });
    let (_folder, _org, config) = an_org(&json!({ "other-apps": other }));
    let (out, found) = inventory(&config, &[]);
    assert_eq!(found["apps"], Value::Null, "{found}");
    assert!(out.contains("not shown by the org: without Customize Application"), "{out}");

    let (_folder, _org, config) = an_org(&json!({ "other-apps": other, "promoter-sees-tokens": true }));
    let (out, found) = inventory(&config, &[]);
    let apps = found["apps"]["apps"].as_array().unwrap();
    assert_eq!(found["apps"]["beyond"], 0, "all are listed: {found}");
    let loader = apps.iter().find(|app| app["name"] == "Example Loader").expect("it is told");
    assert_eq!(
        (&loader["users"], &loader["tokens"], &loader["approved_only"]),
        (&json!(2), &json!(2), &json!(false))
    );
    assert!(apps.iter().any(|app| app["name"] == "countersign" && app["approved_only"] == true), "{apps:?}");
    assert!(out.contains("Example Loader") && !out.contains("Bea Breakglass"), "{out}");
    let (out, _) = inventory(&config, &["--names"]);
    assert!(out.contains("Bea Breakglass"), "{out}");
}
