//! Budgets: how much may come in, or run with no person, within a time.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::proposal::Proposal;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Proposals that came in before this one.
    Proposals,
    /// Promotions that were started with no person.
    Promotions,
}

/// For what it is counted. Only the policy's own object counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// For the agent of the proposal.
    Agent,
    /// For each field that it changes.
    Lane,
    /// For the record.
    Record,
    /// For the whole object.
    Object,
}

/// What follows when a budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spent {
    /// A person must approve.
    Review,
    /// It waits until there is room again, or a person approves.
    Hold,
    /// Refused.
    Block,
}

macro_rules! words {
    ($name:ident { $($text:literal = $variant:ident),+ }) => {
        impl $name {
            /// All of them, as policy files spell them.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($text, Self::$variant)),+];

            /// As policy files spell it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

words!(Counted { "proposals" = Proposals, "promotions" = Promotions });
words!(Per { "agent" = Agent, "lane" = Lane, "record" = Record, "object" = Object });
words!(Spent { "review" = Review, "hold" = Hold, "block" = Block });

/// One budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// What is counted.
    pub of: Counted,
    /// For what.
    pub per: Per,
    /// How many pass.
    pub at_most: Decimal,
    /// Within how many minutes.
    pub minutes: Decimal,
    /// What follows after that.
    pub then: Spent,
}

/// What one budget counts for one proposal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountKey {
    /// What is counted.
    pub of: Counted,
    /// For what.
    pub per: Per,
    /// The agent, field, record or object.
    pub whose: String,
    /// Within how many minutes.
    pub minutes: Decimal,
}

impl CountKey {
    /// The name under which a count stands among the facts of a decision.
    pub fn name(&self) -> String {
        format!("{} per {} {} in {} min", self.of.name(), self.per.name(), self.whose, self.minutes)
    }
}

impl Budget {
    /// What it counts for this proposal: one key, or one for each field.
    pub fn keys(&self, proposal: &Proposal) -> Vec<CountKey> {
        let whose = match self.per {
            Per::Agent => vec![proposal.actor.agent.clone()],
            Per::Lane => proposal.patch.keys().map(ToString::to_string).collect(),
            Per::Record => vec![proposal.record.to_string()],
            Per::Object => vec![proposal.object.to_string()],
        };
        let key = |whose| CountKey { of: self.of, per: self.per, whose, minutes: self.minutes };
        whose.into_iter().map(key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_json_form() {
        for (name, counted) in Counted::ALL {
            assert_eq!(
                (serde_json::to_value(counted).unwrap().as_str(), counted.name()),
                (Some(*name), *name)
            );
        }
        for (name, per) in Per::ALL {
            assert_eq!((serde_json::to_value(per).unwrap().as_str(), per.name()), (Some(*name), *name));
        }
        for (name, then) in Spent::ALL {
            assert_eq!((serde_json::to_value(then).unwrap().as_str(), then.name()), (Some(*name), *name));
        }
    }
}
