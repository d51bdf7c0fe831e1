//! `countersign writers`: who writes governed fields, and what else may.

use anyhow::Context as _;

use super::{
    Exit,
    connect::connect,
    form::{Form, Given},
    org_side::load_settings,
    ownership,
    place::Place,
    tables::{self, Page},
};
use crate::{clock::Clock, domain::ownership::Ownership, ledger::Ledger, salesforce::Reader};

mod print;
mod report;

use report::Report;

/// Tell who writes governed fields, from the headers of change events, and which flows and triggers may.
///
/// A write by somebody else is heard only where the channel lets it through: the shipped channel carries
/// records with the pending flag, and without its filter every change. `policy.ownership` of the settings
/// names a file that lists who answers for a field and who may write it; the report tells who is not
/// listed. Counts are recorded once an hour
/// and with each new writer; a daemon that was killed counts again what it had not recorded.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    given: Given,
    /// Ask the org for the names of the users, in one call. The ledger keeps their ids only.
    #[arg(long)]
    names: bool,
}

/// The page, with the ids of the users: the org is not asked.
pub async fn page_of(ledger: &Ledger, ownership: Ownership) -> anyhow::Result<Page> {
    Ok(print::page(&Report::read(ledger, ownership).await?))
}

/// Reads and prints.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let ledger = args.place.read().await?;
    let ownership = ownership::named(args.place.config.as_deref())?;
    let mut report = Report::read(&ledger, ownership).await?;
    if args.names {
        let settings = load_settings(args.place.config.as_deref())?;
        let reader = Reader::new(connect(&settings, &settings.promoter, &Clock::system())?);
        report.users = reader.users(&report.user_ids()).await.context("asking the org for the users")?;
    }
    let text = match args.given.form(args.place.json) {
        Form::Text => print::text(&report),
        Form::Json => serde_json::to_string(&report.json())? + "\n",
        Form::Csv => print::csv(&report),
        Form::Html => tables::html(&print::page(&report))?,
    };
    args.given.give(&text)?;
    Ok(Exit::Done)
}
