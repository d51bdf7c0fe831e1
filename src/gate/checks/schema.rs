//! Can the org hold the value?
//!
//! # Refuses
//! - `object-not-described`: the org did not describe the object.
//! - `field-not-in-org`: the org has no such field, or hides it from the promoter.
//! - `field-not-updateable`: the promoter may not write the field.
//! - `value-required`: the field may not be emptied.
//! - `value-wrong-type`: the value does not fit the field's type.
//! - `value-too-long`: the text is longer than the field.
//! - `value-untrimmed`: the text starts or ends with white space.
//! - `number-too-large`: the number has more digits before the point than the field.
//! - `number-too-precise`: the number has more digits after the point than the field.
//! - `date-out-of-range`: the date is before 1700 or after 4000.
//! - `picklist-value-unknown`: the value is not one of the org's active values.
//! - `picklist-value-not-in-record-type`: the org has the value, and the record's type does not offer it.
//!
//! # Why
//! Salesforce takes any text for an unrestricted picklist such as Status, rounds numbers
//! and cuts white space. A wrong value in a report is worse than none, and a value that is
//! stored in another form than the approved one is not the approved one.
//!
//! # Evidence used
//! The org's description of the object for the promoter: types, limits, active values,
//! permissions, and what each record type offers; the type of the record.
//!
//! # How to fix
//! - `object-not-described`: give the promoter read access to the object; `countersign
//!   doctor` says what is missing.
//! - `field-not-in-org`: correct the field's name, or give the promoter access to it.
//! - `field-not-updateable`: give the promoter edit access; formula fields cannot be written.
//! - `value-required`: propose a value.
//! - `value-wrong-type`: send the form that the finding names.
//! - `value-too-long`: shorten the text to the length that the finding names.
//! - `value-untrimmed`: cut the white space at both ends.
//! - `number-too-large`: send a number within the field's digits.
//! - `number-too-precise`: round to the digits that the finding names.
//! - `date-out-of-range`: check the year.
//! - `picklist-value-unknown`: use one of the values that the finding lists, spelled exactly so.
//! - `picklist-value-not-in-record-type`: use one of the values that the finding lists, or have the
//!   value added to the record type in Setup.
//!
//! # Setting
//! None here: the org's own setup is the setting.

use jiff::{civil::Date, tz::TimeZone};
use rust_decimal::Decimal;

use crate::{
    domain::{FieldName, FieldSchema, FieldType, FieldValue, ObjectSchema, RecordId},
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// What is wrong with a value: code, message, what would have changed it.
pub type Problem = (FindingCode, String, String);

/// Refuses what the org cannot hold as proposed.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let object = &input.proposal.object;
    let Some(schema) = input.schema.filter(|schema| schema.object == *object) else {
        findings.add(
            FindingCode::ObjectNotDescribed,
            format!("the org did not describe {object} to the promoter"),
            format!("access to {object} for the promoter"),
        );
        return;
    };
    for (field, value) in &input.proposal.patch {
        let problem = match schema.fields.get(field) {
            None => Some((
                FindingCode::FieldNotInOrg,
                format!("{object}.{field} does not exist, or the promoter cannot see it"),
                "a field that exists and that the promoter can see".to_owned(),
            )),
            Some(facts) => {
                value_problem(field, facts, value).or_else(|| type_problem(input, schema, (field, value)))
            }
        };
        if let Some((code, message, would_change)) = problem {
            findings.add_field(code, field, message, would_change);
        }
    }
}

/// What the record's own type does not offer. Types that could not be read narrow nothing.
fn type_problem(
    input: &Input<'_>,
    schema: &ObjectSchema,
    (field, value): (&FieldName, &FieldValue),
) -> Option<Problem> {
    let id = input.record.record_type.as_ref().filter(|_| !input.makes())?;
    let own = schema.record_types.get(id)?;
    let values = own.values.get(field)?;
    let several = matches!(schema.fields.get(field)?.field_type, FieldType::MultiPicklist { .. });
    let text = value.as_text()?;
    let parts: Vec<&str> = if several { text.split(';').collect() } else { vec![text] };
    let missing = parts.into_iter().find(|part| !values.iter().any(|value| value == part))?;
    let allowed = if values.is_empty() { "nothing".to_owned() } else { values.join(", ") };
    Some((
        FindingCode::PicklistValueNotInRecordType,
        format!(
            "\"{missing}\" is no value of {field} for the record type \"{}\"; allowed: {allowed}",
            own.name
        ),
        format!("one of: {allowed}"),
    ))
}

