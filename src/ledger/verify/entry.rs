//! What can be checked of an entry by itself, on any core: hash, canonical form, columns, private
//! parts.

use std::borrow::Cow;

use arrayvec::ArrayString;
use serde::Deserialize;
use serde_json::Value;

use super::{
    merged,
    parts::{DIGITS, Parts, digits},
    pieces::{Members, Part},
    reading::Read,
    step::Step,
};
use crate::domain::{
    canonical_text::{is_canonical, members},
    entry::{Entry, commitment_bytes},
    erasure::placeholder,
    event::Event,
};

/// The members of an entry down to what its event needs.
const LEVELS: usize = 1 + merged::LEVELS;

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
    pub(super) leaf: [u8; 32],
    /// The same, in hex.
    pub(super) hash: ArrayString<DIGITS>,
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
    /// The hash that it points at; absent where it is longer than a hash.
    pub(super) prev: Option<ArrayString<DIGITS>>,
    /// The event, ready for the fold; absent where it cannot be read or private parts were left out.
    pub(super) step: Option<Step>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

/// Checks all that can be seen of an entry alone.
pub(super) fn check(stored: Stored<'_>, org: Option<&str>) -> Checked {
    let leaf = Entry::leaf(&stored.text);
    let mut checked = Checked {
        seq: stored.place.unwrap_or(0),
        leaf,
        hash: digits(&leaf),
        said: None,
        damages: Vec::new(),
        private_checked: 0,
        missing: Vec::new(),
        is_withheld: stored.parts.is_none(),
    };
    if *checked.hash != *stored.hash {
        checked.damage("entry-hash", "the text of the entry does not have the hash that was stored");
    }
    let members = members(&stored.text, LEVELS);
    if members.is_none() {
        checked.damage("entry-not-canonical", "its text is not in canonical form");
    }
    let members = members.unwrap_or_default();
    let members = Members(&members);
    match Read::from_members(members).map_or_else(|| Read::of(&stored.text), Ok) {
        Ok(read) => {
            checked.read((stored.place, stored.columns, stored.parts), (&read, members.below("event")));
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

    fn read(
        &mut self,
        (place, columns, parts): Beside<'_>,
        (entry, members): (&Read<'_>, Option<Members<'_, '_>>),
    ) {
        let seq: u64 = entry.seq.parse().unwrap_or(0);
        self.seq = place.unwrap_or(seq);
        let columns = columns.is_none_or(|(kind, proposal)| {
            kind == entry.kind && proposal.as_deref() == entry.proposal.as_deref()
        });
        if seq != self.seq || entry.seq != seq.to_string() || !columns {
            self.damage("entry-columns", "its columns differ from its text");
        }
        let step = match parts {
            Some(parts) => self.event((entry, members), parts),
            // What the walk itself needs is public.
            None if matches!(&*entry.kind, "restore_accepted" | "erased" | "anchor_settled") => {
                let step = self.event((entry, members), Parts::default());
                self.missing.clear();
                step
            }
            None => {
                self.kind(entry);
                None
            }
        };
        let prev = ArrayString::from(&entry.prev).ok();
        self.said = Some(Said { org: None, at: entry.at.to_string(), prev, step });
    }

    /// Whether the event is of the kind that the entry says.
    fn kind(&mut self, entry: &Read<'_>) {
        let kind = serde_json::from_str::<Kind<'_>>(entry.event);
        if !kind.is_ok_and(|event| event.kind == entry.kind) {
            self.damage("entry-kind", "its event is of another kind");
        }
    }

    /// The event with its private parts; what is erased gets its placeholder. With members, its text is
    /// canonical and they are those of the event.
    fn event(
        &mut self,
        (entry, members): (&Read<'_>, Option<Members<'_, '_>>),
        parts: Parts<'_>,
    ) -> Option<Step> {
        let put = self.private(&entry.commit, &parts);
        let step = members.and_then(|members| merged::step(self.seq, (&*entry.kind, members), &put));
        if step.is_some() {
            return step;
        }
        self.kind(entry);
        let read = if put.is_empty() {
            serde_json::from_str::<Event>(entry.event)
        } else {
            serde_json::from_str::<Value>(entry.event).and_then(|mut event| {
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
        commit: &'a [(Cow<'_, str>, Cow<'_, str>)],
        parts: &'a Parts<'_>,
    ) -> Vec<Part<'a>> {
        let mut put = Vec::with_capacity(commit.len());
        for (path, committed) in commit {
            let Some((salt, value)) = parts.get(path) else {
                self.missing.push(path.to_string());
                put.extend(placeholder(path).map(|json| (&**path, Cow::Owned(json.to_string()))));
                continue;
            };
            self.private_checked += 1;
            let holds = salt.is_some_and(|salt| *digits(&commitment_bytes(salt, path, value)) == **committed);
            if !holds {
                self.damage("private-changed", format!("the value of `{path}` is not the one recorded"));
            }
            if is_canonical(value) {
                put.push((&**path, Cow::Borrowed(value)));
            } else {
                self.damage("private-not-canonical", format!("the value of `{path}`"));
            }
        }
        let is_spoken_of = |path: &str| commit.binary_search_by(|(one, _)| (**one).cmp(path)).is_ok();
        for path in parts.paths().filter(|path| !is_spoken_of(path)) {
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
        for parts in [Some(Parts::default()), None] {
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
        let plain = checked(&text("decision_observed", &event), Some(Parts::default()));
        assert_eq!(codes(&plain), [""; 0]);
        let escaped = event.replace("approved", r"approve\u0064");
        let escaped = checked(&text("decision_observed", &escaped), Some(Parts::default()));
        assert_eq!(codes(&escaped), ["entry-not-canonical"]);
        assert_eq!(escaped.said.and_then(|said| said.step), plain.said.and_then(|said| said.step));
    }

    #[test]
    fn a_value_that_is_not_canonical_is_told_even_with_its_commitment() {
        let entry = |value: &str| {
            let digest = digits(&commitment_bytes(&[7; 32], "/policy", value));
            let text = text("started", r#"{"kind":"started","version":"1"}"#);
            let text = text.replace(r#""epoch""#, &format!(r#""commit":{{"/policy":"{digest}"}},"epoch""#));
            let mut parts = Parts::default();
            parts.insert("/policy".into(), Some([7; 32]), value.to_owned().into());
            checked(&text, Some(parts))
        };
        assert_eq!(codes(&entry("\"d\"")), [""; 0]);
        assert!(codes(&entry(" \"d\"")).contains(&"private-not-canonical"));
        assert_eq!(entry(" \"d\"").private_checked, 1);
    }
}
