//! `countersign jobs list|runs|run`: the timetable and the history of scheduled work.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args as ClapArgs, Subcommand};
use jiff::Timestamp;

use super::{
    Exit, ExitWith, daemon,
    decay::print as decay_print,
    form::{Form, Given},
    freeze::words,
    org_side::{OrgSide, load_settings},
    place::Place,
    status, tables,
};
use crate::{
    clock::Clock,
    config::Settings,
    domain::job::{DONE, Job, KnownRun},
    jobs::{keeper::Plan, work::Work},
    ledger::{Ended, Ledger, LedgerError},
    workflow::{approvers, decay},
};

pub(super) mod print;

/// Show the timetable, tell the history, or run a job now.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show each job: when it is due, how it ended last, when it comes next.
    List(ListArgs),
    /// Tell the runs of a job, newest first.
    Runs(RunsArgs),
    /// Run a job now, beside the daemon. Jobs take no input and are safe to run twice.
    Run(RunArgs),
}

#[derive(Debug, ClapArgs)]
struct ListArgs {
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
struct RunsArgs {
    /// Which job; `countersign jobs list` names them.
    job: String,
    #[command(flatten)]
    place: Place,
    /// So many, at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    last: u16,
    #[command(flatten)]
    given: Given,
}

#[derive(Debug, ClapArgs)]
struct RunArgs {
    /// Which job; `countersign jobs list` names them.
    job: String,
    /// Who asks for it, for the ledger.
    #[arg(long, value_name = "NAME", required_unless_present = "dry_run")]
    by: Option<String>,
    /// Only tell what it would do; nothing is written.
    #[arg(long)]
    dry_run: bool,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

/// One job as `list` shows it.
pub(super) struct Listed {
    job: Job,
    /// `None`: nothing in the settings asks for it.
    plan: Option<Plan>,
    last: Option<KnownRun>,
    next: Option<Timestamp>,
}

/// Lists, tells or runs.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.what {
        What::List(args) => list(args).await,
        What::Runs(args) => runs(args).await,
        What::Run(args) => run_now(args).await,
    }
}

async fn list(args: ListArgs) -> anyhow::Result<Exit> {
    let settings = load_settings(args.config.as_deref())?;
    let ledger = status::open(None, args.config.clone()).await?;
    let now = Clock::system().now();
    let listed = listed(&ledger, &settings, now).await?;
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&print::list_json(&listed))?),
        false => print!("{}", print::list(&listed, now)),
    }
    Ok(Exit::Done)
}

/// Each job as it stands.
pub(super) async fn listed(
    ledger: &Ledger,
    settings: &Settings,
    now: Timestamp,
) -> Result<Vec<Listed>, LedgerError> {
    let plans = Plan::of(&settings.jobs, settings.inbox.keep_days.is_some());
    let announced = ledger.decay_runs().await?.into_iter().find(|known| known.counts.is_none());
    let mut listed = Vec::new();
    for job in Job::ALL {
        let plan = plans.iter().find(|plan| plan.job == job).cloned();
        let next = plan.as_ref().and_then(|plan| match &plan.timetable {
            Some(timetable) => timetable.next(now),
            None if job == Job::Totals => None,
            None => announced.as_ref().map(|known| known.run.runs_from.max(now)),
        });
        let last = ledger.job_runs(job, 1).await?.pop();
        listed.push(Listed { job, plan, last, next });
    }
    Ok(listed)
}

async fn runs(args: RunsArgs) -> anyhow::Result<Exit> {
    let job = named(&args.job)?;
    let known = args.place.read().await?.job_runs(job, args.last.into()).await?;
    let text = match args.given.form(args.place.json) {
        Form::Text => print::runs(job, &known),
        Form::Json => serde_json::to_string_pretty(&print::runs_json(&known))? + "\n",
        Form::Csv => print::runs_csv(&known),
        Form::Html => tables::html(&print::runs_page(job, &known))?,
    };
    args.given.give(&text)?;
    Ok(Exit::Done)
}

