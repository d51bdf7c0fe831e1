//! Canonical bytes and their SHA-256: what makes two things provably the same.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A value that has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// RFC 8785 reads numbers as doubles, so numbers are kept as text.
    #[error("number `{0}` at the canonical boundary: numbers are kept as text")]
    Number(String),
    /// The value does not serialize.
    #[error("not canonical: {0}")]
    Json(String),
}

/// A SHA-256, printed as 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of raw bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    /// The digest of a value's canonical JSON (RFC 8785, no numbers).
    pub fn of<T: Serialize>(value: &T) -> Result<Self, CanonicalError> {
        Ok(Self::of_bytes(canonical(value)?.as_bytes()))
    }

    /// Wraps a digest read back from the ledger.
    pub fn from_hex(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Canonical JSON text (RFC 8785) of a value that holds no JSON number.
pub fn canonical<T: Serialize>(value: &T) -> Result<String, CanonicalError> {
    let json = serde_json::to_value(value).map_err(|e| CanonicalError::Json(e.to_string()))?;
    refuse_numbers(&json)?;
    serde_json_canonicalizer::to_string(&json).map_err(|e| CanonicalError::Json(e.to_string()))
}

fn refuse_numbers(json: &Value) -> Result<(), CanonicalError> {
    match json {
        Value::Number(number) => Err(CanonicalError::Number(number.to_string())),
        Value::Array(items) => items.iter().try_for_each(refuse_numbers),
        Value::Object(map) => map.values().try_for_each(refuse_numbers),
        _ => Ok(()),
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_order_does_not_matter_and_numbers_are_refused() {
        let one: Value = serde_json::from_str(r#"{"b":"1","a":"2"}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a":"2","b":"1"}"#).unwrap();
        assert_eq!(Digest::of(&one), Digest::of(&two));
        let number: Value = serde_json::from_str(r#"{"a":9007199254740993}"#).unwrap();
        assert_eq!(Digest::of(&number), Err(CanonicalError::Number("9007199254740993".into())));
    }
}
