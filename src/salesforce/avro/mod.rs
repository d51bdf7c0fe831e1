//! The part of Avro that Salesforce uses: records, arrays, enums, unions and primitives,
//! as raw datums without framing.
//!
//! Decoding is strict and bounded: a datum is either read to its last byte or refused.
//! Avro has no checksum, so strictness is the only defence against damaged data.

mod canonical;
mod decode;
mod encode;
mod error;
mod parse;
mod schema;
mod value;

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;

pub use decode::Reader;
pub use encode::{EncodeError, encode, put_long, put_string};
pub use error::{Damage, DecodeError, SchemaError};
pub use schema::{EnumNode, FieldNode, Node, NodeId, RecordNode, Schema};
pub use value::{Value, decimal_of_bits};
