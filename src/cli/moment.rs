//! Moments as people write them on a command line: a day, a time, or an age.

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

use super::ExitWith;

/// The moment that an option names; ages count from `now`.
pub fn moment(option: &str, text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let wrong = || {
        ExitWith::usage(format!(
            "{option}-unreadable: `{}` is no moment; write a day (2026-01-31), a time (2026-01-31T08:00:00Z) or an age (30d, 12h)",
            super::show::safe(text)
        ))
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(day) = text.parse::<Date>() {
        return Ok(day.to_zoned(TimeZone::UTC).map_err(|_| wrong())?.timestamp());
    }
    let age: Span = text.parse().map_err(|_| wrong())?;
    let then = now.to_zoned(TimeZone::UTC).checked_sub(age.abs()).map_err(|_| wrong())?;
    Ok(then.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_days_times_and_ages() {
        let now: Timestamp = "2026-05-20T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-05-01", "2026-05-01T00:00:00Z"),
            ("2026-05-01T08:30:00+02:00", "2026-05-01T06:30:00Z"),
            ("30d", "2026-04-20T12:00:00Z"),
            ("12h", "2026-05-20T00:00:00Z"),
        ] {
            assert_eq!(moment("since", text, now).unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "30"] {
            let told = moment("since", text, now).unwrap_err().to_string();
            assert!(told.starts_with("since-unreadable"), "{text}");
        }
    }
}
