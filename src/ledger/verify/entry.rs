//! What can be checked of an entry by itself, on any core: hash, canonical form, columns, private
//! parts.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{merged, step::Step};
use crate::domain::{
    Digest,
    canonical_text::is_canonical,
    entry::{Entry, commitment},
    erasure::placeholder,
    event::Event,
};

/// Salt and canonical value by path. A salt that is none fits no commitment.
pub(super) type Parts<'a> = BTreeMap<Cow<'a, str>, (Option<Salt>, Cow<'a, str>)>;

type Salt = [u8; 32];

/// The salt that a text in hex is.
pub(super) fn salt(text: &str) -> Option<Salt> {
    let mut salt = Salt::default();
    hex::decode_to_slice(text, &mut salt).is_ok().then_some(salt)
}

/// An entry as it was found.
pub(super) struct Stored<'a> {
    /// The place where it stands; absent where only its text tells.
    pub(super) place: Option<u64>,
    /// The hash that was stored with it.
    pub(super) hash: Cow<'a, str>,
    /// The columns beside its text: kind and proposal.
    pub(super) columns: Option<(Cow<'a, str>, Option<Cow<'a, str>>)>,
    /// Its text.
    pub(super) text: Cow<'a, str>,
    /// Its private parts; absent where they were left out on purpose.
    pub(super) parts: Option<Parts<'a>>,
}

/// What came of it.
pub(super) struct Checked {
    /// Its place.
    pub(super) seq: u64,
    /// The hash of its text.
    pub(super) hash: Digest,
    /// What its text says; absent when it cannot be read.
    pub(super) said: Option<Said>,
    /// Codes and words of what is wrong.
    pub(super) damages: Vec<(&'static str, String)>,
    /// Private parts whose commitment was checked.
    pub(super) private_checked: u64,
    /// Paths of private parts that are not there.
    pub(super) missing: Vec<String>,
    /// Private parts were left out.
    pub(super) is_withheld: bool,
}

/// What the text of an entry says.
pub(super) struct Said {
    /// The org, where it is not the one that was expected.
    pub(super) org: Option<String>,
    pub(super) at: String,
    pub(super) prev: String,
    /// The event, ready for the fold; absent where it cannot be read or private parts were left out.
    pub(super) step: Option<Step>,
}

/// [`Entry`] as far as it is read before its event is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<'a> {
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

/// A text inside a map, borrowed where it can be.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

/// Checks all that can be seen of an entry alone.
pub(super) fn check(stored: Stored<'_>, org: Option<&str>) -> Checked {
    let hash = Entry::hash_text(&stored.text);
    let mut checked = Checked {
        seq: stored.place.unwrap_or(0),
        hash,
        said: None,
        damages: Vec::new(),
        private_checked: 0,
        missing: Vec::new(),
        is_withheld: stored.parts.is_none(),
    };
    if checked.hash.as_str() != stored.hash {
        checked.damage("entry-hash", "the text of the entry does not have the hash that was stored");
    }
    let is_canonical = is_canonical(&stored.text);
    if !is_canonical {
        checked.damage("entry-not-canonical", "its text is not in canonical form");
    }
    match serde_json::from_str(&stored.text) {
        Ok(read) => {
            checked.read((stored.place, stored.columns, stored.parts), (&read, is_canonical));
            // Of nearly all it is the same, so it is not carried along.
            if let Some(said) = checked.said.as_mut().filter(|_| org != Some(&*read.org)) {
                said.org = Some(read.org.to_string());
            }
        }
        Err(error) => checked.damage("entry-unreadable", error.to_string()),
    }
    checked
}

/// Place, columns and private parts of an entry.
type Beside<'a> = (Option<u64>, Option<(Cow<'a, str>, Option<Cow<'a, str>>)>, Option<Parts<'a>>);

impl Checked {
    fn damage(&mut self, code: &'static str, what: impl Into<String>) {
        self.damages.push((code, what.into()));
    }

