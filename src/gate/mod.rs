//! The deterministic transition gate: `decide(input) -> verdict`, pure and total.

pub mod checks;
pub mod decide;
pub mod finding;
mod fingerprint;
pub mod input;
pub mod limits;
pub mod plan;
pub mod verdict;

pub use decide::{GATE_REVISION, decide};
pub use finding::{Effect, Finding, FindingCode};
pub use input::{History, Input, Rules};
pub use verdict::{Outcome, Verdict};