async fn run_now(args: RunArgs) -> anyhow::Result<Exit> {
    let job = named(&args.job)?;
    let by = args.by.as_deref().map(|by| words(by, "--by")).transpose()?;
    let side = OrgSide::open(load_settings(args.config.as_deref())?, Clock::system()).await?;
    let done = match by.filter(|_| !args.dry_run) {
        Some(by) => carry_out(&daemon::work(&side), (job, &by), args.json).await,
        None => dry(&side, job, args.json).await,
    };
    side.context.ledger.close().await?;
    done
}

/// Records the run like one of the timetable. Its slot is now, so a slot before it counts as served.
async fn carry_out(work: &Work, (job, by): (Job, &str), json: bool) -> anyhow::Result<Exit> {
    let ledger = &work.context.ledger;
    let now = work.context.clock.now();
    let claimed = ledger.claim_slot((job, now), (by, now)).await?;
    let run = claimed.context("a run of this moment is in the ledger already; give the command again")?;
    let end = work.ended(&run).await;
    ledger.end_job(&run, end.clone()).await?;
    let is_done = end.result == DONE;
    let known = [KnownRun { run, end: Some(end) }];
    match json {
        true => println!("{}", serde_json::to_string_pretty(&print::runs_json(&known)[0])?),
        false => print!("{}", print::runs(job, &known)),
    }
    Ok(if is_done { Exit::Done } else { Exit::Failed })
}

async fn dry(side: &OrgSide, job: Job, json: bool) -> anyhow::Result<Exit> {
    let context = &side.context;
    match job {
        Job::Decay => {
            let look = decay::look(context, side.settings.decay.most_records).await?;
            match json {
                true => println!("{}", serde_json::to_string_pretty(&decay_print::look_json(&look))?),
                false => print!("{}", decay_print::look(&look)),
            }
        }
        Job::DecayRun => {
            let open = context.ledger.decay_runs().await?.into_iter().find(|known| known.counts.is_none());
            let told = open.map(|known| (known.run.id.to_string(), known.run.runs_from.to_string()));
            match (json, told) {
                (true, told) => println!("{}", serde_json::json!({ "announced": told })),
                (false, Some((id, from))) => println!("would carry out {id} from {from} on"),
                (false, None) => println!("nothing is announced"),
            }
        }
        Job::Reconcile | Job::Drift | Job::Shadow => {
            let told = "it records what it finds";
            return Err(ExitWith::usage(format!(
                "job-no-dry-run: {job} has none: {told}; `countersign {job} report` tells what the last run found"
            ))
            .into());
        }
        Job::Totals => totals(side, json).await?,
        Job::Approvers => {
            let found = approvers::look(context).await?;
            match json {
                true => println!("{}", serde_json::to_string_pretty(&found)?),
                false => print!("{}", print::idle(&found)),
            }
        }
        Job::InboxRetention => {
            let days = side.settings.inbox.keep_days;
            match (json, days) {
                (true, days) => println!("{}", serde_json::json!({ "keep_days": days })),
                (false, Some(days)) => {
                    println!("would let go of what was worked on {days} day(s) ago or before")
                }
                (false, None) => println!("nothing: inbox.keep_days is not set"),
            }
        }
    }
    Ok(Exit::Done)
}

/// What the org lacks.
async fn totals(side: &OrgSide, json: bool) -> anyhow::Result<()> {
    let owed = daemon::work(side).totals.owed().await?;
    if json {
        let one =
            |ended: &Ended| serde_json::json!({ "source": ended.source, "run": ended.run, "at": ended.at });
        println!("{}", owed.iter().map(one).collect::<serde_json::Value>());
        return Ok(());
    }
    for ended in &owed {
        println!("would write the totals of {} {}, {}", ended.source.name(), ended.run.short(), ended.at);
    }
    if owed.is_empty() {
        println!("nothing: the org has the totals of every run that ended");
    }
    Ok(())
}

fn named(name: &str) -> anyhow::Result<Job> {
    Job::of_name(name).ok_or_else(|| {
        let known: Vec<&str> = Job::ALL.into_iter().map(Job::name).collect();
        ExitWith::usage(format!("job-unknown: there is no job `{name}`; one of: {}", known.join(", "))).into()
    })
}
