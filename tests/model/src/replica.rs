//! What a replica does: `src/workflow/promote.rs`, one step at a time.
//!
//! Each step is a transaction of the ledger, or a message. Between two steps anything else may
//! happen.

use crate::{
    flaw::{Flaw, Flaws},
    ledger::{after_read, after_reply},
    org,
    state::{
        Call, Doing, Id, Kind, Ledger, OPERATOR, Outcome, Plan, Promotion, ROLLBACK, Record, Replica,
        Settlement, State,
    },
};

/// Whether a replica sends this promotion without reading the record first.
pub fn ready(flaws: Flaws, promotion: &Promotion) -> bool {
    let again = flaws.has(Flaw::BlindRetry) && matches!(promotion.settlement, Settlement::Unknown { .. });
    promotion.fresh && (promotion.settlement == Settlement::Intended || again)
}

/// The command carries out its own promotion and no other.
pub fn cares_for(at: usize, id: Id) -> bool {
    at != OPERATOR || id == ROLLBACK
}

/// The operator's command has read the record, and intends to undo the first promotion.
pub fn undo(flaws: Flaws, state: &mut State, reading: &Record) {
    transact(flaws, state, OPERATOR, |ledger| match ledger.undo(flaws, 0, reading) {
        Some(plan) => {
            ledger.intend(ROLLBACK, plan);
            Doing::Idle
        }
        None => Doing::Nothing,
    });
}

/// A transaction. Refused when another replica has taken the lead: the process ends then.
fn transact(flaws: Flaws, state: &mut State, at: usize, change: impl FnOnce(&mut Ledger) -> Doing) {
    // A command has no epoch, and is not fenced.
    let own = if at == OPERATOR { state.ledger.epoch } else { state.replicas[at].epoch };
    if own != state.ledger.epoch && !flaws.has(Flaw::NoFencing) {
        state.replicas[at] = Replica::DOWN;
        return;
    }
    let before = state.ledger;
    state.replicas[at].doing = change(&mut state.ledger);
    state.truth.epoch_fell |= state.ledger != before && own < state.ledger.epoch;
}

/// A replica takes the lead, at its start or because the leader was silent.
pub fn lead(state: &mut State, at: usize) {
    state.ledger.epoch += 1;
    state.replicas[at] = Replica { epoch: state.ledger.epoch, doing: Doing::Idle };
}

/// A replica dies. Its call may still arrive.
pub fn crash(state: &mut State, at: usize) {
    if let Doing::Waiting(call) = state.replicas[at].doing {
        state.late.add(call);
    }
    state.replicas[at] = Replica::DOWN;
}

/// The ledger is brought level with what was read, and the gate is asked.
pub fn judge(flaws: Flaws, state: &mut State, at: usize, reading: &Record) {
    transact(flaws, state, at, |ledger| match ledger.consider(flaws, reading) {
        Some((id, plan)) if flaws.has(Flaw::NoIntent) => {
            Doing::AboutToSend(Call { id, kind: Kind::Promotion, plan })
        }
        Some((id, plan)) => {
            ledger.intend(id, plan);
            Doing::Idle
        }
        None => Doing::Idle,
    });
}

/// What was read says what became of the promotions whose outcome is not known.
pub fn settle(flaws: Flaws, state: &mut State, at: usize, reading: &Record) {
    let uncertain: Vec<Id> = state
        .open()
        .filter(|(id, promotion)| !ready(flaws, promotion) && cares_for(at, *id))
        .map(|(id, _)| id)
        .collect();
    transact(flaws, state, at, |ledger| {
        let mut next = Doing::Idle;
        for id in uncertain {
            let Some(promotion) = ledger.promotions[id] else { continue };
            let settlement = after_read(flaws, id, &promotion, reading);
            ledger.settle(id, settlement);
            if settlement == Settlement::Voiding {
                next = Doing::Closing(id);
            }
        }
        next
    });
}

/// The attempt is counted; then the call may leave.
pub fn count(flaws: Flaws, state: &mut State, at: usize, (id, kind): (Id, Kind)) {
    transact(flaws, state, at, |ledger| {
        let Some(promotion) = &mut ledger.promotions[id] else { return Doing::Idle };
        if promotion.settlement.is_final() {
            return Doing::Idle;
        }
        if !flaws.has(Flaw::CountAfterSend) {
            promotion.attempts += 1;
            if kind == Kind::Promotion {
                promotion.settlement = Settlement::Sent;
            }
        }
        Doing::AboutToSend(Call { id, kind, plan: promotion.plan })
    });
}

/// The org answers.
pub fn deliver(flaws: Flaws, state: &mut State, at: usize, call: Call) {
    let outcome = org::arrives(flaws, state, &call);
    state.replicas[at].doing = Doing::Answered(call, outcome);
}

/// The reply goes into the ledger.
pub fn record(flaws: Flaws, state: &mut State, at: usize, (call, outcome): (Call, Outcome)) {
    transact(flaws, state, at, |ledger| {
        if flaws.has(Flaw::NoIntent) && ledger.promotions[call.id].is_none() {
            first_told(ledger, call.id, call.plan);
        }
        if let Some(promotion) = &mut ledger.promotions[call.id] {
            promotion.attempts += u8::from(flaws.has(Flaw::CountAfterSend));
            let settlement = after_reply(flaws, promotion.attempts, call.kind, outcome);
            ledger.settle(call.id, settlement);
        }
        Doing::Idle
    });
}

/// Only with [`Flaw::NoIntent`]: the ledger hears of a promotion when it has been sent.
fn first_told(ledger: &mut Ledger, id: Id, plan: Plan) {
    ledger.intend(id, plan);
    if let Some(promotion) = &mut ledger.promotions[id] {
        promotion.attempts = 1;
        promotion.settlement = Settlement::Sent;
    }
}

/// The echo of a promotion comes through the stream.
pub fn hear(flaws: Flaws, state: &mut State, at: usize, id: Id) {
    transact(flaws, state, at, |ledger| {
        ledger.settle(id, Settlement::Done);
        Doing::Idle
    });
}
