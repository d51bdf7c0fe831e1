//! `countersign reconcile run|report|list`: org and ledger are compared, repaired where safe, listed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;

use super::{
    Exit,
    form::{Form, Given},
    org_side::{OrgSide, load_settings},
    place::Place,
};
use crate::{
    clock::Clock,
    config::ReconcileSettings,
    ledger::Ledger,
    workflow::{
        promote::Promoter,
        reconcile::{self, Options},
    },
};

mod facts;
mod page;
pub(super) mod print;
mod report;

use report::Report;

/// Compare the org with the ledger: repair what is safe, list the rest.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Read what changed since the run before, take in what was missed, record what was found.
    Run(RunArgs),
    /// Tell what a run found.
    Report(ReportArgs),
    /// List the runs.
    List(Place),
}

#[derive(Debug, ClapArgs)]
struct RunArgs {
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read every record that ever had a proposal, not only those that changed since the run before.
    #[arg(long)]
    full: bool,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
struct ReportArgs {
    #[command(flatten)]
    place: Place,
    /// The first digits of the run's digest, at least eight; without it the newest.
    name: Option<String>,
    #[command(flatten)]
    given: Given,
    /// With `--format csv`: how often people disagreed, instead of what was found.
    #[arg(long, requires = "format")]
    rates: bool,
    /// With `--format csv`: what people overrode and whom later facts confirmed, instead of what was found.
    #[arg(long, requires = "format", conflicts_with = "rates")]
    facts: bool,
}

/// Runs, reports or lists.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.what {
        What::Run(args) => compare(args).await,
        What::Report(args) => tell(args).await,
        What::List(place) => list(place).await,
    }
}

/// The settings as a run takes them.
pub fn options(settings: &ReconcileSettings) -> Options {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Options {
        bulk_above: settings.bulk_above,
        grace: SignedDuration::from_secs(whole(settings.grace_seconds)),
        stuck_after: SignedDuration::from_hours(whole(settings.stuck_after_hours)),
        proof_after: SignedDuration::from_mins(whole(settings.proof_minutes)),
        rates_days: settings.rates_days,
        full: false,
    }
}

/// Exit code 4 when something is left to people.
async fn compare(args: RunArgs) -> anyhow::Result<Exit> {
    let side = OrgSide::open(load_settings(args.config.as_deref())?, Clock::system()).await?;
    let promoter = Promoter::new(side.context.clone(), side.promoter_writer());
    let options = Options { full: args.full, ..options(&side.settings.reconcile) };
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {pos} records compared, {elapsed} so far")?);
    let before = side.promoter.calls();
    let done = reconcile::run(&side.context, &promoter, options, &mut |records| bar.inc(records)).await;
    bar.finish_and_clear();
    let calls = side.promoter.calls() - before;
    let found = match done {
        Ok(done) => reconcile::find(&side.context.ledger, Some(done.id.as_str())).await,
        Err(error) => Err(error.into()),
    };
    side.context.ledger.close().await?;
    let (done, before) = found?;
    let report = Report { run: done, before };
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&report.json(Some(calls)))?),
        false => {
            print!("{}", print::report(&report));
            println!("\n{calls} API calls");
        }
    }
    Ok(report.exit())
}

/// The page about a run.
pub async fn page_of(ledger: &Ledger, name: &str) -> anyhow::Result<String> {
    let (run, before) = reconcile::find(ledger, Some(name)).await?;
    page::html(&Report { run, before })
}

async fn tell(args: ReportArgs) -> anyhow::Result<Exit> {
    let ledger = args.place.read().await?;
    let (run, before) = reconcile::find(&ledger, args.name.as_deref()).await?;
    let report = Report { run, before };
    let text = match args.given.form(args.place.json) {
        Form::Text => print::report(&report),
        Form::Json => serde_json::to_string_pretty(&report.json(None))? + "\n",
        Form::Csv if args.rates => report.rates_csv(),
        Form::Csv if args.facts => facts::csv(&report.run.facts),
        Form::Csv => report.csv(),
        Form::Html => page::html(&report)?,
    };
    args.given.give(&text)?;
    Ok(Exit::Done)
}

async fn list(place: Place) -> anyhow::Result<Exit> {
    let runs = place.read().await?.reconciliations().await?;
    match place.json {
        true => println!("{}", serde_json::to_string_pretty(&runs)?),
        false => print!("{}", print::runs(&runs)),
    }
    Ok(Exit::Done)
}
