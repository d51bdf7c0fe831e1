//! The engines that other people wrote, each with the lead pack in its own language. Cedar has a crate and a
//! process of its own, see `cedar.rs` beside this folder.

use crate::facts::{Answer, Facts};

pub mod cel;
pub mod rego;

/// One engine, ready to be asked.
pub trait Peer {
    /// What the engine takes as input, already built.
    type Ready;
    /// Builds the engine's own form of the facts.
    fn ready(&self, facts: &Facts) -> Self::Ready;
    /// Asks with what was built before.
    fn ask(&mut self, ready: &Self::Ready) -> Answer;
}
