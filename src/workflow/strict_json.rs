//! JSON in which no key stands twice, at any depth.
//!
//! A repeated key could hide a value from a reader that keeps the first one, so it is refused
//! before anything is read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{
    Deserialize,
    de::{Deserializer, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

/// Reads the keys of one JSON object. The error names a repeated key, or the place of what is no JSON.
pub fn object(text: &str) -> Result<BTreeMap<String, Value>, serde_json::Error> {
    let Unrepeated = serde_json::from_str(text)?;
    serde_json::from_str(text)
}

/// Any JSON whose objects repeat no key. Holds nothing.
struct Unrepeated;

impl<'de> Deserialize<'de> for Unrepeated {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Unrepeated;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unrepeated, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format!("key `{key}` stands twice")));
            }
            keys.insert(key);
            let Unrepeated = map.next_value()?;
        }
        Ok(Unrepeated)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Unrepeated, A::Error> {
        while let Some(Unrepeated) = list.next_element()? {}
        Ok(Unrepeated)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_unit<E: Error>(self) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_not_repeat_at_any_depth() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"p":{"a":1,"a":1}}"#,
            r#"{"p":[{"q":{"a":null,"b":1,"a":2}}]}"#,
            r#"{"p":{"a":1,"\u0061":2}}"#,
        ] {
            let error = object(text).unwrap_err().to_string();
            assert!(error.contains("key `a` stands twice"), "{text}: {error}");
        }
    }

    #[test]
    fn everything_else_is_read_as_it_stands() {
        let text =
            r#"{"a":1.500,"b":[{"a":-2},{"a":18446744073709551616}],"c":null,"d":"x","e":true,"f":1e400}"#;
        let read = object(text).unwrap();
        assert_eq!(Value::from_iter(read), serde_json::from_str::<Value>(text).unwrap());
        assert!(object("[1]").is_err());
        assert!(object(r#"{"a":1}x"#).is_err());
    }
}
