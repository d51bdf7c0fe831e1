//! Tells when the stream is late, one time, and when it is well again.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::health::StreamHealth;
use crate::{
    clock::Clock,
    telemetry::stream::{STREAM_LATE, STREAM_SILENT_SECONDS, StreamMode},
};

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A commit that takes longer is counted as slow.
const SLOW_SECONDS: i64 = 10;

/// Looks at the health until told to stop. `late_after_seconds` is the longest silence that is normal.
pub async fn run(health: Arc<StreamHealth>, clock: Clock, late_after_seconds: i64, stop: CancellationToken) {
    let mut watch = Watch::new(clock.now(), late_after_seconds);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        watch.look(&health, clock.now());
    }
}

struct Watch {
    /// The stream was ready for the last time, or the watch began.
    well_at: Timestamp,
    late_after_seconds: i64,
    late: bool,
    slow: bool,
}

impl Watch {
    fn new(now: Timestamp, late_after_seconds: i64) -> Self {
        metrics::gauge!(STREAM_LATE).set(0.0);
        Self { well_at: now, late_after_seconds, late: false, slow: false }
    }

    fn look(&mut self, health: &StreamHealth, now: Timestamp) {
        let seen = health.snapshot();
        let silent = seen.silent_seconds(now).unwrap_or_default();
        metrics::gauge!(STREAM_SILENT_SECONDS).set(silent as f64);
        let slow = seen.recording_seconds(now) >= SLOW_SECONDS;
        if slow && !self.slow {
            StreamMode::StoreSlow.count(1);
        }
        self.slow = slow;
        let trouble = seen.trouble(now, self.late_after_seconds);
        let Some((code, words)) = trouble else {
            self.well_at = now;
            if std::mem::take(&mut self.late) {
                metrics::gauge!(STREAM_LATE).set(0.0);
                info!("the event stream is well again");
            }
            return;
        };
        // A lost connection is opened again in seconds; that is no alarm yet.
        let unwell = (now.as_millisecond() - self.well_at.as_millisecond()) / 1_000;
        let too_long = silent > self.late_after_seconds || unwell > self.late_after_seconds;
        if too_long && !self.late {
            self.late = true;
            StreamMode::Late.count(1);
            metrics::gauge!(STREAM_LATE).set(1.0);
            error!(code, seconds = unwell.max(silent), "the event stream is late: {words}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn silence_is_late_and_a_word_ends_it() {
        let health = StreamHealth::default();
        let mut watch = Watch::new(at(0), 60);
        health.connected(at(1));
        health.received(at(2), 0);
        for (second, late) in [(30, false), (62, false), (63, true), (90, true)] {
            watch.look(&health, at(second));
            assert_eq!(watch.late, late, "after {second} s");
        }
        health.received(at(91), 0);
        watch.look(&health, at(92));
        assert!(!watch.late);
    }

    #[test]
    fn opening_again_and_again_is_no_word() {
        let health = StreamHealth::default();
        let mut watch = Watch::new(at(0), 60);
        for second in (0..100).step_by(10) {
            health.connected(at(second));
            watch.look(&health, at(second));
            health.disconnected();
        }
        assert!(watch.late);
        assert_eq!(health.snapshot().trouble(at(100), 60).unwrap().0, "stream-late");
    }

    #[test]
    fn a_commit_that_does_not_end_is_late() {
        let health = StreamHealth::default();
        let mut watch = Watch::new(at(0), 60);
        health.connected(at(0));
        health.recording(at(1));
        for second in 1..130 {
            health.received(at(second), 1);
            watch.look(&health, at(second));
        }
        assert!(watch.late, "received is not stored");
        assert_eq!(health.snapshot().trouble(at(130), 60).unwrap().0, "stream-store-stalled");
        health.recording_ended();
        watch.look(&health, at(130));
        assert!(!watch.late);
    }

    #[test]
    fn a_short_break_is_no_alarm() {
        let health = StreamHealth::default();
        let mut watch = Watch::new(at(0), 60);
        health.connected(at(0));
        health.received(at(50), 1);
        watch.look(&health, at(51));
        health.disconnected();
        watch.look(&health, at(70));
        assert!(!watch.late && health.snapshot().trouble(at(70), 60).is_some());
    }
}
