//! Ways from what is tracked, and from what else is known.

use jiff::Timestamp;

use super::*;
use crate::{
    domain::{Change, Discrepancy, Making, PromotionId},
    workflow::tests::{OTHER, PROPOSER, RECORD, REVIEWER, at, field, known, promotion, reading, told, user},
};

const OPEN: &str = "Open - Not Contacted";
const WORKING: &str = "Working - Contacted";
const CLOSED: &str = "Closed - Not Converted";

fn user_record() -> RecordId {
    RecordId::parse(RECORD).unwrap()
}

fn seen() -> Seen {
    Seen {
        history: Vec::new(),
        written: vec![promotion(Settlement::Done, 1)],
        proposals: BTreeMap::new(),
        asked: [(user(OTHER), Who::Program)].into_iter().collect(),
        machines: vec![user(PROPOSER)],
        people: People::default(),
    }
}

/// The record with this status: whoever saved it did so at this minute, and the stamp of the last change
/// by somebody else than the daemon is of the second one.
fn reads(status: &str, (saved, by): (i64, &str), stamped: Option<i64>) -> RecordReading {
    let mut reading = reading();
    reading.snapshot.fields.insert(field("Status"), FieldValue::text(status));
    (reading.snapshot.modified_at, reading.snapshot.modified_by) = (at(saved), Some(user(by)));
    reading.slot.changed_by_person_at = stamped.map(at);
    reading
}

/// Values of the way, and whether people set them; put back to open by a person at minute 20, then what
/// the lists tell besides.
fn way(more: &[Discrepancy], reading: &RecordReading, seen: &Seen) -> Vec<(String, bool, Timestamp)> {
    let first = told(OPEN, 20, DiscrepancyKind::Overridden);
    let (object, record, status) = (first.object.clone(), user_record(), field("Status"));
    let mark = PromotionId::new("promo-1");
    let change =
        Change { field: field("Status"), before: FieldValue::text(OPEN), after: FieldValue::text(WORKING) };
    let case = Case {
        promotion: &mark,
        object: &object,
        record: &record,
        field: &status,
        change,
        proposal: None,
        told: std::iter::once(&first).chain(more).collect(),
    };
    let way = of(&case, reading, seen).into_iter();
    way.map(|one| (one.value.to_string(), one.by_person, one.at)).collect()
}

fn step(value: &str, by_person: bool, minute: i64) -> (String, bool, Timestamp) {
    (FieldValue::text(value).to_string(), by_person, at(minute))
}

#[test]
fn the_record_tells_the_last_step_and_its_stamp_who_made_it() {
    assert_eq!(way(&[], &reads(OPEN, (20, REVIEWER), Some(20)), &seen()), [], "nothing followed");
    let now = |saved: (i64, &str), stamped| way(&[], &reads(WORKING, saved, stamped), &seen());
    assert_eq!(now((30, REVIEWER), Some(30)), [step(WORKING, true, 30)]);
    assert_eq!(now((30, OTHER), Some(30)), [step(WORKING, false, 30)], "a program");
    assert_eq!(now((30, PROPOSER), Some(30)), [step(WORKING, false, 30)], "a user of ours");
    assert_eq!(now((31, OTHER), Some(30)), [step(WORKING, true, 30)], "saved again by somebody else");
    assert_eq!(now((30, REVIEWER), None), [step(WORKING, false, 30)], "nobody knows");
    let heard = seen();
    heard.people.heard(&user_record(), at(30));
    assert_eq!(way(&[], &reads(WORKING, (31, REVIEWER), Some(30)), &heard), [step(WORKING, false, 30)]);
}

#[test]
fn a_conversion_is_a_step_also_where_the_value_stays() {
    let mut converted = reads(OPEN, (30, REVIEWER), Some(20));
    converted.snapshot.state = RecordState::Converted;
    assert_eq!(way(&[], &converted, &seen()), [step(OPEN, true, 30)]);
    converted.snapshot.modified_by = Some(user(OTHER));
    assert_eq!(way(&[], &converted, &seen()), [step(OPEN, false, 30)]);
}

