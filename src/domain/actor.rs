//! Who proposes, and through which door.

use serde::{Deserialize, Serialize};

/// The way by which a proposal came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Written straight into the `AI_*` fields.
    Record,
    /// `countersign propose`.
    Cli,
    /// countersign's own schedule: a state that nothing happened in for long moves back a step.
    Schedule,
}

/// The chain of who acts for whom, as far as the proposer told it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The agent's name, for example `nightly-enricher`; the Salesforce user id for direct writes.
    pub agent: String,
    /// The agent's version, when told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The run or workflow that the proposal belongs to, when told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Whom the agent says it acts for; told, not proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
}

impl Actor {
    /// An actor of whom only the name is known.
    pub fn named(agent: impl Into<String>) -> Self {
        Self { agent: agent.into(), version: None, run: None, on_behalf_of: None }
    }
}
