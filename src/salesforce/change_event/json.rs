//! An event as JSON, with the values as they are on the wire.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value as Json, json};

use crate::salesforce::avro::{Value, decimal_of_bits};

use super::{decoder::EventDecoder, error::ChangeEventError};

/// `schema_id`, `header`, `changed_fields`, `nulled_fields`, `diff_fields` and `values`.
/// Values keep their wire form: times as epoch milliseconds, compound fields as objects.
/// Fields that are null are left out unless the event says that they were emptied.
pub fn event_json(decoder: &EventDecoder, payload: &[u8]) -> Result<Json, ChangeEventError> {
    let event = decoder.decode(payload)?;
    let header = &event.header;
    let nulled = decoder.nulled_fields(header)?;
    let mut values = Map::new();
    for name in nulled.iter().filter(|name| !name.contains('.')) {
        values.insert(name.clone(), Json::Null);
    }
    for (position, value) in &event.values {
        values.insert(decoder.fields()[*position].name.clone(), value_json(value));
    }
    Ok(json!({
        "schema_id": decoder.schema().id(),
        "header": {
            "entityName": header.entity,
            "recordIds": header.record_ids,
            "changeType": header.change_symbol,
            "changeOrigin": header.change_origin,
            "transactionKey": header.transaction_key,
            "sequenceNumber": header.sequence_number,
            "commitTimestamp": header.commit_timestamp,
            "commitNumber": header.commit_number,
            "commitUser": header.commit_user,
            "nulledFields": header.nulled_fields,
            "diffFields": header.diff_fields,
            "changedFields": header.changed_fields,
        },
        "changed_fields": decoder.changed_fields(header)?,
        "nulled_fields": nulled,
        "diff_fields": decoder.diff_fields(header)?,
        "values": values,
    }))
}

fn value_json(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => json!(flag),
        Value::Int(number) => json!(number),
        Value::Long(number) => json!(number),
        Value::FloatBits(bits) => json!(f32::from_bits(*bits).to_string()),
        Value::DoubleBits(bits) => double_json(*bits),
        Value::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Value::Text(text) => json!(text),
        Value::Array(items) => items.iter().map(value_json).collect(),
        Value::Enum(node, symbol) => json!(node.symbols[*symbol]),
        Value::Record(record, parts) => {
            let named = record.fields.iter().zip(parts);
            named.map(|(field, part)| (field.name.clone(), value_json(part))).collect::<Map<_, _>>().into()
        }
    }
}

/// The shortest number that reads back as this double; a text when it is not finite.
fn double_json(bits: u64) -> Json {
    let text = match decimal_of_bits(bits) {
        Some(number) => number.to_string(),
        None => f64::from_bits(bits).to_string(),
    };
    serde_json::from_str(&text).unwrap_or(Json::String(text))
}
