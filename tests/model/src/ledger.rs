//! What a reply proves, what a read proves, and what the gate decides: `src/workflow/settle.rs`
//! and `src/workflow/consider.rs`.

use crate::{
    flaw::{Flaw, Flaws},
    org,
    state::{
        Decision, Id, Kind, Ledger, Mark, Outcome, PROMOTIONS, PROPOSALS, Plan, Promotion, Record,
        Settlement, Stage, proposed,
    },
};

/// What a reply proves. `attempts` counts those of every process, this one included.
pub fn after_reply(flaws: Flaws, attempts: u8, kind: Kind, outcome: Outcome) -> Settlement {
    let lone = attempts <= 1 || flaws.has(Flaw::EveryRefusalProves);
    match (kind, outcome) {
        (Kind::Promotion, Outcome::Done) => Settlement::Done,
        (Kind::Void, Outcome::Done) => Settlement::Stale,
        (Kind::Void, Outcome::Unknown) if flaws.has(Flaw::VoidTimeoutIsDone) => Settlement::Stale,
        (Kind::Void, _) => Settlement::Voiding,
        (Kind::Promotion, Outcome::Refused) if lone => Settlement::Stale,
        (Kind::Promotion, Outcome::Refused) => Settlement::Unknown { refused: true },
        (Kind::Promotion, Outcome::Gone) => Settlement::Gone,
        (Kind::Promotion, Outcome::NotSent) => Settlement::Intended,
        (Kind::Promotion, Outcome::Unknown) if flaws.has(Flaw::TimeoutIsFailed) => Settlement::Refused,
        (Kind::Promotion, Outcome::Unknown) => Settlement::Unknown { refused: false },
    }
}

/// What the record proves about a promotion whose outcome is not known.
pub fn after_read(flaws: Flaws, id: Id, promotion: &Promotion, record: &Record) -> Settlement {
    if record.deleted {
        return Settlement::Gone;
    }
    if flaws.has(Flaw::ResolveByValue) {
        return by_value(promotion, record);
    }
    if record.mark == Mark::Of(id) {
        return Settlement::Done;
    }
    if record.mark == Mark::Void(id) {
        return Settlement::Stale;
    }
    if record.seq > promotion.plan.expected_seq {
        return Settlement::Conflict;
    }
    if promotion.settlement == Settlement::Voiding {
        return Settlement::Voiding;
    }
    let refused = promotion.settlement == Settlement::Unknown { refused: true };
    if record.value == promotion.plan.before && promotion.fresh && !refused {
        return Settlement::Intended;
    }
    if promotion.attempts == 0 || flaws.has(Flaw::NoTombstone) {
        return Settlement::Stale;
    }
    Settlement::Voiding
}

/// What somebody would do who trusts the value.
fn by_value(promotion: &Promotion, record: &Record) -> Settlement {
    match record.value {
        value if value == promotion.plan.after => Settlement::Done,
        value if value == promotion.plan.before => Settlement::Intended,
        _ => Settlement::Stale,
    }
}

impl Ledger {
    /// Appends how a promotion stands, unless it has ended meanwhile.
    pub fn settle(&mut self, id: Id, to: Settlement) {
        if let Some(promotion) = &mut self.promotions[id]
            && !promotion.settlement.is_final()
        {
            promotion.settlement = to;
            if to.is_final() {
                self.stages[id] = Stage::Ended;
            }
        }
    }

    /// Whether another promotion of the record is open.
    fn is_open(&self) -> bool {
        (0..PROMOTIONS).filter_map(|id| self.promotions[id]).any(|found| !found.settlement.is_final())
    }

    /// Brings the ledger level with a reading, and asks the gate. A plan is what is to be intended.
    pub fn consider(&mut self, flaws: Flaws, record: &Record) -> Option<(Id, Plan)> {
        if record.deleted {
            return None;
        }
        let busy = self.is_open() && !flaws.has(Flaw::TwoOpen);
        for id in (0..PROPOSALS).filter(|id| *id != record.slot) {
            // With a promotion open, its own write may be under way: that ends first.
            if matches!(self.stages[id], Stage::Open { .. }) && !busy && self.promotions[id].is_none() {
                self.stages[id] = Stage::Ended;
            }
        }
        let id = record.slot;
        if self.stages[id] == Stage::Unseen {
            let unproven = record.decision != Decision::Pending && record.touched;
            self.stages[id] = Stage::Open { base: record.value, unproven };
        }
        let Stage::Open { base, unproven } = self.stages[id] else { return None };
        if self.promotions[id].is_some() {
            return None;
        }
        if record.value != base || record.decision == Decision::Rejected {
            self.stages[id] = Stage::Ended;
            return None;
        }
        let by_person = !record.by_agent || flaws.has(Flaw::AgentApproves);
        let changed = record.changed && !flaws.has(Flaw::LaterChange);
        let approved = org::approved(flaws, record) == Some(id) && by_person && !unproven && !changed;
        let plan = Plan { expected_seq: record.seq, before: base, after: proposed(id) };
        (approved && !busy && !self.is_used(flaws, &plan)).then_some((id, plan))
    }

    /// Whether the number that a plan rests on was moved on by a promotion that landed, or by the void
    /// that closed one: `used_number` in `src/ledger/promotions.rs`. A void is a second send.
    pub fn is_used(&self, flaws: Flaws, plan: &Plan) -> bool {
        if flaws.has(Flaw::NumberReused) {
            return false;
        }
        (0..PROMOTIONS).filter_map(|id| self.promotions[id]).any(|earlier| {
            let moved = match earlier.settlement {
                Settlement::Done => true,
                Settlement::Stale => earlier.attempts > 1,
                _ => false,
            };
            moved && earlier.plan.expected_seq == plan.expected_seq
        })
    }

    /// The plan that undoes a promotion, while the record holds what it wrote: `plan_rollback` in
    /// `src/gate/rollback.rs`. No second promotion is opened beside an open one.
    pub fn undo(&self, flaws: Flaws, id: Id, record: &Record) -> Option<Plan> {
        let undone = self.promotions[id].filter(|found| found.settlement == Settlement::Done)?.plan;
        let plan = Plan { expected_seq: record.seq, before: undone.after, after: undone.before };
        (record.value == undone.after && !self.is_open() && !self.is_used(flaws, &plan)).then_some(plan)
    }

    /// Appends an intent.
    pub fn intend(&mut self, id: Id, plan: Plan) {
        let settlement = Settlement::Intended;
        self.promotions[id] = Some(Promotion { settlement, attempts: 0, plan, fresh: true });
    }
}
