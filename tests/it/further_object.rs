//! A further object from the docs alone: metadata and contract generated, policy written, linted and
//! tested, and the daemon governs it like the shipped ones.

use std::{fs, path::Path, time::Duration};

use countersign::package::SHIPPED;
use serde_json::{Value, json};

use crate::processes::{OrgProcess, ServeProcess, countersign, eventually};

const POLICY: &str = include_str!("../../config/examples/contact-enrichment/contact.toml");
const CASES: &str = include_str!("../../config/examples/contact-enrichment/cases/contact.toml");

struct World {
    folder: tempfile::TempDir,
    org: OrgProcess,
    config: String,
    _serve: Option<ServeProcess>,
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("a plain path").to_owned()
}

/// Package and contract of the object in one folder, the policy in another.
fn generated() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in SHIPPED {
        let file = folder.path().join("metadata").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let fields = ["Title:text(128)", "Department:text(80)", "Phone:phone"];
    let out = path(folder.path(), "metadata");
    let mut words = vec!["metadata", "generate", "--object", "Contact", "--out", &out];
    words.extend(fields.iter().flat_map(|field| ["--field", field]));
    let (code, said, err) = countersign(&words, None);
    assert_eq!(code, 0, "{said}{err}");
    assert!(said.contains("contracts/Contact.toml") && said.contains("`policy.contracts`"), "{said}");
    fs::create_dir_all(folder.path().join("policies/cases")).unwrap();
    fs::write(folder.path().join("policies/contact.toml"), POLICY).unwrap();
    fs::write(folder.path().join("policies/cases/contact.toml"), CASES).unwrap();
    folder
}

impl World {
    fn start(folder: tempfile::TempDir) -> Self {
        let metadata = path(folder.path(), "metadata");
        let org = OrgProcess::start(&["--seed", "demo", "--metadata", &metadata]);
        let config = org.write_config(folder.path());
        let text = fs::read_to_string(&config).unwrap();
        let (policies, contracts) =
            (path(folder.path(), "policies"), path(folder.path(), "metadata/contracts"));
        let named = format!("\n[policy]\ndirectory = {policies:?}\ncontracts = {contracts:?}\n");
        fs::write(&config, format!("{text}{named}")).unwrap();
        let config = config.to_str().expect("a plain path").to_owned();
        Self { folder, org, config, _serve: None }
    }

    async fn contact(&self, fields: Value) -> String {
        let (status, made) = self.org.call("admin", "POST", "/sobjects/Contact", Some(fields)).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    async fn row(&self, id: &str) -> Value {
        self.org.call("admin", "GET", &format!("/sobjects/Contact/{id}"), None).await.1
    }

    fn propose(&self, id: &str, proposal: &str, patch: Value) -> (i32, String) {
        let body = json!({ "proposal_id": proposal, "object": "Contact", "record_id": id, "patch": patch,
            "confidence": 0.9, "actor": { "agent": "enricher" } });
        let (code, out, err) = countersign(&["propose", "--config", &self.config], Some(&body.to_string()));
        (code, format!("{out}{err}"))
    }

    fn over_ledger(&self, words: &[&str]) -> String {
        let ledger = path(self.folder.path(), "ledger.db");
        let (code, out, err) = countersign(&[words, &["--ledger", &ledger]].concat(), None);
        assert_eq!(code, 0, "{words:?}: {out}{err}");
        out
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_object_is_governed_like_the_shipped_ones() {
    let mut world = World::start(generated());
    let policies = path(world.folder.path(), "policies");
    let (code, out, err) = countersign(&["policy", "lint", &policies], None);
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = countersign(&["policy", "test", &policies], None);
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = countersign(&["check", "--config", &world.config], None);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("contracts ok  Lead, Opportunity, Contact"), "{out}");

    for switch in ["Contact_Title_Auto__c", "Contact_Department_Auto__c"] {
        world.org.control("/__settings", json!({ "field": switch, "on": true })).await;
    }
    let blank = world.contact(json!({ "LastName": "Example", "FirstName": "Ida" })).await;
    let known =
        world.contact(json!({ "LastName": "Sample", "Title": "Founder", "Phone": "+1 555 0100" })).await;
    world._serve = Some(ServeProcess::start(world.config.as_ref()));

    let (code, said) =
        world.propose(&blank, "free:one", json!({ "Title": "Head of Examples", "Department": "Samples" }));
    assert_eq!(code, 0, "it may run by itself: {said}");
    eventually("the blank fields are filled", Duration::from_secs(30), || async {
        let row = world.row(&blank).await;
        row["Title"] == "Head of Examples" && row["Department"] == "Samples"
    })
    .await;
    let row = world.row(&blank).await;
    assert_eq!(
        (&row["Previous_Title__c"], &row["Contact_Change_Source__c"], &row["AI_Promotion_Seq__c"]),
        (&Value::Null, &json!("AI Auto"), &json!(1)),
        "{row}"
    );

    // What a person wrote is not overwritten without one.
    let (code, said) = world.propose(&known, "free:two", json!({ "Title": "Head of Examples" }));
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("no-auto-rule"), "{said}");
    let decision = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "free:two",
        "AI_Gate_Pending__c": true });
    let (status, reply) =
        world.org.call("reviewer", "PATCH", &format!("/sobjects/Contact/{known}"), Some(decision)).await;
    assert_eq!(status, 204, "{reply}");
    eventually("the approved title is there", Duration::from_secs(30), || async {
        world.row(&known).await["Title"] == "Head of Examples"
    })
    .await;
    let row = world.row(&known).await;
    assert_eq!(
        (&row["Previous_Title__c"], &row["Contact_Change_Source__c"]),
        (&json!("Founder"), &json!("AI Proposal"))
    );

    // The agent itself writes no governed field, and a late copy of a promotion does not land.
    let direct = json!({ "Department": "Elsewhere" });
    let (status, reply) =
        world.org.call("proposer", "PATCH", &format!("/sobjects/Contact/{known}"), Some(direct)).await;
    assert_eq!(status, 400, "{reply}");

    let (code, said, err) = countersign(&["rollback", "apply", "free:two", "--config", &world.config], None);
    assert_eq!(code, 0, "{said}{err}");
    assert_eq!(world.row(&known).await["Title"], "Founder");
    let story = world.over_ledger(&["explain", "free:two"]);
    assert!(story.contains("Title: Founder → Head of Examples"), "{story}");
    world.over_ledger(&["verify"]);
}

