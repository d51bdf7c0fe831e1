//! `kill -9` in the middle of a burst: every approved proposal lands, each one time, and the
//! ledger can prove it.

use std::time::Duration;

use serde_json::json;

use crate::processes::{OrgProcess, ServeProcess, countersign, eventually};

const BURST: usize = 2000;
const FIRST: &str = "Open - Not Contacted";
const NEXT: &str = "Working - Contacted";

async fn promoted(org: &OrgProcess) -> usize {
    org.query(&format!("SELECT Id FROM Lead WHERE Status = '{NEXT}' AND Company = 'Burst Example'"))
        .await
        .len()
}

async fn killed_in_a_burst_each_proposal_lands_one_time() {
    let folder = tempfile::tempdir().unwrap();
    let org = OrgProcess::start(&[]);
    let config = org.write_config(folder.path());
    let leads: Vec<_> = (0..BURST)
        .map(|n| {
            json!({ "attributes": { "type": "Lead" }, "LastName": format!("Burst {n}"),
                    "Company": "Burst Example", "Status": FIRST })
        })
        .collect();
    let ids = org.collections("admin", "POST", &leads).await;
    let serve = ServeProcess::start(&config);
    propose_and_approve(&org, &ids).await;
    eventually("the burst is under way", Duration::from_secs(120), || async { promoted(&org).await > 0 })
        .await;
    serve.kill();
    let at_kill = promoted(&org).await;
    println!("killed with {at_kill} of {BURST} promoted");

    let serve = ServeProcess::start(&config);
    eventually("every proposal is promoted", Duration::from_secs(180), || async {
        promoted(&org).await == BURST
    })
    .await;
    // Late work, if any, would show now.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(serve.terminate(), 0, "a clean stop");
    each_landed_one_time(&org).await;
    each_was_saved_four_times(&org, &ids).await;
    ledger_agrees(&crate::databases::ledger(folder.path()));
}

async fn propose_and_approve(org: &OrgProcess, ids: &[String]) {
    let proposals: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| {
            json!({ "attributes": { "type": "Lead" }, "id": id, "AI_Proposal_ID__c": format!("burst:{n}"),
                    "AI_Recommended_Status__c": NEXT, "AI_Status_Confidence__c": 0.8,
                    "AI_Gate_Pending__c": true })
        })
        .collect();
    org.collections("proposer", "PATCH", &proposals).await;
    let decisions: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| {
            json!({ "attributes": { "type": "Lead" }, "id": id, "AI_Decision__c": "Approved",
                    "AI_Decision_Proposal_ID__c": format!("burst:{n}"), "AI_Gate_Pending__c": true })
        })
        .collect();
    org.collections("reviewer", "PATCH", &decisions).await;
}

/// The promotion number counts every promotion and every void: 1 means that this one landed,
/// and that nothing else ever did.
async fn each_landed_one_time(org: &OrgProcess) {
    let soql = "SELECT Id, AI_Promotion_Seq__c, AI_Promoted_Proposal_ID__c, AI_Proposal_ID__c, \
                Previous_Lead_Status__c, AI_Gate_Pending__c FROM Lead WHERE Company = 'Burst Example'";
    let rows = org.query(soql).await;
    assert_eq!(rows.len(), BURST);
    for row in rows {
        assert_eq!(row["AI_Promotion_Seq__c"].to_string().trim_end_matches(".0"), "1", "{row}");
        assert_eq!(row["AI_Promoted_Proposal_ID__c"], row["AI_Proposal_ID__c"], "{row}");
        assert_eq!(row["Previous_Lead_Status__c"], FIRST, "{row}");
        assert_eq!(row["AI_Gate_Pending__c"], false, "{row}");
    }
}

/// The org's own count: created, proposed, decided, promoted, and nothing else.
async fn each_was_saved_four_times(org: &OrgProcess, ids: &[String]) {
    let stats = org.stats().await;
    for id in ids {
        assert_eq!(stats["writes"][id], 4, "{id}");
    }
}

fn ledger_agrees(path: &str) {
    let (code, out, err) = countersign(&["verify", "--ledger", path], None);
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = countersign(&["status", "--ledger", path, "--json"], None);
    assert_eq!(code, 0, "{err}");
    let counts: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(counts["stages"]["promoted"], BURST, "{counts}");
    assert_eq!(counts["promotions_open"], 0, "{counts}");
}

crate::databases::over_both!(killed_in_a_burst_each_proposal_lands_one_time);
