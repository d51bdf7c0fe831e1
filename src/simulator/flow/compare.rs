//! Comparisons of conditions and filters.

use std::cmp::Ordering;

use jiff::tz::TimeZone;

use super::{def::Operator, interview::Value};
use crate::{domain::FieldValue, simulator::ids};

/// How texts are compared: conditions of a flow keep letter case, filters ignore it as
/// queries do. The first is not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Kept,
    Ignored,
}

/// Whether a comparison holds. With a null on one side only `NotEqualTo` holds.
pub(super) fn holds(operator: Operator, left: &Value, right: &Value, case: Case) -> bool {
    let wanted = right.one().as_bool();
    match operator {
        Operator::IsNull | Operator::IsEmpty => left.is_empty() == wanted,
        Operator::IsBlank => blank(left) == wanted,
        Operator::In => members(right).any(|member| equal(left, member, case)),
        Operator::NotIn => !members(right).any(|member| equal(left, member, case)),
        Operator::EqualTo => equal(left, right, case),
        Operator::NotEqualTo => !equal(left, right, case),
        Operator::GreaterThan => order(left, right).is_some_and(Ordering::is_gt),
        Operator::GreaterThanOrEqualTo => order(left, right).is_some_and(Ordering::is_ge),
        Operator::LessThan => order(left, right).is_some_and(Ordering::is_lt),
        Operator::LessThanOrEqualTo => order(left, right).is_some_and(Ordering::is_le),
        Operator::Contains => match left {
            Value::List(list) => list.iter().any(|member| equal(member, right, case)),
            _ => texts(left, right, case).is_some_and(|(left, right)| left.contains(&right)),
        },
        Operator::StartsWith => {
            texts(left, right, case).is_some_and(|(left, right)| left.starts_with(&right))
        }
        Operator::EndsWith => texts(left, right, case).is_some_and(|(left, right)| left.ends_with(&right)),
        // Needs the prior record; whoever has it decides.
        Operator::IsChanged => false,
    }
}

fn members(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::List(list) => list.iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

fn blank(value: &Value) -> bool {
    match value {
        Value::One(FieldValue::Text(text)) => text.trim().is_empty(),
        other => other.is_empty(),
    }
}

fn equal(left: &Value, right: &Value, case: Case) -> bool {
    match (left, right) {
        (Value::One(FieldValue::Text(left)), Value::One(FieldValue::Text(right))) => {
            left == right
                || case == Case::Ignored && left.to_lowercase() == right.to_lowercase()
                || same_id(left, right)
        }
        (Value::One(left), Value::One(right)) => match (moment(left), moment(right)) {
            (Some(left), Some(right)) => left == right,
            _ => left == right,
        },
        _ => left == right,
    }
}

/// Ids are equal in 15 and in 18 characters.
fn same_id(left: &str, right: &str) -> bool {
    let lengths = (left.len(), right.len());
    matches!(lengths, (15, 18) | (18, 15))
        && ids::complete(left).is_some_and(|id| Some(id) == ids::complete(right))
}

/// A day as its first moment, so that days and moments compare.
fn moment(value: &FieldValue) -> Option<jiff::Timestamp> {
    match value {
        FieldValue::DateTime(moment) => Some(*moment),
        FieldValue::Date(day) => day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()),
        _ => None,
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    let (left, right) = (left.one(), right.one());
    if let (Some(left), Some(right)) = (moment(&left), moment(&right)) {
        return Some(left.cmp(&right));
    }
    match (&left, &right) {
        (FieldValue::Decimal(left), FieldValue::Decimal(right)) => Some(left.cmp(right)),
        (FieldValue::Text(left), FieldValue::Text(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn texts(left: &Value, right: &Value, case: Case) -> Option<(String, String)> {
    let (left, right) = (left.one().as_text()?.to_owned(), right.one().as_text()?.to_owned());
    Some(match case {
        Case::Kept => (left, right),
        Case::Ignored => (left.to_lowercase(), right.to_lowercase()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::One(FieldValue::text(text))
    }

    #[test]
    fn nulls_are_equal_to_nothing_but_null() {
        assert!(holds(Operator::EqualTo, &Value::NULL, &Value::NULL, Case::Kept));
        assert!(holds(Operator::NotEqualTo, &Value::NULL, &text("x"), Case::Kept));
        assert!(!holds(Operator::NotEqualTo, &Value::NULL, &text(""), Case::Kept), "no text is null");
        for operator in [Operator::GreaterThan, Operator::LessThanOrEqualTo, Operator::Contains] {
            assert!(!holds(operator, &Value::NULL, &text("x"), Case::Kept));
            assert!(!holds(operator, &text("x"), &Value::NULL, Case::Kept));
        }
    }

    #[test]
    fn letter_case_counts_in_conditions_only() {
        assert!(!holds(Operator::EqualTo, &text("a"), &text("A"), Case::Kept));
        assert!(holds(Operator::EqualTo, &text("a"), &text("A"), Case::Ignored));
        let list = Value::List(vec![text("a"), text("b")]);
        assert!(holds(Operator::In, &text("B"), &list, Case::Ignored));
        assert!(holds(Operator::Contains, &list, &text("b"), Case::Kept));
    }
}
