//! What replies and marks prove about a promotion.

use super::{field, promotion, reading};
use crate::{
    domain::{FieldValue, RecordState, Settlement},
    salesforce::{GateRule, RowOutcome},
    workflow::settle::{Reply, after_read, after_reply},
};

const SENT: u64 = 1;

fn unknown() -> Settlement {
    Settlement::Unknown { reason: "timeout".into() }
}

fn refused(rule: Option<GateRule>) -> RowOutcome {
    let code = rule.map_or("FIELD_CUSTOM_VALIDATION_EXCEPTION", GateRule::code).to_owned();
    RowOutcome::Refused { message: format!("{code}: the words of the org"), code, rule }
}

#[test]
fn our_mark_means_done() {
    let mut seen = reading();
    seen.snapshot.last_promotion = Some("promo-1".into());
    seen.snapshot.promotion_seq = 5;
    for settlement in [Settlement::Intended, unknown(), Settlement::Voiding { reason: "x".into() }] {
        assert_eq!(after_read(&promotion(settlement, SENT), &seen, false), Settlement::Done);
    }
}

#[test]
fn our_void_mark_means_closed() {
    let mut seen = reading();
    seen.snapshot.last_promotion = Some("void:promo-1".into());
    seen.snapshot.promotion_seq = 5;
    let voiding = Settlement::Voiding { reason: "the base moved: Status".into() };
    let stale = Settlement::Stale { reason: "the base moved: Status".into() };
    assert_eq!(after_read(&promotion(voiding, SENT), &seen, true), stale);
}

#[test]
fn a_number_that_moved_under_another_mark_is_an_alarm() {
    let mut seen = reading();
    seen.snapshot.last_promotion = Some("promo-9".into());
    seen.snapshot.promotion_seq = 5;
    let conflict = Settlement::Conflict { mark: "promo-9".into() };
    assert_eq!(after_read(&promotion(unknown(), SENT), &seen, true), conflict);
}

#[test]
fn nothing_landed_and_all_holds_means_the_same_request_again() {
    assert_eq!(after_read(&promotion(unknown(), SENT), &reading(), true), Settlement::Intended);
}

#[test]
fn what_may_be_under_way_is_closed_by_a_void_and_what_never_left_is_not() {
    let mut moved = reading();
    moved.snapshot.fields.insert(field("Status"), FieldValue::text("Closed - Not Converted"));
    let reason = "the base moved: Status".to_owned();
    let sent = promotion(unknown(), SENT);
    assert_eq!(after_read(&sent, &moved, true), Settlement::Voiding { reason: reason.clone() });
    let unsent = promotion(Settlement::Intended, 0);
    assert_eq!(after_read(&unsent, &moved, true), Settlement::Stale { reason });
    let old = "the approval is too old".to_owned();
    assert_eq!(after_read(&sent, &reading(), false), Settlement::Voiding { reason: old.clone() });
    assert_eq!(after_read(&unsent, &reading(), false), Settlement::Stale { reason: old });
}

#[test]
fn once_it_is_being_closed_it_is_not_sent_again() {
    let voiding = Settlement::Voiding { reason: "x".into() };
    assert_eq!(after_read(&promotion(voiding.clone(), SENT), &reading(), true), voiding);
}

#[test]
fn a_record_that_is_gone_ends_it() {
    for state in [RecordState::Missing, RecordState::Deleted] {
        let mut seen = reading();
        seen.snapshot.state = state;
        assert_eq!(after_read(&promotion(unknown(), SENT), &seen, true), Settlement::Gone);
    }
}

#[test]
fn a_refusal_proves_something_of_a_lone_copy_only() {
    let sent = promotion(Settlement::Sent, SENT);
    assert!(matches!(
        after_reply(&sent, refused(None), 1, Reply::Promotion),
        Settlement::Refused { code, .. } if code == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    ));
    assert!(matches!(
        after_reply(&sent, refused(Some(GateRule::ApprovedValue)), 1, Reply::Promotion),
        Settlement::Stale { .. }
    ));
    for rule in [GateRule::Expired, GateRule::Hold] {
        assert!(matches!(
            after_reply(&sent, refused(Some(rule)), 1, Reply::Promotion),
            Settlement::Refused { code, .. } if code == rule.code()
        ));
    }
    let race = RowOutcome::RaceLost { code: "AI_GATE_05".into(), message: "AI_GATE_05: number moved".into() };
    let stale = Settlement::Stale { reason: "AI_GATE_05: number moved".into() };
    assert_eq!(after_reply(&sent, race.clone(), 1, Reply::Promotion), stale);
    for outcome in [race, refused(None), refused(Some(GateRule::ApprovedValue))] {
        // An earlier copy may have landed and be the very reason of the refusal.
        let again = after_reply(&sent, outcome, 2, Reply::Promotion);
        assert!(
            matches!(&again, Settlement::Unknown { reason } if reason.starts_with("refused ")),
            "{again:?}"
        );
    }
}

#[test]
fn what_was_provably_not_applied_is_sent_again_and_silence_is_not() {
    let sent = promotion(Settlement::Sent, SENT);
    for outcome in [
        RowOutcome::Retry { code: "UNABLE_TO_LOCK_ROW".into() },
        RowOutcome::NotSent { code: "not-connected".into() },
    ] {
        assert_eq!(after_reply(&sent, outcome, 3, Reply::Promotion), Settlement::Intended);
    }
    let silence = RowOutcome::Unknown { reason: "timeout".into() };
    assert_eq!(after_reply(&sent, silence, 1, Reply::Promotion), unknown());
    let gone = RowOutcome::Gone { code: "ENTITY_IS_DELETED".into() };
    assert_eq!(after_reply(&sent, gone, 1, Reply::Promotion), Settlement::Gone);
}

#[test]
fn a_void_that_a_converted_lead_refuses_is_over() {
    let closing = promotion(Settlement::Voiding { reason: "x".into() }, 2);
    let code = "CANNOT_UPDATE_CONVERTED_LEAD".to_owned();
    let refused = RowOutcome::Refused { code, message: "cannot reference converted lead".into(), rule: None };
    let stale = Settlement::Stale { reason: "x; the lead was converted".into() };
    assert_eq!(after_reply(&closing, refused, 2, Reply::Void), stale);
}

#[test]
fn only_a_clear_yes_ends_a_void() {
    let voiding = Settlement::Voiding { reason: "x".into() };
    let closing = promotion(voiding.clone(), 2);
    let stale = Settlement::Stale { reason: "x".into() };
    assert_eq!(after_reply(&closing, RowOutcome::Done, 2, Reply::Void), stale);
    for outcome in [refused(None), RowOutcome::Unknown { reason: "timeout".into() }] {
        assert_eq!(after_reply(&closing, outcome, 2, Reply::Void), voiding);
    }
}
