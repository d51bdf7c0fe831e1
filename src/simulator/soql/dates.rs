//! Date literals as day ranges. Days are UTC days: the simulated org's users live in that zone.
//! Weeks begin on Sunday and the fiscal year in January, the defaults of an English-language org.

use jiff::{
    Span,
    civil::{Date, Weekday},
};

/// Largest count after a date literal; keeps every range inside the calendar.
pub(super) const MAX_COUNT: u32 = 100_000;

/// A unit of date literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

const PLAIN: &[&str] = &[
    "TODAY",
    "YESTERDAY",
    "TOMORROW",
    "LAST_WEEK",
    "THIS_WEEK",
    "NEXT_WEEK",
    "LAST_MONTH",
    "THIS_MONTH",
    "NEXT_MONTH",
    "LAST_QUARTER",
    "THIS_QUARTER",
    "NEXT_QUARTER",
    "LAST_YEAR",
    "THIS_YEAR",
    "NEXT_YEAR",
    "LAST_90_DAYS",
    "NEXT_90_DAYS",
    "LAST_FISCAL_QUARTER",
    "THIS_FISCAL_QUARTER",
    "NEXT_FISCAL_QUARTER",
    "LAST_FISCAL_YEAR",
    "THIS_FISCAL_YEAR",
    "NEXT_FISCAL_YEAR",
];

/// True for `TODAY` and its like (upper case).
pub(super) fn is_plain(word: &str) -> bool {
    PLAIN.contains(&word)
}

/// True for `LAST_N_DAYS` and its like (upper case).
pub(super) fn is_counted(word: &str) -> bool {
    counted_parts(word).is_some()
}

/// First day and the day after the last one. `None` when the range leaves the calendar.
pub(super) fn range(word: &str, count: Option<u32>, today: Date) -> Option<(Date, Date)> {
    match (word, count) {
        ("TODAY", _) => units(Unit::Day, today, 0, 1),
        ("YESTERDAY", _) => units(Unit::Day, today, -1, 0),
        ("TOMORROW", _) => units(Unit::Day, today, 1, 2),
        // The counted literals for past days include today; those for coming days begin tomorrow.
        ("LAST_90_DAYS", _) => units(Unit::Day, today, -90, 1),
        ("NEXT_90_DAYS", _) => units(Unit::Day, today, 1, 91),
        (word, Some(count)) => counted(word, i64::from(count), today),
        (word, None) => {
            let (when, unit) = word.split_once('_')?;
            let from = match when {
                "LAST" => -1,
                "THIS" => 0,
                "NEXT" => 1,
                _ => return None,
            };
            units(named_unit(unit)?, today, from, from + 1)
        }
    }
}

fn named_unit(name: &str) -> Option<Unit> {
    Some(match name.trim_end_matches('S').trim_start_matches("FISCAL_") {
        "DAY" => Unit::Day,
        "WEEK" => Unit::Week,
        "MONTH" => Unit::Month,
        "QUARTER" => Unit::Quarter,
        "YEAR" => Unit::Year,
        _ => return None,
    })
}

/// `LAST`, `NEXT` or `AGO`, and the unit.
fn counted_parts(word: &str) -> Option<(&'static str, Unit)> {
    if let Some(unit) = word.strip_prefix("LAST_N_") {
        return Some(("LAST", named_unit(unit)?));
    }
    if let Some(unit) = word.strip_prefix("NEXT_N_") {
        return Some(("NEXT", named_unit(unit)?));
    }
    let unit = word.strip_prefix("N_")?.strip_suffix("_AGO")?;
    Some(("AGO", named_unit(unit)?))
}

fn counted(word: &str, count: i64, today: Date) -> Option<(Date, Date)> {
    match counted_parts(word)? {
        ("LAST", Unit::Day) => units(Unit::Day, today, -count, 1),
        ("LAST", unit) => units(unit, today, -count, 0),
        ("NEXT", unit) => units(unit, today, 1, count + 1),
        (_, unit) => units(unit, today, -count, 1 - count),
    }
}

