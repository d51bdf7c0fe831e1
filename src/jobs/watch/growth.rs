//! How fast the ledger grows: the entries of the last day against the days before, and against a limit.
//!
//! Entries are counted and not bytes: what floods a ledger comes as entries, and the disk is watched too.

use jiff::{SignedDuration, Timestamp};

use crate::{
    config::WatchSettings,
    domain::alarm::{Alarm, Watchdog},
    ledger::{Ledger, LedgerError},
};

/// The days before today that say what is usual, and the fewest that do.
const DAYS: i64 = 14;
const FEWEST_DAYS: i64 = 3;

/// A day with fewer entries is never too much, however quiet the days before were.
const SMALL_DAY: u64 = 10_000;

/// Entries of the last 24 hours, and of the days before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grown {
    today: u64,
    before: u64,
    /// How many days `before` covers; too few say nothing.
    days: i64,
}

pub(super) async fn look(
    ledger: &Ledger,
    settings: &WatchSettings,
    now: Timestamp,
) -> Result<Option<Alarm>, LedgerError> {
    let ago = |days: i64| now.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN);
    let Some(began) = ledger.began().await? else { return Ok(None) };
    let days = (now.duration_since(began).as_hours() / 24 - 1).clamp(0, DAYS);
    let all = ledger.length().await?;
    let until_today = ledger.place_before(ago(1)).await?;
    let until_then = ledger.place_before(ago(1 + days)).await?;
    let grown =
        Grown { today: all - until_today.min(all), before: until_today.saturating_sub(until_then), days };
    Ok(too_fast(grown, settings).map(|words| Alarm::new(Watchdog::LedgerGrowth, words)))
}

fn too_fast(grown: Grown, settings: &WatchSettings) -> Option<String> {
    let Grown { today, before, days } = grown;
    if today > settings.entries_per_day {
        return Some(format!("{today} entries in 24 hours, more than {}", settings.entries_per_day));
    }
    let covered = u64::try_from(days).ok().filter(|_| days >= FEWEST_DAYS)?;
    let is_much =
        today > SMALL_DAY && today.saturating_mul(covered) > before.saturating_mul(settings.growth_times);
    is_much.then(|| format!("{today} entries in 24 hours; {} a day were usual before", before / covered))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_held_against_the_days_before_and_a_limit() {
        let settings = WatchSettings {
            every_seconds: 60,
            job_late_minutes: 120,
            growth_times: 10,
            entries_per_day: 500_000,
            silent_hours: 24,
            disk_free_mb: 1000,
        };
        let told = |today: u64, before: u64, days: i64| too_fast(Grown { today, before, days }, &settings);
        assert_eq!(told(20_000, 28_000, 14), None, "ten times 2,000 is allowed");
        assert!(told(20_001, 28_000, 14).unwrap().contains("2000 a day were usual"));
        assert_eq!(told(10_000, 14, 14), None, "a small day");
        assert_eq!(told(400_000, 3, 2), None, "too young to say what is usual");
        assert!(told(400_000, 3, 3).is_some());
        assert!(told(500_001, 50_000_000, 0).unwrap().contains("more than 500000"));
    }
}
