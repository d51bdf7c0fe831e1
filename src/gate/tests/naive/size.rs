//! How large a change is, measured plainly.

use rust_decimal::Decimal;

use crate::domain::{FieldValue, policy::Measure};

/// `None` where it cannot be measured.
pub(super) fn size(measure: Measure, now: &FieldValue, after: &FieldValue) -> Option<Decimal> {
    match (measure, now, after) {
        (Measure::DaysLater, FieldValue::Date(now), FieldValue::Date(after)) => {
            Some((*after - *now).get_days().into())
        }
        (Measure::DaysEarlier, FieldValue::Date(now), FieldValue::Date(after)) => {
            Some((*now - *after).get_days().into())
        }
        (Measure::Rise, FieldValue::Decimal(now), FieldValue::Decimal(after)) => after.checked_sub(*now),
        (Measure::Fall, FieldValue::Decimal(now), FieldValue::Decimal(after)) => now.checked_sub(*after),
        (Measure::Change, FieldValue::Decimal(now), FieldValue::Decimal(after)) => {
            Some(after.checked_sub(*now)?.abs())
        }
        (Measure::ChangePercent, FieldValue::Decimal(now), FieldValue::Decimal(after)) => {
            let change = after.checked_sub(*now)?.abs();
            change.checked_mul(100.into())?.checked_div(now.abs())
        }
        _ => None,
    }
}
