//! Rolling 24-hour counters: API calls and event deliveries.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{bus::PendingChange, org::Org};

const HOUR: i64 = 3_600;

/// A counter over the last 24 hours, in slots of one hour.
#[derive(Debug, Default)]
pub(super) struct Rolling {
    slots: VecDeque<(i64, u64)>,
}

impl Rolling {
    /// Adds and gives the sum of the last 24 hours.
    pub(super) fn add(&mut self, now: Timestamp, count: u64) -> u64 {
        let hour = now.as_second().div_euclid(HOUR);
        match self.slots.back_mut() {
            Some((slot, sum)) if *slot == hour => *sum += count,
            _ => self.slots.push_back((hour, count)),
        }
        while self.slots.front().is_some_and(|(slot, _)| *slot <= hour - 24) {
            self.slots.pop_front();
        }
        self.slots.iter().map(|(_, sum)| sum).sum()
    }
}

/// Use of one daily limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Used in the last 24 hours.
    pub used: u64,
    /// Allowed.
    pub max: u64,
}

impl Usage {
    /// Nothing is left.
    pub fn exceeded(self) -> bool {
        self.used > self.max
    }

    /// What is left.
    pub fn remaining(self) -> u64 {
        self.max.saturating_sub(self.used)
    }
}

/// The org's counters.
#[derive(Debug, Default)]
pub(super) struct Counters {
    api: Rolling,
    delivered: Rolling,
    stats: Stats,
}

/// Totals since start.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// Counted API calls.
    pub api_calls: u64,
    /// The same by user, method and resource: `promoter@example.com PATCH composite/sobjects`.
    pub calls: BTreeMap<String, u64>,
    /// Events delivered to all subscribers.
    pub deliveries: u64,
    /// Saved writes by record id.
    pub writes: BTreeMap<String, u64>,
    /// Pub/Sub calls by name; accepted subscriptions also by where they start: `Subscribe LATEST`.
    pub rpcs: BTreeMap<String, u64>,
    /// Subscriptions that are open now.
    pub streams_open: u64,
    /// Most subscriptions that were open at once.
    pub streams_most: u64,
}

impl Org {
    /// Counts one API call; tells whether the day's limit is exceeded.
    pub fn count_api_call(&self) -> Usage {
        let now = self.0.clock.now();
        let mut counters = self.counters();
        counters.stats.api_calls += 1;
        Usage { used: counters.api.add(now, 1), max: self.0.settings.daily_api_requests }
    }

    /// Notes what a counted call was, for the benchmarks and tests that ask who called what.
    pub(super) fn note_call(&self, username: &str, method: &str, path: &[String]) {
        let resource: Vec<&str> = path.iter().take(2).map(String::as_str).collect();
        let key = format!("{username} {method} {}", resource.join("/"));
        *self.counters().stats.calls.entry(key).or_insert(0) += 1;
    }

    /// The calls and deliveries so far fall out of the last 24 hours, as a day later.
    pub fn forget_usage(&self) {
        let mut counters = self.counters();
        (counters.api, counters.delivered) = (Rolling::default(), Rolling::default());
    }

    /// API calls of the day so far.
    pub fn api_usage(&self) -> Usage {
        let now = self.0.clock.now();
        Usage { used: self.counters().api.add(now, 0), max: self.0.settings.daily_api_requests }
    }

    /// Counts event deliveries.
    pub fn count_deliveries(&self, events: u64) -> Usage {
        let now = self.0.clock.now();
        let mut counters = self.counters();
        counters.stats.deliveries += events;
        Usage { used: counters.delivered.add(now, events), max: self.0.settings.daily_event_deliveries }
    }

    /// Whether so many deliveries more would go over the day's limit.
    pub fn deliveries_exhausted(&self, events: u64) -> bool {
        let now = self.0.clock.now();
        self.counters().delivered.add(now, 0) + events > self.0.settings.daily_event_deliveries
    }

    /// Notes a Pub/Sub call.
    pub(super) fn note_rpc(&self, name: &str) {
        *self.counters().stats.rpcs.entry(name.to_owned()).or_insert(0) += 1;
    }

    /// Notes that a subscription was opened or has ended.
    pub(super) fn note_stream(&self, opened: bool) {
        let stats = &mut self.counters().stats;
        stats.streams_open =
            if opened { stats.streams_open + 1 } else { stats.streams_open.saturating_sub(1) };
        stats.streams_most = stats.streams_most.max(stats.streams_open);
    }

    /// Totals since start.
    pub fn stats(&self) -> Stats {
        self.counters().stats.clone()
    }

    pub(super) fn count_writes(&self, changes: &[PendingChange]) {
        let mut counters = self.counters();
        for change in changes {
            *counters.stats.writes.entry(change.record_id.clone()).or_insert(0) += 1;
        }
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.0.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_later_the_calls_are_forgotten() {
        let mut counter = Rolling::default();
        let at = |hours: i64| Timestamp::from_second(hours * HOUR).unwrap();
        assert_eq!(counter.add(at(100), 5), 5);
        assert_eq!(counter.add(at(110), 1), 6);
        assert_eq!(counter.add(at(124), 1), 2);
    }
}
