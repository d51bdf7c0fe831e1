//! `countersign replay`: recorded decisions made again, under the rules of then or under candidates.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Exit, moment::moment, policy, status};
use crate::{
    clock::Clock,
    domain::{FieldName, ObjectName},
    gate::Rules,
    ledger::Ledger,
    workflow::replay::{Asked, Report, replay},
};

mod print;

/// Make recorded decisions again. Reads the ledger, writes nothing and asks no org.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory with candidate policies. Without it the rules of then are used, and every verdict
    /// must have the recorded bytes.
    #[arg(long, value_name = "DIRECTORY")]
    pub policy: Option<PathBuf>,
    /// Count the org's own switch for this field as on, for example `Opportunity.NextStep`. May be
    /// given several times.
    #[arg(long = "switch", value_name = "OBJECT.FIELD", requires = "policy", value_parser = lane)]
    pub switches: Vec<(ObjectName, FieldName)>,
    /// Only decisions since then: a day such as 2026-01-31, a time, or an age such as 30d or 12h.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Ledger: a file, or the URL of a PostgreSQL database; without it the one of the settings.
    #[arg(long, value_name = "PLACE")]
    pub ledger: Option<String>,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How long a person needs for one review, for the hours in the report.
    #[arg(long, value_name = "MINUTES", default_value_t = 5)]
    pub minutes_per_review: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Print a summary for a pull request.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

/// Exit code 0 when nothing would run that did not, 4 when something would and a person should
/// look, 5 when a verdict under the rules of then has other bytes than the recorded one.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let candidate = args.policy.as_ref().map(|directory| policy::load(Some(directory))).transpose()?;
    let ledger = status::open(args.ledger, args.config).await?;
    // The candidates as they would be for the org of the ledger.
    let candidate = candidate.map(|them| Rules::new(them.of(ledger.org_id()).clone())).transpose()?;
    let since = args.since.as_deref().map(|text| moment("since", text, Clock::system().now())).transpose()?;
    let after = match since {
        Some(since) => ledger.place_before(since).await?,
        None => 0,
    };
    let bar = progress(&ledger, after, args.json || args.markdown).await?;
    let told = &mut |seq: u64| bar.set_position(seq.saturating_sub(after));
    let report = replay(&ledger, Asked { candidate, switches: args.switches, after }, told).await?;
    bar.finish_and_clear();
    if args.json {
        println!("{}", as_json(&report, args.minutes_per_review)?);
    } else if args.markdown {
        print!("{}", print::markdown(&report, args.minutes_per_review));
    } else {
        print!("{}", print::text(&report, args.minutes_per_review));
    }
    Ok(match report {
        report if report.differing > 0 => Exit::Damaged,
        report if report.is_looser() => Exit::NeedsReview,
        _ => Exit::Done,
    })
}

async fn progress(ledger: &Ledger, after: u64, quiet: bool) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(ledger.length().await?.saturating_sub(after));
    let style =
        ProgressStyle::with_template("{bar:30} {percent}% of the chain, {elapsed} so far, {eta} to go")?;
    bar.set_style(style);
    if quiet {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    Ok(bar)
}

fn as_json(report: &Report, minutes: u32) -> anyhow::Result<String> {
    let mut json = serde_json::to_value(report)?;
    json["reviews_spared"] = json!(report.reviews_spared());
    json["review_minutes_spared"] = json!(report.reviews_spared() * i64::from(minutes));
    json["against_people"] = json!(report.against_people());
    Ok(serde_json::to_string_pretty(&json)?)
}

/// A lane as people write it.
pub(super) fn lane(text: &str) -> Result<(ObjectName, FieldName), String> {
    let (object, field) = text.split_once('.').ok_or("write it as OBJECT.FIELD, for example Lead.Status")?;
    let object = ObjectName::parse(object).map_err(|error| error.to_string())?;
    Ok((object, FieldName::parse(field).map_err(|error| error.to_string())?))
}
