//! What can be checked of an entry by itself, on any core: hash, canonical form, columns, private
//! parts.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::step::Step;
use crate::domain::{
    canonical_text::is_canonical,
    entry::{Entry, commitment},
    erasure::placeholder,
    event::Event,
};

/// Salt and canonical value by path.
pub(super) type Parts = BTreeMap<String, (Vec<u8>, String)>;

/// An entry as it was found.
pub(super) struct Stored {
    /// The place where it stands; absent where only its text tells.
    pub(super) place: Option<u64>,
    /// The hash that was stored with it.
    pub(super) hash: String,
    /// The columns beside its text: kind and proposal.
    pub(super) columns: Option<(String, Option<String>)>,
    /// Its text.
    pub(super) text: String,
    /// Its private parts, which may not be readable; absent where they were left out on purpose.
    pub(super) parts: Option<Result<Parts, String>>,
}

/// What came of it.
pub(super) struct Checked {
    /// Its place.
    pub(super) seq: u64,
    /// The hash of its text.
    pub(super) hash: String,
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
    pub(super) org: String,
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
    #[serde(default)]
    commit: BTreeMap<String, String>,
    #[serde(borrow)]
    prev: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

pub(super) fn check(stored: Stored) -> Checked {
    let hash = Entry::hash_text(&stored.text).to_string();
    let mut checked = Checked {
        seq: stored.place.unwrap_or(0),
        hash,
        said: None,
        damages: Vec::new(),
        private_checked: 0,
        missing: Vec::new(),
        is_withheld: stored.parts.is_none(),
    };
    if checked.hash != stored.hash {
        checked.damage("entry-hash", "the text of the entry does not have the hash that was stored");
    }
    if !is_canonical(&stored.text) {
        checked.damage("entry-not-canonical", "its text is not in canonical form");
    }
    match serde_json::from_str(&stored.text) {
        Ok(read) => checked.read((stored.place, stored.columns, stored.parts), &read),
        Err(error) => checked.damage("entry-unreadable", error.to_string()),
    }
    checked
}

/// Place, columns and private parts of an entry.
type Beside = (Option<u64>, Option<(String, Option<String>)>, Option<Result<Parts, String>>);

impl Checked {
    fn damage(&mut self, code: &'static str, what: impl Into<String>) {
        self.damages.push((code, what.into()));
    }

    fn read(&mut self, (place, columns, parts): Beside, entry: &Read<'_>) {
        let seq: u64 = entry.seq.parse().unwrap_or(0);
        self.seq = place.unwrap_or(seq);
        let columns = columns.is_none_or(|(kind, proposal)| {
            kind == entry.kind && proposal.as_deref() == entry.proposal.as_deref()
        });
        if seq != self.seq || entry.seq != seq.to_string() || !columns {
            self.damage("entry-columns", "its columns differ from its text");
        }
        let kind = serde_json::from_str::<Kind<'_>>(entry.event.get());
        if !kind.is_ok_and(|event| event.kind == entry.kind) {
            self.damage("entry-kind", "its event is of another kind");
        }
        let step = match parts {
            Some(Ok(parts)) => self.event(entry, parts),
            Some(Err(what)) => {
                self.damage("private-not-canonical", what);
                None
            }
            // What the walk itself needs is public.
            None if matches!(&*entry.kind, "restore_accepted" | "erased" | "anchor_settled") => {
                let step = self.event(entry, Parts::new());
                self.missing.clear();
                step
            }
            None => None,
        };
        let (org, at, prev) = (&entry.org, &entry.at, &entry.prev);
        self.said = Some(Said { org: org.to_string(), at: at.to_string(), prev: prev.to_string(), step });
    }

    /// The event with its private parts; what is erased gets its placeholder.
    fn event(&mut self, entry: &Read<'_>, parts: Parts) -> Option<Step> {
        let read = serde_json::from_str::<Value>(entry.event.get()).and_then(|mut event| {
            self.private(&entry.commit, parts, &mut event);
            serde_json::from_value::<Event>(event)
        });
        match read {
            Ok(event) => Some(Step::of(self.seq, event)),
            Err(error) => {
                self.damage("event-unreadable", error.to_string());
                None
            }
        }
    }

    fn private(&mut self, commit: &BTreeMap<String, String>, mut parts: Parts, event: &mut Value) {
        let put = super::super::queries::insert_at;
        for (path, committed) in commit {
            let Some((salt, value)) = parts.remove(path) else {
                self.missing.push(path.clone());
                if let Some(placeholder) = placeholder(path) {
                    put(event, path, placeholder);
                }
                continue;
            };
            self.private_checked += 1;
            let holds = <[u8; 32]>::try_from(salt.as_slice())
                .is_ok_and(|salt| commitment(&salt, path, &value).as_str() == committed);
            if !holds {
                self.damage("private-changed", format!("the value of `{path}` is not the one recorded"));
            }
            match serde_json::from_str::<Value>(&value) {
                Ok(json) if is_canonical(&value) => put(event, path, json),
                _ => self.damage("private-not-canonical", format!("the value of `{path}`")),
            }
        }
        for path in parts.keys() {
            self.damages.push(("private-stray", format!("a value of `{path}` that nothing speaks of")));
        }
    }
}
