//! `countersign shadow report|list|label|promote|back|look`: lanes that only record, and how they do.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use jiff::Timestamp;

use super::{
    Exit,
    form::{Form, Given},
    org_side::{OrgSide, load_settings},
    place::Place,
};
use crate::{
    clock::Clock,
    domain::Policy,
    jobs,
    ledger::Ledger,
    workflow::shadow::card::{self, Card},
};

mod act;
mod page;
mod print;
mod table;

pub use print::act as act_words;

/// Measure lanes that only record, and let them act until a day.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Precision per agent version, lane and segment, and what follows from it.
    Report(ReportArgs),
    /// Watched proposals and what became of them, newest first.
    List(ListArgs),
    /// Say whether a proposal was right; it outranks what was seen.
    Label(act::LabelArgs),
    /// Let an agent's lane act until a day. Reviewed fields stay reviewed.
    Promote(act::PromoteArgs),
    /// Take an agent's lane back to recording only.
    Back(act::BackArgs),
    /// Look now: end watches that are due, let lanes step back that turned bad.
    Look(LookArgs),
}

#[derive(Debug, ClapArgs)]
struct ReportArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    given: Given,
}

#[derive(Debug, ClapArgs)]
struct ListArgs {
    #[command(flatten)]
    place: Place,
    /// Only those on which nobody answered yet.
    #[arg(long)]
    open: bool,
    /// At most so many of each object.
    #[arg(long, default_value_t = 50)]
    most: u32,
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

/// Reports, lists, judges or moves lanes.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.what {
        What::Report(args) => report(args).await,
        What::List(args) => list(args).await,
        What::Label(args) => act::label(args).await,
        What::Promote(args) => act::promote(args).await,
        What::Back(args) => act::back(args).await,
        What::Look(args) => look(args).await,
    }
}

/// The rules of the daemon that writes this ledger. Before the first one there are none.
async fn rules(ledger: &Ledger) -> anyhow::Result<Policy> {
    Ok(ledger.policy_in_force().await?.unwrap_or_default())
}

async fn report(args: ReportArgs) -> anyhow::Result<Exit> {
    let ledger = args.place.read().await?;
    let form = args.given.form(args.place.json);
    args.given.give(&tell(&ledger, form, Clock::system().now()).await?)?;
    Ok(Exit::Done)
}

/// The scorecards as they stand at `now`. Labels that are older than a policy's window do not count.
pub async fn tell(ledger: &Ledger, form: Form, now: Timestamp) -> anyhow::Result<String> {
    let cards = card::cards(ledger, &rules(ledger).await?, now).await?;
    Ok(match form {
        Form::Text => print::cards(&cards, now),
        Form::Json => serde_json::to_string_pretty(&table::json(&cards, now))? + "\n",
        Form::Csv => table::csv(&cards),
        Form::Html => page::html(&cards, &ledger.lane_acts().await?, now)?,
    })
}

async fn list(args: ListArgs) -> anyhow::Result<Exit> {
    let ledger = args.place.read().await?;
    let mut watched = Vec::new();
    for object in ledger.watched_objects(false).await? {
        watched.extend(ledger.watches(&object, (args.open, args.most)).await?);
    }
    match args.place.json {
        true => println!("{}", serde_json::to_string_pretty(&table::watched_json(&watched))?),
        false => print!("{}", print::watched(&watched)),
    }
    Ok(Exit::Done)
}

async fn look(args: LookArgs) -> anyhow::Result<Exit> {
    let side = OrgSide::open(load_settings(args.config.as_deref())?, Clock::system()).await?;
    let looked = jobs::shadow::look(&side.context).await;
    side.context.ledger.close().await?;
    let looked = looked?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&looked)?);
        return Ok(Exit::Done);
    }
    println!(
        "{} label(s) from what people changed, {} watch(es) ended, {} label(s) of what went on",
        looked.changed, looked.ended, looked.followed
    );
    for act in &looked.back {
        println!("{}", print::act(act));
    }
    Ok(Exit::Done)
}

/// Of a line that is about all records.
fn whole(cards: &[Card]) -> impl Iterator<Item = &Card> {
    cards.iter().filter(|card| card.segment.is_none())
}
