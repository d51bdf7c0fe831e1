//! Writing a datum. Production only reads; the simulated org and the tests write.

use super::{
    schema::{Node, NodeId, Schema},
    value::Value,
};

/// A value that does not fit its place in the schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a value does not fit the schema: expected {expected}")]
pub struct EncodeError {
    /// What the schema has there.
    pub expected: String,
}

impl EncodeError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        "avro-value-misfit"
    }
}

/// Appends the datum of `value` under the schema's outermost type.
pub fn encode(schema: &Schema, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    encode_node(schema, schema.root(), value, out)
}

/// Appends a zigzag number.
pub fn put_long(out: &mut Vec<u8>, number: i64) {
    let mut raw = (number << 1).cast_unsigned() ^ (number >> 63).cast_unsigned();
    while raw > 0x7f {
        out.push((raw & 0x7f) as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

/// Appends a text.
pub fn put_string(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    put_long(out, i64::try_from(count).unwrap_or(i64::MAX));
}

fn encode_node(schema: &Schema, id: NodeId, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match (schema.node(id), value) {
        (Node::Null, Value::Null) => {}
        (Node::Boolean, Value::Boolean(flag)) => out.push(u8::from(*flag)),
        (Node::Int, Value::Int(number)) => put_long(out, i64::from(*number)),
        (Node::Long, Value::Long(number)) => put_long(out, *number),
        (Node::Float, Value::FloatBits(bits)) => out.extend_from_slice(&bits.to_le_bytes()),
        (Node::Double, Value::DoubleBits(bits)) => out.extend_from_slice(&bits.to_le_bytes()),
        (Node::Bytes, Value::Bytes(bytes)) => put_bytes(out, bytes),
        (Node::String, Value::Text(text)) => put_string(out, text),
        (Node::Array(items), Value::Array(values)) => {
            if !values.is_empty() {
                put_count(out, values.len());
                values.iter().try_for_each(|value| encode_node(schema, *items, value, out))?;
            }
            put_long(out, 0);
        }
        (Node::Union(branches), _) => {
            let index = branches.iter().position(|branch| fits(schema.node(*branch), value));
            let index = index.ok_or_else(|| misfit(schema, id))?;
            put_count(out, index);
            encode_node(schema, branches[index], value, out)?;
        }
        (Node::Enum(node), Value::Enum(given, index)) if node == *given => put_count(out, *index),
        (Node::Record(node), Value::Record(given, values)) if node.name == given.name => {
            if node.fields.len() != values.len() {
                return Err(misfit(schema, id));
            }
            for (field, value) in node.fields.iter().zip(values) {
                encode_node(schema, field.node, value, out)?;
            }
        }
        _ => return Err(misfit(schema, id)),
    }
    Ok(())
}

/// Whether a union branch takes the value. Branches of one union never take the same.
fn fits(node: &Node, value: &Value<'_>) -> bool {
    match (node, value) {
        (Node::Enum(node), Value::Enum(given, _)) => node == *given,
        (Node::Record(node), Value::Record(given, _)) => node.name == given.name,
        (node, value) => matches!(
            (node, value),
            (Node::Null, Value::Null)
                | (Node::Boolean, Value::Boolean(_))
                | (Node::Int, Value::Int(_))
                | (Node::Long, Value::Long(_))
                | (Node::Float, Value::FloatBits(_))
                | (Node::Double, Value::DoubleBits(_))
                | (Node::Bytes, Value::Bytes(_))
                | (Node::String, Value::Text(_))
                | (Node::Array(_), Value::Array(_))
        ),
    }
}

fn misfit(schema: &Schema, id: NodeId) -> EncodeError {
    let expected = match schema.node(id) {
        Node::Record(node) => format!("record {}", node.name),
        Node::Enum(node) => format!("enum {}", node.name),
        Node::Union(_) => "one of a union's branches".to_owned(),
        node => format!("{node:?}"),
    };
    EncodeError { expected }
}
