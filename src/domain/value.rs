//! The value of one field, with decimals instead of floats.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schema::FieldType;

/// A typed field value. Its JSON form (`{"type": .., "value": text}`) is canonical:
/// equal values have equal bytes, whatever number format they arrived in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum FieldValue {
    /// No value. Salesforce stores an empty text as this too.
    #[default]
    Null,
    /// Text, picklist and reference values.
    Text(String),
    /// Numbers, currencies and percents, without trailing zeros.
    Decimal(Decimal),
    /// A calendar day.
    Date(Date),
    /// A moment; Salesforce keeps whole seconds.
    DateTime(Timestamp),
    /// A checkbox.
    Bool(bool),
}

/// A JSON value that does not fit the field's type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct ValueError {
    /// What the field takes, in words.
    pub expected: &'static str,
    /// What was given, shortened.
    pub found: String,
}

impl FieldValue {
    /// A text value; the empty text is null, as in Salesforce.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Null } else { Self::Text(text) }
    }

    /// A decimal value in its shortest form.
    pub fn decimal(number: Decimal) -> Self {
        Self::Decimal(number.normalize())
    }

    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether the org keeps both as the same value: it has whole seconds, and cuts off blanks at the ends of
    /// a text.
    pub fn is_kept_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one.trim() == other.trim(),
            (Self::DateTime(one), Self::DateTime(other)) => one.as_second() == other.as_second(),
            (Self::Text(blank), Self::Null) | (Self::Null, Self::Text(blank)) => blank.trim().is_empty(),
            _ => self == other,
        }
    }

    /// The text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when it is one.
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Decimal(number) => Some(*number),
            _ => None,
        }
    }

    /// The checkbox; null is unchecked.
    pub fn as_bool(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// The moment, when it is one.
    pub fn as_timestamp(&self) -> Option<Timestamp> {
        match self {
            Self::DateTime(moment) => Some(*moment),
            _ => None,
        }
    }

    /// Reads the JSON form that REST and proposals use, for a field of type `kind`.
    /// Numbers keep all their digits (JSON numbers are not read as floats).
    pub fn from_json(json: &Value, kind: &FieldType) -> Result<Self, ValueError> {
        let wrong = |expected| ValueError { expected, found: shorten(json) };
        match (kind, json) {
            (_, Value::Null) => Ok(Self::Null),
            (
                FieldType::Text { .. } | FieldType::LongText { .. } | FieldType::Reference,
                Value::String(text),
            ) => Ok(Self::text(text.clone())),
            (FieldType::Picklist { .. } | FieldType::MultiPicklist { .. }, Value::String(text)) => {
                Ok(Self::text(text.clone()))
            }
            (FieldType::Decimal { .. }, Value::Number(number)) => {
                parse_decimal(&number.to_string()).ok_or_else(|| wrong("a number"))
            }
            (FieldType::Decimal { .. }, Value::String(text)) => {
                parse_decimal(text).ok_or_else(|| wrong("a number"))
            }
            (FieldType::Date, Value::String(text)) => {
                text.parse().map(Self::Date).map_err(|_| wrong("a date as YYYY-MM-DD"))
            }
            (FieldType::DateTime, Value::String(text)) => {
                parse_moment(text).map(Self::DateTime).ok_or_else(|| wrong("a date-time with offset"))
            }
            (FieldType::Bool, Value::Bool(flag)) => Ok(Self::Bool(*flag)),
            (FieldType::Decimal { .. }, _) => Err(wrong("a number")),
            (FieldType::Date, _) => Err(wrong("a date as YYYY-MM-DD")),
            (FieldType::DateTime, _) => Err(wrong("a date-time with offset")),
            (FieldType::Bool, _) => Err(wrong("true or false")),
            _ => Err(wrong("a text")),
        }
    }

    /// The JSON form that Salesforce's REST API takes and gives.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::String(text.clone()),
            Self::Decimal(number) => number_json(*number),
            Self::Date(day) => Value::String(day.to_string()),
            Self::DateTime(moment) => Value::String(moment_text(*moment)),
            Self::Bool(flag) => Value::Bool(*flag),
        }
    }
}

