//! Whether a text is canonical JSON, without building what it says.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::digest::{by_utf16, quote};

/// Whether a text is the canonical form (RFC 8785, no numbers) of the JSON that it holds.
pub fn is_canonical(text: &str) -> bool {
    let mut out = String::with_capacity(text.len());
    let mut input = serde_json::Deserializer::from_str(text);
    Again(&mut out).deserialize(&mut input).is_ok() && input.end().is_ok() && out == text
}

/// Writes what it reads. Keys that are out of order or stand twice are an error. A number is read
/// as an object with a key of its own, so its bytes differ from the text.
struct Again<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Again<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Again<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON without numbers")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push_str("null");
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        quote(text, self.0);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.push('[');
        let mut is_first = true;
        loop {
            let before = self.0.len();
            if !is_first {
                self.0.push(',');
            }
            if items.next_element_seed(Again(self.0))?.is_none() {
                self.0.truncate(before);
                break;
            }
            is_first = false;
        }
        self.0.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.0.push('{');
        let mut last: Option<Cow<'de, str>> = None;
        while let Some(key) = entries.next_key_seed(Key)? {
            if let Some(last) = &last {
                if by_utf16(last, &key).is_ge() {
                    return Err(A::Error::custom("keys out of order"));
                }
                self.0.push(',');
            }
            quote(&key, self.0);
            self.0.push(':');
            entries.next_value_seed(Again(self.0))?;
            last = Some(key);
        }
        self.0.push('}');
        Ok(())
    }
}

/// A key, borrowed from the text where it can be.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::domain::digest::canonical;

    #[test]
    fn only_the_canonical_form_passes() {
        for good in [r#"{"a":[],"b":{},"c":[null,true,"x\n\u0001é"]}"#, "null", r#""""#, "[[],[{}]]"] {
            assert!(is_canonical(good), "{good}");
        }
        let bad = [
            r#"{"b":"1","a":"2"}"#,
            r#"{"a":"1","a":"2"}"#,
            r#"{"a":1}"#,
            "1",
            r#"{ "a":"1"}"#,
            r#"["\u0041"]"#,
            r#"["a",]"#,
            "[true] ",
            "",
            r#"{"a":"1"}x"#,
            r#"["\/"]"#,
        ];
        for bad in bad {
            assert!(!is_canonical(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_writing_the_value_again(text in r#"[\[\]\{\}":,ab0 ]{0,12}"#) {
            let again = serde_json::from_str::<Value>(&text).ok().and_then(|json| canonical(&json).ok());
            prop_assert_eq!(is_canonical(&text), again.as_deref() == Some(text.as_str()));
        }
    }
}