#[test]
fn lists_and_promotions_tell_the_way_where_nothing_is_tracked() {
    let lists =
        [told(CLOSED, 40, DiscrepancyKind::Overridden), told(OPEN, 50, DiscrepancyKind::OverriddenByProgram)];
    let now = reads(OPEN, (50, OTHER), Some(50));
    assert_eq!(way(&lists, &now, &seen()), [step(CLOSED, true, 40), step(OPEN, false, 50)]);
    // Promoted again: approved by a person, with no person, put back by us, or not at all.
    let again = |approved: bool, undoes: bool, settlement: Settlement| {
        let mut seen = seen();
        let mut later = promotion(settlement, 1);
        (later.id, later.plan.planned_at) = (PromotionId::new("promo-2"), at(60));
        later.undoes = undoes.then(|| PromotionId::new("promo-1"));
        seen.written.push(later);
        let said = serde_json::json!({ "proposal_id": "p-1", "decision": if approved { "approved" } else { "rejected" },
            "decided_by": OTHER, "decided_at": at(5), "patch_digest": "00" });
        seen.proposals.insert("p-1".into(), known(Some(serde_json::from_value(said).unwrap())));
        way(&[], &reads(WORKING, (60, PROPOSER), None), &seen)
    };
    assert_eq!(again(true, false, Settlement::Done), [step(WORKING, true, 60)]);
    assert_eq!(again(false, false, Settlement::Done), [step(WORKING, false, 60)]);
    assert_eq!(again(true, true, Settlement::Done), [step(WORKING, false, 60)]);
    let refused = Settlement::Refused { code: "X".into(), message: "no".into() };
    assert_eq!(again(true, false, refused), [step(WORKING, false, 60)], "only the record tells it");
}

/// As the org's field history has it.
fn change(after: &str, by: &str, minute: i64) -> TrackedChange {
    TrackedChange {
        record: user_record(),
        field: field("Status"),
        before: FieldValue::Null,
        after: FieldValue::text(after),
        by: Some(user(by)),
        at: at(minute),
    }
}

#[test]
fn field_history_outranks_the_lists_and_tells_what_came_and_went() {
    // Newest first, as the org gives it.
    let mut seen = Seen {
        history: vec![
            change(OPEN, REVIEWER, 50),
            change(CLOSED, OTHER, 40),
            change(WORKING, REVIEWER, 30),
            change(OPEN, REVIEWER, 20),
            change(WORKING, PROPOSER, 10),
            change(OPEN, REVIEWER, 5),
        ],
        ..seen()
    };
    let lists = [told(CLOSED, 45, DiscrepancyKind::Overridden)];
    let now = reads(OPEN, (50, REVIEWER), Some(50));
    let expected = [step(WORKING, true, 30), step(CLOSED, false, 40), step(OPEN, true, 50)];
    assert_eq!(way(&lists, &now, &seen), expected);
    let other = TrackedChange { record: user(OTHER), ..change(CLOSED, REVIEWER, 35) };
    let another = TrackedChange { field: field("Rating"), ..change(CLOSED, REVIEWER, 35) };
    seen.history.extend([other, another]);
    assert_eq!(way(&lists, &now, &seen), expected, "of another record, and of another field");
}

#[test]
fn steps_of_the_same_second_stay_in_the_order_of_the_history() {
    let seen = Seen {
        history: vec![
            change(WORKING, REVIEWER, 40),
            change(CLOSED, OTHER, 40),
            change(OPEN, REVIEWER, 20),
            change(WORKING, REVIEWER, 20),
        ],
        ..seen()
    };
    let expected = [step(CLOSED, false, 40), step(WORKING, true, 40)];
    assert_eq!(way(&[], &reads(WORKING, (40, REVIEWER), Some(40)), &seen), expected);
}

#[test]
fn where_the_history_lacks_the_persons_step_the_way_begins_after_its_time() {
    let seen = Seen { history: vec![change(CLOSED, OTHER, 40), change(WORKING, REVIEWER, 10)], ..seen() };
    assert_eq!(way(&[], &reads(CLOSED, (40, OTHER), Some(40)), &seen), [step(CLOSED, false, 40)]);
}

#[test]
fn a_record_that_was_made_below_this_one_is_no_step() {
    let mut seen = seen();
    let mut task = promotion(Settlement::Done, 1);
    (task.id, task.plan.planned_at) = (PromotionId::new("promo-2"), at(30));
    task.plan.making = Some(Making::Cancel);
    seen.written.push(task);
    assert_eq!(way(&[], &reads(OPEN, (20, REVIEWER), Some(20)), &seen), []);
}

#[test]
fn records_are_asked_for_by_object_and_only_where_the_value_has_moved() {
    let told = told(OPEN, 20, DiscrepancyKind::Overridden);
    let (mark, status) = (PromotionId::new("promo-1"), field("Status"));
    let change =
        Change { field: field("Status"), before: FieldValue::Null, after: FieldValue::text(WORKING) };
    let key = (mark.clone(), field("Status"));
    let case = Case {
        promotion: &mark,
        object: &told.object,
        record: &told.record,
        field: &status,
        change,
        proposal: None,
        told: vec![&told],
    };
    let open = [(&key, &case)];
    assert_eq!(records(&open, "Lead"), [user_record()]);
    assert_eq!(records(&open, "Opportunity"), []);
    let asked = |status: &str, object: &str| {
        let reading = reads(status, (30, REVIEWER), None);
        moved(&open, object, &BTreeMap::from([(user_record(), reading)])).len()
    };
    assert_eq!((asked(WORKING, "Lead"), asked(WORKING, "Opportunity"), asked(OPEN, "Lead")), (1, 0, 0));
}
