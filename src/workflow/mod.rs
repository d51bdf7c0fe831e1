//! The only place where gate, ledger and Salesforce meet.
//!
//! `intake` turns recorded events into hints, `consider` compares a record with the ledger and
//! asks the gate, `promote` carries out what was intended, `settle` finds out what became of it,
//! `notice` tells the record, and `engine` runs them in turn, one at a time.

pub mod anchor;
pub mod approvers;
pub mod brakes;
pub mod break_glass;
pub mod consider;
pub mod context;
pub mod decay;
pub mod drift;
pub mod engine;
pub mod error;
pub mod governor;
pub mod heartbeat;
pub mod hints;
pub mod intake;
pub mod made;
pub mod make;
pub mod notice;
pub mod observe;
pub mod outcome;
pub mod pacing;
pub mod pause;
pub mod people;
pub mod promote;
pub mod propose;
pub mod quality;
pub mod recent;
pub mod reconcile;
pub mod replay;
pub mod rollback;
pub mod rollback_many;
pub mod settle;
pub mod shadow;
pub mod signal;
pub mod stamp;
pub mod strict_json;
pub mod submission;
pub mod sweep;
pub mod tally;
pub mod totals;
pub mod undone;
pub mod writers;

pub use context::{Context, Described};
pub use engine::{Engine, Health};
pub use error::WorkflowError;

#[cfg(test)]
mod tests;
