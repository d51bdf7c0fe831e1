//! Why a change event could not be read.

use crate::salesforce::avro::{DecodeError, SchemaError};

/// A schema that is no change event's, or an event that does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeEventError {
    /// The schema cannot be parsed.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The schema is no change event's.
    #[error("the schema is not a change event's: {0}")]
    NotAChangeEvent(String),
    /// The payload is damaged or belongs to another schema.
    #[error(transparent)]
    Payload(#[from] DecodeError),
    /// The schema that the event names cannot be had, and asking again soon does not help.
    #[error("the schema {schema:?} of an event cannot be used: {reason}")]
    SchemaRefused {
        /// Why, as a stable code.
        code: &'static str,
        /// Its id, as the event names it.
        schema: String,
        /// The same in words.
        reason: String,
        /// The object, which the header tells without the schema.
        entity: Option<String>,
    },
    /// A field that is read from events has another type than it must have.
    #[error("`{entity}.{field}` is no text in the event's schema: its type has changed")]
    FieldRetyped {
        /// Object API name.
        entity: String,
        /// Field API name.
        field: String,
    },
    /// A bitmap element that is neither `0x..` nor `<position>-0x..`.
    #[error("the {list} element {element:?} is not a bitmap; expected 0x.. or <position>-0x..")]
    Bitmap {
        /// `changedFields`, `nulledFields` or `diffFields`.
        list: &'static str,
        /// As received, shortened.
        element: String,
    },
}

impl ChangeEventError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Schema(error) => error.code(),
            Self::NotAChangeEvent(_) => "event-schema-foreign",
            Self::Payload(error) => error.code(),
            Self::Bitmap { .. } => "event-bitmap-invalid",
            Self::SchemaRefused { code, .. } => code,
            Self::FieldRetyped { .. } => "event-field-retyped",
        }
    }

    /// The object whose events cannot be understood for now, when that is what is wrong.
    pub fn entity(&self) -> Option<&str> {
        match self {
            Self::SchemaRefused { entity, .. } => entity.as_deref(),
            Self::FieldRetyped { entity, .. } => Some(entity),
            _ => None,
        }
    }
}
