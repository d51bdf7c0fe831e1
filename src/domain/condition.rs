//! Conditions of policies: typed, declarative, and total.
//!
//! A test about a value that could not be read, or that is of another type, is neither true nor
//! false. Whoever asks decides what that means; in the gate it always refuses. An empty value is
//! no such case: it is blank, and no other test holds for it.

use std::fmt;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{ids::FieldName, record::RecordSnapshot, value::FieldValue};

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not.
    No,
    /// Nobody can say.
    Unknown,
    /// It does.
    Yes,
}

impl Truth {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

/// A condition on one record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Every one holds; true when there is none.
    All(Vec<Condition>),
    /// At least one holds; false when there is none.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// One field's value.
    Test(Test),
}

/// A test of one field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// API name of a governed field, `Name` or `OwnerId`.
    pub field: FieldName,
    /// What its value must be.
    pub operator: Operator,
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// A text that is one of these, letter by letter.
    IsAnyOf(Vec<String>),
    /// Blank, or not.
    IsBlank(bool),
    /// A number greater than this.
    Above(Decimal),
    /// A number less than this.
    Below(Decimal),
    /// A day before this one.
    Before(Date),
    /// A day after this one.
    After(Date),
    /// A day from today to this many days later; UTC.
    WithinDays(Decimal),
}

impl Condition {
    /// Whether it holds for the record.
    pub fn holds(&self, record: &RecordSnapshot, now: Timestamp) -> Truth {
        match self {
            Self::All(parts) => parts.iter().map(|part| part.holds(record, now)).min().unwrap_or(Truth::Yes),
            Self::Any(parts) => parts.iter().map(|part| part.holds(record, now)).max().unwrap_or(Truth::No),
            Self::Not(part) => part.holds(record, now).negated(),
            Self::Test(test) => test.holds(record, now),
        }
    }

    /// The fields that it names.
    pub fn fields(&self) -> Vec<&FieldName> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::fields).collect(),
            Self::Not(part) => part.fields(),
            Self::Test(test) => vec![&test.field],
        }
    }
}

impl Test {
    fn holds(&self, record: &RecordSnapshot, now: Timestamp) -> Truth {
        let Some(value) = value_of(record, &self.field) else { return Truth::Unknown };
        match (&self.operator, &value) {
            (Operator::IsBlank(wanted), value) => Truth::of(value.is_null() == *wanted),
            (_, FieldValue::Null) => Truth::No,
            (Operator::IsAnyOf(known), FieldValue::Text(text)) => Truth::of(known.contains(text)),
            (Operator::Above(limit), FieldValue::Decimal(number)) => Truth::of(number > limit),
            (Operator::Below(limit), FieldValue::Decimal(number)) => Truth::of(number < limit),
            (operator, value) => day_of(value).map_or(Truth::Unknown, |day| operator.of_day(day, now)),
        }
    }
}

impl Operator {
    fn of_day(&self, day: Date, now: Timestamp) -> Truth {
        match self {
            Self::Before(limit) => Truth::of(day < *limit),
            Self::After(limit) => Truth::of(day > *limit),
            Self::WithinDays(days) => {
                let today = now.to_zoned(TimeZone::UTC).date();
                let ahead = today.until(day).map(|span| Decimal::from(span.get_days()));
                ahead.map_or(Truth::Unknown, |ahead| Truth::of(ahead >= Decimal::ZERO && ahead <= *days))
            }
            _ => Truth::Unknown,
        }
    }
}

fn value_of(record: &RecordSnapshot, field: &FieldName) -> Option<FieldValue> {
    record.value(field).cloned().or_else(|| match field.as_str() {
        "Name" => record.name.clone().map(FieldValue::text),
        "OwnerId" => record.owner.as_ref().map(|owner| FieldValue::text(owner.as_str())),
        _ => None,
    })
}

fn day_of(value: &FieldValue) -> Option<Date> {
    match value {
        FieldValue::Date(day) => Some(*day),
        FieldValue::DateTime(moment) => Some(moment.to_zoned(TimeZone::UTC).date()),
        _ => None,
    }
}

