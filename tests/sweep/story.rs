//! What happens in each run of the sweep: the same proposals, the same people, the same end.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use serde_json::{Value, json};

use crate::{
    processes::{OrgProcess, countersign},
    served::Served,
};

const OPEN: &str = "Open - Not Contacted";
const WORKING: &str = "Working - Contacted";
/// In which time everything has come to its end, whatever was ended in between.
const WITHIN: Duration = Duration::from_secs(90);

/// Records, with a proposal on each.
const LEADS: usize = 5;

/// How a run ended: a line for each record, and one for each proposal.
#[derive(Clone, PartialEq, Eq)]
pub struct End(BTreeMap<String, String>);

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, how)| writeln!(out, "  {what}: {how}"))
    }
}

/// One run.
pub struct Story {
    org: OrgProcess,
    config: PathBuf,
    ledger: String,
    leads: Vec<String>,
    serve: Option<Served>,
    points: u64,
    _folder: tempfile::TempDir,
}

impl Story {
    /// Plays it with a daemon that ends at this point; 0 only counts.
    pub async fn play(at: u64) -> (End, u64) {
        let mut story = Self::prepare().await;
        story.serve = Some(Served::start(&story.config, at));
        // Asked for while the daemon lives; each waits for what comes before it.
        story.stage(1, "promoted").await;
        story.stage(2, "rejected").await;
        story.stage(3, "refused").await;
        story.stage(4, "awaiting-approval").await;
        story.stage(5, "awaiting-approval").await;
        story.save("outsider", 5, json!({ "Status": "Closed - Not Converted" })).await;
        story.decide(4, "Approved").await;
        story.stage(4, "promoted").await;
        story.stage(5, "stale").await;
        story.told().await;
        story.stop().await;
        (story.end().await, story.points)
    }

    /// Everything that a daemon finds when it starts.
    async fn prepare() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let org = OrgProcess::start(&[]);
        let config = org.write_config(folder.path());
        let text = std::fs::read_to_string(&config).expect("settings");
        std::fs::write(&config, format!("{text}\n[log]\nlevel = \"error\"\n")).expect("settings");
        let rows: Vec<Value> = (1..=LEADS)
            .map(|number| {
                json!({ "attributes": { "type": "Lead" }, "LastName": format!("Example {number}"),
                    "Company": "Example Widgets Ltd", "Status": OPEN })
            })
            .collect();
        let leads = org.collections("admin", "POST", &rows).await;
        let ledger = crate::databases::ledger(folder.path());
        let story = Self { org, config, ledger, leads, serve: None, points: 0, _folder: folder };
        for number in 1..=LEADS {
            let value = if number == 3 { "No such status" } else { WORKING };
            let fields = json!({ "AI_Proposal_ID__c": format!("sweep:{number}"), "AI_Recommended_Status__c": value,
                "AI_Status_Confidence__c": 0.8, "AI_Decision__c": "Pending", "AI_Gate_Pending__c": true });
            story.save("proposer", number, fields).await;
        }
        story.decide(1, "Approved").await;
        story.decide(2, "Rejected").await;
        story
    }

    async fn save(&self, role: &str, number: usize, fields: Value) {
        let path = format!("/sobjects/Lead/{}", self.leads[number - 1]);
        let (status, reply) = self.org.call(role, "PATCH", &path, Some(fields)).await;
        assert_eq!(status, 204, "{reply}");
    }

    async fn decide(&self, number: usize, decision: &str) {
        let mut fields = json!({ "AI_Decision__c": decision, "AI_Gate_Pending__c": true,
            "AI_Decision_Proposal_ID__c": format!("sweep:{number}") });
        if decision == "Rejected" {
            fields["AI_Rejection_Reason__c"] = json!("Wrong Value");
        }
        self.save("reviewer", number, fields).await;
    }

    /// A daemon that ended is started again, as a service manager does.
    async fn keep_alive(&mut self) {
        let Some(serve) = &mut self.serve else { return };
        if !serve.lives() {
            self.serve = Some(Served::start(&self.config, 0));
        }
    }

    async fn until<F: AsyncFn(&Self) -> bool>(&mut self, what: &str, check: F) {
        let began = std::time::Instant::now();
        while !check(self).await {
            assert!(began.elapsed() < WITHIN, "did not happen: {what}");
            self.keep_alive().await;
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    async fn stage(&mut self, number: usize, stage: &str) {
        let id = format!("sweep:{number}");
        self.until(&format!("{id} is {stage}"), async |story| {
            story.stages().get(&id).is_some_and(|found| found == stage)
        })
        .await;
    }

    fn stages(&self) -> BTreeMap<String, String> {
        let (_, out, _) = countersign(&["proposals", "--ledger", &self.ledger, "--json"], None);
        let lines = out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        lines.map(|line| (text(&line, "proposal_id"), text(&line, "stage"))).collect()
    }

    /// Every record was told, and nothing is under way.
    async fn told(&mut self) {
        self.until("every flag is off", async |story| {
            story.org.query("SELECT Id FROM Lead WHERE AI_Gate_Pending__c = true").await.is_empty()
        })
        .await;
        self.until("nothing is under way", async |story| {
            let (_, out, _) = countersign(&["status", "--ledger", &story.ledger, "--json"], None);
            let counts: Value = serde_json::from_str(&out).unwrap_or_default();
            counts["promotions_open"] == 0
                && counts["promotions_unconfirmed"] == 0
                && counts["inbox_waiting"] == 0
        })
        .await;
    }

    async fn stop(&mut self) {
        self.keep_alive().await;
        let serve = self.serve.take().expect("it runs");
        let said = serve.stop();
        let counted = said.lines().find_map(|line| line.strip_prefix("crash points: "));
        self.points = counted.and_then(|number| number.trim().parse().ok()).unwrap_or(0);
    }

    /// What stands in the org and in the ledger, without what differs from run to run.
    async fn end(&self) -> End {
        let soql = "SELECT LastName, Status, Previous_Lead_Status__c, AI_Proposal_ID__c, AI_Decision__c, \
            AI_Promoted_Proposal_ID__c, AI_Promotion_Seq__c, AI_Gate_Pending__c, AI_Gate_Outcome__c, \
            Lead_Status_Change_Source__c FROM Lead";
        let mut end = BTreeMap::new();
        for mut row in self.org.query(soql).await {
            let name = row["LastName"].as_str().unwrap_or_default().to_owned();
            if let Some(fields) = row.as_object_mut() {
                fields.remove("attributes");
                let outcome = fields["AI_Gate_Outcome__c"].as_str().unwrap_or_default();
                // The words end with a moment, where they name one.
                let words = outcome.split(" at 2").next().unwrap_or_default().to_owned();
                fields.insert("AI_Gate_Outcome__c".to_owned(), words.into());
            }
            end.insert(name, row.to_string());
        }
        end.extend(self.stages());
        let (code, out, err) = countersign(&["verify", "--ledger", &self.ledger], None);
        end.insert(
            "verify".to_owned(),
            if code == 0 { "nothing found".to_owned() } else { format!("{out}{err}") },
        );
        End(end)
    }
}
