//! The deterministic transition gate: `decide(input) -> verdict`, pure and total.

pub mod finding;
pub mod input;
pub mod verdict;

pub use finding::{Finding, FindingCode};
pub use input::{History, Input, Rules};
pub use verdict::{Outcome, Verdict};
