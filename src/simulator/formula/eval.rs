//! Checked trees to values, with Salesforce's rules for blanks.
//!
//! `AND` and `OR` take null as false, `NOT` of null is null, text that is blank equals
//! the empty text, and a comparison with a blank number, day or moment is null.

use std::cmp::Ordering;

use jiff::{SignedDuration, Span};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    Blanks, Scope,
    ast::{BinaryOp, Node, Type},
    functions,
};
use crate::domain::FieldValue;

/// Why a formula has no value; a save with such a rule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// Overflow, division by zero.
    #[error("the calculation has no result")]
    Calculation,
    /// `VALUE` or `DATEVALUE` of a text that is none.
    #[error("the text cannot be converted")]
    Conversion,
}

type Value = Result<FieldValue, EvalError>;

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// Evaluates `node`.
pub(super) fn eval(node: &Node, scope: &dyn Scope) -> Value {
    match node {
        Node::Constant(value) => Ok(value.clone()),
        Node::Field(name, kind) => Ok(read(scope.field(name), *kind, scope)),
        Node::Prior(name, kind) => Ok(read(prior(name, scope), *kind, scope)),
        Node::IsChanged(name, kind) => Ok(FieldValue::Bool(is_changed(name, *kind, scope))),
        Node::IsNew => Ok(FieldValue::Bool(scope.is_new())),
        Node::Permission(name) => Ok(FieldValue::Bool(scope.permission(name))),
        Node::CustomMetadata(metadata_type, record, field, kind) => {
            Ok(read(scope.custom_metadata(metadata_type, record, field), *kind, scope))
        }
        Node::User(field) => Ok(scope.user(field)),
        Node::And(parts) => any(parts, false, scope),
        Node::Or(parts) => any(parts, true, scope),
        Node::Not(inner) => Ok(not(&eval(inner, scope)?)),
        Node::If(parts) => {
            let [condition, yes, no] = parts.as_ref();
            if eval(condition, scope)?.as_bool() { eval(yes, scope) } else { eval(no, scope) }
        }
        Node::Case { subject, as_text, arms, otherwise } => {
            let subject = eval(subject, scope)?;
            for (key, value) in arms {
                if equal(&subject, &eval(key, scope)?, *as_text).as_bool() {
                    return eval(value, scope);
                }
            }
            eval(otherwise, scope)
        }
        Node::Equal { sides, as_text, negated } => {
            let (left, right) = both(sides, scope)?;
            let result = equal(&left, &right, *as_text);
            Ok(if *negated { not(&result) } else { result })
        }
        Node::Compare(operator, sides) => {
            let (left, right) = both(sides, scope)?;
            Ok(compare(*operator, &left, &right))
        }
        Node::Arithmetic(operator, sides) => {
            let (left, right) = both(sides, scope)?;
            arithmetic(*operator, &left, &right)
        }
        Node::Minus(inner) => {
            Ok(eval(inner, scope)?.as_decimal().map_or(FieldValue::Null, |it| FieldValue::decimal(-it)))
        }
        Node::Concat(sides) => {
            let (left, right) = both(sides, scope)?;
            Ok(FieldValue::text(format!("{}{}", text(&left), text(&right))))
        }
        Node::IsBlank(inner) => Ok(FieldValue::Bool(eval(inner, scope)?.is_null())),
        Node::BlankValue(sides) => {
            let [value, otherwise] = sides.as_ref();
            let value = eval(value, scope)?;
            if value.is_null() { eval(otherwise, scope) } else { Ok(value) }
        }
        Node::IsPickVal(inner, literal) => {
            Ok(FieldValue::Bool(text(&eval(inner, scope)?) == literal.as_str()))
        }
        Node::Includes(inner, literal) => {
            let chosen = eval(inner, scope)?;
            Ok(FieldValue::Bool(text(&chosen).split(';').any(|value| value == literal.as_str())))
        }
        Node::Function(function, arguments) => {
            let values = arguments.iter().map(|it| eval(it, scope)).collect::<Result<Vec<_>, _>>()?;
            functions::call(*function, &values, scope)
        }
    }
}

fn both(sides: &[Node; 2], scope: &dyn Scope) -> Result<(FieldValue, FieldValue), EvalError> {
    let [left, right] = sides;
    Ok((eval(left, scope)?, eval(right, scope)?))
}

/// `NOT` of null is null.
fn not(value: &FieldValue) -> FieldValue {
    match value {
        FieldValue::Bool(flag) => FieldValue::Bool(!flag),
        _ => FieldValue::Null,
    }
}

