//! The pieces of an object's canonical text, taken as they stand.

use std::borrow::Cow;

use crate::domain::canonical_text::Member;

/// A private part: its path and its canonical text.
pub(super) type Part<'a> = (&'a str, Cow<'a, str>);

/// The members of an object, and those of the objects in it.
#[derive(Clone, Copy)]
pub(super) struct Members<'t, 'a>(pub(super) &'t [Member<'a>]);

impl<'t, 'a> Members<'t, 'a> {
    /// Its own, in the order in which they stand.
    pub(super) fn own(self) -> impl Iterator<Item = &'t Member<'a>> {
        let level = self.0.first().map(|first| first.level);
        self.0.iter().filter(move |member| Some(member.level) == level)
    }

    /// The one with a key.
    pub(super) fn get(self, key: &str) -> Option<&'t Member<'a>> {
        self.own().find(|member| member.key == key)
    }

    /// Those of the object at a key. `None`: no object stands there.
    pub(super) fn below(self, key: &str) -> Option<Self> {
        let level = self.0.first()?.level;
        let place = self.0.iter().position(|member| member.level == level && member.key == key)?;
        let (object, rest) = self.0[place..].split_first()?;
        let count = rest.iter().take_while(|member| member.level > level).count();
        object.text.starts_with('{').then(|| Self(&rest[..count]))
    }
}

/// Keys and texts, in the order in which they stand.
#[derive(Default)]
pub(super) struct Pieces<'a>(Vec<(&'a str, &'a str)>);

impl<'a> From<Members<'_, 'a>> for Pieces<'a> {
    fn from(members: Members<'_, 'a>) -> Self {
        let mut all = Vec::with_capacity(16);
        all.extend(members.own().map(|member| (member.key, member.text)));
        Self(all)
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
        if all.iter().any(|(key, _)| !key.bytes().all(|byte| byte.is_ascii() && !matches!(byte, b'/' | b'~')))
        {
            return None;
        }
        all.sort_unstable();
        if all.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let length: usize = all.iter().map(|(key, text)| key.len() + text.len() + 4).sum();
        let mut out = String::with_capacity(length + 2);
        out.push('{');
        for (place, (key, text)) in all.into_iter().enumerate() {
            out.extend([if place == 0 { "\"" } else { ",\"" }, key, "\":", text]);
        }
        out.push('}');
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canonical_text::members;

    fn with(object: &str, parts: &[(&str, &str)]) -> Option<String> {
        let parts: Vec<_> = parts.iter().map(|(path, text)| (*path, Cow::Borrowed(*text))).collect();
        let members = members(object, 1).unwrap();
        Pieces::from(Members(&members)).with("/verdict/", &parts)
    }

    #[test]
    fn members_are_found_by_their_keys() {
        let all = members(r#"{"a":{"b":{"a":"1"},"c":"2"},"b":{},"c":[],"d":"{"}"#, 3).unwrap();
        let all = Members(&all);
        let text = |member: Option<&Member<'_>>| member.map(|member| member.text.to_owned());
        assert_eq!(all.own().map(|member| member.key).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert_eq!(text(all.get("b")).as_deref(), Some("{}"));
        let a = all.below("a").unwrap();
        assert_eq!(text(a.get("c")).as_deref(), Some("\"2\""));
        assert!(a.get("a").is_none() && all.get("e").is_none());
        assert_eq!(text(a.below("b").unwrap().get("a")).as_deref(), Some("\"1\""));
        assert_eq!(all.below("b").unwrap().own().count(), 0);
        for none in ["c", "d", "e"] {
            assert!(all.below(none).is_none(), "{none}");
        }
        assert!(all.below("b").unwrap().below("a").is_none());
    }

    #[test]
    fn parts_stand_in_the_order_of_their_keys() {
        let parts = [("/verdict/b", "[]"), ("/verdict/facts", r#"{"x":"1"}"#)];
        let text = with(r#"{"a":"1","outcome":"block"}"#, &parts);
        assert_eq!(text.as_deref(), Some(r#"{"a":"1","b":[],"facts":{"x":"1"},"outcome":"block"}"#));
        assert_eq!(with("{}", &[]).as_deref(), Some("{}"));
    }

    #[test]
    fn what_lies_elsewhere_or_deeper_or_twice_is_left_to_the_general_way() {
        assert_eq!(with("{}", &[("/verdict/plan/changes", "[]")]), None);
        assert_eq!(with("{}", &[("/other", "[]")]), None);
        assert_eq!(with("{}", &[("/verdict/é", "[]")]), None);
        assert_eq!(with(r#"{"a~b":"1"}"#, &[]), None);
        assert_eq!(with(r#"{"a":"1"}"#, &[("/verdict/a", "[]")]), None);
    }
}
