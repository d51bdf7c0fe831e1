//! The state: the org, the ledger, the replicas, and what is on its way between them.

use std::ops::{Index, IndexMut};

use crate::bounds::Bounds;

/// A proposal, and the promotion that carries it out.
pub type Id = u8;
/// A value of the canonical field. A proposal proposes its own place plus one.
pub type Value = u8;

/// How many proposals there are.
pub const PROPOSALS: u8 = 2;
/// The promotion that undoes another one, only in [`crate::World::Rollback`].
pub const ROLLBACK: Id = PROPOSALS;
/// How many promotions there can be.
pub const PROMOTIONS: u8 = PROPOSALS + 1;
/// The values that people write.
pub const VALUES: [Value; 3] = [0, 1, 2];
/// Most different calls that can be under way without anybody waiting for them.
const MOST_LATE: usize = 8;

/// What a proposal proposes.
pub fn proposed(id: Id) -> Value {
    id + 1
}

/// One of something for each promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Each<T>([T; PROMOTIONS as usize]);

impl<T> Index<Id> for Each<T> {
    type Output = T;

    fn index(&self, id: Id) -> &T {
        &self.0[usize::from(id)]
    }
}

impl<T> IndexMut<Id> for Each<T> {
    fn index_mut(&mut self, id: Id) -> &mut T {
        &mut self.0[usize::from(id)]
    }
}

/// How a promotion stands: `Settlement` in `src/domain/promotion.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Settlement {
    /// Committed intent.
    Intended,
    /// A request may be under way.
    Sent,
    /// The reply was lost, or said nothing.
    Unknown {
        /// The org refused, which proves nothing of the other copies.
        refused: bool,
    },
    /// The record carries our mark.
    Done,
    /// Nothing of it can land.
    Stale,
    /// Refused for good.
    Refused,
    /// A void write is being used to close it.
    Voiding,
    /// The record is gone.
    Gone,
    /// The number moved on under another mark.
    Conflict,
}

impl Settlement {
    /// True when nothing more will be sent for this promotion.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Intended | Self::Sent | Self::Unknown { .. } | Self::Voiding)
    }
}

/// A promotion in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Promotion {
    /// How it stands.
    pub settlement: Settlement,
    /// Sends that were counted.
    pub attempts: u8,
    /// What it writes.
    pub plan: Plan,
    /// The approval is not too old.
    pub fresh: bool,
}

/// What the intent fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Plan {
    /// The number that must stand when the write lands.
    pub expected_seq: u8,
    /// The value that must stand then.
    pub before: Value,
    /// The value that it writes.
    pub after: Value,
}

/// How the ledger sees a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Stage {
    /// Not read yet.
    #[default]
    Unseen,
    /// Taken in against this value.
    Open {
        /// The value that stood there when it was first read.
        base: Value,
        /// Nobody can say which value the approver saw.
        unproven: bool,
    },
    /// Not judged again.
    Ended,
}

/// The ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ledger {
    /// Who leads.
    pub epoch: u8,
    /// The proposals.
    pub stages: Each<Stage>,
    /// Their promotions.
    pub promotions: Each<Option<Promotion>>,
}

/// The mark on the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Mark {
    /// None yet.
    #[default]
    Blank,
    /// A promotion's id.
    Of(Id),
    /// The mark of the void write that closed a promotion.
    Void(Id),
}

/// The decision on the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Decision {
    /// None.
    #[default]
    Pending,
    /// Approved, while this proposal was on the record.
    Approved(Id),
    /// Rejected.
    Rejected,
}

/// What can be read from the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Record {
    /// The canonical value.
    pub value: Value,
    /// The promotion number.
    pub seq: u8,
    /// The mark.
    pub mark: Mark,
    /// The proposal on the record.
    pub slot: Id,
    /// The decision.
    pub decision: Decision,
    /// An agent decided.
    pub by_agent: bool,
    /// Somebody else saved the record after the decision.
    pub touched: bool,
    /// A person changed the value after the decision: the stamp of the org's flow.
    pub changed: bool,
    /// The proposal that was promoted last.
    pub promoted: Option<Id>,
    /// It is in the recycle bin.
    pub deleted: bool,
}

/// Which write a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The promotion.
    Promotion,
    /// The void write that closes it.
    Void,
}

