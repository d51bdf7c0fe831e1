//! How the stream is doing, for readiness and metrics.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

use jiff::Timestamp;
use serde::Serialize;

/// Written by the subscriber, read by whoever shows it.
#[derive(Debug, Default)]
pub struct StreamHealth {
    connected: AtomicBool,
    opened_ms: AtomicI64,
    response_ms: AtomicI64,
    recorded_ms: AtomicI64,
    /// When the commit under way began; 0 when none is.
    recording_ms: AtomicI64,
    events: AtomicU64,
    failures: AtomicU64,
    last_failure: Mutex<Option<(&'static str, String)>>,
}

/// The state at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthSnapshot {
    /// Whether a stream is open.
    pub connected: bool,
    /// When a stream was first opened since something was last received.
    pub opened_at: Option<Timestamp>,
    /// When something was last received, keepalives included.
    pub last_response_at: Option<Timestamp>,
    /// When something was last committed.
    pub last_recorded_at: Option<Timestamp>,
    /// Since when a commit is under way.
    pub recording_since: Option<Timestamp>,
    /// Events received since the process started.
    pub events_received: u64,
    /// Streams that broke since the process started.
    pub failures: u64,
    /// Code of the last failure; none while the stream runs.
    pub failure_code: Option<&'static str>,
    /// The same in words.
    pub failure: Option<String>,
}

impl HealthSnapshot {
    /// Seconds since the last sign of life. That a stream was opened again is none.
    pub fn silent_seconds(&self, now: Timestamp) -> Option<i64> {
        let last = self.last_response_at.max(self.opened_at)?;
        Some((now.as_millisecond() - last.as_millisecond()).max(0) / 1_000)
    }

    /// Seconds that the commit under way has taken so far.
    pub fn recording_seconds(&self, now: Timestamp) -> i64 {
        self.recording_since.map_or(0, |since| (now.as_millisecond() - since.as_millisecond()).max(0) / 1_000)
    }

    /// True while a stream is open, was heard of within `limit_seconds`, and what it delivers is stored.
    pub fn ready(&self, now: Timestamp, limit_seconds: i64) -> bool {
        self.connected
            && self.silent_seconds(now).is_some_and(|silent| silent <= limit_seconds)
            && self.recording_seconds(now) <= limit_seconds
    }

    /// What is wrong, in a stable code and words; none when the stream is ready.
    pub fn trouble(&self, now: Timestamp, limit_seconds: i64) -> Option<(&'static str, String)> {
        if self.ready(now, limit_seconds) {
            return None;
        }
        if self.recording_seconds(now) > limit_seconds {
            let words = format!(
                "what the stream delivered is not stored after {} s; look at the ledger's disk",
                self.recording_seconds(now)
            );
            return Some(("stream-store-stalled", words));
        }
        if let (Some(code), Some(words)) = (self.failure_code, &self.failure) {
            return Some((code, words.clone()));
        }
        Some(match self.silent_seconds(now) {
            Some(silent) => ("stream-late", format!("no word from the event stream for {silent} s")),
            None => ("stream-late", "the event stream is not open yet".to_owned()),
        })
    }
}

impl StreamHealth {
    /// The state now.
    pub fn snapshot(&self) -> HealthSnapshot {
        let last_failure = self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        HealthSnapshot {
            connected: self.connected.load(Ordering::Relaxed),
            opened_at: moment(&self.opened_ms),
            last_response_at: moment(&self.response_ms),
            last_recorded_at: moment(&self.recorded_ms),
            recording_since: moment(&self.recording_ms),
            events_received: self.events.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            failure_code: last_failure.as_ref().map(|(code, _)| *code),
            failure: last_failure.map(|(_, words)| words),
        }
    }

    pub(super) fn connected(&self, now: Timestamp) {
        // A stream that opens again and again, and never says anything, is silent all the same.
        let opened = self.opened_ms.load(Ordering::Relaxed);
        if opened == 0 || self.response_ms.load(Ordering::Relaxed) >= opened {
            self.opened_ms.store(now.as_millisecond(), Ordering::Relaxed);
        }
        self.connected.store(true, Ordering::Relaxed);
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn disconnected(&self) {
        self.connected.store(false, Ordering::Relaxed);
    }

    pub(super) fn received(&self, now: Timestamp, events: usize) {
        self.response_ms.store(now.as_millisecond(), Ordering::Relaxed);
        self.events.fetch_add(u64::try_from(events).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn recording(&self, now: Timestamp) {
        self.recording_ms.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// The commit under way has ended, well or not.
    pub(super) fn recording_ended(&self) {
        self.recording_ms.store(0, Ordering::Relaxed);
    }

    pub(super) fn recorded(&self, now: Timestamp) {
        self.recorded_ms.store(now.as_millisecond(), Ordering::Relaxed);
    }

    pub(super) fn failed(&self, code: &'static str, words: &str) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some((code, words.to_owned()));
    }
}

fn moment(millis: &AtomicI64) -> Option<Timestamp> {
    match millis.load(Ordering::Relaxed) {
        0 => None,
        millis => Timestamp::from_millisecond(millis).ok(),
    }
}
