//! Pauses between tries of what the org refuses for now: they grow, they are told one time, and they
//! cost no entries. They are kept in memory: after a restart everything is tried at once.
//!
//! A promotion is tried as long as its approval lives; then a void write closes it. A notice is tried
//! until it is taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use crate::salesforce::{Class, classify};

/// Promotions and notices that wait for another try.
const WAITING: &str = "countersign_waiting_tries";

/// Stands for a code where there was no answer.
pub const NO_ANSWER: &str = "no-answer";

/// From this pause on it is told.
const WORTH_TELLING_SECONDS: i64 = 15;

/// What waits for its next try.
#[derive(Debug, Clone, Default)]
pub struct Pacing(Arc<Mutex<BTreeMap<String, Wait>>>);

#[derive(Debug, Clone)]
struct Wait {
    until: Timestamp,
    seconds: i64,
    told: bool,
}

/// First and longest pause in seconds, by what the code says about the refusal.
fn bounds(code: &str) -> (i64, i64) {
    match classify(None, code, "") {
        _ if code == NO_ANSWER => (1, 120),
        // An approval process, a person: hours or days.
        Class::Park | Class::Drop => (15, 3_600),
        // Maintenance, limits, switched off.
        Class::Pause | Class::Login => (5, 300),
        _ => (1, 120),
    }
}

impl Pacing {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Wait>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits before the next try, longer than the last time.
    pub fn wait(&self, key: &str, code: &str, now: Timestamp) {
        let mut waits = self.lock();
        let (first, most) = bounds(code);
        let last = waits.get(key);
        let seconds = last.map_or(first, |last| (last.seconds * 2).clamp(first, most));
        let worth = seconds >= WORTH_TELLING_SECONDS;
        let told = last.is_some_and(|last| last.told);
        if worth && !told {
            tracing::warn!(code, seconds, "{key} waits: the org does not take it now; it is tried again");
        }
        let until = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        waits.insert(key.to_owned(), Wait { until, seconds, told: told || worth });
        metrics::gauge!(WAITING).set(waits.len() as f64);
    }

    /// It waits no more.
    pub fn forget(&self, key: &str) {
        let mut waits = self.lock();
        if waits.remove(key).is_some() {
            metrics::gauge!(WAITING).set(waits.len() as f64);
        }
    }

    /// Of the names that begin with this word, only these still wait: others ended in another way.
    pub fn keep_only(&self, kind: &str, names: &BTreeSet<String>) {
        let mut waits = self.lock();
        waits.retain(|name, _| name.split(' ').next() != Some(kind) || names.contains(name));
        metrics::gauge!(WAITING).set(waits.len() as f64);
    }

    /// Whether it may be tried now.
    pub fn is_due(&self, key: &str, now: Timestamp) -> bool {
        self.lock().get(key).is_none_or(|wait| wait.until <= now)
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn pauses_grow_up_to_their_bound() {
        let pacing = Pacing::default();
        let (mut now, mut pauses) = (0, Vec::new());
        for _ in 0..12 {
            pacing.wait("promotion 1", "ENTITY_IS_LOCKED", at(now));
            let next = (now..).find(|second| pacing.is_due("promotion 1", at(*second))).unwrap();
            pauses.push(next - now);
            now = next;
        }
        assert_eq!(pauses[..4], [15, 30, 60, 120]);
        assert_eq!(pauses[11], 3_600);
        pacing.wait("promotion 2", "UNABLE_TO_LOCK_ROW", at(0));
        assert!(pacing.is_due("promotion 2", at(1)) && !pacing.is_due("promotion 2", at(0)));
        pacing.forget("promotion 1");
        assert!(pacing.is_due("promotion 1", at(0)) && pacing.waiting() == 1);
    }

    #[test]
    fn what_ended_in_another_way_waits_no_more() {
        let pacing = Pacing::default();
        for name in ["promotion 1", "promotion 2", "notice 1"] {
            pacing.wait(name, "ENTITY_IS_LOCKED", at(0));
        }
        pacing.keep_only("promotion", &BTreeSet::from(["promotion 2".to_owned()]));
        assert_eq!(pacing.waiting(), 2);
        assert!(pacing.is_due("promotion 1", at(0)) && !pacing.is_due("promotion 2", at(0)));
        assert!(!pacing.is_due("notice 1", at(0)), "another kind");
    }
}
