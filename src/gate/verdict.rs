//! What the gate answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding::{Effect, Finding, FindingCode};
use crate::domain::{Digest, Plan, Stage};

/// What happens to the proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Carry out the plan.
    Promote,
    /// Wait for a person.
    Review,
    /// Refuse.
    Block,
    /// Not now: another promotion of this record is open. Judge again later.
    Hold,
    /// Record only; the lane is in shadow mode.
    Shadow,
    /// A newer proposal took its place.
    Superseded,
    /// Too old: the proposal, its approval, or nobody decided in time.
    Expired,
    /// A base value moved.
    Stale,
    /// A person refused it.
    Rejected,
    /// It has been promoted before, or the record already holds every value.
    AlreadyDone,
}

impl Outcome {
    /// The outcome in kebab case, as commands and reports print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Review => "review",
            Self::Block => "block",
            Self::Hold => "hold",
            Self::Shadow => "shadow",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Stale => "stale",
            Self::Rejected => "rejected",
            Self::AlreadyDone => "already-done",
        }
    }

    /// The stage that follows, `None` where the stage stays as it is.
    pub fn stage(self, approved: bool) -> Option<Stage> {
        match self {
            Self::Promote => Some(if approved { Stage::Approved } else { Stage::Promoting }),
            Self::Review => Some(Stage::AwaitingApproval),
            Self::Block => Some(Stage::Refused),
            Self::Hold => None,
            Self::Shadow => Some(Stage::Shadow),
            Self::Superseded => Some(Stage::Superseded),
            Self::Expired => Some(Stage::Expired),
            Self::Stale => Some(Stage::Stale),
            Self::Rejected => Some(Stage::Rejected),
            Self::AlreadyDone => Some(Stage::Promoted),
        }
    }
}

/// The answer of [`super::decide`]: never an error, always a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What happens.
    pub outcome: Outcome,
    /// Why, in the fixed order of the checks; the first one of the outcome's rank decided.
    pub findings: Vec<Finding>,
    /// The facts that were used, by name.
    pub facts: BTreeMap<String, String>,
    /// SHA-256 of the canonical input.
    pub input: Digest,
    /// SHA-256 of the canonical policy.
    pub policy: Digest,
    /// What an approval of this proposal must be bound to.
    pub patch: Digest,
    /// Revision of the gate's own rules; raised when the same input may get another verdict.
    pub gate: String,
    /// For [`Outcome::Promote`]: exactly what to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
}

impl Verdict {
    /// The finding that decided: the first one with the strongest effect. `None` when
    /// nothing spoke against the change.
    pub fn deciding(&self) -> Option<&Finding> {
        deciding(&self.findings)
    }

    /// True when a finding has this code.
    pub fn has(&self, code: FindingCode) -> bool {
        self.findings.iter().any(|finding| finding.code == code)
    }
}

/// The first one with the strongest effect of findings in the order of the checks.
pub fn deciding(findings: &[Finding]) -> Option<&Finding> {
    // `min_by_key` keeps the first of equals, which is the order of the checks.
    let strongest = findings.iter().min_by_key(|finding| finding.code.effect())?;
    (strongest.code.effect() != Effect::Note).then_some(strongest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_name_and_the_stage_that_follows() {
        let all = [
            (Outcome::Promote, "promote", Some(Stage::Promoting)),
            (Outcome::Review, "review", Some(Stage::AwaitingApproval)),
            (Outcome::Block, "block", Some(Stage::Refused)),
            (Outcome::Hold, "hold", None),
            (Outcome::Shadow, "shadow", Some(Stage::Shadow)),
            (Outcome::Superseded, "superseded", Some(Stage::Superseded)),
            (Outcome::Expired, "expired", Some(Stage::Expired)),
            (Outcome::Stale, "stale", Some(Stage::Stale)),
            (Outcome::Rejected, "rejected", Some(Stage::Rejected)),
            (Outcome::AlreadyDone, "already-done", Some(Stage::Promoted)),
        ];
        for (outcome, name, stage) in all {
            assert_eq!((outcome.name(), outcome.stage(false)), (name, stage));
            assert_eq!(serde_json::to_value(outcome).unwrap(), name.replace('-', "_"));
            if outcome != Outcome::Promote {
                assert_eq!(outcome.stage(true), stage, "an approval matters to a promotion only");
            }
        }
        assert_eq!(Outcome::Promote.stage(true), Some(Stage::Approved));
    }
}
