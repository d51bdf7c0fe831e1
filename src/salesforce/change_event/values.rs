//! Avro values to field values.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use rust_decimal::Decimal;

use crate::{
    domain::FieldValue,
    salesforce::avro::{Value, decimal_of_bits},
};

use super::decoder::{EventField, FieldKind};

/// Adds the field's value; a compound's components go in as `Parent.Component`.
pub(super) fn add(into: &mut BTreeMap<String, FieldValue>, field: &EventField, value: &Value<'_>) {
    let Value::Record(record, parts) = value else {
        into.insert(field.name.clone(), field_value(field.kind, value));
        return;
    };
    for (index, (node, part)) in record.fields.iter().zip(parts).enumerate() {
        if !part.is_null() {
            let kind = field.components.get(index).map_or(FieldKind::Plain, |component| component.kind);
            into.insert(format!("{}.{}", field.name, node.name), field_value(kind, part));
        }
    }
}

fn field_value(kind: FieldKind, value: &Value<'_>) -> FieldValue {
    match value {
        Value::Boolean(flag) => FieldValue::Bool(*flag),
        Value::Int(number) => FieldValue::decimal(Decimal::from(*number)),
        Value::Long(number) => moment(kind, *number),
        Value::Text(text) => FieldValue::text(*text),
        Value::DoubleBits(bits) => match decimal_of_bits(*bits) {
            Some(number) => FieldValue::decimal(number),
            // Kept visible instead of being taken for an empty field.
            None => FieldValue::text(f64::from_bits(*bits).to_string()),
        },
        Value::Enum(node, symbol) => FieldValue::text(node.symbols[*symbol].clone()),
        Value::FloatBits(bits) => FieldValue::text(f32::from_bits(*bits).to_string()),
        Value::Null | Value::Bytes(_) | Value::Array(_) | Value::Record(..) => FieldValue::Null,
    }
}

fn moment(kind: FieldKind, number: i64) -> FieldValue {
    let plain = || FieldValue::decimal(Decimal::from(number));
    let Ok(moment) = Timestamp::from_millisecond(number) else { return plain() };
    match kind {
        FieldKind::Plain => plain(),
        FieldKind::DateTime => FieldValue::DateTime(moment),
        // Not seen with a value in any recording; midnight UTC is what the guide implies.
        FieldKind::Date => FieldValue::Date(moment.to_zoned(TimeZone::UTC).date()),
        FieldKind::Time => FieldValue::text(moment.strftime("%H:%M:%S.%3fZ").to_string()),
    }
}
