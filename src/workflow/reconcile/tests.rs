//! One record against the ledger, case by case.

use super::compare::{Missed, When, drifts, is_same, mark_problem, marked, missed};
use crate::{
    domain::{FieldValue, Promotion, Settlement, Stage},
    ledger::ProposalRecord,
    salesforce::Sighting,
    workflow::tests::{OTHER, PROPOSER, REVIEWER, at, field, known, promotion, reading, user},
};

/// The record of the other tests as reconciliation sees it: its proposal is promoted.
fn seen() -> Sighting {
    let reading = reading();
    Sighting {
        record: reading.snapshot.record,
        values: [(field("Status"), FieldValue::text("Working - Contacted"))].into(),
        pending: false,
        proposal_id: Some("p-1".into()),
        evaluated_at: Some(at(0)),
        decision: None,
        decision_proposal_id: None,
        last_promotion: Some("promo-1".into()),
        promotion_seq: 5,
        change_source: Some("AI Proposal".into()),
        changed_at: Some(at(10)),
        modified_at: at(11),
        modified_by: Some(user(PROPOSER)),
    }
}

fn when(minutes: i64) -> When {
    When { ledger_began: at(minutes) }
}

fn done() -> Promotion {
    promotion(Settlement::Done, 1)
}

#[test]
fn a_proposal_of_this_ledgers_time_is_missed_and_an_older_one_is_not() {
    let seen = seen();
    assert_eq!(missed(&seen, None, &when(-1)), Some(Missed::Proposal), "also without the flag");
    assert_eq!(missed(&seen, None, &when(1)), None, "evaluated before the ledger began");
    let later = Sighting { evaluated_at: Some(at(5)), ..seen.clone() };
    assert_eq!(missed(&later, None, &when(12)), None, "what the agent says is not believed alone");
    let unsaid = Sighting { evaluated_at: None, ..seen.clone() };
    assert_eq!(missed(&unsaid, None, &when(-1)), None);
    let pending = Sighting { pending: true, ..unsaid };
    assert_eq!(missed(&pending, None, &when(99)), Some(Missed::Proposal), "the flag asks for it");
    let none = Sighting { proposal_id: None, pending: true, ..seen.clone() };
    let malformed = Sighting { proposal_id: Some("no id".into()), pending: true, ..seen };
    for one in [none, malformed] {
        assert_eq!(missed(&one, None, &when(-1)), None, "there is no proposal to miss");
    }
}

#[test]
fn a_decision_and_an_untold_end_are_missed() {
    let open = known(None);
    assert_eq!(missed(&seen(), Some(&open), &when(-1)), None);
    let decided =
        Sighting { decision: Some("Approved".into()), decision_proposal_id: Some("p-1".into()), ..seen() };
    assert_eq!(missed(&decided, Some(&open), &when(-1)), Some(Missed::Decision));
    let heard = serde_json::json!({ "proposal_id": "p-1", "decision": "approved", "decided_by": OTHER,
        "decided_at": at(5), "patch_digest": "00" });
    let heard = known(Some(serde_json::from_value(heard).unwrap()));
    assert_eq!(missed(&decided, Some(&heard), &when(-1)), None, "it was heard");
    for other in [
        Sighting { decision: Some("Pending".into()), ..decided.clone() },
        Sighting { decision_proposal_id: Some("p-0".into()), ..decided.clone() },
    ] {
        assert_eq!(missed(&other, Some(&open), &when(-1)), None, "that decides nothing about it");
    }
    let ended = |notice_open| ProposalRecord { stage: Stage::Refused, notice_open, ..known(None) };
    let pending = Sighting { pending: true, ..decided };
    assert_eq!(missed(&pending, Some(&ended(false)), &when(-1)), Some(Missed::Outcome));
    assert_eq!(missed(&pending, Some(&ended(true)), &when(-1)), None, "it is being told");
    assert_eq!(missed(&seen(), Some(&ended(false)), &when(-1)), None, "it was told");
    let mut elsewhere = ended(false);
    elsewhere.proposal.record = user(OTHER);
    assert_eq!(missed(&pending, Some(&elsewhere), &when(-1)), None, "another record's");
}

#[test]
fn a_value_that_moved_after_its_promotion_is_told_with_what_the_org_stamped() {
    let written = [done()];
    assert_eq!(drifts(&seen(), &written), [], "it stands");
    let moved = FieldValue::text("Closed - Not Converted");
    let by_hand = Sighting {
        values: [(field("Status"), moved.clone())].into(),
        change_source: Some("Human".into()),
        changed_at: Some(at(20)),
        modified_by: Some(user(REVIEWER)),
        ..seen()
    };
    let found = drifts(&by_hand, &written);
    assert_eq!((found.len(), found[0].stamped_at, &found[0].now), (1, Some(at(20)), &moved));
    assert_eq!(found[0].promoted, FieldValue::text("Working - Contacted"));
    for silent in [
        Sighting { change_source: Some("AI Proposal".into()), ..by_hand.clone() },
        Sighting { changed_at: Some(at(9)), ..by_hand.clone() },
        Sighting { changed_at: None, ..by_hand.clone() },
    ] {
        assert_eq!(drifts(&silent, &written)[0].stamped_at, None, "that stamp does not speak of this change");
    }
    let open = promotion(Settlement::Sent, 1);
    assert_eq!(drifts(&by_hand, &[done(), open]), [], "a write is under way");
    let refused = promotion(Settlement::Gone, 1);
    assert_eq!(drifts(&by_hand, &[refused]), [], "that one never landed");
}

#[test]
fn the_last_promotion_of_a_field_counts() {
    let mut second = done();
    second.plan.changes[0].after = FieldValue::text("Closed - Not Converted");
    assert_eq!(drifts(&seen(), &[second.clone(), done()]), []);
    assert_eq!(drifts(&seen(), &[done(), second])[0].promoted, FieldValue::text("Closed - Not Converted"));
}

#[test]
fn marks_and_numbers_are_those_that_were_written() {
    assert_eq!(mark_problem(&seen(), &[done()], true), None);
    assert_eq!(mark_problem(&seen(), &[], false).unwrap().0, "mark-unknown");
    let back = Sighting { promotion_seq: 4, ..seen() };
    assert_eq!(mark_problem(&back, &[done()], true).unwrap().0, "number-went-back");
    let sent = promotion(Settlement::Sent, 1);
    assert_eq!(mark_problem(&back, &[done(), sent], true), None, "a write is under way");
    let ahead = Sighting { promotion_seq: 9, ..seen() };
    assert_eq!(mark_problem(&ahead, &[done()], true), None, "void writes move it on");
    assert_eq!(mark_problem(&Sighting { last_promotion: None, ..seen() }, &[], false), None);
    assert_eq!(marked("void:promo-1"), done().id);
}

#[test]
fn what_the_org_stores_otherwise_is_the_same() {
    let text = FieldValue::text;
    let moment = |text: &str| FieldValue::DateTime(text.parse().unwrap());
    for (one, other, same) in [
        (text("a "), text("a"), true),
        (text(" "), FieldValue::Null, true),
        (text("a"), text("A"), false),
        (text("a"), FieldValue::Null, false),
        (moment("2026-05-01T07:00:00.900Z"), moment("2026-05-01T07:00:00Z"), true),
        (moment("2026-05-01T07:00:01Z"), moment("2026-05-01T07:00:00Z"), false),
    ] {
        assert_eq!((is_same(&one, &other), is_same(&other, &one)), (same, same), "{one} {other}");
    }
}
