//! A checked model of the promotion protocol.
//!
//! One record, two proposals, two replicas, one ledger. People edit, approve and change their
//! minds; calls come late, get lost or come again; processes die; another replica takes the lead
//! while the old leader goes on. `stateright` goes through every order of these steps, within
//! the bounds of [`Bounds`], and holds each state against [`PROMISES`].
//!
//! The states have the names of `src/domain/promotion.rs`, the steps those of
//! `src/workflow/promote.rs` and `src/workflow/settle.rs`, the org's rules the numbers of
//! `salesforce-metadata/`. A [`Flaw`] takes one part of the protocol away; `tests/` asserts
//! which promise is broken then.
//!
//! # Where the model is not the code
//!
//! - There is one field. A promotion of several fields in one save is one write to the org.
//! - A call that nobody waits for may land at any time, also several times, or never. A copy
//!   that the org would refuse changes nothing, so it is not delivered.
//! - A reply that is lost is the same as a call that lands after its sender gave up.
//! - An approval by policy alone, a hold, a freeze, a budget and a notice are left out: they
//!   stop a promotion or say how it ended, and write no canonical value.
//! - A proposal has one promotion at most, as in the code: when it has ended, so has the
//!   proposal. A rollback is a promotion of its own, and happens only in [`World::Rollback`].
//! - `refused` is the end of a first attempt that some other rule of the org turned down. For the
//!   protocol it is `stale` under another name, and the model says `stale` for both.
//! - The order of one engine step is not fixed: any step that the ledger allows may come next.
//!   A void goes out only after a read in the same step, as in the code.

mod bounds;
mod check;
mod flaw;
mod ledger;
mod org;
mod promises;
mod protocol;
mod replica;
mod state;

pub use bounds::{Bounds, World};
pub use check::{Row, check, refute};
pub use flaw::{Flaw, Flaws};
pub use promises::*;
pub use protocol::{Protocol, Step};
pub use state::State;
