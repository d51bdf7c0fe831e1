//! What is promised of every state, and what must be possible.

use stateright::Property;

use crate::{
    protocol::Protocol,
    state::{Mark, PROMOTIONS, Settlement, State},
};

/// A name and what it says of a state.
pub type Claim = (&'static str, fn(&Protocol, &State) -> bool);

/// Each proposal is applied one time at most.
pub const APPLIED_AT_MOST_ONE_TIME: &str = "a proposal is applied one time at most";
/// Nothing lands that no person approved.
pub const APPROVED_BY_A_PERSON: &str = "what lands was approved by a person";
/// Nothing lands over a value that the approver did not see.
pub const OVER_WHAT_WAS_SEEN: &str = "what lands replaces the value that the approver saw";
/// The approval stands on the record when its promotion lands.
pub const APPROVAL_STANDS: &str = "the approval stands when its promotion lands";
/// A person's edit is not overwritten.
pub const EDITS_STAY: &str = "a person's newer edit is never overwritten";
/// The ledger's final word is what the org did, and stays so.
pub const FINAL_WORD: &str = "the ledger's final word is what the org did";
/// An intent comes before each effect.
pub const INTENT_FIRST: &str = "an intent comes before each effect";
/// Epochs never go down along the ledger.
pub const EPOCHS_RISE: &str = "epochs never go down along the ledger";
/// A record has one open promotion at most.
pub const ONE_OPEN: &str = "a record has one open promotion at most";
/// Nobody else's mark is ever found.
pub const NO_CONFLICT: &str = "no promotion ends in conflict";
/// There are no more sends than there is reason for.
pub const SENDS_HAVE_A_CAUSE: &str = "each send after the first has a cause";

/// What holds in every state.
pub const PROMISES: &[Claim] = &[
    (APPLIED_AT_MOST_ONE_TIME, |_, state| (0..PROMOTIONS).all(|id| state.truth.applied[id] <= 1)),
    (APPROVED_BY_A_PERSON, |_, state| !state.truth.unapproved),
    (OVER_WHAT_WAS_SEEN, |_, state| !state.truth.unseen),
    (APPROVAL_STANDS, |_, state| !state.truth.not_standing),
    (EDITS_STAY, |_, state| !state.truth.overwrote),
    (FINAL_WORD, |_, state| final_word_is_true(state)),
    (INTENT_FIRST, |_, state| !state.truth.no_intent),
    (EPOCHS_RISE, |_, state| !state.truth.epoch_fell),
    (ONE_OPEN, |_, state| state.open().count() <= 1),
    (NO_CONFLICT, |_, state| {
        state.promotions().all(|(_, promotion)| promotion.settlement != Settlement::Conflict)
    }),
    (SENDS_HAVE_A_CAUSE, |_, state| sends_have_a_cause(state)),
];

/// Done, and it landed; ended otherwise, and it did not. A copy that lands later makes a later
/// state in which this does not hold.
fn final_word_is_true(state: &State) -> bool {
    state
        .promotions()
        .filter(|(_, promotion)| promotion.settlement.is_final())
        .all(|(id, promotion)| (state.truth.applied[id] > 0) == (promotion.settlement == Settlement::Done))
}

/// One send, one void, and one more for each call, process or lead that was lost, and for a
/// record that was gone for a while. Without this a protocol that sends for ever would pass.
fn sends_have_a_cause(state: &State) -> bool {
    let causes = 2 + lost(state) + state.used.deletions;
    state.promotions().all(|(_, promotion)| promotion.attempts <= causes)
}

/// What must be possible: a model that can do nothing proves nothing.
pub const CAN_HAPPEN: &[Claim] = &[
    ("a promotion lands at the first attempt", |_, state| ended(state, Settlement::Done, 1)),
    ("both proposals land, one after the other", |_, state| {
        state.promotions().filter(|(_, promotion)| promotion.settlement == Settlement::Done).count() == 2
    }),
    ("a promotion that was never sent goes stale", |_, state| ended(state, Settlement::Stale, 0)),
    ("a void write closes a promotion", |_, state| {
        state.promotions().any(|(id, promotion)| {
            promotion.settlement == Settlement::Stale && state.org.mark == Mark::Void(id)
        })
    }),
    ("a void write is sent more than once", |_, state| {
        state
            .promotions()
            .any(|(_, promotion)| promotion.settlement == Settlement::Voiding && promotion.attempts >= 3)
    }),
    ("a lost reply is settled by the mark", |_, state| {
        state.used.timeouts == 1 && lost(state) == 1 && ended(state, Settlement::Done, 1)
    }),
    ("a new leader finishes what the old one sent", |_, state| {
        state.used.take_overs == 1 && lost(state) == 1 && ended(state, Settlement::Done, 2)
    }),
    ("an old leader's call lands after the take-over", |_, state| {
        state.used.take_overs == 1
            && lost(state) == 1
            && ended(state, Settlement::Done, 1)
            && state.replicas.iter().all(|replica| replica.epoch != 1)
    }),
    ("a restart finishes what a crash left", |_, state| {
        state.used.crashes == 1 && lost(state) == 1 && ended(state, Settlement::Done, 2)
    }),
    ("an edit and an edit back, and it lands", |_, state| {
        state.used.edits == 2 && ended(state, Settlement::Done, 2) && !state.truth.edited
    }),
];

fn ended(state: &State, settlement: Settlement, attempts: u8) -> bool {
    state
        .promotions()
        .any(|(_, promotion)| promotion.settlement == settlement && promotion.attempts == attempts)
}

fn lost(state: &State) -> u8 {
    state.used.crashes + state.used.timeouts + state.used.take_overs
}

/// Everything that is checked.
pub fn promises() -> Vec<Property<Protocol>> {
    let promised = PROMISES.iter().map(|(name, holds)| Property::always(name, *holds));
    promised.chain(CAN_HAPPEN.iter().map(|(name, reached)| Property::sometimes(name, *reached))).collect()
}
