//! The policy: what may be proposed, what runs by itself, what needs a person.
//!
//! Default deny: an object or field that no policy names is refused.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    digest::{CanonicalError, Digest},
    ids::{FieldName, ObjectName},
};
pub use budget::{Budget, CountKey, Counted, Per, Spent};
pub use create::CreateRule;
pub use decay::{DecaySegment, Window};
pub use limits::{AgentRule, Consequence, EvidenceRule, Limit, Measure, Protection};
pub use shadow::{ShadowRule, ShadowSegment};
pub use step::{AutoRule, Named, Values};

mod budget;
mod create;
mod decay;
mod limits;
mod shadow;
mod step;

/// How much a field may do without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// May be read, never proposed.
    ReadOnly,
    /// May run by itself where an `auto` rule matches and the org's switch allows it.
    Autonomous,
    /// Always needs a person.
    Reviewed,
    /// May never run by itself; `path` says whether a person may approve it.
    Never,
}

impl Tier {
    /// The tier as policy files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::Autonomous => "autonomous",
            Self::Reviewed => "reviewed",
            Self::Never => "never",
        }
    }
}

/// What happens to a change that may not run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// A person may approve it.
    ApprovalOnly,
    /// Refused, with an alert.
    BlockAndAlert,
}

/// Whether a lane acts or only records what it would have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Judge and record only.
    Shadow,
    /// Judge, ask and promote.
    Live,
}

/// One allowed step back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// From this value
    pub from: String,
    /// to this earlier one.
    pub to: String,
}

/// The rules of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldPolicy {
    /// How much it may do without a person.
    pub tier: Tier,
    /// What happens otherwise.
    #[serde(default = "approval_only")]
    pub path: Path,
    /// Whether the lane acts.
    #[serde(default = "live")]
    pub mode: Mode,
    /// Below this confidence a proposal is refused and not even shown; absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_confidence: Option<Decimal>,
    /// States in their forward order; empty for fields that are no lifecycle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifecycle: Vec<String>,
    /// States that nothing leaves in real time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terminal: Vec<String>,
    /// States that no proposal may aim at, because something else leads there (lead conversion).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub never_target: Vec<String>,
    /// Steps back that are allowed in real time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_regressions: Vec<Regression>,
    /// Steps that may run by themselves; only for tier `autonomous`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub auto: Vec<AutoRule>,
    /// Changes that are too big to pass as others do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// What a proposal must rest on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceRule>,
    /// Days after which a state may decay, by state.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decay_after_days: BTreeMap<String, Decimal>,
    /// Parts of the records with days of their own; the first that holds counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decay_segments: Vec<DecaySegment>,
}

impl FieldPolicy {
    /// A state's place in the forward order.
    pub fn place(&self, state: &str) -> Option<usize> {
        self.lifecycle.iter().position(|known| known == state)
    }

    /// True for a state that nothing leaves in real time.
    pub fn is_terminal(&self, state: &str) -> bool {
        self.terminal.iter().any(|known| known == state)
    }

    /// The states that a proposal may aim at, in order.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        let reserved = |state: &&String| !self.never_target.contains(state);
        self.lifecycle.iter().filter(reserved).map(String::as_str)
    }
}

fn approval_only() -> Path {
    Path::ApprovalOnly
}

fn live() -> Mode {
    Mode::Live
}

/// The rules of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectPolicy {
    /// The policy's own name, for example `lead-lifecycle`.
    pub name: String,
    /// Object API name.
    pub object: ObjectName,
    /// A proposal is too old when the model looked longer ago than this.
    pub proposal_max_age_minutes: Decimal,
    /// An approval is too old when it was given longer ago than this.
    pub approval_max_age_minutes: Decimal,
    /// A proposal that nobody decides on ends after this.
    pub undecided_max_age_minutes: Decimal,
    /// Weight of each kind of evidence in the signal score.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signal_weights: BTreeMap<String, Decimal>,
    /// Records that need more care, or that no agent may touch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<Protection>,
    /// How much may come in, or run with no person, within a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Budget>,
    /// Rules for single agents and workflows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentRule>,
    /// Only the listed agents may propose.
    #[serde(default, skip_serializing_if = "is_false")]
    pub listed_agents_only: bool,
    /// How lanes are measured; with it, lanes that are live by `mode` are measured too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowRule>,
    /// Records that may be made. Nothing is made that is not named here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<CreateRule>,
    /// Rules by canonical field; empty where records are only made.
    #[serde(default)]
    pub fields: BTreeMap<FieldName, FieldPolicy>,
}

impl ObjectPolicy {
    /// The rule of a kind of record that may be made.
    pub fn create_rule(&self, name: &str) -> Option<&CreateRule> {
        self.create.iter().find(|rule| rule.name == name)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// All objects' rules, addressed by digest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Policy {
    /// Rules by object.
    pub objects: BTreeMap<ObjectName, ObjectPolicy>,
}

impl Policy {
    /// SHA-256 of the canonical form; stands in every verdict.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of(self)
    }
}
