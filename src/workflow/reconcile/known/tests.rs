//! Who changed a value and when, from each trace and from several that disagree.

use jiff::Timestamp;

use super::*;
use crate::{
    domain::{FieldValue, PromotionId, ProposalId, break_glass::Seen},
    workflow::tests::{OTHER, PROPOSER, RECORD, REVIEWER, at, field, reading, user},
};

const OPEN: &str = "Open - Not Contacted";
const WORKING: &str = "Working - Contacted";
const CLOSED: &str = "Closed - Not Converted";
const NOBODY: &str = "005Cs0000000009IAA";

/// Promoted to working at minute 10, and closed now; the org stamped the change at this minute.
fn drift(stamped: Option<i64>) -> Drift {
    Drift {
        field: field("Status"),
        promotion: PromotionId::new("promo-1"),
        proposal: ProposalId::parse("p-1").unwrap(),
        planned_at: at(10),
        promoted: FieldValue::text(WORKING),
        now: FieldValue::text(CLOSED),
        stamped_at: stamped.map(at),
    }
}

/// The record, saved last by this user at minute 30.
fn seen(by: &str) -> Sighting {
    Sighting {
        record: reading().snapshot.record,
        values: [(field("Status"), FieldValue::text(CLOSED))].into(),
        pending: false,
        proposal_id: None,
        evaluated_at: None,
        decision: None,
        decision_proposal_id: None,
        last_promotion: None,
        promotion_seq: 5,
        change_source: None,
        changed_at: None,
        modified_at: at(30),
        modified_by: Some(user(by)),
    }
}

fn change(after: &str, by: &str, minute: i64) -> TrackedChange {
    TrackedChange {
        record: user(RECORD),
        field: field("Status"),
        before: FieldValue::text(OPEN),
        after: FieldValue::text(after),
        by: Some(user(by)),
        at: at(minute),
    }
}

fn used(by: Option<&str>, minute: i64) -> BreakGlassUse {
    BreakGlassUse {
        object: ObjectName::parse("Lead").unwrap(),
        record: user(RECORD),
        by: by.map(user),
        at: at(minute),
        reason: Some("the deal was called off".into()),
        seen: Seen::Event,
    }
}

/// Kind, code, who, when, and the value before.
type Told = (DiscrepancyKind, String, Option<RecordId>, Option<Timestamp>, Option<FieldValue>);

fn told(history: &[TrackedChange], used: &[BreakGlassUse], stamped: Option<i64>, by: &str) -> Told {
    told_of(history, used, (stamped, by), &People::default())
}

fn told_of(
    history: &[TrackedChange],
    used: &[BreakGlassUse],
    (stamped, by): (Option<i64>, &str),
    people: &People,
) -> Told {
    let known = Known {
        history: history.to_vec(),
        used: [(user(RECORD), used.to_vec())].into(),
        asked: [(user(OTHER), Who::Program), (user(REVIEWER), Who::Person)].into_iter().collect(),
        machines: &[user(PROPOSER)],
        people,
    };
    let one = known.told(&ObjectName::parse("Lead").unwrap(), &seen(by), drift(stamped));
    (one.kind, one.code, one.by, one.at, one.before)
}

fn expected(kind: DiscrepancyKind, code: &str, (by, minute): (&str, i64), before: &str) -> Told {
    (kind, code.to_owned(), Some(user(by)), Some(at(minute)), Some(FieldValue::text(before)))
}

#[test]
fn without_any_trace_only_the_last_save_is_known() {
    use DiscrepancyKind::UnexplainedChange;
    let by = |who| told(&[], &[], None, who);
    assert_eq!(by(REVIEWER), expected(UnexplainedChange, "no-provenance", (REVIEWER, 30), WORKING));
    assert_eq!(by(OTHER), expected(UnexplainedChange, "no-provenance", (OTHER, 30), WORKING));
    assert_eq!(by(PROPOSER), expected(UnexplainedChange, "changed-by-daemons-user", (PROPOSER, 30), WORKING));
}

