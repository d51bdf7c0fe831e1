//! Bad input, each with a typed answer: what it is, where, and what to do.

use serde_json::{Value, json};

use crate::processes::{OrgProcess, countersign};

struct Desk {
    org: OrgProcess,
    config: String,
    folder: tempfile::TempDir,
}

impl Desk {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let org = OrgProcess::start(&["--seed", "demo"]);
        let config = org.write_config(folder.path()).to_str().expect("a plain path").to_owned();
        Self { org, config, folder }
    }

    fn propose(&self, body: &Value) -> (i32, String) {
        let (code, out, err) =
            countersign(&["propose", "--json", "--config", &self.config], Some(&body.to_string()));
        (code, format!("{out}{err}"))
    }

    /// Serves with these settings changed; the daemon must refuse to start.
    fn serve_refused(&self, from: &str, to: &str) -> (i32, String) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        assert!(text.contains(from), "`{from}` stands in the settings");
        let path = self.folder.path().join("changed.toml");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let (code, out, err) = countersign(&["serve", "--config", path.to_str().unwrap()], None);
        (code, format!("{out}{err}"))
    }
}

fn lead(id: &str, patch: Value) -> Value {
    json!({ "proposal_id": "bad:1", "object": "Lead", "record_id": id, "patch": patch, "confidence": 0.9 })
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_proposals_have_codes() {
    let desk = Desk::start();
    let leads = desk.org.query("SELECT Id FROM Lead WHERE Status = 'Open - Not Contacted' LIMIT 2").await;
    let (id, gone) = (leads[0]["Id"].as_str().unwrap(), leads[1]["Id"].as_str().unwrap());
    desk.org.call("admin", "DELETE", &format!("/sobjects/Lead/{gone}"), None).await;
    let next = json!({ "Status": "Working - Contacted" });
    let long = "x".repeat(300);
    let opportunity =
        desk.org.query("SELECT Id FROM Opportunity WHERE StageName = 'Prospecting' LIMIT 1").await;
    let opportunity = opportunity[0]["Id"].as_str().unwrap();
    let step = |value: Value| {
        json!({ "proposal_id": "bad:2", "object": "Opportunity", "record_id": opportunity,
                "patch": value, "confidence": 0.9 })
    };
    let cases = [
        (json!("not an object"), 2, "proposal-not-json"),
        (lead(&id[..15], next.clone()), 2, "record-id-15-characters"),
        (lead(id, json!({ "Color": "blue" })), 2, "field-unknown"),
        (lead(id, json!({ "Status": 7 })), 2, "value-type"),
        (step(json!({ "NextStep": long })), 2, "value-too-long"),
        (step(json!({ "CloseDate": "soon" })), 2, "value-type"),
        (lead("00QCs0000009999MAA", next.clone()), 3, "record-missing"),
        (lead(gone, next), 3, "record-"),
    ];
    for (number, (mut body, exit, code)) in cases.into_iter().enumerate() {
        if body.is_object() {
            body["proposal_id"] = json!(format!("bad:{number}"));
        }
        let (found, said) = desk.propose(&body);
        assert_eq!(found, exit, "{body}: {said}");
        assert!(said.contains(code), "`{code}` is named for {body}: {said}");
    }
    // Nothing of it reached a record.
    let touched = desk.org.query("SELECT Id FROM Lead WHERE AI_Proposal_ID__c != null").await;
    assert_eq!(touched.len(), 0);
}

#[test]
fn a_daemon_with_wrong_settings_says_what_is_wrong_and_stops() {
    let desk = Desk::start();
    let client = format!("client_id = \"{}\"", desk.org.text("/oauth/client_id"));
    let (code, said) = desk.serve_refused(&client, "client_id = \"nobody\"");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("invalid_client_id"), "{said}");

    let policies = desk.folder.path().join("policies");
    std::fs::create_dir(&policies).unwrap();
    let shipped =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policies/lead-lifecycle.toml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let directory = format!("[policy]\ndirectory = \"{}\"\n[ledger]", policies.display());
    std::fs::write(policies.join("lead.toml"), format!("surprise = 1\n{text}")).unwrap();
    let (code, said) = desk.serve_refused("[ledger]", &directory);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("surprise"), "{said}");

    let renamed = text.replace("Working - Contacted", "Working - Renamed");
    std::fs::write(policies.join("lead.toml"), renamed).unwrap();
    let (code, said) = desk.serve_refused("[ledger]", &directory);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("Working - Renamed"), "{said}");
}

#[test]
fn a_ledger_that_is_none_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.db");
    let (code, _, err) = countersign(&["verify", "--ledger", absent.to_str().unwrap()], None);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("ledger-missing"), "{err}");
    let other = folder.path().join("notes.txt");
    std::fs::write(&other, "a text that is no ledger at all, whatever its name may be").unwrap();
    let (code, out, err) = countersign(&["verify", "--ledger", other.to_str().unwrap()], None);
    assert!(code == 5 || code == 2, "{code}: {out}{err}");
    let (code, _, err) = countersign(&["status", "--ledger", other.to_str().unwrap()], None);
    assert_ne!(code, 0, "{err}");
}
