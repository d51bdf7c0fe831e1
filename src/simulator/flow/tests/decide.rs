//! Approve, edit and approve, reject, pass on: through the review screens, and refused.

use serde_json::{Value as Json, json};

use super::*;

fn review(org: &Org, role: &str, id: &str) -> Launched {
    start(org, role, "AI_Lead_Review", json!({"recordId": id})).unwrap()
}

fn message(at: &Launched) -> String {
    assert_eq!(screen(at), "Result", "{at:?}");
    shown(at, "Shown_Message").as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_reviewer_sees_before_and_after_and_approves() {
    let org = org();
    let id = proposed(&org);
    let at = review(&org, "reviewer", &id);
    assert_eq!(screen(&at), "Review");
    assert_eq!(shown(&at, "Now_Status"), "Open - Not Contacted");
    assert_eq!(shown(&at, "Proposed_Status"), "Working - Contacted");
    assert_eq!(shown(&at, "Shown_Reason"), "Asked for a call.");
    assert_eq!(shown(&at, "Shown_Evidence"), "mail of 1 March");
    let at = next(&org, "reviewer", &at, json!({"Decision_Choice": "Approve", "Comments": "fine"}));
    assert!(message(&at).starts_with("Approved."), "{at:?}");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Approved");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision_Proposal_ID__c"), "p-1");
    assert_eq!(field(&org, "Lead", &id, "AI_Decided_By__c"), org.user("reviewer").unwrap().user_id);
    assert_eq!(field(&org, "Lead", &id, "AI_Decided_At__c"), "2026-03-02T09:00:00.000+0000");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision_Comments__c"), "fine");
    assert_eq!(field(&org, "Lead", &id, "AI_Gate_Pending__c"), "true");
    assert_eq!(
        field(&org, "Lead", &id, "Status"),
        "Open - Not Contacted",
        "the gate writes it, not the flow"
    );
    let at = next(&org, "reviewer", &at, json!({}));
    assert_eq!(at.screen, None);
}

#[test]
fn edit_and_approve_is_one_save_with_a_new_id() {
    let org = org();
    let id = proposed(&org);
    let at = review(&org, "reviewer", &id);
    let at = next(&org, "reviewer", &at, json!({"Decision_Choice": "EditAndApprove"}));
    assert_eq!(screen(&at), "Edit");
    let choices = at.screen.as_ref().unwrap()["fields"][1]["choices"].to_string();
    assert!(choices.contains("Closed - Not Converted"), "{choices}");
    let at = next(&org, "reviewer", &at, json!({"Edit_Status": "Closed - Not Converted"}));
    assert!(message(&at).starts_with("Your values are approved"), "{at:?}");
    assert_eq!(field(&org, "Lead", &id, "AI_Edited_From__c"), "p-1");
    assert_eq!(field(&org, "Lead", &id, "AI_Proposal_ID__c"), "p-1~090000");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision_Proposal_ID__c"), "p-1~090000");
    assert_eq!(field(&org, "Lead", &id, "AI_Recommended_Status__c"), "Closed - Not Converted");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Approved");
}

#[test]
fn a_rejection_takes_a_reason_and_other_needs_words() {
    let org = org();
    let id = proposed(&org);
    let at = next(&org, "reviewer", &review(&org, "reviewer", &id), json!({"Decision_Choice": "Reject"}));
    assert_eq!(screen(&at), "Reject");
    let at = next(&org, "reviewer", &at, json!({"Reason_Choice": "Other"}));
    assert!(at.refused, "{at:?}");
    assert_eq!(
        at.screen.as_ref().unwrap()["errors"][0]["message"],
        "With the reason Other, say what is wrong."
    );
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Pending");
    let at =
        next(&org, "reviewer", &at, json!({"Reason_Choice": "Other", "Reject_Comments": "wrong person"}));
    assert!(message(&at).starts_with("Rejected."), "{at:?}");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Rejected");
    assert_eq!(field(&org, "Lead", &id, "AI_Rejection_Reason__c"), "Other");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision_Comments__c"), "wrong person");
}

#[test]
fn answers_that_the_screen_does_not_offer_are_refused() {
    let org = org();
    let id = proposed(&org);
    let at = review(&org, "reviewer", &id);
    for values in [
        json!({}),
        json!({"Decision_Choice": "Destroy"}),
        json!({"Decision_Choice": "Approve", "Proposed_Status": "Other"}),
        json!({"Decision_Choice": "Approve", "Unknown": 1}),
    ] {
        let again = next(&org, "reviewer", &at, values.clone());
        assert!(again.refused && screen(&again) == "Review", "{values}: {again:?}");
    }
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Pending");
}

#[test]
fn a_decision_on_what_has_moved_is_stale() {
    let org = org();
    let id = proposed(&org);
    let at = review(&org, "reviewer", &id);
    propose(&org, &id, "p-2");
    let at = next(&org, "reviewer", &at, json!({"Decision_Choice": "Approve"}));
    assert!(message(&at).starts_with("A newer AI proposal"), "{at:?}");

    let at = review(&org, "reviewer", &id);
    saved(write(&org, "admin", "Lead", Some(&id), json!({"Status": "Closed - Not Converted"})));
    let at = next(&org, "reviewer", &at, json!({"Decision_Choice": "Approve"}));
    assert!(message(&at).starts_with("The lead has changed"), "{at:?}");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Pending");
}

