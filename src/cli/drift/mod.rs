//! `countersign drift report|look|accept`: what changed in the org below the lanes, and a person's word
//! that it may stay.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{
    Exit, ExitWith,
    form::{Form, Given},
    freeze::words,
    org_side::{OrgSide, load_settings},
    place::Place,
    show::safe,
    tables,
};
use crate::{
    clock::Clock,
    config::policies::{Mention, mentions},
    domain::{ObjectName, drift::Acceptance, event::Event},
    workflow::drift,
};

mod print;
mod report;

use report::Report;

/// Compare the org with what people accepted. A change that can turn a promotion down, or let it do
/// something else, freezes the lanes that it touches until a person accepts it or the org goes back.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Tell what the last look found; ends with 4 while a lane is frozen.
    Report(ReportArgs),
    /// Look at the org now, with rules, flows and triggers, record what is new, and report.
    Look(LookArgs),
    /// Accept what changed for an object: its lanes go on.
    Accept(AcceptArgs),
}

#[derive(Debug, ClapArgs)]
struct ReportArgs {
    #[command(flatten)]
    place: Place,
    /// Policy files to point at; without it those of the settings.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
}

#[derive(Debug, ClapArgs)]
struct LookArgs {
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
struct AcceptArgs {
    /// What is accepted, as the report names it: `OBJECT@DIGEST`.
    #[arg(value_name = "OBJECT@DIGEST")]
    drift: String,
    /// Why it may stay.
    #[arg(long, value_name = "WORDS")]
    reason: String,
    /// Who accepts it.
    #[arg(long, value_name = "NAME")]
    by: String,
    #[command(flatten)]
    place: Place,
}

/// Runs one of them.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.what {
        What::Report(args) => {
            let ledger = args.place.read().await?;
            let places = places(args.policies, args.place.config.as_deref());
            let report = Report::read(&ledger, &places).await?;
            args.given.give(&told(&report, args.given.form(args.place.json))?)?;
            Ok(report.exit())
        }
        What::Look(args) => look(args).await,
        What::Accept(args) => accept(args).await,
    }
}

async fn look(args: LookArgs) -> anyhow::Result<Exit> {
    let settings = load_settings(args.config.as_deref())?;
    let directory = settings.policy.directory.clone();
    let side = OrgSide::open(settings, Clock::system()).await?;
    for one in drift::look(&side.context).await?.iter().filter(|one| !one.sees_setup) {
        eprintln!(
            "setup-hidden: the promoter does not see the rules, flows and triggers of {}; View Setup and \
             Configuration shows them",
            one.object
        );
    }
    let report = Report::read(&side.context.ledger, &mentions(directory.as_deref())).await;
    side.context.ledger.close().await?;
    let report = report?;
    print!("{}", told(&report, if args.json { Form::Json } else { Form::Text })?);
    Ok(report.exit())
}

fn told(report: &Report, form: Form) -> anyhow::Result<String> {
    Ok(match form {
        Form::Text => print::text(report),
        Form::Json => serde_json::to_string(report)? + "\n",
        Form::Csv => print::csv(report),
        Form::Html => tables::html(&print::page(report))?,
    })
}

/// The policies to point at. A report is told without lines where the settings cannot be read.
fn places(given: Option<PathBuf>, config: Option<&std::path::Path>) -> Vec<Mention> {
    match given {
        Some(directory) => mentions(Some(&directory)),
        None => {
            let set = load_settings(config).ok().and_then(|settings| settings.policy.directory);
            mentions(set.as_deref())
        }
    }
}

async fn accept(args: AcceptArgs) -> anyhow::Result<Exit> {
    let (reason, by) = (words(&args.reason, "--reason")?, words(&args.by, "--by")?);
    let (object, digest) = named(&args.drift)?;
    let clock = Clock::system();
    let ledger = args.place.write(&clock).await?;
    let mut tx = ledger.begin("drift accepted").await?;
    let known = tx.ground(&object).await?;
    let in_force = known.as_ref().and_then(|known| known.in_force());
    let seen = known.as_ref().and_then(|known| known.drift.as_ref()).map(|(_, ground)| ground);
    let (Some(drift), Some(ground)) = (in_force, seen) else {
        return Err(ExitWith::usage(format!("no-drift: nothing differs for {object}")).into());
    };
    if !drift.ground.as_str().starts_with(&digest) {
        let now = report::id(drift);
        return Err(ExitWith::usage(format!(
            "drift-moved: the org has changed since that report; read it again, it is {now} now"
        ))
        .into());
    }
    let acceptance = Acceptance { by, reason: Some(reason), at: clock.now() };
    tx.append(&Event::GroundAccepted { ground: ground.clone(), acceptance }).await?;
    let told = drift.changes.len();
    tx.commit().await?;
    if args.place.json {
        println!("{}", serde_json::json!({ "accepted": args.drift, "changes": told }));
    } else {
        println!("accepted  {}: {told} change(s)", safe(&args.drift));
        println!("what waited is judged again with the daemon's next sweep");
    }
    Ok(Exit::Done)
}

/// At least eight characters of the digest, so that nobody accepts what was not shown.
fn named(text: &str) -> anyhow::Result<(ObjectName, String)> {
    let parts = text.split_once('@').and_then(|(object, digest)| {
        let hex = digest.len() >= 8 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some((ObjectName::parse(object).ok()?, digest.to_ascii_lowercase())).filter(|_| hex)
    });
    parts.ok_or_else(|| {
        ExitWith::usage("drift-unknown: write OBJECT@DIGEST as `countersign drift report` names it").into()
    })
}
