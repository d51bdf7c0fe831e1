//! Notices, reminders and escalations: after the commit, and by the org's clock.

use std::time::Duration;

use serde_json::json;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn told(org: &Org) -> Vec<(String, bool)> {
    let manager = org.user("manager").unwrap().user_id;
    org.notifications().into_iter().map(|sent| (sent.title, sent.users.contains(&manager))).collect()
}

#[test]
fn the_owner_hears_of_a_new_proposal_once() {
    let org = org();
    let id = proposed(&org);
    let sent = org.notifications();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0].target_id.as_deref(), Some(id.as_str()));
    assert!(sent[0].users.contains(&org.user("admin").unwrap().user_id), "the owner: {sent:?}");
    assert!(sent[0].body.contains("Example"), "{sent:?}");
    saved(write(&org, "admin", "Lead", Some(&id), json!({"Title": "Buyer"})));
    assert_eq!(org.notifications().len(), 1, "another change is no news");
    propose(&org, &id, "p-2");
    assert_eq!(org.notifications().len(), 2, "another proposal is");
}

#[test]
fn an_open_proposal_is_reminded_of_after_a_day_and_escalated_after_three() {
    let org = org();
    let id = proposed(&org);
    let owner = json!({"OwnerId": org.user("outsider").unwrap().user_id});
    saved(write(&org, "admin", "Lead", Some(&id), owner));
    assert_eq!(org.run_scheduled(), 0);
    org.clock().advance(DAY - Duration::from_secs(60));
    assert_eq!(org.run_scheduled(), 0, "not yet");
    org.clock().advance(Duration::from_secs(61));
    assert_eq!(org.run_scheduled(), 1);
    assert_eq!(told(&org).len(), 2, "{:?}", told(&org));
    org.clock().advance(2 * DAY);
    assert_eq!(org.run_scheduled(), 1);
    let told = told(&org);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].1, "the manager hears of it: {told:?}");
    assert_ne!(told[1].0, told[2].0);
}

#[test]
fn an_owner_without_a_manager_is_escalated_to_the_reviewers() {
    let org = org();
    proposed(&org);
    org.clock().advance(3 * DAY);
    assert_eq!(org.run_scheduled(), 2);
    let last = org.notifications().pop().unwrap();
    for role in ["reviewer", "reviewer2"] {
        assert!(last.users.contains(&org.user(role).unwrap().user_id), "{role}: {last:?}");
    }
}

#[test]
fn a_decided_proposal_is_not_reminded_of() {
    let org = org();
    let id = proposed(&org);
    assert_eq!(org.read().scheduled.len(), 2);
    let fields = json!({
        "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "p-1", "AI_Gate_Pending__c": true,
    });
    saved(write(&org, "reviewer", "Lead", Some(&id), fields));
    assert_eq!(org.read().scheduled.len(), 0, "the record no longer meets the condition");
    org.clock().advance(4 * DAY);
    org.run_scheduled();
    assert_eq!(org.notifications().len(), 1);
}

#[test]
fn an_approval_that_was_not_carried_out_is_told() {
    let org = org();
    let id = proposed(&org);
    let fields = json!({
        "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "p-1", "AI_Gate_Pending__c": true,
    });
    saved(write(&org, "reviewer", "Lead", Some(&id), fields));
    let notice = json!({
        "AI_Gate_Outcome__c": "stale: the value has moved", "AI_Gate_Outcome_Of__c": "p-1",
        "AI_Gate_Pending__c": false,
    });
    saved(write(&org, "promoter", "Lead", Some(&id), notice));
    let last = org.notifications().pop().unwrap();
    assert!(last.body.contains("stale: the value has moved"), "{last:?}");
    assert!(last.users.contains(&org.user("reviewer").unwrap().user_id), "{last:?}");
}
