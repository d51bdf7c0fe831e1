//! Locks on parents: to save a row, Salesforce locks the record above it too, and another write that
//! is under way with a row of the same parent does not get it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{model::Row, settings::Settings};

/// Which write held which parent last.
#[derive(Debug, Default)]
pub(super) struct ParentLocks {
    write: u64,
    held: BTreeMap<String, (u64, Instant)>,
}

impl ParentLocks {
    /// Another write begins.
    pub(super) fn begin(&mut self) {
        self.write += 1;
    }

    /// Takes the lock on a row's account for the write under way. False while another one has it.
    pub(super) fn take(&mut self, row: &Row, settings: &Settings) -> bool {
        let held_for = Duration::from_millis(settings.parent_lock_millis);
        let parent = row.get("AccountId").and_then(|value| value.as_text()).unwrap_or_default();
        if held_for.is_zero() || parent.is_empty() {
            return true;
        }
        let now = Instant::now();
        let taken = |(write, at): &(u64, Instant)| *write != self.write && now.duration_since(*at) < held_for;
        if self.held.get(parent).is_some_and(taken) {
            return false;
        }
        self.held.insert(parent.to_owned(), (self.write, now));
        true
    }
}
