//! Pauses between attempts: growing, bounded, and different for every process.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

/// Bounds of the pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// After a lost connection or a refused token: first and longest pause.
    pub short: (Duration, Duration),
    /// After a limit or a configuration error.
    pub long: (Duration, Duration),
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { short: (Duration::from_millis(500), seconds(60)), long: (seconds(30), seconds(900)) }
    }
}

/// The pauses of one run of failures.
pub(super) struct Pauses {
    pace: Pace,
    short: ExponentialBackoff,
    long: ExponentialBackoff,
}

impl Pace {
    pub(super) fn pauses(self) -> Pauses {
        Pauses { pace: self, short: backoff(self.short), long: backoff(self.long) }
    }
}

impl Pauses {
    pub(super) fn short(&mut self) -> Duration {
        self.short.next().unwrap_or(self.pace.short.1)
    }

    pub(super) fn long(&mut self) -> Duration {
        self.long.next().unwrap_or(self.pace.long.1)
    }
}

fn backoff((first, longest): (Duration, Duration)) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(first)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let pace = Pace::default();
        let mut pauses = pace.pauses();
        let first = pauses.short();
        assert!(first >= pace.short.0 && first <= pace.short.0 * 2, "{first:?}");
        let late = (0..50).map(|_| pauses.short()).last().unwrap();
        assert!(late >= pace.short.1 && late <= pace.short.1 * 2, "{late:?}");
        assert!(pauses.long() >= pace.long.0);
    }
}
