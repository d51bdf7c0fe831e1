//! `countersign decay preview|announce|run|cancel|list|report`: stale states move back, announced first.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;

use super::{
    Exit,
    form::{Form, Given},
    freeze::words,
    org_side::{OrgSide, load_settings},
    place::Place,
};
use crate::{
    clock::Clock,
    ledger::Ledger,
    workflow::{
        WorkflowError,
        decay::{self, DecayError, run::Done},
        promote::Promoter,
    },
};

mod page;
pub(super) mod print;
mod report;

use report::Report;

/// Move stale states back: look, announce, wait for objections, run.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what is due, and what stays though its day has come. Nothing is written.
    Preview(Side),
    /// Record what is about to move; people may put a hold on a record until the run.
    Announce(AnnounceArgs),
    /// Carry out the announced run, or the named one, once the time to object is over.
    Run(RunArgs),
    /// Give the announced run up.
    Cancel(CancelArgs),
    /// List the runs.
    List(Place),
    /// Tell how a run ended, record by record.
    Report(ReportArgs),
}

/// The org and how to answer.
#[derive(Debug, ClapArgs)]
struct Side {
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
struct AnnounceArgs {
    #[command(flatten)]
    side: Side,
    /// Who announces it, for the ledger.
    #[arg(long, value_name = "NAME")]
    by: String,
}

#[derive(Debug, ClapArgs)]
struct RunArgs {
    #[command(flatten)]
    side: Side,
    /// The first digits of the run's digest, at least eight; without it the one that is announced.
    name: Option<String>,
    /// Ends the process, as a kill would, at this point of its work; 0 only counts the points. Not in
    /// the shipped build.
    #[cfg(debug_assertions)]
    #[arg(long, hide = true, value_name = "POINT")]
    crash_at: Option<u64>,
}

#[derive(Debug, ClapArgs)]
struct CancelArgs {
    #[command(flatten)]
    place: Place,
    /// The first digits of the run's digest, at least eight; without it the one that is announced.
    name: Option<String>,
}

#[derive(Debug, ClapArgs)]
struct ReportArgs {
    #[command(flatten)]
    place: Place,
    /// The first digits of the run's digest, at least eight; without it the newest.
    name: Option<String>,
    #[command(flatten)]
    given: Given,
}

/// Looks, announces, runs or reports.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.what {
        What::Preview(side) => preview(side).await,
        What::Announce(args) => announce(args).await,
        What::Run(args) => carry_out(args).await,
        What::Cancel(args) => cancel(args).await,
        What::List(place) => list(place).await,
        What::Report(args) => tell(args).await,
    }
}

async fn open(side: &Side) -> anyhow::Result<OrgSide> {
    OrgSide::open(load_settings(side.config.as_deref())?, Clock::system()).await
}

async fn preview(args: Side) -> anyhow::Result<Exit> {
    let side = open(&args).await?;
    let look = decay::look(&side.context, side.settings.decay.most_records).await?;
    side.context.ledger.close().await?;
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&print::look_json(&look))?),
        false => print!("{}", print::look(&look)),
    }
    Ok(Exit::Done)
}

async fn announce(args: AnnounceArgs) -> anyhow::Result<Exit> {
    let by = words(&args.by, "--by")?;
    let side = open(&args.side).await?;
    let look = decay::look(&side.context, side.settings.decay.most_records).await?;
    let objection = objection(side.settings.decay.objection_hours);
    let announced = decay::announce(&side.context, &look, (&by, objection)).await;
    side.context.ledger.close().await?;
    let announced = announced?;
    if args.side.json {
        println!("{}", serde_json::to_string_pretty(&announced)?);
        return Ok(Exit::Done);
    }
    match announced {
        None => println!("nothing is due; nothing was announced"),
        Some(run) => {
            print!("{}", print::look(&look));
            println!("\nrun {} is announced and may begin at {}", run.id.short(), run.runs_from);
            println!("who objects sets AI Hold Until and AI Hold Reason on the record");
            println!("carry it out with: countersign decay run {}", run.id.short());
        }
    }
    Ok(Exit::Done)
}

