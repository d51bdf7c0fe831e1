//! The deterministic transition gate: `decide(input) -> verdict`, pure and total.

pub mod cancel;
pub mod checks;
pub mod decide;
pub mod explain;
pub mod finding;
mod fingerprint;
pub mod golden;
pub mod input;
pub mod limits;
pub mod plan;
pub mod preview;
pub mod recorded;
pub mod rollback;
pub mod unwind;
pub mod verdict;

pub use decide::{GATE_REVISION, Judgement, decide, judge};
pub use finding::{Effect, Finding, FindingCode};
pub use input::{History, Input, Rules};
pub use preview::{PreviewCard, preview};
pub use recorded::Recorded;
pub use rollback::{Obstacle, RollbackPlan, Spared, plan_rollback};
pub use verdict::{Outcome, Verdict, deciding};

#[cfg(test)]
mod tests;
