//! Filter expressions of channel members: `Status = 'New' AND NOT AI_Flag__c = true`.
//!
//! Operators are = != < <= > >= LIKE, AND, OR, NOT and parentheses, over fields,
//! components of compound fields and header fields other than lists.

mod parse;

use crate::domain::FieldValue;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare { field: String, operator: Operator, literal: FieldValue },
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

/// An expression that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the filter expression cannot be read at character {at}: {what}")]
pub(super) struct FilterError {
    pub at: usize,
    pub what: String,
}

impl Filter {
    /// Reads an expression.
    pub(super) fn parse(text: &str) -> Result<Self, FilterError> {
        parse::parse(text)
    }

    /// The fields that it names.
    pub(super) fn fields(&self) -> Vec<&str> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                let mut fields = left.fields();
                fields.extend(right.fields());
                fields
            }
            Self::Not(inner) => inner.fields(),
            Self::Compare { field, .. } => vec![field],
        }
    }

    /// Whether an event passes; `value` gives a field's value.
    pub(super) fn passes(&self, value: &dyn Fn(&str) -> FieldValue) -> bool {
        match self {
            Self::And(left, right) => left.passes(value) && right.passes(value),
            Self::Or(left, right) => left.passes(value) || right.passes(value),
            Self::Not(inner) => !inner.passes(value),
            Self::Compare { field, operator, literal } => compare(&value(field), *operator, literal),
        }
    }
}

/// Texts compare without letter case, as in queries. Nothing is ordered against null.
fn compare(value: &FieldValue, operator: Operator, literal: &FieldValue) -> bool {
    let equal = || match (value, literal) {
        (FieldValue::Text(left), FieldValue::Text(right)) => left.to_lowercase() == right.to_lowercase(),
        _ => value == literal,
    };
    let ordered = |allowed: fn(std::cmp::Ordering) -> bool| {
        let same_type = std::mem::discriminant(value) == std::mem::discriminant(literal);
        same_type && !value.is_null() && allowed(order(value, literal))
    };
    match operator {
        Operator::Equal => equal(),
        Operator::NotEqual => !equal(),
        Operator::Less => ordered(std::cmp::Ordering::is_lt),
        Operator::LessOrEqual => ordered(std::cmp::Ordering::is_le),
        Operator::Greater => ordered(std::cmp::Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(std::cmp::Ordering::is_ge),
        Operator::Like => match (value, literal) {
            (FieldValue::Text(text), FieldValue::Text(pattern)) => {
                let chars = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
                like(&chars(text), &chars(pattern))
            }
            _ => false,
        },
    }
}

fn order(left: &FieldValue, right: &FieldValue) -> std::cmp::Ordering {
    match (left, right) {
        (FieldValue::Text(left), FieldValue::Text(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
        _ => left.cmp(right),
    }
}

/// `%` stands for any text, `_` for one character. Linear in text times pattern.
fn like(text: &[char], pattern: &[char]) -> bool {
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for symbol in pattern {
        let mut next = vec![false; text.len() + 1];
        match symbol {
            '%' => {
                let mut any = false;
                for (slot, was) in next.iter_mut().zip(&reachable) {
                    any |= was;
                    *slot = any;
                }
            }
            _ => {
                for (index, character) in text.iter().enumerate() {
                    next[index + 1] = reachable[index] && (*symbol == '_' || symbol == character);
                }
            }
        }
        reachable = next;
    }
    reachable[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(text: &str) -> bool {
        let filter = Filter::parse(text).unwrap();
        filter.passes(&|field| match field {
            "Flag__c" => FieldValue::Bool(true),
            "Status" => FieldValue::text("Working - Contacted"),
            "Amount" => FieldValue::decimal("1250.5".parse().unwrap()),
            "CloseDate" => FieldValue::Date("2026-11-20".parse().unwrap()),
            "ChangeEventHeader.changeType" => FieldValue::text("UPDATE"),
            _ => FieldValue::Null,
        })
    }

    #[test]
    fn expressions_decide_as_their_grammar_says() {
        for yes in [
            "Flag__c = true",
            "flag__c = TRUE OR Flag__c=true",
            "Status LIKE 'work%cont_cted'",
            "Status != 'New' AND (Amount >= 1250.50 OR Amount < 1)",
            "NOT Status = 'New' AND Flag__c = true",
            "ChangeEventHeader.changeType = 'UPDATE'",
            "CloseDate > 2026-11-19 AND CloseDate <= 2026-11-20",
            "Missing = null",
            "Missing != 'x'",
        ] {
            assert!(passes(yes), "{yes}");
        }
        for no in [
            "Flag__c = false",
            "Status LIKE 'work'",
            "Amount > 1250.5",
            "Missing > 1",
            "NOT (Flag__c = true OR Status = 'New')",
            "Flag__c = true AND Missing != null",
        ] {
            assert!(!passes(no), "{no}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "Status",
            "Status = ",
            "Status = 'New",
            "Status == 'New'",
            "Status = 'a' Status = 'b'",
            "(Status = 'a'",
            "ChangeEventHeader.recordIds = 'x'",
            "Flag__c LIKE 3",
        ] {
            assert!(Filter::parse(bad).is_err(), "{bad:?}");
        }
        let long = (0..11).map(|n| format!("F{n} = 1")).collect::<Vec<_>>().join(" OR ");
        assert!(Filter::parse(&long).is_err(), "more than 10 fields");
        let deep = format!("{}A = 1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(Filter::parse(&deep).is_err(), "nested without end");
    }
}