#[test]
fn the_doctor_knows_the_rules_of_a_generated_object() {
    let world = World::start(generated());
    let doctor = |config: &str| {
        let (code, out, err) = countersign(&["doctor", "--json", "--config", config], None);
        let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
        (code, report)
    };
    let sight = format!("\n[doctor]\naccess_token = \"{}\"\n", world.org.text("/users/admin/access_token"));
    let text = fs::read_to_string(&world.config).unwrap();
    fs::write(&world.config, format!("{text}{sight}")).unwrap();
    let (code, report) = doctor(&world.config);
    assert_eq!(code, 0, "{report:#}");
    assert!(report.to_string().contains("rules Contact"), "{report:#}");

    // A rule of another formula than the generated one is no wall.
    let contract = world.folder.path().join("metadata/contracts/Contact.toml");
    let text = fs::read_to_string(&contract).unwrap();
    let line = text.lines().find(|line| line.starts_with("AI_GATE_01")).expect("the rule is named");
    let digest = line.split('"').nth(1).unwrap();
    fs::write(&contract, text.replace(digest, &"0".repeat(64))).unwrap();
    let (code, report) = doctor(&world.config);
    assert_ne!(code, 0, "{report:#}");
    assert!(report.to_string().contains("AI_GATE_01 of Contact has another formula than ours"), "{report:#}");
    let (code, out, err) = countersign(&["serve", "--config", &world.config], None);
    assert_eq!(code, 2, "{out}{err}");
    assert!(err.contains("agents-unguarded"), "{err}");
}

#[test]
fn a_policy_beyond_the_contracts_is_refused_before_anything_starts() {
    let world = World::start(generated());
    let text = fs::read_to_string(&world.config).unwrap();
    let without = text.lines().filter(|line| !line.starts_with("contracts")).collect::<Vec<_>>().join("\n");
    fs::write(&world.config, without).unwrap();
    for command in ["check", "serve"] {
        let (code, out, err) = countersign(&[command, "--config", &world.config], None);
        assert_eq!(code, 2, "{out}{err}");
        let said = format!("{out}{err}");
        assert!(said.contains("policy-object-without-contract"), "{said}");
        assert!(said.contains("countersign metadata generate --object Contact"), "{said}");
    }
    fs::write(&world.config, &text).unwrap();
    let more = POLICY.replace("[fields.Phone]", "[fields.Email]");
    fs::write(world.folder.path().join("policies/contact.toml"), more).unwrap();
    let (code, out, err) = countersign(&["check", "--config", &world.config], None);
    assert_eq!(code, 2, "{out}{err}");
    assert!(out.contains("policy-field-without-contract") && out.contains("fields.Email"), "{out}");

    fs::write(world.folder.path().join("policies/contact.toml"), POLICY).unwrap();
    let contract = world.folder.path().join("metadata/contracts/Contact.toml");
    let whole = fs::read_to_string(&contract).unwrap();
    fs::write(&contract, whole.replace("Previous_Title__c", "Title")).unwrap();
    let (code, out, err) = countersign(&["check", "--config", &world.config, "--json"], None);
    assert_eq!(code, 2, "{out}{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["contracts"][0]["code"], "contract-not-custom", "{told}");
}