/// What keeps the org from holding `value` in a field; `None` when nothing does.
pub fn value_problem(field: &FieldName, facts: &FieldSchema, value: &FieldValue) -> Option<Problem> {
    if !facts.updateable {
        return Some((
            FindingCode::FieldNotUpdateable,
            format!("the promoter may not write {field}"),
            format!("edit access to {field} for the promoter"),
        ));
    }
    if value.is_null() {
        return (!facts.nillable).then(|| {
            (FindingCode::ValueRequired, format!("{field} may not be empty"), "a value".to_owned())
        });
    }
    match (&facts.field_type, value) {
        (FieldType::Text { length } | FieldType::LongText { length }, FieldValue::Text(text)) => {
            text_problem(field, text, *length)
        }
        (FieldType::Picklist { values, .. }, FieldValue::Text(text)) => {
            (!values.contains(text)).then(|| picklist_problem(field, text, values))
        }
        (FieldType::MultiPicklist { values }, FieldValue::Text(text)) => text
            .split(';')
            .find(|part| !values.iter().any(|value| value == part))
            .map(|part| picklist_problem(field, part, values)),
        (FieldType::Decimal { precision, scale }, FieldValue::Decimal(number)) => {
            number_problem(field, *number, *precision, *scale)
        }
        (FieldType::Date, FieldValue::Date(day)) => date_problem(field, *day),
        (FieldType::DateTime, FieldValue::DateTime(moment)) => {
            date_problem(field, moment.to_zoned(TimeZone::UTC).date())
        }
        (FieldType::Bool, FieldValue::Bool(_)) => None,
        (FieldType::Reference, FieldValue::Text(text)) if RecordId::parse(text).is_ok() => None,
        (expected, _) => Some((
            FindingCode::ValueWrongType,
            format!("{field} takes {}, and the value is \"{value}\"", kind(expected)),
            kind(expected).to_owned(),
        )),
    }
}

fn text_problem(field: &FieldName, text: &str, length: u32) -> Option<Problem> {
    // UTF-16 units: whether Salesforce counts those or characters is unconfirmed, and this
    // is the stricter of the two.
    let units = text.encode_utf16().count();
    if u32::try_from(units).map_or(true, |units| units > length) {
        return Some((
            FindingCode::ValueTooLong,
            format!("{field} takes at most {length} characters, and the text has {units}"),
            format!("at most {length} characters"),
        ));
    }
    // That Salesforce cuts white space at both ends of a text is unconfirmed for the API;
    // refusing it is safe either way, because the compare-and-set needs the stored form.
    (text.trim() != text).then(|| {
        (
            FindingCode::ValueUntrimmed,
            format!("the text for {field} starts or ends with white space, which the org would cut"),
            "the text without white space at its ends".to_owned(),
        )
    })
}

fn picklist_problem(field: &FieldName, value: &str, values: &[String]) -> Problem {
    let near = values.iter().find(|known| known.eq_ignore_ascii_case(value.trim()));
    let hint = near.map(|known| format!(" (did you mean \"{known}\"?)")).unwrap_or_default();
    let allowed = if values.is_empty() { "the org has no active value".into() } else { values.join(", ") };
    (
        FindingCode::PicklistValueUnknown,
        format!("\"{value}\" is not an active value of {field}{hint}; allowed: {allowed}"),
        format!("one of: {allowed}"),
    )
}

fn number_problem(field: &FieldName, number: Decimal, precision: u32, scale: u32) -> Option<Problem> {
    let number = number.normalize();
    if number.scale() > scale {
        return Some((
            FindingCode::NumberTooPrecise,
            format!("{field} keeps {scale} digits after the point, and the number is {number}"),
            format!("at most {scale} digits after the point"),
        ));
    }
    let whole = number.trunc().abs().normalize();
    let digits = if whole.is_zero() { 0 } else { whole.to_string().len() };
    let room = precision.saturating_sub(scale);
    u32::try_from(digits).map_or(true, |digits| digits > room).then(|| {
        (
            FindingCode::NumberTooLarge,
            format!("{field} keeps {room} digits before the point, and the number is {number}"),
            format!("at most {room} digits before the point"),
        )
    })
}

/// The range that Salesforce documents for its date and date-time fields.
fn date_problem(field: &FieldName, day: Date) -> Option<Problem> {
    (!(1700..=4000).contains(&day.year())).then(|| {
        (
            FindingCode::DateOutOfRange,
            format!("{field} keeps dates from 1700 to 4000, and the date is {day}"),
            "a date from 1700 to 4000".to_owned(),
        )
    })
}

fn kind(field_type: &FieldType) -> &'static str {
    match field_type {
        FieldType::Text { .. } | FieldType::LongText { .. } => "a text",
        FieldType::Picklist { .. } => "one of the picklist's values",
        FieldType::MultiPicklist { .. } => "picklist values joined by `;`",
        FieldType::Decimal { .. } => "a number",
        FieldType::Date => "a date",
        FieldType::DateTime => "a date-time",
        FieldType::Bool => "true or false",
        FieldType::Reference => "an 18-character record id",
    }
}