/// The text of a value; blank is the empty text.
pub(super) fn text(value: &FieldValue) -> &str {
    value.as_text().unwrap_or("")
}

/// `PRIORVALUE` gives the current value on insert.
fn prior(name: &str, scope: &dyn Scope) -> FieldValue {
    if scope.is_new() { scope.field(name) } else { scope.prior(name) }
}

/// Never on insert. An empty checkbox is an unchecked one; an empty number is no zero here.
fn is_changed(name: &str, kind: Type, scope: &dyn Scope) -> bool {
    if scope.is_new() {
        return false;
    }
    let (now, before) = (scope.field(name), scope.prior(name));
    if kind == Type::Bool { now.as_bool() != before.as_bool() } else { now != before }
}

/// A checkbox is never blank; a number may count as zero.
fn read(value: FieldValue, kind: Type, scope: &dyn Scope) -> FieldValue {
    match (value, kind) {
        (FieldValue::Null, Type::Bool) => FieldValue::Bool(false),
        (FieldValue::Null, Type::Number) if scope.blanks() == Blanks::AsZero => {
            FieldValue::Decimal(Decimal::ZERO)
        }
        (value, _) => value,
    }
}

/// `OR` for `wanted` true, `AND` for `wanted` false: stops at the first part that decides.
fn any(parts: &[Node], wanted: bool, scope: &dyn Scope) -> Value {
    for part in parts {
        if eval(part, scope)?.as_bool() == wanted {
            return Ok(FieldValue::Bool(wanted));
        }
    }
    Ok(FieldValue::Bool(!wanted))
}

fn equal(left: &FieldValue, right: &FieldValue, as_text: bool) -> FieldValue {
    if as_text {
        return FieldValue::Bool(text(left) == text(right));
    }
    if left.is_null() || right.is_null() {
        return FieldValue::Null;
    }
    FieldValue::Bool(left == right)
}

fn compare(operator: BinaryOp, left: &FieldValue, right: &FieldValue) -> FieldValue {
    if left.is_null() || right.is_null() {
        return FieldValue::Null;
    }
    let ordering = left.cmp(right);
    FieldValue::Bool(match operator {
        BinaryOp::Less => ordering == Ordering::Less,
        BinaryOp::LessOrEqual => ordering != Ordering::Greater,
        BinaryOp::Greater => ordering == Ordering::Greater,
        _ => ordering != Ordering::Less,
    })
}

fn arithmetic(operator: BinaryOp, left: &FieldValue, right: &FieldValue) -> Value {
    let signed = |days: &Decimal| if operator == BinaryOp::Subtract { -*days } else { *days };
    let result = match (left, right) {
        (FieldValue::Null, _) | (_, FieldValue::Null) => Some(FieldValue::Null),
        (FieldValue::Decimal(left), FieldValue::Decimal(right)) => match operator {
            BinaryOp::Add => left.checked_add(*right),
            BinaryOp::Subtract => left.checked_sub(*right),
            BinaryOp::Multiply => left.checked_mul(*right),
            _ => left.checked_div(*right),
        }
        .map(FieldValue::decimal),
        (FieldValue::Date(day), FieldValue::Decimal(days))
        | (FieldValue::Decimal(days), FieldValue::Date(day)) => signed(days)
            .trunc()
            .to_i64()
            .and_then(|days| Span::new().try_days(days).ok())
            .and_then(|span| day.checked_add(span).ok())
            .map(FieldValue::Date),
        (FieldValue::DateTime(moment), FieldValue::Decimal(days))
        | (FieldValue::Decimal(days), FieldValue::DateTime(moment)) => signed(days)
            .checked_mul(Decimal::from(DAY_SECONDS))
            .and_then(|seconds| seconds.round().to_i64())
            .and_then(|seconds| moment.checked_add(SignedDuration::from_secs(seconds)).ok())
            .map(FieldValue::DateTime),
        (FieldValue::Date(left), FieldValue::Date(right)) => {
            left.since(*right).ok().map(|span| FieldValue::decimal(Decimal::from(span.get_days())))
        }
        (FieldValue::DateTime(left), FieldValue::DateTime(right)) => {
            let seconds = left.duration_since(*right).as_secs();
            Decimal::from(seconds).checked_div(Decimal::from(DAY_SECONDS)).map(FieldValue::decimal)
        }
        _ => None,
    };
    result.ok_or(EvalError::Calculation)
}