/// The condition for people.
impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |parts: &[Self], word: &str| {
            parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(word)
        };
        match self {
            Self::All(parts) => out.write_str(&join(parts, " and ")),
            Self::Any(parts) => out.write_str(&join(parts, " or ")),
            Self::Not(part) => write!(out, "not ({part})"),
            Self::Test(Test { field, operator }) => write!(out, "{field} {operator}"),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsAnyOf(known) => write!(out, "is one of: {}", known.join(", ")),
            Self::IsBlank(true) => out.write_str("is blank"),
            Self::IsBlank(false) => out.write_str("is not blank"),
            Self::Above(limit) => write!(out, "is above {limit}"),
            Self::Below(limit) => write!(out, "is below {limit}"),
            Self::Before(day) => write!(out, "is before {day}"),
            Self::After(day) => write!(out, "is after {day}"),
            Self::WithinDays(days) => write!(out, "is within {days} days from today"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{ObjectName, RecordId, RecordState};

    fn record(fields: &[(&str, FieldValue)]) -> RecordSnapshot {
        let name = |name: &str| FieldName::parse(name).unwrap();
        RecordSnapshot {
            record_type: None,
            object: ObjectName::parse("Opportunity").unwrap(),
            record: RecordId::parse("006Cs0000000001IAA").unwrap(),
            state: RecordState::Live,
            name: Some("Example Widgets Ltd".into()),
            owner: None,
            fields: fields
                .iter()
                .map(|(field, value)| (name(field), value.clone()))
                .collect::<BTreeMap<_, _>>(),
            promotion_seq: 0,
            last_promotion: None,
            hold: None,
            modified_at: Timestamp::UNIX_EPOCH,
            modified_by: None,
        }
    }

    fn test(field: &str, operator: Operator) -> Condition {
        Condition::Test(Test { field: FieldName::parse(field).unwrap(), operator })
    }

    fn asked(condition: &Condition) -> Truth {
        let deal = record(&[
            ("Amount", FieldValue::Decimal(Decimal::from(100))),
            ("CloseDate", FieldValue::Date("2026-03-31".parse().unwrap())),
            ("StageName", FieldValue::text("Prospecting")),
            ("NextStep", FieldValue::Null),
            ("SeenAt", FieldValue::DateTime("2026-03-02T00:00:00Z".parse().unwrap())),
            ("LastDate", FieldValue::Date("2026-03-01".parse().unwrap())),
        ]);
        condition.holds(&deal, "2026-03-02T23:59:00Z".parse().unwrap())
    }

    #[test]
    fn values_are_compared_by_their_type() {
        let stages = |stage: &str| Operator::IsAnyOf(vec!["Closed Won".into(), stage.into()]);
        let day = |text: &str| text.parse::<Date>().unwrap();
        for (condition, expected) in [
            (test("StageName", stages("Prospecting")), Truth::Yes),
            (test("StageName", stages("prospecting")), Truth::No),
            (test("Amount", Operator::Above(99.into())), Truth::Yes),
            (test("Amount", Operator::Above(100.into())), Truth::No),
            (test("Amount", Operator::Below(101.into())), Truth::Yes),
            (test("Amount", Operator::Below(100.into())), Truth::No),
            (test("CloseDate", Operator::Before(day("2026-04-01"))), Truth::Yes),
            (test("CloseDate", Operator::Before(day("2026-03-31"))), Truth::No),
            (test("CloseDate", Operator::After(day("2026-03-31"))), Truth::No),
            (test("CloseDate", Operator::After(day("2026-03-30"))), Truth::Yes),
            (test("CloseDate", Operator::WithinDays(29.into())), Truth::Yes),
            (test("CloseDate", Operator::WithinDays(28.into())), Truth::No),
            (test("SeenAt", Operator::WithinDays(0.into())), Truth::Yes),
            (test("SeenAt", Operator::Before(day("2026-03-03"))), Truth::Yes),
            (test("LastDate", Operator::WithinDays(9.into())), Truth::No),
            (test("CloseDate", Operator::Above(1.into())), Truth::Unknown),
            (test("NextStep", Operator::IsBlank(true)), Truth::Yes),
            (test("NextStep", Operator::IsBlank(false)), Truth::No),
            (test("NextStep", Operator::Above(1.into())), Truth::No),
            (test("Name", Operator::IsBlank(false)), Truth::Yes),
            (test("Amount", stages("100")), Truth::Unknown),
            (test("StageName", Operator::Above(1.into())), Truth::Unknown),
            (test("Probability", Operator::Above(1.into())), Truth::Unknown),
            (test("OwnerId", Operator::IsBlank(false)), Truth::Unknown),
        ] {
            assert_eq!(asked(&condition), expected, "{condition}");
        }
    }

    #[test]
    fn what_is_not_known_stays_so_unless_the_rest_decides() {
        let (yes, no) =
            (test("Amount", Operator::Above(1.into())), test("Amount", Operator::Below(1.into())));
        let unknown = test("Probability", Operator::IsBlank(true));
        for (condition, expected) in [
            (Condition::All(vec![yes.clone(), unknown.clone()]), Truth::Unknown),
            (Condition::All(vec![no.clone(), unknown.clone()]), Truth::No),
            (Condition::Any(vec![yes.clone(), unknown.clone()]), Truth::Yes),
            (Condition::Any(vec![no.clone(), unknown.clone()]), Truth::Unknown),
            (Condition::Not(Box::new(unknown)), Truth::Unknown),
            (Condition::Not(Box::new(no)), Truth::Yes),
            (Condition::All(vec![]), Truth::Yes),
            (Condition::Any(vec![]), Truth::No),
        ] {
            assert_eq!(asked(&condition), expected, "{condition}");
        }
    }

    #[test]
    fn a_condition_is_told_in_words_with_the_fields_that_it_names() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let condition = Condition::All(vec![
            Condition::Any(vec![
                test("StageName", Operator::IsAnyOf(vec!["Won".into(), "Lost".into()])),
                test("Amount", Operator::Above(9.into())),
                test("Amount", Operator::Below(5.into())),
            ]),
            Condition::Not(Box::new(test("NextStep", Operator::IsBlank(true)))),
            test("OwnerId", Operator::IsBlank(false)),
            test("CloseDate", Operator::Before(day("2026-04-01"))),
            test("CloseDate", Operator::After(day("2026-03-01"))),
            test("CloseDate", Operator::WithinDays(7.into())),
        ]);
        assert_eq!(
            condition.to_string(),
            "((StageName is one of: Won, Lost) or (Amount is above 9) or (Amount is below 5)) and \
             (not (NextStep is blank)) and (OwnerId is not blank) and (CloseDate is before 2026-04-01) and \
             (CloseDate is after 2026-03-01) and (CloseDate is within 7 days from today)"
        );
        let fields: Vec<&str> = condition.fields().into_iter().map(FieldName::as_str).collect();
        assert_eq!(
            fields,
            ["StageName", "Amount", "Amount", "NextStep", "OwnerId", "CloseDate", "CloseDate", "CloseDate"]
        );
    }

    #[test]
    fn the_owner_and_the_name_are_asked_of_the_record_itself() {
        let owned = RecordSnapshot { owner: RecordId::parse("005Cs0000000003IAA").ok(), ..record(&[]) };
        let asked = |field: &str, text: &str| {
            test(field, Operator::IsAnyOf(vec![text.into()])).holds(&owned, Timestamp::UNIX_EPOCH)
        };
        assert_eq!(asked("OwnerId", "005Cs0000000003IAA"), Truth::Yes);
        assert_eq!(asked("Name", "Example Widgets Ltd"), Truth::Yes);
        assert_eq!(asked("Title", "Example Widgets Ltd"), Truth::Unknown);
    }
}
