//! The text of an entry, taken apart.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::pieces::Members;

/// [`Entry`](crate::domain::entry::Entry) as far as it is read before its event is.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Read<'a> {
    pub(super) org: Cow<'a, str>,
    pub(super) seq: Cow<'a, str>,
    pub(super) at: Cow<'a, str>,
    pub(super) kind: Cow<'a, str>,
    pub(super) proposal: Option<Cow<'a, str>>,
    /// The text of the event.
    pub(super) event: &'a str,
    /// Paths and commitments, in the order of the paths.
    pub(super) commit: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) prev: Cow<'a, str>,
}

/// A text inside a map, borrowed where it can be.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The same, as any JSON says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Any<'a> {
    #[serde(rename = "v", borrow)]
    _version: Cow<'a, str>,
    #[serde(borrow)]
    org: Cow<'a, str>,
    #[serde(borrow)]
    seq: Cow<'a, str>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(rename = "epoch", borrow)]
    _epoch: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    proposal: Option<Cow<'a, str>>,
    #[serde(borrow)]
    event: &'a RawValue,
    #[serde(default, borrow)]
    commit: BTreeMap<Text<'a>, Text<'a>>,
    #[serde(borrow)]
    prev: Cow<'a, str>,
}

/// Keys that every entry has.
const REQUIRED: usize = 8;

impl<'a> Read<'a> {
    /// From whatever text says an entry.
    pub(super) fn of(text: &'a str) -> serde_json::Result<Self> {
        let any: Any<'_> = serde_json::from_str(text)?;
        Ok(Self {
            org: any.org,
            seq: any.seq,
            at: any.at,
            kind: any.kind,
            proposal: any.proposal,
            event: any.event.get(),
            commit: any.commit.into_iter().map(|(Text(path), Text(digest))| (path, digest)).collect(),
            prev: any.prev,
        })
    }

    /// From the members of canonical text. `None`: it is no entry, or something in it is escaped.
    pub(super) fn from_members(members: Members<'_, 'a>) -> Option<Self> {
        let (mut read, mut required) = (Self::default(), 0);
        for member in members.own() {
            required += 1;
            match member.key {
                "event" => read.event = member.text,
                "commit" => {
                    required -= 1;
                    let commit = members.below("commit")?.own();
                    let commit = commit.map(|one| Some((one.key.into(), one.plain()?.into())));
                    read.commit = commit.collect::<Option<_>>()?;
                }
                "proposal" => {
                    required -= 1;
                    read.proposal = Some(member.plain()?.into());
                }
                "v" | "epoch" => {
                    member.plain()?;
                }
                key => *read.text(key)? = member.plain()?.into(),
            }
        }
        (required == REQUIRED).then_some(read)
    }

    fn text(&mut self, key: &str) -> Option<&mut Cow<'a, str>> {
        match key {
            "org" => Some(&mut self.org),
            "seq" => Some(&mut self.seq),
            "at" => Some(&mut self.at),
            "kind" => Some(&mut self.kind),
            "prev" => Some(&mut self.prev),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canonical_text::members;

    const WHOLE: &str = r#"{"at":"a","commit":{"/a":"1","/b":"2"},"epoch":"1","event":{"a":"b"},"kind":"k","org":"o","prev":"p","proposal":"x","seq":"7","v":"1"}"#;

    fn both(text: &str) -> (Option<Read<'_>>, Option<Read<'_>>) {
        let members = members(text, 2).unwrap();
        (Read::from_members(Members(&members)), Read::of(text).ok())
    }

    #[test]
    fn both_ways_read_the_same() {
        let without = WHOLE.replace(r#""commit":{"/a":"1","/b":"2"},"#, "").replace(r#""proposal":"x","#, "");
        let none = WHOLE.replace(r#"{"/a":"1","/b":"2"}"#, "{}");
        for text in [WHOLE, &without, &none] {
            let (quick, any) = both(text);
            assert!(any.is_some(), "{text}");
            assert_eq!(quick, any);
        }
    }

    #[test]
    fn what_is_escaped_is_left_to_the_other_way_and_what_is_no_entry_to_its_error() {
        for (from, to) in [("\"x\"", "\"é\""), ("\"2\"", r#""\"""#), ("\"7\"", r#""\n""#)] {
            let text = WHOLE.replace(from, to);
            let (quick, any) = both(&text);
            assert!(quick.is_none() && any.is_some(), "{text}");
        }
        let null = WHOLE.replace("\"x\"", "null");
        assert!(both(&null).0.is_none());
        for key in ["at", "epoch", "event", "kind", "org", "prev", "seq", "v"] {
            let text = WHOLE.replacen(&format!("\"{key}\":"), &format!("\"{key}x\":"), 1);
            let (quick, any) = both(&text);
            assert!(quick.is_none() && any.is_none(), "{text}");
        }
        for (from, to) in [
            ("{\"/a\":\"1\",\"/b\":\"2\"}", "[]"),
            ("\"v\":\"1\"", "\"v\":null"),
            ("\"1\",\"event\"", "[],\"event\""),
        ] {
            let text = WHOLE.replace(from, to);
            assert_ne!(text, WHOLE);
            let (quick, any) = both(&text);
            assert!(quick.is_none() && any.is_none(), "{text}");
        }
    }
}