/// How long people may object.
pub fn objection(hours: u64) -> SignedDuration {
    SignedDuration::from_hours(i64::try_from(hours).unwrap_or(720))
}

/// Exit code 4 when something stayed or changed meanwhile, 1 when the org refused or something is open.
async fn carry_out(args: RunArgs) -> anyhow::Result<Exit> {
    #[cfg(debug_assertions)]
    let _points = args.crash_at.map(super::crash_at::watch);
    let side = open(&args.side).await?;
    let promoter = Promoter::new(side.context.clone(), side.promoter_writer());
    let bar = ProgressBar::no_length();
    bar.set_style(ProgressStyle::with_template(
        "{bar:30} {pos} of {len} records, {elapsed} so far, {eta} to go",
    )?);
    let mut told = |done: usize, total: usize| {
        bar.set_length(u64::try_from(total).unwrap_or(0));
        bar.set_position(u64::try_from(done).unwrap_or(0));
    };
    let done = decay::run::run(&side.context, &promoter, args.name.as_deref(), &mut told).await;
    bar.finish_and_clear();
    let calls = side.promoter.calls();
    let done = match done {
        Ok(done) => done,
        Err(error) => {
            side.context.ledger.close().await?;
            return Err(error.into());
        }
    };
    let report = report_of(&side.context.ledger, done).await?;
    side.context.ledger.close().await?;
    match args.side.json {
        true => println!("{}", serde_json::to_string_pretty(&report.json(Some(calls)))?),
        false => {
            print!("{}", print::report(&report));
            println!("{calls} API calls");
        }
    }
    Ok(report.exit())
}

async fn report_of(ledger: &Ledger, done: Done) -> anyhow::Result<Report> {
    let runs = ledger.decay_runs().await?;
    Ok(Report::new(done.run, done.ends, &runs))
}

async fn cancel(args: CancelArgs) -> anyhow::Result<Exit> {
    let ledger = args.place.write(&Clock::system()).await?;
    let run = decay::run::cancel(&ledger, args.name.as_deref()).await;
    ledger.close().await?;
    let run = run?;
    match args.place.json {
        true => println!("{}", serde_json::to_string_pretty(&run)?),
        false => println!("run {} is given up: nothing of it moves any more", run.id.short()),
    }
    Ok(Exit::Done)
}

async fn list(place: Place) -> anyhow::Result<Exit> {
    let runs = place.read().await?.decay_runs().await?;
    match place.json {
        true => println!("{}", serde_json::to_string_pretty(&print::runs_json(&runs))?),
        false => print!("{}", print::runs(&runs)),
    }
    Ok(Exit::Done)
}

/// A run as it stands; without a name the newest.
async fn find(ledger: &Ledger, name: Option<&str>) -> Result<Report, DecayError> {
    let runs = ledger.decay_runs().await.map_err(WorkflowError::from)?;
    let run = match (name, runs.last()) {
        (None, Some(newest)) => newest.run.clone(),
        _ => decay::find(ledger, name).await?.run,
    };
    let ends = decay::report::ends(ledger, &run).await?;
    Ok(Report::new(run, ends, &runs))
}

/// The page about a run.
pub async fn page_of(ledger: &Ledger, name: &str) -> anyhow::Result<String> {
    page::html(&find(ledger, Some(name)).await?)
}

async fn tell(args: ReportArgs) -> anyhow::Result<Exit> {
    let report = find(&args.place.read().await?, args.name.as_deref()).await?;
    let text = match args.given.form(args.place.json) {
        Form::Text => print::report(&report),
        Form::Json => serde_json::to_string_pretty(&report.json(None))? + "\n",
        Form::Csv => report.csv(),
        Form::Html => page::html(&report)?,
    };
    args.given.give(&text)?;
    Ok(Exit::Done)
}