/// The days from the start of the unit `from` units away to the start of the unit `to` units away.
fn units(unit: Unit, today: Date, from: i64, to: i64) -> Option<(Date, Date)> {
    let start = match unit {
        Unit::Day => today,
        Unit::Week => {
            let back = today.weekday().since(Weekday::Sunday);
            today.checked_sub(Span::new().try_days(back).ok()?).ok()?
        }
        Unit::Month => today.first_of_month(),
        Unit::Quarter => {
            let first = (today.month() - 1) / 3 * 3 + 1;
            Date::new(today.year(), first, 1).ok()?
        }
        Unit::Year => today.first_of_year(),
    };
    let moved = |by: i64| {
        let span = match unit {
            Unit::Day => Span::new().try_days(by),
            Unit::Week => Span::new().try_weeks(by),
            Unit::Month => Span::new().try_months(by),
            Unit::Quarter => Span::new().try_months(by * 3),
            Unit::Year => Span::new().try_years(by),
        };
        start.checked_add(span.ok()?).ok()
    };
    Some((moved(from)?, moved(to)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(word: &str, count: Option<u32>) -> (String, String) {
        // A Wednesday.
        let today = "2026-05-13".parse().unwrap();
        let (from, to) = range(word, count, today).expect("a known literal inside the calendar");
        (from.to_string(), to.to_string())
    }

    #[test]
    fn covers_the_days_it_says() {
        for (word, count, from, to) in [
            ("TODAY", None, "2026-05-13", "2026-05-14"),
            ("YESTERDAY", None, "2026-05-12", "2026-05-13"),
            ("TOMORROW", None, "2026-05-14", "2026-05-15"),
            ("THIS_WEEK", None, "2026-05-10", "2026-05-17"),
            ("LAST_WEEK", None, "2026-05-03", "2026-05-10"),
            ("THIS_MONTH", None, "2026-05-01", "2026-06-01"),
            ("LAST_MONTH", None, "2026-04-01", "2026-05-01"),
            ("NEXT_MONTH", None, "2026-06-01", "2026-07-01"),
            ("THIS_QUARTER", None, "2026-04-01", "2026-07-01"),
            ("LAST_FISCAL_QUARTER", None, "2026-01-01", "2026-04-01"),
            ("NEXT_YEAR", None, "2027-01-01", "2028-01-01"),
            ("LAST_90_DAYS", None, "2026-02-12", "2026-05-14"),
            ("NEXT_90_DAYS", None, "2026-05-14", "2026-08-12"),
            ("LAST_N_DAYS", Some(0), "2026-05-13", "2026-05-14"),
            ("LAST_N_DAYS", Some(7), "2026-05-06", "2026-05-14"),
            ("NEXT_N_DAYS", Some(7), "2026-05-14", "2026-05-21"),
            ("N_DAYS_AGO", Some(2), "2026-05-11", "2026-05-12"),
            ("LAST_N_MONTHS", Some(2), "2026-03-01", "2026-05-01"),
            ("NEXT_N_WEEKS", Some(1), "2026-05-17", "2026-05-24"),
            ("N_YEARS_AGO", Some(1), "2025-01-01", "2026-01-01"),
            ("LAST_N_FISCAL_QUARTERS", Some(1), "2026-01-01", "2026-04-01"),
        ] {
            assert_eq!(days(word, count), (from.to_owned(), to.to_owned()), "{word}:{count:?}");
        }
    }

    #[test]
    fn every_plain_literal_has_a_range_and_huge_counts_have_none() {
        let today = "2026-01-31".parse().unwrap();
        for word in PLAIN {
            assert!(range(word, None, today).is_some(), "{word}");
        }
        assert_eq!(range("LAST_N_YEARS", Some(MAX_COUNT), today), None);
        assert!(is_counted("N_MONTHS_AGO") && !is_counted("LAST_N_") && !is_plain("LAST_DECADE"));
    }
}
