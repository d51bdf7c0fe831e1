//! The model: what can happen next in each state.

use stateright::{Model, Property};

use crate::{
    bounds::{Bounds, World},
    flaw::{Flaw, Flaws},
    org,
    promises::promises,
    replica,
    state::{
        Call, Decision, Doing, Id, Kind, OPERATOR, Outcome, PROPOSALS, ROLLBACK, Replica, Settlement, Stage,
        State, VALUES, Value,
    },
};

/// A protocol, and how much may go wrong.
#[derive(Debug, Clone, Copy)]
pub struct Protocol {
    /// What is taken away from it.
    pub flaws: Flaws,
    /// How often each thing may happen.
    pub bounds: Bounds,
    /// What else may happen.
    pub world: World,
}

/// Something that happens. The number is a replica's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It reads the record.
    Look(usize),
    /// It asks the gate about what it read.
    Judge(usize),
    /// It settles what was uncertain by what it read.
    Settle(usize),
    /// It counts an attempt of this promotion.
    Count(usize, Id),
    /// It counts an attempt of the void write.
    CountVoid(usize),
    /// Its call leaves.
    Send(usize),
    /// Its call is turned down before it does anything.
    TurnedDown(usize),
    /// Its call arrives, and so does the reply.
    Deliver(usize),
    /// It gives up waiting.
    TimeOut(usize),
    /// It records the reply.
    Record(usize),
    /// It hears the echo of this promotion.
    Hear(usize, Id),
    /// It dies.
    Crash(usize),
    /// It takes the lead.
    Lead(usize),
    /// The operator's command intends to undo what it has read.
    Undo,
    /// A call that nobody waits for lands.
    Land(Call),
    /// A person writes this value.
    Edit(Value),
    /// A person approves.
    Approve,
    /// An agent tries to approve.
    ApproveAsAgent,
    /// A person takes an approval back.
    TakeBack,
    /// An agent proposes something else.
    Replace(Id),
    /// The approval of this promotion becomes too old.
    Age(Id),
    /// Somebody deletes the record.
    Delete,
    /// Somebody restores it.
    Restore,
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::first()]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for at in 0..state.replicas.len() {
            self.steps_of(state, at, steps);
        }
        let lands = |call: &Call| org::accepts(self.flaws, &state.org, call);
        steps.extend(state.late.calls().filter(lands).map(Step::Land));
        self.steps_in_the_org(state, steps);
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = *last;
        match step {
            Step::Land(_)
            | Step::Edit(_)
            | Step::Approve
            | Step::ApproveAsAgent
            | Step::TakeBack
            | Step::Replace(_)
            | Step::Age(_)
            | Step::Delete
            | Step::Restore => self.outside(&mut next, step),
            _ => self.inside(&mut next, step),
        }
        self.forget(&mut next);
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises()
    }
}

impl Protocol {
    /// Forgets what makes no difference any more, so that fewer states are to be gone through.
    fn forget(&self, state: &mut State) {
        // An old leader before its next transaction would read, at most, and end there.
        if !self.flaws.has(Flaw::NoFencing) {
            for replica in &mut state.replicas[..OPERATOR] {
                let calls =
                    matches!(replica.doing, Doing::AboutToSend(_) | Doing::Waiting(_) | Doing::Answered(..));
                if replica.epoch != state.ledger.epoch && !calls {
                    *replica = Replica::DOWN;
                }
            }
        }
        // Whether the record was left alone after the decision is asked at the first read only.
        state.org.touched &= state.ledger.stages[state.org.slot] == Stage::Unseen;
        // Which of two processes is which means nothing.
        state.replicas[..OPERATOR].sort_unstable();
    }

