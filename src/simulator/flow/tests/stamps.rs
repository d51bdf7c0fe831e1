//! The before-save flows: what they stamp, what they refuse, and that they run for everybody.

use serde_json::json;

use super::*;

#[test]
fn a_direct_decision_is_stamped_by_the_guard() {
    let org = org();
    let id = proposed(&org);
    let fields = json!({
        "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "p-1",
        "AI_Decided_At__c": "2020-01-01T00:00:00Z",
    });
    saved(write(&org, "reviewer", "Lead", Some(&id), fields));
    assert_eq!(field(&org, "Lead", &id, "AI_Decided_At__c"), "2026-03-02T09:00:00.000+0000");
    assert_eq!(field(&org, "Lead", &id, "AI_Decided_By__c"), org.user("reviewer").unwrap().user_id);
    assert_eq!(field(&org, "Lead", &id, "AI_Gate_Pending__c"), "true", "set by the flow");
}

#[test]
fn a_new_proposal_starts_undecided() {
    let org = org();
    let id = proposed(&org);
    let fields = json!({
        "AI_Decision__c": "Rejected", "AI_Decision_Proposal_ID__c": "p-1", "AI_Gate_Pending__c": true,
        "AI_Rejection_Reason__c": "Duplicate", "AI_Decision_Comments__c": "seen before",
    });
    saved(write(&org, "reviewer", "Lead", Some(&id), fields));
    propose(&org, &id, "p-2");
    for name in
        ["AI_Decision_Proposal_ID__c", "AI_Decided_By__c", "AI_Decided_At__c", "AI_Rejection_Reason__c"]
    {
        assert_eq!(field(&org, "Lead", &id, name), "", "{name} is of the proposal before");
    }
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Pending");
}

#[test]
fn a_decision_by_somebody_who_may_not_is_refused_in_the_flow_s_words() {
    let org = org();
    let id = proposed(&org);
    // The manager is a reviewer, and neither owner, queue member, delegate nor group member.
    let fields = json!({
        "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "p-1", "AI_Gate_Pending__c": true,
    });
    let refused = write(&org, "manager", "Lead", Some(&id), fields.clone());
    assert_eq!(refused.errors[0].code, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    assert!(refused.errors[0].message.starts_with("AI_FLOW_01"), "{refused:?}");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Pending");
    // The delegated approver of the owner may.
    let owner = json!({"OwnerId": org.user("outsider").unwrap().user_id});
    saved(write(&org, "admin", "Lead", Some(&id), owner));
    saved(write(&org, "manager", "Lead", Some(&id), fields));
    assert_eq!(field(&org, "Lead", &id, "AI_Decided_By__c"), org.user("manager").unwrap().user_id);
}

#[test]
fn a_human_change_leaves_its_stamps() {
    let org = org();
    let id = proposed(&org);
    // The saver cannot see the stamped fields: flows that a record starts write as the system.
    saved(write(&org, "outsider", "Lead", Some(&id), json!({"Status": "Working - Contacted"})));
    assert_eq!(field(&org, "Lead", &id, "Previous_Lead_Status__c"), "Open - Not Contacted");
    assert_eq!(field(&org, "Lead", &id, "Lead_Status_Change_Source__c"), "Human");
    assert_eq!(field(&org, "Lead", &id, "Lead_Status_Changed_Date__c"), "2026-03-02T09:00:00.000+0000");
    let deal = proposed_deal(&org, 1_000);
    saved(write(&org, "outsider", "Opportunity", Some(&deal), json!({"Amount": 2_000, "NextStep": "Call"})));
    assert_eq!(field(&org, "Opportunity", &deal, "Previous_Amount__c"), "1000");
    assert_eq!(field(&org, "Opportunity", &deal, "Opportunity_Change_Source__c"), "Human");
}

#[test]
fn with_inactive_flows_the_rules_hold_alone() {
    let org = org_with(Settings { flows_active: false, ..Settings::default() });
    let id = proposed(&org);
    let fields = json!({
        "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "p-1", "AI_Gate_Pending__c": true,
    });
    for role in ["proposer", "promoter"] {
        let refused = write(&org, role, "Lead", Some(&id), fields.clone());
        assert!(!refused.success(), "{role}");
    }
    let refused = write(&org, "proposer", "Lead", Some(&id), json!({"Status": "Working - Contacted"}));
    assert!(refused.errors[0].message.starts_with("AI_GATE_01"), "{refused:?}");
    saved(write(&org, "reviewer", "Lead", Some(&id), fields));
    assert_eq!(field(&org, "Lead", &id, "AI_Decided_By__c"), "", "nobody stamps");
    assert_eq!(org.notifications(), []);
    // Screen flows are active all the same, and cannot reach the flow that decides.
    let other = proposed(&org);
    let at = start(&org, "reviewer", "AI_Lead_Review", json!({"recordId": other})).unwrap();
    let answer = Answer {
        interview: at.interview,
        navigation: Navigation::Next,
        values: map(json!({"Decision_Choice": "Approve"})),
    };
    let ended = org.continue_flow(&org.user("reviewer").unwrap(), &WriteOptions::default(), &answer);
    assert!(matches!(ended, Err(LaunchError::Fault(_))), "{ended:?}");
    assert_eq!(field(&org, "Lead", &other, "AI_Decision__c"), "Pending");
}

#[test]
fn a_failed_row_takes_back_what_its_flows_wanted() {
    let org = org();
    let id = proposed(&org);
    let before = (org.notifications().len(), org.read().scheduled.len());
    let bad = json!({
        "AI_Recommended_Status__c": "Working - Contacted", "AI_Status_Confidence__c": 0.92,
        "AI_Proposal_ID__c": "p-9", "AI_Decision__c": "Pending", "AI_Gate_Pending__c": true,
    });
    let rows = vec![
        WriteRow { op: WriteOp::Update, object: "Lead".into(), id: Some(id.clone()), fields: map(bad) },
        WriteRow {
            op: WriteOp::Update,
            object: "Lead".into(),
            id: Some(id.clone()),
            fields: map(json!({"Status": "Closed - Not Converted"})),
        },
    ];
    let options = WriteOptions { all_or_none: true, ..WriteOptions::default() };
    let results = org.write(&org.user("proposer").unwrap(), &options, rows);
    assert!(results.iter().all(|result| !result.success()), "{results:?}");
    assert_eq!((org.notifications().len(), org.read().scheduled.len()), before);
    assert_eq!(field(&org, "Lead", &id, "AI_Proposal_ID__c"), "p-1");
}
