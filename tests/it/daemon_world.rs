//! A simulated org and a daemon against it, as real processes.

use std::time::Duration;

use serde_json::Value;

use crate::processes::{OrgProcess, ServeProcess, countersign, eventually};

pub struct World {
    pub org: OrgProcess,
    pub config: String,
    pub folder: tempfile::TempDir,
    serve: Option<ServeProcess>,
}

impl World {
    pub fn start() -> Self {
        Self::with_settings(&serde_json::json!({}))
    }

    /// With another org's answers; see `src/simulator/settings.rs`.
    pub fn with_settings(settings: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("org.json");
        std::fs::write(&file, settings.to_string()).unwrap();
        let file = file.to_str().expect("a plain path");
        let org = OrgProcess::start(&["--seed", "demo", "--settings", file]);
        let config = org.write_config(folder.path());
        let serve = ServeProcess::start(&config);
        let config = config.to_str().expect("a plain path").to_owned();
        Self { org, config, folder, serve: Some(serve) }
    }

    /// Sweeps every second instead of every five minutes.
    pub fn sweep_often(&mut self) {
        self.kill();
        let text = std::fs::read_to_string(&self.config).unwrap();
        std::fs::write(&self.config, format!("{text}\n[sweep]\nevery_seconds = 1\n")).unwrap();
        self.restart();
    }

    pub async fn opportunities(&self) -> Vec<Value> {
        self.org.query("SELECT Id, StageName, Amount FROM Opportunity WHERE StageName = 'Prospecting'").await
    }

    /// A new lead that nobody has contacted.
    pub async fn lead(&self, first_name: &str) -> String {
        let fields = serde_json::json!({ "FirstName": first_name, "LastName": "Example",
            "Company": "Example Widgets Ltd", "Status": "Open - Not Contacted" });
        let (code, made) = self.org.call("admin", "POST", "/sobjects/Lead", Some(fields)).await;
        assert_eq!(code, 201, "{made}");
        text(&made["id"]).to_owned()
    }

    pub async fn outcome(&self, object: &str, id: &str) -> String {
        let (_, row) = self.org.call("admin", "GET", &format!("/sobjects/{object}/{id}"), None).await;
        row["AI_Gate_Outcome__c"].as_str().unwrap_or_default().to_owned()
    }

    pub fn ledger(&self) -> String {
        crate::databases::ledger(self.folder.path())
    }

    /// Kills the daemon.
    pub fn kill(&mut self) {
        self.serve.take().expect("it runs").kill();
    }

    /// Asks the daemon to stop and waits for it.
    pub fn stop(&mut self) {
        let serve = self.serve.take().expect("it runs");
        assert_eq!(serve.terminate(), 0);
    }

    /// Adds settings; the next daemon has them.
    pub fn set(&self, text: &str) {
        let known = std::fs::read_to_string(&self.config).unwrap();
        // Whole or not at all: a daemon that starts right now reads this file.
        let beside = self.path("next.toml");
        std::fs::write(&beside, format!("{known}\n{text}\n")).unwrap();
        std::fs::rename(beside, &self.config).unwrap();
    }

    /// A path in the world's folder.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a plain path").to_owned()
    }

    /// Proposes a next step for an opportunity and waits until a person is asked.
    pub async fn asks(&self, id: &str, (proposal, step): (&str, &str)) {
        let body = serde_json::json!({ "proposal_id": proposal, "object": "Opportunity", "record_id": id,
            "patch": { "NextStep": step }, "confidence": 0.9 });
        let (code, out, err) = countersign(&["propose", "--config", &self.config], Some(&body.to_string()));
        assert_eq!(code, 4, "{out}{err}");
        self.wait_stage(proposal, "awaiting-approval").await;
    }

    /// A person decides, and the proposal comes to a stage.
    pub async fn decides(&self, id: &str, (proposal, decision): (&str, &str), stage: &str) {
        let fields = serde_json::json!({ "AI_Decision__c": decision, "AI_Decision_Proposal_ID__c": proposal,
            "AI_Gate_Pending__c": true });
        assert_eq!(self.patch("reviewer", "Opportunity", id, fields).await.0, 204);
        self.wait_stage(proposal, stage).await;
    }

    /// Starts another daemon over the same ledger.
    pub fn restart(&mut self) {
        self.serve = Some(ServeProcess::start(self.config.as_ref()));
    }

    /// Where the daemon serves HTTP, once it says so.
    pub async fn http(&self) -> String {
        self.serve.as_ref().expect("a daemon").http().await
    }

    /// What the daemon has logged.
    pub fn said(&self) -> String {
        self.serve.as_ref().map(ServeProcess::said).unwrap_or_default()
    }

    /// A command over the daemon's ledger: what it prints.
    pub fn over_ledger(&self, command: &[&str]) -> String {
        let ledger = self.ledger();
        let (code, out, err) = countersign(&[command, &["--ledger", &ledger]].concat(), None);
        assert_eq!(code, 0, "{command:?}: {out}{err}");
        out
    }

    /// What `countersign explain` tells of a proposal.
    pub fn story(&self, proposal: &str) -> String {
        let (_, out, _) = countersign(&["explain", proposal, "--ledger", &self.ledger()], None);
        out
    }

    pub fn stage(&self, proposal: &str) -> String {
        let (_, out, _) = countersign(&["proposals", "--ledger", &self.ledger(), "--json"], None);
        out.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["proposal_id"] == proposal)
            .and_then(|line| line["stage"].as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    pub async fn wait_stage(&self, proposal: &str, stage: &str) {
        eventually(&format!("{proposal} is {stage}"), Duration::from_secs(30), || async {
            self.stage(proposal) == stage
        })
        .await;
    }

    pub async fn patch(&self, role: &str, object: &str, id: &str, fields: Value) -> (u16, Value) {
        self.org.call(role, "PATCH", &format!("/sobjects/{object}/{id}"), Some(fields)).await
    }
}

pub fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
