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
            Self::Named(Named::Any) => vec!["<any value>"],
            Self::Named(Named::Blank) => vec!["<blank>"],
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

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Values = Values::Named(Named::Any);
    const BLANK: Values = Values::Named(Named::Blank);

    fn texts(texts: &[&str]) -> Values {
        Values::OneOf(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn each_end_covers_its_own_values() {
        let (a, b, number) = (FieldValue::text("a"), FieldValue::text("b"), FieldValue::decimal(1.into()));
        let covered =
            |values: &Values| [&a, &b, &number, &FieldValue::Null].map(|value| values.covers(value));
        assert_eq!(covered(&ANY), [true; 4]);
        assert_eq!(covered(&BLANK), [false, false, false, true]);
        assert_eq!(covered(&texts(&["a"])), [true, false, false, false]);
        assert_eq!(covered(&texts(&["1", ""])), [false; 4]);
    }

    #[test]
    fn what_is_wider_includes_what_is_narrower() {
        let (a, ab) = (texts(&["a"]), texts(&["a", "b"]));
        let all = [&ANY, &BLANK, &a, &ab];
        let included = |values: &Values| all.map(|other| values.include(other));
        assert_eq!(included(&ANY), [true; 4]);
        assert_eq!(included(&BLANK), [false, true, false, false]);
        assert_eq!(included(&a), [false, false, true, false]);
        assert_eq!(included(&ab), [false, false, true, true]);
    }

    #[test]
    fn ends_are_told_in_words() {
        assert_eq!(texts(&["a", "b"]).to_string(), "a, b");
        assert_eq!((ANY.to_string().as_str(), BLANK.to_string().as_str()), ("<any value>", "<blank>"));
        assert_eq!(texts(&["a", "b"]).listed(), ["a", "b"]);
        assert!(ANY.listed().is_empty() && BLANK.listed().is_empty());
    }

    #[test]
    fn a_rule_names_a_step_by_both_ends_and_never_to_nothing() {
        let rule = |from, to| AutoRule { from, to, min_confidence: Decimal::ONE, when: None };
        let (a, b) = (FieldValue::text("a"), FieldValue::text("b"));
        let step = rule(texts(&["a"]), texts(&["b"]));
        assert!(step.names(&a, &b));
        assert!(!step.names(&b, &b) && !step.names(&a, &a) && !step.names(&b, &a));
        assert!(rule(BLANK, ANY).names(&FieldValue::Null, &a) && rule(ANY, ANY).names(&a, &a));
        assert!(!rule(ANY, ANY).names(&a, &FieldValue::Null));
        assert!(!rule(ANY, BLANK).names(&a, &FieldValue::Null), "no step empties a field");
    }
}
