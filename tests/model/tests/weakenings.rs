//! Each part of the protocol is needed: without it a promise is broken. A part without which
//! nothing breaks would be named here too.
//!
//! A line of the table has the fewest steps, and below it stand the steps themselves.

use countersign_model::*;

/// Asserts that each of these promises is broken.
fn refuted(name: &str, flaws: &[Flaw], bounds: Bounds, promises: &[&'static str]) {
    let row = refute(name, Protocol { flaws: Flaws::of(flaws), bounds, world: World::Plain }, promises);
    let broken: Vec<&str> = row.broken.iter().map(|(promise, _)| *promise).collect();
    assert_eq!(broken, promises, "{name}: the model must find what this leads to");
}

#[test]
fn no_compare_and_set() {
    let flaws = [Flaw::NoNumber, Flaw::NoPreviousValue];
    refuted("no compare-and-set", &flaws, Bounds::SMALL, &[EDITS_STAY, FINAL_WORD]);
    // Rule 07 alone still keeps a proposal from landing twice.
    let flaws = [Flaw::NoNumber, Flaw::NoPreviousValue, Flaw::NoSingleUse];
    refuted("no compare-and-set, no single use", &flaws, Bounds::SMALL, &[APPLIED_AT_MOST_ONE_TIME]);
}

#[test]
fn compare_and_set_of_the_value_only() {
    refuted("value only", &[Flaw::NoNumber], Bounds::SMALL, &[FINAL_WORD]);
    let flaws = [Flaw::NoNumber, Flaw::NoSingleUse];
    refuted("value only, no single use", &flaws, Bounds::SMALL, &[APPLIED_AT_MOST_ONE_TIME]);
}

#[test]
fn compare_and_set_of_the_number_only() {
    refuted("number only", &[Flaw::NoPreviousValue], Bounds::SMALL, &[EDITS_STAY, OVER_WHAT_WAS_SEEN]);
}

#[test]
fn a_timeout_counts_as_failed() {
    refuted("timeout = failed", &[Flaw::TimeoutIsFailed], Bounds::SMALL, &[FINAL_WORD]);
}

#[test]
fn stale_without_a_tombstone() {
    refuted("stale without a void", &[Flaw::NoTombstone], Bounds::SMALL, &[FINAL_WORD]);
}

#[test]
fn a_void_without_an_answer_counts_as_done() {
    refuted("void timeout = done", &[Flaw::VoidTimeoutIsDone], Bounds::SMALL, &[FINAL_WORD]);
}

#[test]
fn resolved_by_the_value() {
    refuted("resolved by the value", &[Flaw::ResolveByValue], Bounds::SMALL, &[FINAL_WORD]);
}

#[test]
fn no_intent_before_the_send() {
    refuted("no intent before the send", &[Flaw::NoIntent], Bounds::SMALL, &[INTENT_FIRST]);
    let flaws = [Flaw::NoIntent, Flaw::NoSingleUse, Flaw::LaterChange];
    refuted("no intent, no single use, no later change", &flaws, Bounds::SMALL, &[APPLIED_AT_MOST_ONE_TIME]);
}

#[test]
fn two_open_promotions() {
    let promises = [ONE_OPEN, NO_CONFLICT, FINAL_WORD];
    refuted("two open promotions", &[Flaw::TwoOpen], Bounds::TWO_PROPOSALS, &promises);
}

/// The fence keeps the ledger's order, and two leaders from sending in turn. What lands, the final
/// word and the meaning of `conflict` do not depend on it: each step reads the attempts, and the
/// numbers that are used, in its own transaction.
#[test]
fn no_fencing() {
    let bounds = Bounds { crashes: 0, timeouts: 1, ..Bounds::TWO_PROPOSALS };
    let promises = [SENDS_HAVE_A_CAUSE, EPOCHS_RISE];
    refuted("no fencing", &[Flaw::NoFencing], bounds, &promises);
    let protocol = Protocol { flaws: Flaws::of(&[Flaw::NoFencing]), bounds, world: World::Plain };
    let mut broken: Vec<&str> =
        check("no fencing, everything", protocol).broken.iter().map(|(promise, _)| *promise).collect();
    broken.sort_unstable();
    assert_eq!(broken, promises, "all else holds without a fence");
}

#[test]
fn a_blind_retry() {
    refuted("blind retry", &[Flaw::BlindRetry], Bounds::SMALL, &[SENDS_HAVE_A_CAUSE]);
}

#[test]
fn the_attempt_is_counted_after_the_send() {
    refuted("attempt counted after the send", &[Flaw::CountAfterSend], Bounds::SMALL, &[FINAL_WORD]);
}

#[test]
fn every_refusal_proves() {
    refuted("a later refusal proves", &[Flaw::EveryRefusalProves], Bounds::SMALL, &[FINAL_WORD]);
}

#[test]
fn no_approval_rule_in_the_org() {
    let bounds = Bounds { second_thoughts: 1, ..Bounds::SMALL };
    refuted("no rule 07", &[Flaw::NoApprovalRule], bounds, &[APPROVAL_STANDS]);
}

#[test]
fn an_approval_of_the_record() {
    let promises = [APPROVED_BY_A_PERSON, APPROVAL_STANDS];
    refuted("approval of the record", &[Flaw::ApprovalOfRecord], Bounds::TWO_PROPOSALS, &promises);
}

#[test]
fn an_approval_by_an_agent() {
    refuted("approval by an agent", &[Flaw::AgentApproves], Bounds::SMALL, &[APPROVED_BY_A_PERSON]);
}

#[test]
fn a_later_change_that_was_put_back() {
    let bounds = Bounds { crashes: 0, timeouts: 0, take_overs: 0, ..Bounds::SMALL };
    let flaws = Flaws::of(&[Flaw::LaterChange]);
    let protocol = Protocol { flaws, bounds, world: World::LateApproval };
    let promises = [OVER_WHAT_WAS_SEEN, EDITS_STAY];
    let row = refute("a later change is not looked at", protocol, &promises);
    let broken: Vec<&str> = row.broken.iter().map(|(promise, _)| *promise).collect();
    assert_eq!(broken, promises);
}

#[test]
fn single_use_is_a_second_wall() {
    let bounds = Bounds { take_overs: 0, ..Bounds::TWO_PROPOSALS };
    let flaws = Flaws::of(&[Flaw::NoSingleUse]);
    let row = check("no single use", Protocol { flaws, bounds, world: World::Plain });
    assert_eq!(row.broken, [], "number and value alone keep a proposal from landing twice");
}
