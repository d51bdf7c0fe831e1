//! Is the change of a size that passes as usual?
//!
//! # Refuses
//! - `change-too-large`: the change is larger than the policy lets through at all.
//! - `change-needs-person`: the change is so large that a person must look.
//!
//! # Why
//! A wrong digit in an amount and a date that slips by a year look like any other proposal.
//! Size is what tells them apart. A change that cannot be measured, because the field is
//! empty or was zero, counts as too large.
//!
//! # Evidence used
//! The record's present value and the proposed one.
//!
//! # How to fix
//! - `change-too-large`: propose a smaller step, or change the record by hand.
//! - `change-needs-person`: have a person decide.
//!
//! # Setting
//! `[[fields.NAME.limits]]` in `config/policies/*.toml`.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::{
    domain::{
        FieldValue,
        policy::{Consequence, Measure, Path},
    },
    gate::{
        checks::approval::is_approved,
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Measures each change that has limits.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    for (field, rules, after) in input.governed() {
        let before = input.record.value(field).unwrap_or(&FieldValue::Null);
        if before == after {
            continue;
        }
        for limit in &rules.limits {
            let size = size(limit.measure, before, after);
            if size.is_some_and(|size| size <= limit.above) {
                continue;
            }
            let found = size.map_or("cannot be measured".to_owned(), |size| size.normalize().to_string());
            let measure = limit.measure.name();
            let message = format!(
                "{field} goes from {before} to {after}: {measure} {found}, and {} passes as usual",
                limit.above
            );
            let smaller = format!("a {measure} of at most {}", limit.above);
            // Where nobody may approve, asking for a person would never end.
            if limit.then == Consequence::Block || rules.path == Path::BlockAndAlert {
                findings.add_field(FindingCode::ChangeTooLarge, field, message, smaller);
            } else if !is_approved(input) {
                let would_change = format!("{smaller}, or a person's approval");
                findings.add_field(FindingCode::ChangeNeedsPerson, field, message, would_change);
            }
        }
    }
}

/// How large the change is; `None` when that cannot be said.
fn size(measure: Measure, before: &FieldValue, after: &FieldValue) -> Option<Decimal> {
    if measure.is_of_days() {
        let days = days(day(before)?, day(after)?)?;
        return Some(if measure == Measure::DaysLater { days } else { -days });
    }
    let (before, after) = (before.as_decimal()?, after.as_decimal()?);
    let rise = after.checked_sub(before)?;
    match measure {
        Measure::Rise => Some(rise),
        Measure::Fall => Some(-rise),
        Measure::Change => Some(rise.abs()),
        Measure::ChangePercent => rise.abs().checked_mul(Decimal::ONE_HUNDRED)?.checked_div(before.abs()),
        Measure::DaysLater | Measure::DaysEarlier => None,
    }
}

fn day(value: &FieldValue) -> Option<Date> {
    match value {
        FieldValue::Date(day) => Some(*day),
        _ => None,
    }
}

fn days(before: Date, after: Date) -> Option<Decimal> {
    before.until(after).ok().map(|span| Decimal::from(span.get_days()))
}