/// The value for people; null prints as `(empty)`.
impl fmt::Display for FieldValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("(empty)"),
            Self::Text(text) => out.write_str(text),
            Self::Decimal(number) => write!(out, "{number}"),
            Self::Date(day) => write!(out, "{day}"),
            Self::DateTime(moment) => out.write_str(&moment_text(*moment)),
            Self::Bool(flag) => write!(out, "{flag}"),
        }
    }
}

/// `2026-05-01T07:25:37.000+0000`, as every Salesforce reply prints it.
pub fn moment_text(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

/// Reads RFC 3339 and Salesforce's form with an offset without colon.
pub fn parse_moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
}

fn parse_decimal(text: &str) -> Option<FieldValue> {
    let number = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()?;
    Some(FieldValue::decimal(number))
}

fn number_json(number: Decimal) -> Value {
    let text = number.normalize().to_string();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn shorten(json: &Value) -> String {
    let text = json.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONEY: FieldType = FieldType::Decimal { precision: 18, scale: 2 };

    #[test]
    fn numbers_keep_every_digit() {
        let json: Value = serde_json::from_str("1234567890123456.78").unwrap();
        let value = FieldValue::from_json(&json, &MONEY).unwrap();
        assert_eq!(value.to_json().to_string(), "1234567890123456.78");
    }

    #[test]
    fn equal_numbers_have_equal_bytes() {
        let read = |text: &str| FieldValue::from_json(&serde_json::from_str(text).unwrap(), &MONEY).unwrap();
        assert_eq!(read("15000"), read("15000.00"));
        assert_eq!(
            serde_json::to_string(&read("1.5e4")).unwrap(),
            serde_json::to_string(&read("15000")).unwrap()
        );
    }

    #[test]
    fn moments_read_both_forms() {
        let salesforce = parse_moment("2026-05-01T07:25:37.000+0000").unwrap();
        assert_eq!(Some(salesforce), parse_moment("2026-05-01T07:25:37Z"));
        assert_eq!(moment_text(salesforce), "2026-05-01T07:25:37.000+0000");
    }

    #[test]
    fn the_org_keeps_whole_seconds_and_no_blanks_at_the_ends() {
        let text = |text: &str| FieldValue::Text(text.to_owned());
        let moment = |text: &str| FieldValue::DateTime(text.parse().unwrap());
        let number = |text: &str| FieldValue::decimal(text.parse().unwrap());
        for (one, other, same) in [
            (text(" call on Monday "), text("call on Monday"), true),
            (text("call on Monday"), text("call  on Monday"), false),
            (text(" "), FieldValue::Null, true),
            (text("x"), FieldValue::Null, false),
            (moment("2026-05-01T07:25:37.4Z"), moment("2026-05-01T07:25:37Z"), true),
            (moment("2026-05-01T07:25:37Z"), moment("2026-05-01T07:25:38Z"), false),
            (number("15000"), number("15000.00"), true),
            (number("15000"), number("15000.01"), false),
            (number("1"), text("1"), false),
            (FieldValue::Null, FieldValue::Null, true),
            (FieldValue::Bool(false), FieldValue::Null, false),
        ] {
            assert_eq!((one.is_kept_as(&other), other.is_kept_as(&one)), (same, same), "{one:?} {other:?}");
        }
    }

    #[test]
    fn wrong_types_say_what_was_expected() {
        let error = FieldValue::from_json(&Value::String("soon".into()), &FieldType::Date).unwrap_err();
        assert_eq!(error.expected, "a date as YYYY-MM-DD");
    }

    /// Each kind of field with a JSON value of it and its form for people.
    fn kinds() -> Vec<(FieldType, Value, &'static str)> {
        use serde_json::json;
        let text = |text: &str| json!(text);
        let values = || vec!["Hot".to_owned()];
        vec![
            (FieldType::Text { length: 9 }, text("call"), "call"),
            (FieldType::LongText { length: 9 }, text("call"), "call"),
            (FieldType::Reference, text("005Dp0000000002IAA"), "005Dp0000000002IAA"),
            (FieldType::Picklist { values: values(), restricted: true }, text("Hot"), "Hot"),
            (FieldType::MultiPicklist { values: values() }, text("Hot"), "Hot"),
            (MONEY, serde_json::from_str("12.5").unwrap(), "12.5"),
            (FieldType::Date, text("2026-05-01"), "2026-05-01"),
            (FieldType::DateTime, text("2026-05-01T07:25:37.000+0000"), "2026-05-01T07:25:37.000+0000"),
            (FieldType::Bool, json!(true), "true"),
        ]
    }

    #[test]
    fn each_kind_is_read_shown_and_written_back() {
        for (kind, json, shown) in kinds() {
            let value = FieldValue::from_json(&json, &kind).unwrap();
            assert_eq!((value.to_json(), value.to_string().as_str()), (json, shown), "{kind:?}");
            assert_eq!(FieldValue::from_json(&Value::Null, &kind), Ok(FieldValue::Null));
        }
        assert_eq!(
            (FieldValue::Null.to_json(), FieldValue::Null.to_string()),
            (Value::Null, "(empty)".into())
        );
        assert_eq!(
            FieldValue::from_json(&Value::String("12.50".into()), &MONEY),
            Ok(FieldValue::decimal("12.5".parse().unwrap()))
        );
    }

    #[test]
    fn what_is_of_another_kind_is_refused_with_what_was_expected() {
        let list = Value::Array(Vec::new());
        for (kind, own, _) in kinds() {
            let expected = match kind {
                FieldType::Decimal { .. } => "a number",
                FieldType::Date => "a date as YYYY-MM-DD",
                FieldType::DateTime => "a date-time with offset",
                FieldType::Bool => "true or false",
                _ => "a text",
            };
            let other = if own.is_string() { Value::Bool(true) } else { Value::String("soon".into()) };
            for wrong in [&list, &other] {
                let error = FieldValue::from_json(wrong, &kind).unwrap_err();
                assert_eq!((error.expected, error.found), (expected, wrong.to_string()), "{kind:?}");
            }
        }
        let long = FieldValue::from_json(&Value::String("ä".repeat(70)), &FieldType::Date).unwrap_err();
        assert_eq!(long.found, format!("\"{}…", "ä".repeat(59)));
    }

    #[test]
    fn only_its_own_kind_is_taken_out_of_a_value() {
        let moment = Timestamp::from_second(9).unwrap();
        let all = [
            FieldValue::text(""),
            FieldValue::text("a"),
            FieldValue::decimal(Decimal::TWO),
            FieldValue::DateTime(moment),
            FieldValue::Bool(true),
            FieldValue::Bool(false),
        ];
        assert_eq!(all.each_ref().map(FieldValue::is_null), [true, false, false, false, false, false]);
        assert_eq!(all.each_ref().map(FieldValue::as_bool), [false, false, false, false, true, false]);
        let taken = |value: &FieldValue| {
            (value.as_text().is_some(), value.as_decimal().is_some(), value.as_timestamp().is_some())
        };
        assert_eq!(
            all.each_ref().map(taken),
            [
                (false, false, false),
                (true, false, false),
                (false, true, false),
                (false, false, true),
                (false, false, false),
                (false, false, false)
            ]
        );
        assert_eq!(
            (all[1].as_text(), all[2].as_decimal(), all[3].as_timestamp()),
            (Some("a"), Some(Decimal::TWO), Some(moment))
        );
    }
}
