//! What can be checked of an entry by itself, on any core: hash, canonical form, columns, private
//! parts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::{
    digest::{canonical, canonical_json},
    entry::{Entry, commitment},
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
    /// Its private parts; absent where they were left out on purpose.
    pub(super) parts: Option<Parts>,
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
}

/// What the text of an entry says.
pub(super) struct Said {
    pub(super) org: String,
    pub(super) at: String,
    pub(super) prev: String,
    /// The event, or why it cannot be read; absent where private parts were left out.
    pub(super) event: Option<Result<Box<Event>, String>>,
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
    };
    if checked.hash != stored.hash {
        checked.damage("entry-hash", "the text of the entry does not have the hash that was stored");
    }
    match serde_json::from_str(&stored.text) {
        Ok(json) => checked.read(stored, json),
        Err(error) => checked.damage("entry-unreadable", error.to_string()),
    }
    checked
}

impl Checked {
    fn damage(&mut self, code: &'static str, what: impl Into<String>) {
        self.damages.push((code, what.into()));
    }

    fn read(&mut self, stored: Stored, json: Value) {
        if !canonical_json(&json).is_ok_and(|text| text == stored.text) {
            self.damage("entry-not-canonical", "its text is not in canonical form");
        }
        let entry: Entry = match serde_json::from_value(json) {
            Ok(entry) => entry,
            Err(error) => return self.damage("entry-unreadable", error.to_string()),
        };
        let seq: u64 = entry.seq.parse().unwrap_or(0);
        self.seq = stored.place.unwrap_or(seq);
        let columns =
            stored.columns.is_none_or(|(kind, proposal)| kind == entry.kind && proposal == entry.proposal);
        if seq != self.seq || entry.seq != seq.to_string() || !columns {
            self.damage("entry-columns", "its columns differ from its text");
        }
        let mut event = entry.event;
        if event.get("kind").and_then(Value::as_str) != Some(&entry.kind) {
            self.damage("entry-kind", "its event is of another kind");
        }
        let event = stored.parts.map(|parts| {
            self.private(&entry.commit, parts, &mut event);
            serde_json::from_value(event).map(Box::new).map_err(|error| error.to_string())
        });
        self.said = Some(Said { org: entry.org, at: entry.at, prev: entry.prev, event });
    }

    fn private(&mut self, commit: &BTreeMap<String, String>, mut parts: Parts, event: &mut Value) {
        for (path, committed) in commit {
            let Some((salt, value)) = parts.remove(path) else {
                self.missing.push(path.clone());
                continue;
            };
            self.private_checked += 1;
            let holds = <[u8; 32]>::try_from(salt.as_slice())
                .is_ok_and(|salt| commitment(&salt, path, &value).as_str() == committed);
            if !holds {
                self.damage("private-changed", format!("the value of `{path}` is not the one recorded"));
                continue;
            }
            match serde_json::from_str::<Value>(&value) {
                Ok(json) if canonical(&json).is_ok_and(|text| text == value) => {
                    super::super::queries::insert_at(event, path, json);
                }
                _ => self.damage("private-not-canonical", format!("the value of `{path}`")),
            }
        }
        for path in parts.keys() {
            self.damages.push(("private-stray", format!("a value of `{path}` that nothing speaks of")));
        }
    }
}