    fn read(&mut self, (place, columns, parts): Beside<'_>, (entry, is_canonical): (&Read<'_>, bool)) {
        let seq: u64 = entry.seq.parse().unwrap_or(0);
        self.seq = place.unwrap_or(seq);
        let columns = columns.is_none_or(|(kind, proposal)| {
            kind == entry.kind && proposal.as_deref() == entry.proposal.as_deref()
        });
        if seq != self.seq || entry.seq != seq.to_string() || !columns {
            self.damage("entry-columns", "its columns differ from its text");
        }
        let step = match parts {
            Some(parts) => self.event((entry, is_canonical), parts),
            // What the walk itself needs is public.
            None if matches!(&*entry.kind, "restore_accepted" | "erased" | "anchor_settled") => {
                let step = self.event((entry, is_canonical), Parts::new());
                self.missing.clear();
                step
            }
            None => {
                self.kind(entry);
                None
            }
        };
        let (at, prev) = (entry.at.to_string(), entry.prev.to_string());
        self.said = Some(Said { org: None, at, prev, step });
    }

    /// Whether the event is of the kind that the entry says.
    fn kind(&mut self, entry: &Read<'_>) {
        let kind = serde_json::from_str::<Kind<'_>>(entry.event.get());
        if !kind.is_ok_and(|event| event.kind == entry.kind) {
            self.damage("entry-kind", "its event is of another kind");
        }
    }

    /// The event with its private parts; what is erased gets its placeholder.
    fn event(&mut self, (entry, is_canonical): (&Read<'_>, bool), parts: Parts<'_>) -> Option<Step> {
        let put = self.private(&entry.commit, &parts);
        // Only then its pieces can be taken as they stand.
        let step = is_canonical.then(|| merged::step(self.seq, (&*entry.kind, entry.event), &put)).flatten();
        if step.is_some() {
            return step;
        }
        self.kind(entry);
        let read = if put.is_empty() {
            serde_json::from_str::<Event>(entry.event.get())
        } else {
            serde_json::from_str::<Value>(entry.event.get()).and_then(|mut event| {
                for (path, text) in put {
                    super::super::queries::insert_at(&mut event, path, serde_json::from_str(&text)?);
                }
                serde_json::from_value(event)
            })
        };
        match read {
            Ok(event) => Some(Step::of(self.seq, event)),
            Err(error) => {
                self.damage("event-unreadable", error.to_string());
                None
            }
        }
    }

    /// Checks the private parts. Returns the canonical text that belongs at each path.
    fn private<'a>(
        &mut self,
        commit: &'a BTreeMap<Text<'_>, Text<'_>>,
        parts: &'a Parts<'_>,
    ) -> Vec<(&'a str, Cow<'a, str>)> {
        let mut put = Vec::with_capacity(commit.len());
        for (Text(path), Text(committed)) in commit {
            let Some((salt, value)) = parts.get(&**path) else {
                self.missing.push(path.to_string());
                put.extend(placeholder(path).map(|json| (&**path, Cow::Owned(json.to_string()))));
                continue;
            };
            self.private_checked += 1;
            let holds = salt.is_some_and(|salt| commitment(&salt, path, value).as_str() == *committed);
            if !holds {
                self.damage("private-changed", format!("the value of `{path}` is not the one recorded"));
            }
            if is_canonical(value) {
                put.push((&**path, Cow::Borrowed(&**value)));
            } else {
                self.damage("private-not-canonical", format!("the value of `{path}`"));
            }
        }
        for path in parts.keys().filter(|path| !commit.contains_key(&Text(Cow::Borrowed(&***path)))) {
            self.damages.push(("private-stray", format!("a value of `{path}` that nothing speaks of")));
        }
        put
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::proposal;

    fn text(kind: &str, event: &str) -> String {
        format!(
            r#"{{"at":"2026-05-20T12:00:00Z","epoch":"1","event":{event},"kind":"{kind}","org":"o","prev":"p","seq":"7","v":"1"}}"#
        )
    }

    fn checked(text: &str, parts: Option<Parts<'_>>) -> Checked {
        let hash = Entry::hash_text(text).to_string().into();
        check(Stored { place: None, hash, columns: None, text: text.into(), parts }, Some("o"))
    }

    fn codes(checked: &Checked) -> Vec<&'static str> {
        checked.damages.iter().map(|(code, _)| *code).collect()
    }

    #[test]
    fn an_event_of_another_kind_is_told_with_private_parts_and_without() {
        let started = r#"{"kind":"started","policy":"d","version":"1"}"#;
        for parts in [Some(Parts::new()), None] {
            assert_eq!(codes(&checked(&text("started", started), parts.clone())), [""; 0]);
            assert_eq!(codes(&checked(&text("stage_changed", started), parts)), ["entry-kind"]);
        }
    }

    #[test]
    fn what_is_not_canonical_means_the_same() {
        let id = proposal("p-1").record;
        let event = format!(
            r#"{{"approval":{{"decided_at":"2026-05-20T12:00:00Z","decided_by":"{id}","decision":"approved","patch_digest":"d","proposal_id":"p-1"}},"kind":"decision_observed"}}"#
        );
        let plain = checked(&text("decision_observed", &event), Some(Parts::new()));
        assert_eq!(codes(&plain), [""; 0]);
        let escaped = event.replace("approved", r"approve\u0064");
        let escaped = checked(&text("decision_observed", &escaped), Some(Parts::new()));
        assert_eq!(codes(&escaped), ["entry-not-canonical"]);
        assert_eq!(escaped.said.and_then(|said| said.step), plain.said.and_then(|said| said.step));
    }
}
