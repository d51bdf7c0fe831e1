//! Who decided, when, and whether the approver saw the base that was read.

use super::{OTHER, PROPOSER, REVIEWER, at, field, known, proposal, reading, user};
use crate::{
    domain::{Decision, FieldValue},
    gate::Rules,
    salesforce::RecordReading,
    workflow::{
        consider::{Case, Desk},
        hints::DecisionHint,
        observe::{approval, base_unproven},
        tally::Tally,
    },
};

/// The reading with an approval of `p-1` that nobody stamped; saved last by the reviewer.
fn approved() -> RecordReading {
    let mut reading = reading();
    reading.slot.decision = Some("Approved".into());
    reading.slot.decision_proposal_id = Some("p-1".into());
    reading.snapshot.modified_at = at(5);
    reading.snapshot.modified_by = Some(user(REVIEWER));
    reading
}

fn hint(by: &str, minute: i64, told: (Option<Decision>, Option<&str>)) -> DecisionHint {
    let proposal_id = told.1.map(str::to_owned);
    DecisionHint { decided_by: user(by), decided_at: at(minute), decision: told.0, proposal_id }
}

fn case(reading: &RecordReading, hint: Option<DecisionHint>) -> Case<'_> {
    Case { reading, known: vec![known(None)], open_promotion: None, told: false, signals: Vec::new(), hint }
}

/// The decision that is taken from a case: who and when.
fn decider(case: &Case<'_>) -> Option<(String, jiff::Timestamp)> {
    let found = approval(case, &proposal()).unwrap()?;
    Some((found.decided_by.to_string(), found.decided_at))
}

#[test]
fn the_event_names_the_decider_before_stamp_and_last_save() {
    let mut reading = approved();
    reading.slot.decided_by = Some(user(OTHER));
    reading.slot.decided_at = Some(at(4));
    let told = hint(REVIEWER, 3, (Some(Decision::Approved), Some("p-1")));
    assert_eq!(decider(&case(&reading, Some(told))), Some((REVIEWER.into(), at(3))));
    assert_eq!(decider(&case(&reading, None)), Some((OTHER.into(), at(4))));
    reading.slot.decided_by = None;
    assert_eq!(decider(&case(&reading, None)), Some((REVIEWER.into(), at(5))));
}

#[test]
fn an_event_about_another_decision_names_nobody() {
    let mut reading = approved();
    reading.slot.decided_by = Some(user(REVIEWER));
    reading.slot.decided_at = Some(at(4));
    for told in
        [(Some(Decision::Rejected), None), (Some(Decision::Approved), Some("p-0")), (None, Some("p-0"))]
    {
        let found = decider(&case(&reading, Some(hint(PROPOSER, 3, told))));
        assert_eq!(found, Some((REVIEWER.into(), at(4))), "{told:?}");
    }
}

#[test]
fn without_a_decision_on_this_proposal_there_is_none() {
    let mut other = approved();
    other.slot.decision_proposal_id = Some("p-0".into());
    assert_eq!(decider(&case(&other, None)), None);
    let mut pending = approved();
    pending.slot.decision = Some("Pending".into());
    assert_eq!(decider(&case(&pending, None)), None);
    let mut unbound = approved();
    unbound.slot.decision_proposal_id = None;
    assert_eq!(decider(&case(&unbound, None)), None);
    let mut newer = approved();
    newer.slot.proposal_id = Some("p-2".into());
    newer.slot.decision_proposal_id = Some("p-2".into());
    assert_eq!(decider(&case(&newer, None)), None, "a decision on p-2 is none on p-1");
}

#[test]
fn what_was_recorded_stays_until_an_event_about_this_decision_says_more() {
    let reading = approved();
    let told = hint(REVIEWER, 3, (Some(Decision::Approved), Some("p-1")));
    let recorded = approval(&case(&reading, Some(told)), &proposal()).unwrap().unwrap();
    let mut later = reading.clone();
    later.snapshot.modified_at = at(30);
    later.snapshot.modified_by = Some(user(OTHER));
    let again = |hint| Case { hint, known: vec![known(Some(recorded.clone()))], ..case(&later, None) };
    assert_eq!(decider(&again(None)), Some((REVIEWER.into(), at(3))));
    let foreign = hint(PROPOSER, 29, (None, Some("p-0")));
    assert_eq!(decider(&again(Some(foreign))), Some((REVIEWER.into(), at(3))));
    let same = hint(OTHER, 20, (Some(Decision::Approved), Some("p-1")));
    assert_eq!(decider(&again(Some(same))), Some((OTHER.into(), at(20))));
}

#[test]
fn an_approval_is_bound_to_the_base_that_was_first_seen() {
    let mut moved = approved();
    moved.snapshot.fields.insert(field("Status"), FieldValue::text("Closed - Not Converted"));
    let found = approval(&case(&moved, None), &proposal()).unwrap().unwrap();
    assert_eq!(found.patch_digest, proposal().patch_digest().unwrap());
}

#[test]
fn a_change_by_a_person_after_the_decision_takes_its_ground_away() {
    let rules = Rules::new(crate::config::policies::load(None).unwrap()).unwrap();
    let machines = [user(PROPOSER)];
    let tally = Tally::default();
    let desk = Desk { rules: &rules, described: None, machine_users: &machines, tally: &tally, now: at(40) };
    let told = || Some(hint(REVIEWER, 30, (Some(Decision::Approved), Some("p-1"))));
    let unproven = |changed: Option<i64>| {
        let mut reading = approved();
        reading.slot.changed_by_person_at = changed.map(at);
        let record = known(None);
        let case = case(&reading, told());
        let approval = approval(&case, &record.proposal).unwrap();
        base_unproven(&desk, &case, Some(&record), approval.as_ref(), None)
    };
    assert!(!unproven(None), "nobody changed anything");
    assert!(!unproven(Some(29)), "the approver saw what is there");
    assert!(unproven(Some(30)), "in one second nobody knows which came first");
    assert!(unproven(Some(35)), "put back after the decision: the approver saw another value");
}

#[test]
fn a_base_is_proven_by_the_event_of_this_decision_only() {
    let rules = Rules::new(crate::config::policies::load(None).unwrap()).unwrap();
    let machines = [user(PROPOSER)];
    let tally = Tally::default();
    let desk = Desk { rules: &rules, described: None, machine_users: &machines, tally: &tally, now: at(6) };
    let reading = approved();
    let proven = |hint: Option<DecisionHint>| {
        let case = Case { known: Vec::new(), ..case(&reading, hint) };
        let approval = approval(&case, &proposal()).unwrap();
        !base_unproven(&desk, &case, None, approval.as_ref(), None)
    };
    assert!(proven(Some(hint(REVIEWER, 5, (Some(Decision::Approved), Some("p-1"))))));
    assert!(!proven(None), "the last save may be somebody else's");
    assert!(!proven(Some(hint(REVIEWER, 5, (Some(Decision::Rejected), None)))), "another decision");
    assert!(!proven(Some(hint(OTHER, 2, (None, Some("p-1"))))), "somebody else saved after it");
}
