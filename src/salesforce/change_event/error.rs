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
        }
    }
}