#[test]
fn an_expired_proposal_can_be_rejected_only() {
    let org = org();
    let id = proposed(&org);
    let expiring = json!({
        "AI_Recommended_Status__c": "Working - Contacted", "AI_Status_Confidence__c": 0.92,
        "AI_Proposal_ID__c": "p-2", "AI_Decision__c": "Pending", "AI_Gate_Pending__c": true,
        "AI_Proposal_Expires_At__c": "2026-03-02T10:00:00Z",
    });
    saved(write(&org, "proposer", "Lead", Some(&id), expiring));
    org.clock().advance(std::time::Duration::from_secs(3_601));
    let at = next(&org, "reviewer", &review(&org, "reviewer", &id), json!({"Decision_Choice": "Approve"}));
    assert!(message(&at).starts_with("This proposal has expired"), "{at:?}");
    let direct = json!({"AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "p-2", "AI_Gate_Pending__c": true});
    let refused = write(&org, "reviewer", "Lead", Some(&id), direct);
    assert!(refused.errors.iter().any(|error| error.message.starts_with("AI_GATE_14")), "{refused:?}");
    let at = next(&org, "reviewer", &review(&org, "reviewer", &id), json!({"Decision_Choice": "Reject"}));
    let at = next(&org, "reviewer", &at, json!({"Reason_Choice": "Too Early"}));
    assert!(message(&at).starts_with("Rejected."), "{at:?}");
}

#[test]
fn not_mine_tells_the_group_and_leaves_the_proposal_open() {
    let org = org();
    let id = proposed(&org);
    let before = org.notifications().len();
    let at = next(&org, "reviewer", &review(&org, "reviewer", &id), json!({"Decision_Choice": "NotMine"}));
    assert!(message(&at).contains("has been told"), "{at:?}");
    let sent = org.notifications();
    assert_eq!(sent.len(), before + 1);
    let last = sent.last().unwrap();
    assert_eq!(last.kind, "AI_Proposal_Notice");
    assert_eq!(last.target_id.as_deref(), Some(id.as_str()));
    assert!(last.users.contains(&org.user("reviewer2").unwrap().user_id), "{last:?}");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Pending");
}

#[test]
fn whoever_is_no_reviewer_may_not() {
    let org = org();
    let id = proposed(&org);
    for role in ["outsider", "proposer", "promoter"] {
        let refused = start(&org, role, "AI_Lead_Review", json!({"recordId": id})).unwrap_err();
        assert_eq!(refused, LaunchError::NotAllowed, "{role}");
        let inputs = json!({"recordId": id, "proposalId": "p-1", "decision": "Approve"});
        assert_eq!(
            start(&org, role, "AI_Lead_Decide", inputs).unwrap_err(),
            LaunchError::NotAllowed,
            "{role}"
        );
    }
    // An administrator may start every flow, and is no reviewer all the same.
    let inputs = json!({"recordId": id, "proposalId": "p-1", "decision": "Approve", "seenStatus": "Open - Not Contacted"});
    let ended = start(&org, "admin", "AI_Lead_Decide", inputs).unwrap();
    assert_eq!(ended.outputs["resultCode"], "NOT_A_REVIEWER");
    assert_eq!(field(&org, "Lead", &id, "AI_Decision__c"), "Pending");
}

#[test]
fn the_decision_flow_answers_in_codes() {
    let org = org();
    let id = proposed(&org);
    let decide = |inputs: Json| {
        start(&org, "reviewer", "AI_Lead_Decide", inputs).unwrap().outputs["resultCode"].clone()
    };
    let seen = "Open - Not Contacted";
    let base = |decision: &str| json!({"recordId": id, "proposalId": "p-1", "decision": decision, "seenStatus": seen});
    assert_eq!(decide(base("Maybe")), "BAD_DECISION");
    assert_eq!(decide(base("Reject")), "REASON_MISSING");
    assert_eq!(decide(base("EditAndApprove")), "EDIT_MISSING");
    assert_eq!(decide(base("Approve")), "APPROVED");
    assert_eq!(decide(base("Approve")), "ALREADY_DECIDED");
    let unknown = start(&org, "reviewer", "AI_Lead_Decide", json!({"recordid": id})).unwrap_err();
    assert!(matches!(unknown, LaunchError::Input { .. }), "{unknown:?}");
}

#[test]
fn an_interview_belongs_to_who_started_it() {
    let org = org();
    let id = proposed(&org);
    let at = review(&org, "reviewer", &id);
    let answer = Answer {
        interview: at.interview,
        navigation: Navigation::Next,
        values: map(json!({"Decision_Choice": "Approve"})),
    };
    let other = org.continue_flow(&org.user("reviewer2").unwrap(), &WriteOptions::default(), &answer);
    assert_eq!(other.unwrap_err(), LaunchError::NoInterview);
}
