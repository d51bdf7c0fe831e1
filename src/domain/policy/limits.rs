//! Rules that narrow what else would pass: big changes, thin evidence, single agents, records.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::{actor::Actor, condition::Condition, ids::FieldName};

/// What follows when a narrowing rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// A person must approve.
    Review,
    /// Refused, whoever approves.
    Block,
}

impl Consequence {
    /// As policy files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Block => "block",
        }
    }
}

/// What of a change is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// By how much a number grows.
    Rise,
    /// By how much a number shrinks.
    Fall,
    /// By how much a number moves, either way.
    Change,
    /// By how many percent of its present value a number moves, either way.
    ChangePercent,
    /// By how many days a date moves out.
    DaysLater,
    /// By how many days a date moves in.
    DaysEarlier,
}

impl Measure {
    /// All of them, as policy files spell them.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("rise", Self::Rise),
        ("fall", Self::Fall),
        ("change", Self::Change),
        ("change_percent", Self::ChangePercent),
        ("days_later", Self::DaysLater),
        ("days_earlier", Self::DaysEarlier),
    ];

    /// As policy files spell it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, measure)| *measure == self).map_or("", |(name, _)| name)
    }

    /// Whether it is about dates; the others are about numbers.
    pub fn is_of_days(self) -> bool {
        matches!(self, Self::DaysLater | Self::DaysEarlier)
    }
}

/// A change above this needs more than others do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// What is measured.
    pub measure: Measure,
    /// The most that passes as usual, in the field's unit, percent or days.
    pub above: Decimal,
    /// What follows above it, and where the change cannot be measured.
    pub then: Consequence,
}

/// What a proposal must rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRule {
    /// How many pieces at least.
    pub at_least: Decimal,
    /// Kinds that count; empty: every kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Older pieces do not count; absent: age does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_minutes: Option<Decimal>,
    /// What follows when there is less.
    pub then: Consequence,
}

/// Records that need more care.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// Why, in words for people.
    pub why: String,
    /// Which records. Where nobody can say, it applies.
    pub when: Condition,
    /// What follows.
    pub then: Consequence,
}

/// What one agent or workflow must reach. It can only ask for more than the field's own rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentRule {
    /// The agent's name; the Salesforce user id of one that writes the fields itself.
    pub agent: String,
    /// Only for this workflow: the run's name up to the first `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Only for these fields; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldName>,
    /// Whether it may propose at all.
    pub may_propose: bool,
    /// Whether its changes may run by themselves where the other rules let them.
    pub may_run: bool,
    /// Least confidence, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_confidence: Option<Decimal>,
}

impl AgentRule {
    /// Whether it speaks of this actor.
    pub fn is_about(&self, actor: &Actor) -> bool {
        let workflow = actor.run.as_deref().map(|run| run.split('/').next().unwrap_or(run));
        self.agent == actor.agent && self.workflow.as_deref().is_none_or(|named| Some(named) == workflow)
    }

    /// Whether it speaks of this field.
    pub fn covers(&self, field: &FieldName) -> bool {
        self.fields.is_empty() || self.fields.contains(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_json_form() {
        for then in [Consequence::Review, Consequence::Block] {
            assert_eq!(serde_json::to_value(then).unwrap(), then.name());
        }
        for (name, measure) in Measure::ALL {
            assert_eq!(serde_json::to_value(measure).unwrap(), *name);
            assert_eq!(measure.name(), *name);
            assert_eq!(measure.is_of_days(), name.starts_with("days_"));
        }
        assert_eq!(Measure::ALL.len(), 6);
    }

    #[test]
    fn a_rule_is_about_an_agent_or_one_workflow_of_it_and_covers_its_fields() {
        let rule = |workflow: Option<&str>, fields: &[&str]| AgentRule {
            agent: "a".into(),
            workflow: workflow.map(str::to_owned),
            fields: fields.iter().map(|name| FieldName::parse(name).unwrap()).collect(),
            may_propose: true,
            may_run: true,
            min_confidence: None,
        };
        let about = |rule: &AgentRule, agent: &str, run: Option<&str>| {
            rule.is_about(&Actor { run: run.map(str::to_owned), ..Actor::named(agent) })
        };
        let (any, leads) = (rule(None, &[]), rule(Some("leads"), &["Status"]));
        assert!(about(&any, "a", None) && about(&any, "a", Some("leads/1")) && !about(&any, "b", None));
        assert!(about(&leads, "a", Some("leads")) && about(&leads, "a", Some("leads/1")));
        assert!(!about(&leads, "a", None) && !about(&leads, "a", Some("leads2/1")));
        assert!(!about(&leads, "b", Some("leads/1")));
        let covers =
            |rule: &AgentRule| ["Status", "Rating"].map(|name| rule.covers(&FieldName::parse(name).unwrap()));
        assert_eq!((covers(&any), covers(&leads)), ([true, true], [true, false]));
    }
}
