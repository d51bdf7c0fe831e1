//! Functions of values.

use jiff::tz::TimeZone;
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive as _};

use super::{
    Scope,
    ast::Function,
    eval::{EvalError, text},
};
use crate::domain::FieldValue;

/// Calls `function` with checked arguments.
pub(super) fn call(
    function: Function,
    arguments: &[FieldValue],
    scope: &dyn Scope,
) -> Result<FieldValue, EvalError> {
    let value = |index: usize| arguments.get(index).unwrap_or(&FieldValue::Null);
    let chars = |index: usize| text(value(index)).chars().collect::<Vec<char>>();
    let result = match function {
        Function::Begins => found(value(0), value(1), |text, part| text.starts_with(part)),
        Function::Contains => found(value(0), value(1), |text, part| text.contains(part)),
        Function::Len => FieldValue::decimal(Decimal::from(chars(0).len())),
        Function::Left => count(value(1)).map_or(FieldValue::Null, |count| part(&chars(0), 0, count)),
        Function::Right => count(value(1)).map_or(FieldValue::Null, |count| {
            let all = chars(0);
            part(&all, all.len().saturating_sub(count), count)
        }),
        Function::Mid => match (count(value(1)), count(value(2))) {
            (Some(start), Some(count)) => part(&chars(0), start.max(1) - 1, count),
            _ => FieldValue::Null,
        },
        Function::Upper => FieldValue::text(text(value(0)).to_uppercase()),
        Function::Lower => FieldValue::text(text(value(0)).to_lowercase()),
        Function::Trim => FieldValue::text(text(value(0)).trim()),
        Function::Text => FieldValue::text(to_text(value(0))),
        Function::Value => match text(value(0)).trim() {
            "" => FieldValue::Null,
            digits => {
                FieldValue::decimal(Decimal::from_str_exact(digits).map_err(|_| EvalError::Conversion)?)
            }
        },
        Function::Abs => value(0).as_decimal().map_or(FieldValue::Null, |it| FieldValue::decimal(it.abs())),
        Function::Max => extreme(arguments, Ord::max),
        Function::Min => extreme(arguments, Ord::min),
        Function::Round => match (value(0).as_decimal(), value(1).as_decimal().and_then(|it| it.to_u32())) {
            (Some(number), Some(places)) => {
                let half_up = RoundingStrategy::MidpointAwayFromZero;
                FieldValue::decimal(number.round_dp_with_strategy(places, half_up))
            }
            _ => FieldValue::Null,
        },
        Function::Substitute if text(value(1)).is_empty() => value(0).clone(),
        Function::Substitute => FieldValue::text(text(value(0)).replace(text(value(1)), text(value(2)))),
        Function::Today => FieldValue::Date(scope.today()),
        Function::Now => FieldValue::DateTime(scope.now()),
        Function::DateValue => match value(0) {
            FieldValue::DateTime(moment) => FieldValue::Date(moment.to_zoned(TimeZone::UTC).date()),
            FieldValue::Text(text) => FieldValue::Date(text.parse().map_err(|_| EvalError::Conversion)?),
            _ => FieldValue::Null,
        },
    };
    Ok(result)
}

/// `BEGINS` and `CONTAINS`: everything has the empty part, a blank text has no other: null.
fn found(whole: &FieldValue, part: &FieldValue, test: fn(&str, &str) -> bool) -> FieldValue {
    match (text(whole), text(part)) {
        (_, "") => FieldValue::Bool(true),
        ("", _) => FieldValue::Null,
        (whole, part) => FieldValue::Bool(test(whole, part)),
    }
}

/// The largest or smallest number; blank as soon as one of them is.
fn extreme(numbers: &[FieldValue], choose: fn(Decimal, Decimal) -> Decimal) -> FieldValue {
    let all: Option<Vec<Decimal>> = numbers.iter().map(FieldValue::as_decimal).collect();
    all.and_then(|all| all.into_iter().reduce(choose)).map_or(FieldValue::Null, FieldValue::decimal)
}

/// A number of characters; negative counts as none.
fn count(value: &FieldValue) -> Option<usize> {
    let number = value.as_decimal()?.trunc();
    Some(if number.is_sign_negative() { 0 } else { number.to_usize().unwrap_or(usize::MAX) })
}

fn part(all: &[char], start: usize, count: usize) -> FieldValue {
    FieldValue::text(all.iter().skip(start).take(count).collect::<String>())
}

fn to_text(value: &FieldValue) -> String {
    match value {
        FieldValue::Null => String::new(),
        FieldValue::Text(text) => text.clone(),
        FieldValue::Decimal(number) => number.normalize().to_string(),
        FieldValue::Date(day) => day.to_string(),
        FieldValue::DateTime(moment) => moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        FieldValue::Bool(flag) => flag.to_string(),
    }
}
