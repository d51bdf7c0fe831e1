//! The pieces of an object's canonical text, taken as they stand.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// A private part: its path and its canonical text.
pub(super) type Part<'a> = (&'a str, Cow<'a, str>);

/// Keys and texts, in the order in which they stand. Keys are read as they are written: one with an escape
/// is refused.
#[derive(Default)]
pub(super) struct Pieces<'a>(Vec<(&'a str, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pieces<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Found;
        impl<'de> Visitor<'de> for Found {
            type Value = Pieces<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut all = Vec::with_capacity(16);
                while let Some((key, text)) = map.next_entry::<&str, &RawValue>()? {
                    all.push((key, text.get()));
                }
                Ok(Pieces(all))
            }
        }
        from.deserialize_map(Found)
    }
}

impl<'a> Pieces<'a> {
    /// The text at a key.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|(found, text)| (*found == key).then_some(*text))
    }

    /// All but those at these keys.
    pub(super) fn without(&self, keys: &[&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().copied().filter(move |(key, _)| !keys.contains(key))
    }

    /// The same pieces with another text at a key that is there.
    pub(super) fn instead(mut self, key: &str, text: &'a str) -> Option<Self> {
        self.0.iter_mut().find(|(found, _)| *found == key)?.1 = text;
        Some(self)
    }

    /// The canonical text of the object, which lies at `below`, with the parts that belong into it. `None`:
    /// a part lies elsewhere, or deeper, or where something stands.
    pub(super) fn with(&self, below: &str, parts: &[Part<'_>]) -> Option<String> {
        let mut all: Vec<(&str, &str)> = Vec::with_capacity(self.0.len() + parts.len());
        all.extend(&self.0);
        for (path, text) in parts {
            all.push((path.strip_prefix(below)?, text));
        }
        // In ASCII, the order of bytes is the order of keys; a slash would lead further down.
        if all.iter().any(|(key, _)| !key.is_ascii() || key.contains(['/', '~'])) {
            return None;
        }
        all.sort_unstable();
        if all.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let length: usize = all.iter().map(|(key, text)| key.len() + text.len() + 4).sum();
        let mut out = String::with_capacity(length + 2);
        for (key, text) in all {
            out.push(if out.is_empty() { '{' } else { ',' });
            out.extend(["\"", key, "\":", text]);
        }
        out.push('}');
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(object: &str, parts: &[(&str, &str)]) -> Option<String> {
        let parts: Vec<_> = parts.iter().map(|(path, text)| (*path, Cow::Borrowed(*text))).collect();
        serde_json::from_str::<Pieces<'_>>(object).unwrap().with("/verdict/", &parts)
    }

    #[test]
    fn parts_stand_in_the_order_of_their_keys() {
        let parts = [("/verdict/b", "[]"), ("/verdict/facts", r#"{"x":"1"}"#)];
        let text = with(r#"{"a":"1","outcome":"block"}"#, &parts);
        assert_eq!(text.as_deref(), Some(r#"{"a":"1","b":[],"facts":{"x":"1"},"outcome":"block"}"#));
    }

    #[test]
    fn what_lies_elsewhere_or_deeper_or_twice_is_left_to_the_general_way() {
        assert_eq!(with("{}", &[("/verdict/plan/changes", "[]")]), None);
        assert_eq!(with("{}", &[("/other", "[]")]), None);
        assert_eq!(with(r#"{"é":"1"}"#, &[]), None);
        assert_eq!(with(r#"{"a":"1"}"#, &[("/verdict/a", "[]")]), None);
        for other in [r#"{"\n":"1"}"#, "[]", "\"a\""] {
            assert!(serde_json::from_str::<Pieces<'_>>(other).is_err(), "{other}");
        }
    }
}
