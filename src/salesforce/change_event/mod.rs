//! Change events: header, bitmaps and values of one committed change.
//!
//! An event is a hint that a record changed. Whoever acts on it reads the record again.

mod bitmap;
mod change;
mod decoder;
mod error;
mod header;
mod json;
mod values;

#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
mod tests;

pub use change::Change;
pub use decoder::{ChangeEvent, EventDecoder, EventField, FieldKind, Selection, entity_of};
pub use error::ChangeEventError;
pub use header::{ChangeType, Header};
pub use json::event_json;
