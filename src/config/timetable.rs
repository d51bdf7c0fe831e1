//! When a job is due: a cron expression, read in a time zone.
//!
//! The expression is evaluated on the clock on the wall of the zone, which is then turned into a
//! moment. A time that a change of the clock skips comes right after the skip; one that comes twice
//! counts the first time.

use std::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};
use jiff::{Timestamp, civil, tz::TimeZone};

/// A cron expression of five fields and its zone.
#[derive(Debug, Clone)]
pub struct Timetable {
    text: String,
    cron: Cron,
    zone: TimeZone,
}

/// How far apart two readings of a clock on the wall may be when it is changed: a search begins so
/// much before or after now.
const CHANGE: TimeDelta = TimeDelta::hours(3);

/// Most slots that a search passes over: those of every minute on both sides of a change.
const MOST_STEPS: usize = 400;

impl Timetable {
    /// Reads an expression such as `0 6 * * MON-FRI`. The error says what is wrong with it.
    pub fn parse(text: &str, zone: TimeZone) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| error.to_string())?;
        let timetable = Self { text: text.to_owned(), cron, zone };
        match timetable.next(Timestamp::UNIX_EPOCH) {
            Some(_) => Ok(timetable),
            None => Err("no day ever fits it".to_owned()),
        }
    }

    /// The newest moment that has come.
    pub fn newest(&self, now: Timestamp) -> Option<Timestamp> {
        let mut wall = self.wall(now)?.checked_add_signed(CHANGE)?;
        let mut inclusive = true;
        for _ in 0..MOST_STEPS {
            wall = self.cron.find_previous_occurrence(&wall, inclusive).ok()?;
            inclusive = false;
            if let Some(slot) = self.moment(wall).filter(|slot| *slot <= now) {
                return Some(slot);
            }
        }
        None
    }

    /// The first moment that is still to come.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let mut wall = self.wall(now)?.checked_sub_signed(CHANGE)?;
        for _ in 0..MOST_STEPS {
            wall = self.cron.find_next_occurrence(&wall, false).ok()?;
            if let Some(slot) = self.moment(wall).filter(|slot| *slot > now) {
                return Some(slot);
            }
        }
        None
    }

    /// What the clock on the wall shows, as chrono has it.
    fn wall(&self, now: Timestamp) -> Option<DateTime<Utc>> {
        let civil = now.to_zoned(self.zone.clone()).datetime();
        let part = |number: i8| u32::try_from(number).ok();
        let date = NaiveDate::from_ymd_opt(civil.year().into(), part(civil.month())?, part(civil.day())?)?;
        let time = date.and_hms_opt(part(civil.hour())?, part(civil.minute())?, part(civil.second())?)?;
        Some(time.and_utc())
    }

    fn moment(&self, wall: DateTime<Utc>) -> Option<Timestamp> {
        let shown = wall.naive_utc().format("%Y-%m-%dT%H:%M:%S").to_string();
        let civil: civil::DateTime = shown.parse().ok()?;
        Some(civil.to_zoned(self.zone.clone()).ok()?.timestamp())
    }
}

impl PartialEq for Timetable {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.zone == other.zone
    }
}

impl fmt::Display for Timetable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.zone.iana_name().unwrap_or("UTC");
        write!(out, "{} ({zone})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cron: &str, zone: &str) -> Timetable {
        Timetable::parse(cron, TimeZone::get(zone).unwrap()).unwrap()
    }

    fn newest(table: &Timetable, now: &str) -> String {
        table.newest(now.parse().unwrap()).unwrap().to_string()
    }

    fn next(table: &Timetable, now: &str) -> String {
        table.next(now.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn slots_follow_the_zone_and_its_changes_of_the_clock() {
        let berlin = table("0 6 * * *", "Europe/Berlin");
        assert_eq!(newest(&berlin, "2026-07-01T03:59:59Z"), "2026-06-30T04:00:00Z", "before it: yesterday's");
        assert_eq!(newest(&berlin, "2026-07-01T04:00:00Z"), "2026-07-01T04:00:00Z");
        assert_eq!(newest(&berlin, "2026-12-01T05:00:00Z"), "2026-12-01T05:00:00Z", "winter time");
        assert_eq!(next(&berlin, "2026-07-01T04:00:00Z"), "2026-07-02T04:00:00Z");
        assert_eq!(next(&berlin, "2026-10-24T04:00:00Z"), "2026-10-25T05:00:00Z", "over the change");
        assert_eq!(berlin.to_string(), "0 6 * * * (Europe/Berlin)");
    }

    #[test]
    fn a_time_that_is_skipped_comes_after_the_skip_and_one_that_comes_twice_counts_first() {
        let skipped = table("30 2 * * *", "Europe/Berlin");
        assert_eq!(
            newest(&skipped, "2026-03-29T12:00:00Z"),
            "2026-03-29T01:30:00Z",
            "02:30 does not exist that day"
        );
        assert_eq!(newest(&skipped, "2026-03-29T01:10:00Z"), "2026-03-28T01:30:00Z", "03:10 is before it");
        assert_eq!(next(&skipped, "2026-03-29T01:10:00Z"), "2026-03-29T01:30:00Z");
        // 02:30 is 00:30Z and 01:30Z on the day when the clock goes back.
        assert_eq!(newest(&skipped, "2026-10-25T01:45:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(
            newest(&skipped, "2026-10-25T01:10:00Z"),
            "2026-10-25T00:30:00Z",
            "02:10 for the second time"
        );
        assert_eq!(next(&skipped, "2026-10-25T00:45:00Z"), "2026-10-26T01:30:00Z");
        let each = table("* * * * *", "Europe/Berlin");
        for now in ["2026-03-29T01:10:00Z", "2026-10-25T00:10:00Z"] {
            assert_eq!(newest(&each, now), now, "every minute");
        }
    }

    #[test]
    fn days_of_the_week_and_steps_are_understood() {
        let working = table("*/15 9-17 * * MON-FRI", "UTC");
        assert_eq!(newest(&working, "2026-05-23T12:00:00Z"), "2026-05-22T17:45:00Z", "a Saturday");
        assert_eq!(next(&working, "2026-05-22T17:45:00Z"), "2026-05-25T09:00:00Z");
    }

    #[test]
    fn what_is_no_timetable_is_told() {
        for (text, words) in [
            ("", ""),
            ("0 6 * *", ""),
            ("0 0 6 * * *", ""),
            ("61 6 * * *", ""),
            ("every day", ""),
            ("0 6 31 2 *", "no day ever fits it"),
        ] {
            let error = Timetable::parse(text, TimeZone::UTC).expect_err(text);
            assert!(!error.is_empty() && error.contains(words), "{text}: {error}");
        }
    }
}
