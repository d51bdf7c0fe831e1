//! Canonical bytes and their SHA-256: what makes two things provably the same.

mod canonical;
mod writer;

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub(super) use canonical::by_utf16;
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

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push_str(two_digits(*byte));
    }
    text
}

/// The two digits of a byte.
fn two_digits(byte: u8) -> &'static str {
    const DIGITS: &str = concat!(
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f",
        "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
        "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f",
        "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf",
        "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef",
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
    );
    let at = 2 * usize::from(byte);
    &DIGITS[at..at + 2]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Any JSON without numbers, with keys and texts that are hard to order and to escape.
    fn json() -> impl Strategy<Value = Value> {
        let text =
            || prop_oneof!["[a-b]{6,10}", "\\PC{0,8}", "[\u{0}-\u{7f}]{0,18}", "[\u{e000}-\u{10ffff}]{0,3}"];
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
    fn every_shape_has_the_bytes_of_a_general_canonicalizer() {
        #[derive(Serialize)]
        enum Shape<'a> {
            Bare,
            Single(&'a str),
            Several(&'a str, char),
            Named { z: bool, a: () },
        }
        #[derive(Serialize)]
        struct Unit;
        #[derive(Serialize)]
        struct Wrapped<'a>(&'a str);
        #[derive(Serialize)]
        struct Pair<'a>(&'a str, Option<Unit>);
        let shapes =
            [Shape::Bare, Shape::Single("\"\\"), Shape::Several("", 'é'), Shape::Named { z: true, a: () }];
        let shown =
            (Wrapped("w"), Pair("p", Some(Unit)), format_args!("{}\t{}", "\u{1f}", "\u{7f}").to_string());
        let keyed: std::collections::BTreeMap<char, Vec<()>> = [('\n', Vec::new()), ('"', vec![()])].into();
        let all = (shapes, shown, keyed, jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(canonical(&all).unwrap(), serde_json_canonicalizer::to_string(&all).unwrap());
    }

    #[test]
    fn what_prints_itself_is_escaped_too() {
        struct Printed(&'static str);
        impl Serialize for Printed {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self.0)
            }
        }
        assert_eq!(canonical(&[Printed("a"), Printed("\"b"), Printed("")]).unwrap(), r#"["a","\"b",""]"#);
    }

    #[test]
    fn numbers_bytes_raw_text_and_keys_that_are_no_text_have_no_canonical_form() {
        #[derive(Serialize)]
        #[serde(rename = "$serde_json::private::RawValue")]
        struct Raw {
            text: &'static str,
        }
        struct Bytes;
        impl Serialize for Bytes {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_bytes(b"")
            }
        }
        let json = |why: &str| Err(CanonicalError::Json(why.to_owned()));
        let keyed: std::collections::BTreeMap<bool, ()> = [(true, ())].into();
        assert_eq!(canonical(&keyed), json("a key that is no text"));
        assert_eq!(canonical(&Raw { text: "{}" }), json("raw text at the canonical boundary"));
        assert_eq!(canonical(&Bytes), json("bytes at the canonical boundary"));
        let number = |text: &str| Err(CanonicalError::Number(text.to_owned()));
        assert_eq!(
            (canonical(&7_u8), canonical(&-7_i64), canonical(&1.5_f64)),
            (number("7"), number("-7"), number("1.5"))
        );
        assert_eq!(
            (canonical(&u128::MAX), canonical(&i128::MIN)),
            (number(&u128::MAX.to_string()), number(&i128::MIN.to_string()))
        );
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

    /// An object whose keys are written as they stand here.
    struct Written<'a>(&'a [&'a str]);

    impl Serialize for Written<'_> {
        fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
            out.collect_map(self.0.iter().map(|key| (key, true)))
        }
    }

    #[test]
    fn keys_of_any_length_are_brought_into_order() {
        for keys in [
            &["z", "abcdefgh"][..],
            &["za", "b"],
            &["b", "abc", "ab", ""],
            &["abcdefgh!", "abcdefgh"],
            &["abcdefgh ", "abcdefgh"],
            &["abcdefghb", "abcdefgha"],
            &["abcdefghijklmnop", "abcdefghijklmno"],
            &["b\u{1}", "a\u{2}"],
            &["a ", "a"],
            &["b", "a\u{80}"],
        ] {
            for turned in [keys.to_vec(), keys.iter().rev().copied().collect()] {
                let general = serde_json_canonicalizer::to_string(&Written(&turned)).unwrap();
                assert_eq!(canonical(&Written(&turned)).unwrap(), general, "{turned:?}");
            }
        }
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
