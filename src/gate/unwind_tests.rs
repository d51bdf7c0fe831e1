//! Taking promotions back: chains, people in between, later ones that stay, and undone undoes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::*;
use crate::domain::{ObjectName, ProposalId};

fn name(text: &str) -> FieldName {
    FieldName::parse(text).unwrap()
}

fn promotion(id: &str, changes: &[(&str, &str, &str)]) -> Promotion {
    let plan = Plan {
        making: None,
        object: ObjectName::parse("Opportunity").unwrap(),
        record: RecordId::parse(&RecordId::complete("006Dp0000012345").unwrap()).unwrap(),
        proposal_id: ProposalId::parse(&format!("p-{id}")).unwrap(),
        basis: Basis::Auto,
        changes: changes
            .iter()
            .map(|(field, before, after)| Change {
                field: name(field),
                before: FieldValue::text(*before),
                after: FieldValue::text(*after),
            })
            .collect(),
        expected_seq: 0,
        stamps: Stamps::default(),
        planned_at: Timestamp::UNIX_EPOCH,
    };
    Promotion {
        id: PromotionId::new(id),
        plan,
        attempts: 1,
        settlement: Settlement::Done,
        undoes: None,
        rollback: None,
        proof: BTreeMap::new(),
    }
}

fn undoing(id: &str, undoes: &str, changes: &[(&str, &str, &str)]) -> Promotion {
    Promotion { undoes: Some(PromotionId::new(undoes)), ..promotion(id, changes) }
}