    fn steps_of(&self, state: &State, at: usize, steps: &mut Vec<Step>) {
        let (used, bounds) = (&state.used, &self.bounds);
        match state.replicas[at].doing {
            Doing::Nothing if at == OPERATOR => {
                let landed =
                    state.ledger.promotions[0].is_some_and(|first| first.settlement == Settlement::Done);
                if self.world == World::Rollback && used.rollbacks == 0 && landed {
                    steps.push(Step::Look(at));
                }
            }
            Doing::Nothing => {
                if !leads(state) || used.take_overs < bounds.take_overs {
                    steps.push(Step::Lead(at));
                }
            }
            Doing::Idle => self.idle(state, at, steps),
            Doing::Read(_) if at == OPERATOR && state.ledger.promotions[ROLLBACK].is_none() => {
                steps.push(Step::Undo);
            }
            Doing::Read(_) if at == OPERATOR => steps.push(Step::Settle(at)),
            Doing::Read(_) => steps.extend([Step::Judge(at), Step::Settle(at)]),
            Doing::Closing(_) => steps.push(Step::CountVoid(at)),
            Doing::AboutToSend(_) => {
                steps.push(Step::Send(at));
                if used.timeouts < bounds.timeouts {
                    steps.push(Step::TurnedDown(at));
                }
            }
            Doing::Waiting(_) => {
                steps.push(Step::Deliver(at));
                if used.timeouts < bounds.timeouts {
                    steps.push(Step::TimeOut(at));
                }
            }
            Doing::Answered(..) => steps.push(Step::Record(at)),
        }
        if used.crashes < bounds.crashes && state.replicas[at].doing != Doing::Nothing {
            steps.push(Step::Crash(at));
        }
    }

    /// What a replica between two steps can do. It reads only when something waits for it.
    fn idle(&self, state: &State, at: usize, steps: &mut Vec<Step>) {
        let mut uncertain = false;
        for (id, promotion) in state.open().filter(|(id, _)| replica::cares_for(at, *id)) {
            if replica::ready(self.flaws, &promotion) {
                steps.push(Step::Count(at, id));
            } else {
                uncertain = true;
            }
            if state.truth.applied[id] > 0 && at != OPERATOR {
                steps.push(Step::Hear(at, id));
            }
        }
        if uncertain || (at != OPERATOR && waits(self.flaws, state)) {
            steps.push(Step::Look(at));
        }
    }

    fn steps_in_the_org(&self, state: &State, steps: &mut Vec<Step>) {
        let (org, used, bounds) = (&state.org, &state.used, &self.bounds);
        if org.deleted {
            steps.push(Step::Restore);
            return;
        }
        if used.edits < bounds.edits {
            steps.extend(VALUES.into_iter().filter(|value| *value != org.value).map(Step::Edit));
        }
        if org.decision == Decision::Pending {
            steps.push(Step::ApproveAsAgent);
            if self.person_decides(state) {
                steps.push(Step::Approve);
            }
        }
        if matches!(org.decision, Decision::Approved(_)) && used.second_thoughts < bounds.second_thoughts {
            steps.push(Step::TakeBack);
        }
        if used.proposals < bounds.proposals {
            steps.extend((0..PROPOSALS).filter(|id| *id != org.slot).map(Step::Replace));
        }
        if used.expiries < bounds.expiries {
            steps.extend(state.open().filter(|(_, open)| open.fresh).map(|(id, _)| Step::Age(id)));
        }
        if self.world == World::Deletion && used.deletions == 0 {
            steps.push(Step::Delete);
        }
    }

    /// Outside of [`World::LateApproval`], a person decides while the value is the one that the
    /// ledger has as the proposal's base, or is about to take as it.
    fn person_decides(&self, state: &State) -> bool {
        let (org, stage) = (&state.org, state.ledger.stages[state.org.slot]);
        let is_base = match stage {
            Stage::Open { base, .. } => base == org.value,
            Stage::Unseen => state.replicas.iter().all(|replica| match replica.doing {
                Doing::Read(reading) => reading.slot != org.slot || reading.value == org.value,
                _ => true,
            }),
            Stage::Ended => true,
        };
        is_base || self.world == World::LateApproval
    }

