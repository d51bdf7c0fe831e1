//! The second gate on conditions, which are true, false, or nobody can say.

use jiff::{civil::Date, tz::TimeZone};
use rust_decimal::Decimal;

use super::Naive;
use crate::domain::{Condition, FieldValue, condition::Operator};

impl Naive<'_> {
    /// `None` where nobody can say.
    pub(super) fn holds(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Not(part) => self.holds(part).map(|holds| !holds),
            Condition::All(parts) => {
                let all: Vec<Option<bool>> = parts.iter().map(|part| self.holds(part)).collect();
                if all.contains(&Some(false)) {
                    Some(false)
                } else {
                    all.iter().all(Option::is_some).then_some(true)
                }
            }
            Condition::Any(parts) => {
                let all: Vec<Option<bool>> = parts.iter().map(|part| self.holds(part)).collect();
                if all.contains(&Some(true)) {
                    Some(true)
                } else {
                    all.iter().all(Option::is_some).then_some(false)
                }
            }
            Condition::Test(test) => {
                let record = &self.it.record;
                let value = match record.fields.get(&test.field) {
                    Some(value) => value.clone(),
                    None if test.field.as_str() == "Name" => FieldValue::Text(record.name.clone()?),
                    None => return None,
                };
                match (&test.operator, &value) {
                    (Operator::IsBlank(blank), _) => Some((value == FieldValue::Null) == *blank),
                    (_, FieldValue::Null) => Some(false),
                    (Operator::IsAnyOf(known), FieldValue::Text(text)) => Some(known.contains(text)),
                    (Operator::Above(limit), FieldValue::Decimal(number)) => Some(number > limit),
                    (Operator::Below(limit), FieldValue::Decimal(number)) => Some(number < limit),
                    (Operator::WithinDays(days), FieldValue::Date(day)) => self.within(*day, *days),
                    (Operator::WithinDays(days), FieldValue::DateTime(at)) => {
                        self.within(at.to_zoned(TimeZone::UTC).date(), *days)
                    }
                    _ => None,
                }
            }
        }
    }

    fn within(&self, day: Date, days: Decimal) -> Option<bool> {
        let today = self.it.now.to_zoned(TimeZone::UTC).date();
        let ahead = Decimal::from((day - today).get_days());
        Some(ahead >= Decimal::ZERO && ahead <= days)
    }
}