fn values(pairs: &[(&str, &str)]) -> BTreeMap<FieldName, FieldValue> {
    pairs.iter().map(|(field, value)| (name(field), FieldValue::text(*value))).collect()
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// What stands in each field, what the org keeps as previous, what was written, what is chosen.
fn undo((now, previous): (Pairs<'_>, Pairs<'_>), written: &[Promotion], chosen: &[&str]) -> RecordUndo {
    let plan = promotion("x", &[]).plan;
    let record = RecordSnapshot {
        record_type: None,
        object: plan.object,
        record: plan.record,
        state: RecordState::Live,
        name: None,
        owner: None,
        fields: values(now),
        promotion_seq: 7,
        last_promotion: None,
        hold: None,
        modified_at: Timestamp::UNIX_EPOCH,
        modified_by: None,
    };
    let chosen: BTreeSet<PromotionId> = chosen.iter().map(|id| PromotionId::new(*id)).collect();
    unwind(Found { record: &record, previous: &values(previous) }, written, &chosen)
}

fn steps(undo: &RecordUndo) -> Vec<String> {
    let one = |step: &Step| {
        let changes: Vec<String> =
            step.restore.iter().map(|c| format!("{}: {} to {}", c.field, c.before, c.after)).collect();
        format!("{} {}", step.promotion, changes.join(", "))
    };
    undo.steps.iter().map(one).collect()
}

fn kept_of(undo: &RecordUndo) -> Vec<String> {
    undo.kept.iter().map(|kept| format!("{} {} {}", kept.promotion, kept.field, kept.why.code())).collect()
}

#[test]
fn promotions_of_several_fields_go_back_newest_first_each_by_a_write_of_its_own() {
    let written = [promotion("1", &[("NextStep", "a", "b")]), promotion("2", &[("StageName", "s", "t")])];
    let undo = undo(
        (&[("NextStep", "b"), ("StageName", "t")], &[("NextStep", "a"), ("StageName", "s")]),
        &written,
        &["1", "2"],
    );
    assert_eq!(steps(&undo), ["2 StageName: t to s", "1 NextStep: b to a"]);
    assert!(undo.kept.is_empty());
    let (first, second) =
        (undo.plan(0, Timestamp::UNIX_EPOCH).unwrap(), undo.plan(1, Timestamp::UNIX_EPOCH).unwrap());
    assert_eq!((first.expected_seq, second.expected_seq), (7, 8), "each rests on the one before");
    assert_eq!(undo.plan(2, Timestamp::UNIX_EPOCH), None);
}

#[test]
fn a_chain_on_one_field_goes_back_as_far_as_the_org_keeps_values() {
    let written = [promotion("1", &[("NextStep", "a", "b")]), promotion("2", &[("NextStep", "b", "c")])];
    let undo = undo((&[("NextStep", "c")], &[("NextStep", "b")]), &written, &["1", "2"]);
    assert_eq!(steps(&undo), ["2 NextStep: c to b"]);
    assert_eq!(kept_of(&undo), ["1 NextStep out-of-reach"]);
    assert_eq!(undo.kept[0].before, FieldValue::text("a"), "what a person can put back by hand");
    assert_eq!(undo.kept[0].why, Why::OutOfReach { kept: FieldValue::text("c") });
}

#[test]
fn a_chain_there_and_back_can_be_undone_whole() {
    let written = [promotion("1", &[("NextStep", "a", "b")]), promotion("2", &[("NextStep", "b", "a")])];
    let undo = undo((&[("NextStep", "a")], &[("NextStep", "b")]), &written, &["1", "2"]);
    assert_eq!(steps(&undo), ["2 NextStep: a to b", "1 NextStep: b to a"]);
}

#[test]
fn people_are_spared_after_and_between() {
    let one = [promotion("1", &[("NextStep", "a", "b"), ("StageName", "s", "t")])];
    let spared = undo((&[("NextStep", "mine"), ("StageName", "t")], &[("StageName", "s")]), &one, &["1"]);
    assert_eq!(steps(&spared), ["1 StageName: t to s"]);
    assert_eq!(kept_of(&spared), ["1 NextStep newer-edit"]);

    let two = [promotion("1", &[("NextStep", "a", "b")]), promotion("2", &[("NextStep", "mine", "c")])];
    let between = undo((&[("NextStep", "c")], &[("NextStep", "mine")]), &two, &["1", "2"]);
    assert_eq!(steps(&between), ["2 NextStep: c to mine"]);
    assert_eq!(between.kept[0].why, Why::NewerEdit { found: Some(FieldValue::text("mine")) });
}

#[test]
fn a_later_promotion_that_is_not_chosen_stays_with_all_below_it() {
    let written = [
        promotion("1", &[("NextStep", "a", "b"), ("StageName", "s", "t")]),
        promotion("2", &[("NextStep", "b", "c")]),
    ];
    let now = &[("NextStep", "c"), ("StageName", "t")];
    let undo = undo((now, &[("NextStep", "b"), ("StageName", "s")]), &written, &["1"]);
    assert_eq!(steps(&undo), ["1 StageName: t to s"]);
    let later =
        Why::LaterPromotion { promotion: PromotionId::new("2"), proposal: ProposalId::parse("p-2").unwrap() };
    assert_eq!(undo.kept[0].why, later);
}

#[test]
fn what_was_undone_counts_no_more_and_what_was_redone_counts_again() {
    let mut written = vec![
        promotion("1", &[("NextStep", "a", "b")]),
        promotion("2", &[("NextStep", "b", "c")]),
        undoing("r", "2", &[("NextStep", "c", "b")]),
    ];
    let first = undo((&[("NextStep", "b")], &[("NextStep", "c")]), &written, &["1", "2"]);
    assert!(first.steps.is_empty(), "2 is undone, and of 1 the org keeps no value: {first:?}");
    assert_eq!(kept_of(&first), ["1 NextStep out-of-reach"]);
    written.push(undoing("rr", "r", &[("NextStep", "b", "c")]));
    let second = undo((&[("NextStep", "c")], &[("NextStep", "b")]), &written, &["2"]);
    assert_eq!(steps(&second), ["2 NextStep: c to b"]);
}

#[test]
fn what_already_stands_there_and_what_is_open_or_gone_is_left_alone() {
    let mut written = vec![promotion("1", &[("NextStep", "a", "b")])];
    let done = undo((&[("NextStep", "a")], &[("NextStep", "b")]), &written, &["1"]);
    assert_eq!((done.steps.len(), done.already.len()), (0, 1));
    written.push(Promotion { settlement: Settlement::Sent, ..promotion("2", &[("StageName", "s", "t")]) });
    let open = undo((&[("NextStep", "b")], &[("NextStep", "a")]), &written, &["1"]);
    assert_eq!((open.steps.len(), open.open), (0, Some(PromotionId::new("2"))));
}

#[test]
fn what_undid_counts_only_when_it_landed_and_covers_the_field() {
    let (id, other) = (PromotionId::new("1"), PromotionId::new("9"));
    let first = promotion("1", &[("NextStep", "a", "b"), ("StageName", "s", "t")]);
    let undo = undoing("2", "1", &[("NextStep", "b", "a")]);
    let undone = |of: &PromotionId, field: &str, later: &[Promotion]| {
        let all = [std::slice::from_ref(&first), later].concat();
        is_undone(of, &name(field), &all)
    };
    assert!(undone(&id, "NextStep", std::slice::from_ref(&undo)));
    assert!(!undone(&id, "StageName", std::slice::from_ref(&undo)), "it did not cover that field");
    assert!(!undone(&other, "NextStep", std::slice::from_ref(&undo)), "it undid another one");
    let open = Promotion { settlement: Settlement::Sent, ..undo.clone() };
    assert!(!undone(&id, "NextStep", &[open]));
    assert!(!undone(&id, "NextStep", &[undo, undoing("3", "2", &[("NextStep", "a", "b")])]), "redone");
}

#[test]
fn what_was_made_is_cancelled_by_a_landed_cancelling_of_its_own() {
    let id = PromotionId::new("1");
    let mut cancelling = undoing("2", "1", &[("Status", "Completed", "Deferred")]);
    assert!(!is_cancelled(&id, &[cancelling.clone()]), "a rollback of values cancels nothing");
    cancelling.plan.making = Some(Making::Cancel);
    assert!(is_cancelled(&id, &[promotion("1", &[]), cancelling.clone()]));
    assert!(!is_cancelled(&PromotionId::new("9"), &[cancelling.clone()]));
    cancelling.settlement = Settlement::Sent;
    assert!(!is_cancelled(&id, &[cancelling]));
}

#[test]
fn a_cancelling_waits_for_what_is_open_and_for_something_to_write() {
    let made = promotion("1", &[("Status", "", "Completed")]);
    let change = made.plan.changes[0].clone();
    let plan = |restore: Vec<Change>| RollbackPlan {
        restore,
        spared: Vec::new(),
        already: Vec::new(),
        obstacle: None,
        plan: None,
    };
    let steps = |restore: Vec<Change>, open: Option<&str>| {
        cancelling(&made, None, (&plan(restore), open.map(PromotionId::new))).steps.len()
    };
    assert_eq!(steps(vec![change.clone()], None), 1);
    assert_eq!((steps(vec![change], Some("2")), steps(Vec::new(), None)), (0, 0));
}

#[test]
fn a_record_that_is_not_there_any_more_is_an_obstacle() {
    let states = [RecordState::Live, RecordState::Missing, RecordState::Deleted, RecordState::Converted];
    let told: Vec<Option<&str>> =
        states.into_iter().map(|state| obstacle(state).map(Obstacle::code)).collect();
    assert_eq!(told, [None, Some("record-missing"), Some("record-deleted"), Some("record-converted")]);
}

#[test]
fn the_same_state_gives_the_same_digest_and_another_state_another() {
    let written = [promotion("1", &[("NextStep", "a", "b")])];
    let manifest = |now: &str| Manifest {
        org: "00D000000000001AAA".to_owned(),
        records: vec![undo((&[("NextStep", now)], &[("NextStep", "a")]), &written, &["1"])],
    };
    assert_eq!(manifest("b").digest(), manifest("b").digest());
    assert_ne!(manifest("b").digest(), manifest("mine").digest());
}