    fn inside(&self, next: &mut State, step: Step) {
        let flaws = self.flaws;
        match step {
            Step::Look(at) => {
                let command = at == OPERATOR && next.replicas[at].doing == Doing::Nothing;
                next.used.rollbacks += u8::from(command);
                next.replicas[at].doing = Doing::Read(next.org);
            }
            Step::Undo => {
                if let Doing::Read(reading) = next.replicas[OPERATOR].doing {
                    replica::undo(flaws, next, &reading);
                }
            }
            Step::CountVoid(at) => {
                if let Doing::Closing(id) = next.replicas[at].doing {
                    replica::count(flaws, next, at, (id, Kind::Void));
                }
            }
            Step::Count(at, id) => replica::count(flaws, next, at, (id, Kind::Promotion)),
            Step::Hear(at, id) => replica::hear(flaws, next, at, id),
            Step::Crash(at) => {
                next.used.crashes += 1;
                replica::crash(next, at);
            }
            Step::Lead(at) => {
                next.used.take_overs += u8::from(leads(next));
                replica::lead(next, at);
            }
            Step::Judge(at) | Step::Settle(at) => {
                if let Doing::Read(reading) = next.replicas[at].doing {
                    let judges = matches!(step, Step::Judge(_));
                    let carry_on = if judges { replica::judge } else { replica::settle };
                    carry_on(flaws, next, at, &reading);
                }
            }
            Step::Send(at)
            | Step::TurnedDown(at)
            | Step::Deliver(at)
            | Step::TimeOut(at)
            | Step::Record(at) => {
                self.call(next, at, step);
            }
            _ => {}
        }
    }

    /// A call on its way.
    fn call(&self, next: &mut State, at: usize, step: Step) {
        match (next.replicas[at].doing, step) {
            (Doing::AboutToSend(call), Step::Send(_)) => {
                if self.world == World::Copies {
                    next.late.add(call);
                }
                next.replicas[at].doing = Doing::Waiting(call);
            }
            (Doing::AboutToSend(call), Step::TurnedDown(_)) => {
                next.used.timeouts += 1;
                next.replicas[at].doing = Doing::Answered(call, Outcome::NotSent);
            }
            (Doing::Waiting(call), Step::Deliver(_)) => replica::deliver(self.flaws, next, at, call),
            (Doing::Waiting(call), Step::TimeOut(_)) => {
                next.used.timeouts += 1;
                next.late.add(call);
                next.replicas[at].doing = Doing::Answered(call, Outcome::Unknown);
            }
            (Doing::Answered(call, outcome), Step::Record(_)) => {
                replica::record(self.flaws, next, at, (call, outcome));
            }
            _ => {}
        }
    }

    fn outside(&self, next: &mut State, step: Step) {
        match step {
            Step::Land(call) => {
                org::arrives(self.flaws, next, &call);
            }
            Step::Edit(value) => {
                next.used.edits += 1;
                org::edit(next, value);
            }
            Step::Approve => org::approve(next),
            Step::ApproveAsAgent => {
                org::approve_as_agent(self.flaws, next);
            }
            Step::TakeBack => {
                next.used.second_thoughts += 1;
                org::take_back(next);
            }
            Step::Replace(id) => {
                next.used.proposals += 1;
                org::replace(self.flaws, next, id);
            }
            Step::Age(id) => {
                next.used.expiries += 1;
                if let Some(promotion) = &mut next.ledger.promotions[id] {
                    promotion.fresh = false;
                }
            }
            Step::Delete => {
                next.used.deletions += 1;
                next.org.deleted = true;
            }
            Step::Restore => next.org.deleted = false,
            _ => {}
        }
    }
}

/// Whether a process believes to lead, rightly.
fn leads(state: &State) -> bool {
    state.replicas[..OPERATOR].iter().any(|replica| replica.epoch == state.ledger.epoch)
}

/// Whether the record has something for the gate.
fn waits(flaws: Flaws, state: &State) -> bool {
    let (org, ledger) = (&state.org, &state.ledger);
    let displaced = (0..PROPOSALS).any(|id| {
        id != org.slot && matches!(ledger.stages[id], Stage::Open { .. }) && ledger.promotions[id].is_none()
    });
    let asks = match ledger.stages[org.slot] {
        Stage::Unseen => true,
        Stage::Open { base, unproven } => {
            let changed = org.changed && !flaws.has(Flaw::LaterChange);
            let decided = org.decision != Decision::Pending && !unproven && !changed;
            ledger.promotions[org.slot].is_none() && (decided || org.value != base)
        }
        Stage::Ended => false,
    };
    displaced || asks
}
