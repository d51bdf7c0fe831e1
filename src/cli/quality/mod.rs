//! `countersign quality`: what people decided and how long it took, what went back, what was kept away.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    Exit,
    form::{Form, Given},
    moment::moment,
    place::Place,
    tables::{self, Page},
};
use crate::{clock::Clock, ledger::Ledger, workflow::quality::Quality};

mod page;
mod print;
mod row;

use row::Report;

/// Days that are looked at where nothing else is asked for.
const DAYS: i64 = 90;

/// Tell how often people accept what agents propose, how long they take, how much goes back, and what
/// never reached its field.
///
/// By week (UTC, from Monday) and by lane, from the ledger alone. `--json` and `--format csv` also have each
/// lane in each week. Percentiles are by nearest rank; review times are counted by the minute up to a day and
/// by the hour up to thirty days, and longer ones as thirty days.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    given: Given,
    /// From when on: a day such as 2026-01-31, a time, or an age such as 30d. Without it from the start of the
    /// day (UTC) 90 days ago.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Also by agent.
    #[arg(long)]
    agents: bool,
    /// What cleaning up one wrong value takes a person, in minutes: tells the time that was saved.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes_per_cleanup: Option<u64>,
}

/// The page of the last 90 days, as the command makes it without options.
pub async fn page_of(ledger: &Ledger, now: Timestamp) -> anyhow::Result<Page> {
    let quality = Quality::read(ledger, start(now)).await?;
    Ok(page::page(&Report { quality, agents: false, minutes_per_cleanup: None }))
}

/// Reads and prints.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let now = Clock::system().now();
    let since = match &args.since {
        Some(text) => moment("since", text, now)?,
        None => start(now),
    };
    let quality = Quality::read(&args.place.read().await?, since).await?;
    let report = Report { quality, agents: args.agents, minutes_per_cleanup: args.minutes_per_cleanup };
    let text = match args.given.form(args.place.json) {
        Form::Text => print::text(&report),
        Form::Json => serde_json::to_string(&report.json())? + "\n",
        Form::Csv => print::csv(&report),
        Form::Html => tables::html(&page::page(&report))?,
    };
    args.given.give(&text)?;
    Ok(Exit::Done)
}

/// The start of a day, so that the same numbers are told all day.
fn start(now: Timestamp) -> Timestamp {
    let then = now.saturating_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MIN);
    let day = then.to_zoned(TimeZone::UTC).date();
    day.to_zoned(TimeZone::UTC).map_or(then, |day| day.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_days_begin_with_a_day() {
        let told = |now: &str| start(now.parse().unwrap()).to_string();
        assert_eq!(told("2026-05-20T00:00:00Z"), "2026-02-19T00:00:00Z");
        assert_eq!(told("2026-05-20T23:59:59Z"), "2026-02-19T00:00:00Z");
    }
}
