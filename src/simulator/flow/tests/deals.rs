//! Opportunities: two approvers; several records at once; proposing by flow.

use serde_json::json;

use super::*;

fn limit(org: &Org, amount: i64) {
    let object = org.object("AI_Gate_Setting__mdt").unwrap();
    let mut state = org.write_state();
    let table = state.table_mut(&object);
    let mut row = (*table.rows(false)[0]).clone();
    row.insert("Two_Approvers_Above__c".into(), crate::domain::FieldValue::decimal(amount.into()));
    let id = row["Id"].to_string();
    table.put(&id, Some(std::sync::Arc::new(row)), None);
}

fn decide(org: &Org, role: &str, id: &str) -> String {
    let at = start(org, role, "AI_Opportunity_Review", json!({"recordId": id})).unwrap();
    assert_eq!(screen(&at), "Review");
    let at = next(org, role, &at, json!({"Decision_Choice": "Approve"}));
    shown(&at, "Shown_Message").as_str().unwrap().to_owned()
}

#[test]
fn above_the_limit_two_people_approve() {
    let org = org();
    limit(&org, 50_000);
    let small = proposed_deal(&org, 10_000);
    assert!(decide(&org, "reviewer", &small).starts_with("Approved."));
    let id = proposed_deal(&org, 90_000);
    let first = decide(&org, "reviewer", &id);
    assert_eq!(field(&org, "Opportunity", &id, "AI_Decision__c"), "Pending", "{first}");
    assert_eq!(
        field(&org, "Opportunity", &id, "AI_First_Approved_By__c"),
        org.user("reviewer").unwrap().user_id
    );
    let again = decide(&org, "reviewer", &id);
    assert_eq!(field(&org, "Opportunity", &id, "AI_Decision__c"), "Pending", "{again}");
    assert!(decide(&org, "reviewer2", &id).starts_with("Approved."));
    assert_eq!(field(&org, "Opportunity", &id, "AI_Decision__c"), "Approved");
    assert_eq!(field(&org, "Opportunity", &id, "AI_Decided_By__c"), org.user("reviewer2").unwrap().user_id);
}

#[test]
fn an_edit_keeps_what_it_does_not_name() {
    let org = org();
    let id = proposed_deal(&org, 1_000);
    let inputs = json!({
        "recordId": id, "proposalId": "d-1", "decision": "EditAndApprove", "editedStageName": "Needs Analysis",
        "seenStageName": "Prospecting", "seenCloseDate": "2026-06-01", "seenAmount": 1_000,
    });
    let ended = start(&org, "reviewer", "AI_Opportunity_Decide", inputs).unwrap();
    assert_eq!(ended.outputs["resultCode"], "EDITED", "{ended:?}");
    assert_eq!(field(&org, "Opportunity", &id, "AI_Recommended_Stage__c"), "Needs Analysis");
    assert_eq!(field(&org, "Opportunity", &id, "AI_Recommended_Amount__c"), "");
    assert_eq!(field(&org, "Opportunity", &id, "AI_Edited_From__c"), "d-1");
}

#[test]
fn several_records_are_decided_at_once() {
    let org = org();
    let ids: Vec<String> = (0..3).map(|_| proposed(&org)).collect();
    let decided = proposed(&org);
    saved(write(
        &org,
        "reviewer",
        "Lead",
        Some(&decided),
        json!({"AI_Decision__c": "Rejected", "AI_Decision_Proposal_ID__c": "p-1", "AI_Gate_Pending__c": true}),
    ));
    let mut all = ids.clone();
    all.push(decided.clone());
    let at = start(&org, "reviewer", "AI_Lead_Review_Batch", json!({"ids": all})).unwrap();
    assert_eq!(screen(&at), "Review");
    assert_eq!(shown(&at, "Shown_Count"), 3);
    let at = next(&org, "reviewer", &at, json!({"Decision_Choice": "Approve"}));
    assert_eq!(
        (screen(&at), shown(&at, "Shown_Done"), shown(&at, "Shown_Refused")),
        ("Result", json!(3), json!(0))
    );
    for id in ids {
        assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Approved");
    }
    assert_eq!(field(&org, "Lead", &decided, "AI_Decision__c"), "Rejected");
}

#[test]
fn an_agent_proposes_through_the_flow() {
    let org = org();
    let lead = json!({"LastName": "Example", "Company": "Example Widgets Ltd"});
    let id = saved(write(&org, "admin", "Lead", None, lead));
    let inputs = json!({
        "recordId": id, "status": "Working - Contacted", "confidence": 0.91, "reason": "Asked for a call.",
        "proposalId": "agent-1",
    });
    let ended = start(&org, "proposer", "AI_Lead_Propose", inputs.clone()).unwrap();
    assert_eq!(ended.outputs["outProposalId"], "agent-1", "{ended:?}");
    assert_eq!(field(&org, "Lead", &id, "AI_Recommended_Status__c"), "Working - Contacted");
    assert_eq!(field(&org, "Lead", &id, "AI_Status_Confidence__c"), "0.91");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Pending");
    assert_eq!(start(&org, "reviewer", "AI_Lead_Propose", inputs).unwrap_err(), LaunchError::NotAllowed);

    let deal = json!({"Name": "Example deal", "StageName": "Prospecting", "CloseDate": "2026-06-01"});
    let id = saved(write(&org, "admin", "Opportunity", None, deal));
    let inputs = json!({"recordId": id, "amount": 5_000, "nextStep": "Call", "confidence": 0.8, "reason": "They said so."});
    let ended = start(&org, "proposer", "AI_Opportunity_Propose", inputs).unwrap();
    assert!(ended.outputs["outProposalId"].as_str().unwrap().starts_with("flow-"), "{ended:?}");
    assert_eq!(field(&org, "Opportunity", &id, "AI_Proposed_Fields__c"), "Amount;NextStep");
}
