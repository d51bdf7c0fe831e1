//! Rolling 24-hour counters: API calls and event deliveries.

use std::collections::VecDeque;

use jiff::Timestamp;

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
