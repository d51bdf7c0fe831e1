//! Steps that may run by themselves: from which values to which.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::{condition::Condition, value::FieldValue};

/// One end of a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// Values that a word stands for.
    Named(Named),
    /// These texts.
    OneOf(Vec<String>),
}

/// Words for values that nobody can list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// No value at all.
    Blank,
    /// Any value, and as a start also none.
    Any,
}

impl Named {
    /// As policy files spell them.
    pub const ALL: &'static [(&'static str, Self)] = &[("blank", Self::Blank), ("any", Self::Any)];
}

impl Values {
    /// The texts that are listed; none for a word.
    pub fn listed(&self) -> &[String] {
        match self {
            Self::OneOf(texts) => texts,
            Self::Named(_) => &[],
        }
    }

    /// Whether the value is among them. `any` stands for no value too; a step never ends there.
    pub fn covers(&self, value: &FieldValue) -> bool {
        match self {
            Self::Named(Named::Any) => true,
            Self::Named(Named::Blank) => *value == FieldValue::Null,
            Self::OneOf(texts) => value.as_text().is_some_and(|text| texts.iter().any(|one| one == text)),
        }
    }

    /// Whether every value of `other` is among these.
    pub fn include(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(Named::Any), _) => true,
            (Self::OneOf(all), Self::OneOf(some)) => some.iter().all(|text| all.contains(text)),
            _ => self == other,
        }
    }

    /// Each of them as words for people.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Named(Named::Any) => vec!["any value"],
            Self::Named(Named::Blank) => vec!["blank"],
            Self::OneOf(texts) => texts.iter().map(String::as_str).collect(),
        }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words().join(", "))
    }
}

/// One step that may run by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoRule {
    /// Values it may start from.
    pub from: Values,
    /// Values it may end at. No step empties a field by itself.
    pub to: Values,
    /// Least confidence, 0 to 1.
    pub min_confidence: Decimal,
    /// Only for records for which this holds; a condition that nobody can decide does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
}

impl AutoRule {
    /// Whether it speaks of the step from one value to another.
    pub fn names(&self, before: &FieldValue, after: &FieldValue) -> bool {
        self.from.covers(before) && self.to.covers(after) && *after != FieldValue::Null
    }
}