/// A call to the org. Sent again, it is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Call {
    /// Whose.
    pub id: Id,
    /// Which.
    pub kind: Kind,
    /// What it says.
    pub plan: Plan,
}

/// What a reply says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Applied.
    Done,
    /// A rule of the org refused it.
    Refused,
    /// It did nothing: no connection, a locked row, a limit.
    NotSent,
    /// Nobody knows.
    Unknown,
    /// There is no such record.
    Gone,
}

/// What a replica is at. All of it is lost in a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doing {
    /// Not running, or waiting for the lead.
    Nothing,
    /// Between two steps.
    Idle,
    /// It has read the record.
    Read(Record),
    /// It has read that this promotion must be closed.
    Closing(Id),
    /// The attempt is in the ledger; the call has not left.
    AboutToSend(Call),
    /// The call has left.
    Waiting(Call),
    /// The reply is there and not in the ledger yet.
    Answered(Call, Outcome),
}

/// Where the operator's command stands among the processes.
pub const OPERATOR: usize = 2;

/// A process of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Replica {
    /// The epoch in which it believes to lead.
    pub epoch: u8,
    /// What it is at.
    pub doing: Doing,
}

impl Replica {
    /// A process that does not run.
    pub const DOWN: Self = Self { epoch: 0, doing: Doing::Nothing };
}

/// Calls that nobody waits for: any of them may land, at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Late([Option<Call>; MOST_LATE]);

impl Late {
    /// The calls.
    pub fn calls(&self) -> impl Iterator<Item = Call> {
        self.0.iter().flatten().copied()
    }

    /// One more.
    ///
    /// # Panics
    /// When there are more than the bounds of any check lead to.
    pub fn add(&mut self, call: Call) {
        if self.calls().all(|known| known != call) {
            let free = self.0.iter_mut().find(|place| place.is_none());
            *free.expect("the bounds leave room for every call") = Some(call);
            // Sorted, so that the order in which calls left makes no other state.
            self.0.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    /// Leaves out what can have no effect any more.
    pub fn retain(&mut self, keep: impl Fn(&Call) -> bool) {
        for place in &mut self.0 {
            *place = place.filter(&keep);
        }
        self.0.sort_unstable_by(|a, b| b.cmp(a));
    }
}

/// What only the checker knows: what happened, to hold the promises against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Truth {
    /// How often each proposal was applied.
    pub applied: Each<u8>,
    /// For each proposal that a person approved, the value that the person saw.
    pub approved_over: Each<Option<Value>>,
    /// The value is a person's, written after the last approval.
    pub edited: bool,
    /// Something landed that no person had approved.
    pub unapproved: bool,
    /// Something landed on another value than the approver saw.
    pub unseen: bool,
    /// Something landed on a person's newer edit.
    pub overwrote: bool,
    /// Something landed while no approval of it stood on the record.
    pub not_standing: bool,
    /// Something landed that the ledger did not know of.
    pub no_intent: bool,
    /// An entry has a lower epoch than one before it.
    pub epoch_fell: bool,
}

/// Everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    /// The record.
    pub org: Record,
    /// The ledger.
    pub ledger: Ledger,
    /// The processes: two replicas, in no order that means anything, and the operator's command.
    pub replicas: [Replica; 3],
    /// Calls that nobody waits for.
    pub late: Late,
    /// How often each thing has happened.
    pub used: Bounds,
    /// What happened.
    pub truth: Truth,
}

impl State {
    /// The first replica leads, a proposal is on the record, and nobody has read it.
    pub fn first() -> Self {
        Self {
            org: Record::default(),
            ledger: Ledger { epoch: 1, ..Ledger::default() },
            replicas: [Replica::DOWN, Replica { epoch: 1, doing: Doing::Idle }, Replica::DOWN],
            late: Late::default(),
            used: Bounds::default(),
            truth: Truth::default(),
        }
    }

    /// The promotions, with their ids.
    pub fn promotions(&self) -> impl Iterator<Item = (Id, Promotion)> {
        (0..PROMOTIONS).filter_map(|id| Some((id, self.ledger.promotions[id]?)))
    }

    /// The open ones.
    pub fn open(&self) -> impl Iterator<Item = (Id, Promotion)> {
        self.promotions().filter(|(_, promotion)| !promotion.settlement.is_final())
    }
}