#[test]
fn a_stamp_explains_and_whoever_saved_did_it_only_in_the_same_second() {
    use DiscrepancyKind::{Overridden, OverriddenByProgram};
    let by = |stamped, who| told(&[], &[], Some(stamped), who);
    assert_eq!(by(30, REVIEWER), expected(Overridden, "changed-by-hand", (REVIEWER, 30), WORKING));
    assert_eq!(by(30, OTHER), expected(OverriddenByProgram, "changed-by-program", (OTHER, 30), WORKING));
    assert_eq!(by(20, OTHER), expected(Overridden, "changed-by-hand", (OTHER, 20), WORKING), "another save");
    let people = People::default();
    people.heard(&user(RECORD), at(20));
    let heard = |stamped| told_of(&[], &[], (Some(stamped), REVIEWER), &people);
    assert_eq!(heard(20), expected(OverriddenByProgram, "changed-by-program", (REVIEWER, 20), WORKING));
    assert_eq!(heard(21), expected(Overridden, "changed-by-hand", (REVIEWER, 21), WORKING));
}

#[test]
fn the_history_says_most() {
    use DiscrepancyKind::{Overridden, OverriddenByProgram, UnexplainedChange};
    let by = |history: &[TrackedChange]| told(history, &[], Some(20), REVIEWER);
    assert_eq!(
        by(&[change(CLOSED, OTHER, 19)]),
        expected(OverriddenByProgram, "changed-by-program", (OTHER, 19), OPEN)
    );
    let glass = told(&[change(CLOSED, REVIEWER, 19)], &[used(Some(OTHER), 18)], Some(20), OTHER);
    assert_eq!(glass, expected(Overridden, "break-glass", (REVIEWER, 19), OPEN));
    // It tells who and when also where the org stamped nothing, but not that it was a person's right.
    let unstamped = told(&[change(CLOSED, REVIEWER, 19)], &[], None, OTHER);
    assert_eq!(unstamped, expected(UnexplainedChange, "no-provenance", (REVIEWER, 19), OPEN));
    let unsaid = TrackedChange { by: None, ..change(CLOSED, REVIEWER, 19) };
    assert_eq!(
        by(&[unsaid]),
        expected(Overridden, "changed-by-hand", (REVIEWER, 19), OPEN),
        "who saved last"
    );
}

#[test]
fn a_change_of_something_else_tells_nothing() {
    let another = [
        TrackedChange { record: user(NOBODY), ..change(CLOSED, OTHER, 19) },
        TrackedChange { field: field("Rating"), ..change(CLOSED, OTHER, 19) },
        change(OPEN, OTHER, 19),
        change(CLOSED, OTHER, 9),
    ];
    let nothing = told(&[], &[], Some(20), REVIEWER);
    for one in another {
        assert_eq!(told(std::slice::from_ref(&one), &[], Some(20), REVIEWER), nothing, "{one:?}");
    }
    let newest = [change(CLOSED, OTHER, 25), change(CLOSED, REVIEWER, 15)];
    assert_eq!(told(&newest, &[], Some(20), REVIEWER).3, Some(at(25)), "the newest counts");
}

#[test]
fn break_glass_explains_by_itself_and_tells_what_nothing_else_does() {
    use DiscrepancyKind::{Overridden, OverriddenByProgram, UnexplainedChange};
    let by = |used: &[BreakGlassUse], stamped| told(&[], used, stamped, OTHER);
    let twice = [used(Some(NOBODY), 11), used(Some(REVIEWER), 15)];
    assert_eq!(by(&twice, None), expected(Overridden, "break-glass", (REVIEWER, 15), WORKING));
    assert_eq!(
        by(&twice, Some(20)),
        expected(Overridden, "break-glass", (REVIEWER, 20), WORKING),
        "the stamp"
    );
    let unsaid = [used(None, 15)];
    assert_eq!(by(&unsaid, None), expected(Overridden, "break-glass", (OTHER, 15), WORKING));
    let program = [used(Some(OTHER), 15)];
    assert_eq!(by(&program, None), expected(OverriddenByProgram, "changed-by-program", (OTHER, 15), WORKING));
    let before = [used(Some(REVIEWER), 9)];
    assert_eq!(by(&before, None), expected(UnexplainedChange, "no-provenance", (OTHER, 30), WORKING));
}
