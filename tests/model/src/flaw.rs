//! What can be taken away from the protocol.

/// One part of the protocol that is missing or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Flaw {
    /// Rule 04 is off: the org does not ask for the number.
    NoNumber,
    /// Rule 05 is off: the org does not ask for the previous value.
    NoPreviousValue,
    /// The part of rule 07 that lets a proposal be promoted one time is off.
    NoSingleUse,
    /// Rule 07 is off as a whole: the org asks for no approval.
    NoApprovalRule,
    /// A call without an answer counts as refused.
    TimeoutIsFailed,
    /// A promotion that was sent is called stale without a void write.
    NoTombstone,
    /// A void write without an answer counts as done.
    VoidTimeoutIsDone,
    /// What became of a call is found out from the value and not from the mark.
    ResolveByValue,
    /// The call leaves before the intent is in the ledger.
    NoIntent,
    /// The ledger lets a record have two open promotions.
    TwoOpen,
    /// The ledger takes what an old leader writes.
    NoFencing,
    /// A call without an answer is sent again without reading the mark.
    BlindRetry,
    /// The attempt is counted when the answer is there, not before the call.
    CountAfterSend,
    /// A refusal counts as proof at every attempt.
    EveryRefusalProves,
    /// An approval is for the record, whatever is proposed on it.
    ApprovalOfRecord,
    /// An agent's approval counts.
    AgentApproves,
    /// Nobody looks whether a person changed the value after the decision.
    LaterChange,
    /// The ledger takes a plan whose number another promotion has moved on.
    NumberReused,
}

/// The flaws of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flaws(u32);

impl Flaws {
    /// The protocol as it is.
    pub const NONE: Self = Self(0);

    /// These flaws together.
    pub fn of(flaws: &[Flaw]) -> Self {
        Self(flaws.iter().fold(0, |all, flaw| all | 1 << *flaw as u32))
    }

    /// Whether this one is among them.
    pub fn has(self, flaw: Flaw) -> bool {
        self.0 & 1 << flaw as u32 != 0
    }
}
