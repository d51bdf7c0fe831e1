//! Why a schema or a datum was refused.

/// A schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Not JSON.
    #[error("the schema is not JSON: {0}")]
    Json(String),
    /// A part has the wrong shape.
    #[error("the schema is not valid Avro: {0}")]
    Shape(String),
    /// Valid Avro that Salesforce does not use (`map`, `fixed`).
    #[error("the schema uses the Avro type {0:?}, which is not supported")]
    Unsupported(String),
}

impl SchemaError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "avro-schema-not-json",
            Self::Shape(_) => "avro-schema-invalid",
            Self::Unsupported(_) => "avro-schema-unsupported",
        }
    }
}

/// A datum that does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {damage}; the bytes are damaged or belong to another schema")]
pub struct DecodeError {
    /// Offset into the datum.
    pub at: usize,
    /// What is wrong there.
    pub damage: Damage,
}

impl DecodeError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self.damage {
            Damage::Truncated => "avro-truncated",
            Damage::TrailingBytes(_) => "avro-trailing-bytes",
            Damage::Varint => "avro-varint-too-long",
            Damage::IntRange(_) => "avro-int-range",
            Damage::Length(_) => "avro-length-invalid",
            Damage::Text => "avro-text-not-utf8",
            Damage::ArrayTooLong => "avro-array-too-long",
            Damage::BlockSize => "avro-block-size-wrong",
            Damage::EnumIndex { .. } => "avro-enum-index",
            Damage::UnionIndex { .. } => "avro-union-index",
            Damage::Boolean(_) => "avro-boolean-invalid",
            Damage::TooDeep => "avro-too-deep",
        }
    }
}

/// Kinds of damage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The bytes end inside a value.
    #[error("the bytes end inside a value")]
    Truncated,
    /// Bytes are left over.
    #[error("{0} bytes are left over")]
    TrailingBytes(usize),
    /// A number longer than 64 bits.
    #[error("a number is longer than 64 bits")]
    Varint,
    /// An `int` outside 32 bits.
    #[error("{0} does not fit an int")]
    IntRange(i64),
    /// A negative length.
    #[error("{0} is not a length")]
    Length(i64),
    /// Text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// More items than any event has.
    #[error("an array has too many items")]
    ArrayTooLong,
    /// An array block that states another size than it has.
    #[error("an array block is not as long as it says")]
    BlockSize,
    /// No such symbol.
    #[error("symbol {index} of {symbols}")]
    EnumIndex {
        /// As read.
        index: i64,
        /// How many there are.
        symbols: usize,
    },
    /// No such branch.
    #[error("union branch {index} of {branches}")]
    UnionIndex {
        /// As read.
        index: i64,
        /// How many there are.
        branches: usize,
    },
    /// Neither 0 nor 1.
    #[error("{0} is not a boolean")]
    Boolean(u8),
    /// Records within records without end.
    #[error("values are nested too deep")]
    TooDeep,
}
