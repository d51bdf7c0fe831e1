//! What is set up in an org to set governed fields is told, and what does not set them is not.

use serde_json::{Value, json};

use crate::{
    daemon_world::World,
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
