//! How much may go wrong, and what else may happen.

/// How often each thing may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Bounds {
    /// People edit the value.
    pub edits: u8,
    /// A replica dies and forgets.
    pub crashes: u8,
    /// A call gets no answer, or is turned down before it does anything.
    pub timeouts: u8,
    /// Another replica takes the lead while the old leader goes on.
    pub take_overs: u8,
    /// An agent puts another proposal in the place of the one on the record.
    pub proposals: u8,
    /// A person takes a decision back.
    pub second_thoughts: u8,
    /// An open promotion's approval becomes too old.
    pub expiries: u8,
    /// Somebody deletes the record.
    pub deletions: u8,
    /// Somebody gives the command to roll back.
    pub rollbacks: u8,
}

impl Bounds {
    /// One proposal, and little else than people and calls: enough for most counterexamples.
    pub const SMALL: Self = Self {
        edits: 2,
        crashes: 1,
        timeouts: 2,
        take_overs: 1,
        proposals: 0,
        second_thoughts: 0,
        expiries: 0,
        deletions: 0,
        rollbacks: 0,
    };
    /// For each change, first half: two proposals, and calls that get lost.
    pub const TWO_PROPOSALS: Self = Self { proposals: 1, ..Self::SMALL };
    /// For each change, second half: one proposal, and a lead that goes back and forth while
    /// people change their minds and approvals run out.
    pub const TWO_TAKE_OVERS: Self = Self { take_overs: 2, second_thoughts: 1, expiries: 1, ..Self::SMALL };
    /// For a night: all of it together.
    pub const NIGHT: Self = Self { proposals: 1, ..Self::TWO_TAKE_OVERS };
}

/// What the world around the protocol may do beyond the bounds. Each of these goes further than
/// what the protocol is made for; a test each pins what happens then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum World {
    /// Nothing more.
    #[default]
    Plain,
    /// A person may decide while the value is another one than the one that was first read, and the
    /// value may be put back before the next read.
    LateApproval,
    /// The way to the org delivers a call and keeps a copy for later.
    Copies,
    /// The record may be deleted, and restored from the recycle bin.
    Deletion,
    /// An operator undoes the first proposal's promotion by command. The command writes to the
    /// ledger beside the leader, without an epoch.
    Rollback,
}
