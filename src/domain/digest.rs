//! Canonical bytes and their SHA-256: what makes two things provably the same.

mod canonical;

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use canonical::canonical;

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

/// The order of RFC 8785, by UTF-16. For ASCII bytes give the same.
pub(super) fn by_utf16(one: &str, other: &str) -> std::cmp::Ordering {
    if one.is_ascii() && other.is_ascii() {
        return one.cmp(other);
    }
    one.encode_utf16().cmp(other.encode_utf16())
}

/// Writes a text in quotes, escaped as the standard asks.
pub(super) fn quote(text: &str, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    serde_json::to_writer(out, text).map_err(|error| CanonicalError::Json(error.to_string()))
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Any JSON without numbers, with keys and texts that are hard to order and to escape.
    fn json() -> impl Strategy<Value = Value> {
        let text =
            || prop_oneof!["[a-z]{0,6}", "\\PC{0,8}", "[\u{0}-\u{7f}]{0,8}", "[\u{e000}-\u{10ffff}]{0,3}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            text().prop_map(Value::String)
        ];
        leaf.prop_recursive(4, 48, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::vec((text(), inner), 0..6)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_bytes_are_those_of_a_general_canonicalizer(json in json()) {
            prop_assert_eq!(canonical(&json).unwrap(), serde_json_canonicalizer::to_string(&json).unwrap());
        }
    }

    #[test]
    fn structures_are_ordered_at_every_depth() {
        #[derive(Serialize)]
        struct Outer<'a> {
            z: Option<&'a str>,
            a: Inner,
            list: Vec<Inner>,
            nothing: Option<bool>,
        }
        #[derive(Serialize)]
        struct Inner {
            two: &'static str,
            one: std::collections::BTreeMap<String, bool>,
        }
        let inner = || Inner {
            two: "t\"",
            one: [("\"q".to_owned(), true), ("(".to_owned(), false), ("]".to_owned(), true)].into(),
        };
        let outer = Outer { z: Some("ü"), a: inner(), list: vec![inner(), inner()], nothing: None };
        let general = serde_json_canonicalizer::to_string(&outer).unwrap();
        assert_eq!(canonical(&outer).unwrap(), general);
    }

    #[test]
    fn a_key_that_stands_twice_is_no_canonical_form() {
        #[derive(Serialize)]
        struct Twice {
            #[serde(rename = "a")]
            one: bool,
            #[serde(rename = "a")]
            other: bool,
        }
        let refused = canonical(&Twice { one: true, other: false });
        assert_eq!(refused, Err(CanonicalError::Json("the key `a` stands twice".into())));
    }

    #[test]
    fn keys_are_ordered_by_utf_16_and_numbers_are_found_wherever_they_are() {
        let json: Value =
            serde_json::from_str("{\"\u{fb33}\":\"1\",\"\u{1f600}\":\"2\",\"a\":\"3\"}").unwrap();
        assert_eq!(canonical(&json).unwrap(), "{\"a\":\"3\",\"\u{1f600}\":\"2\",\"\u{fb33}\":\"1\"}");
        let deep: Value = serde_json::from_str(r#"{"a":[{"b":[null,true,7]}]}"#).unwrap();
        assert_eq!(canonical(&deep), Err(CanonicalError::Number("7".into())));
    }

    #[test]
    fn key_order_does_not_matter_and_numbers_are_refused() {
        let one: Value = serde_json::from_str(r#"{"b":"1","a":"2"}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a":"2","b":"1"}"#).unwrap();
        assert_eq!(Digest::of(&one), Digest::of(&two));
        let number: Value = serde_json::from_str(r#"{"a":9007199254740993}"#).unwrap();
        assert_eq!(Digest::of(&number), Err(CanonicalError::Number("9007199254740993".into())));
    }

    #[test]
    fn a_digest_is_told_in_full_or_by_its_start() {
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest = Digest::of_bytes(&[]);
        assert_eq!((digest.as_str(), digest.to_string().as_str()), (nothing, nothing));
        assert_eq!((digest.short(), Digest::from_hex("e3").short()), ("e3b0c44298fc", "e3"));
        assert_eq!(Digest::from_hex(nothing), digest);
        assert_eq!(Digest::of(&["a"]).unwrap(), Digest::of_bytes(br#"["a"]"#));
    }
}
