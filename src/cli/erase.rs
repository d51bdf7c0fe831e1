//! `countersign erase`: values of records and words of people, taken out of the ledger for good.

use clap::Args as ClapArgs;
use jiff::SignedDuration;
use serde_json::json;

use super::{Exit, ExitWith, freeze::words, place::Place};
use crate::{
    clock::Clock,
    domain::{
        ObjectName, ProposalId, RecordId,
        erasure::{About, Erasure},
    },
};

/// Erase the private parts of entries: values before and after, reasons, evidence, comments. The
/// entries stay, and `countersign verify` still proves them. Backups and exports are not touched.
#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("about").required(true))]
pub struct Args {
    /// Everything about a record, for example `Lead/00QCs0000000001MAA`.
    #[arg(long, value_name = "OBJECT/ID", group = "about", value_parser = record)]
    record: Option<(ObjectName, RecordId)>,
    /// Everything about a proposal.
    #[arg(long, value_name = "ID", group = "about")]
    proposal: Option<String>,
    /// Everything about proposals that ended so many days ago, older signals and older stream data.
    #[arg(long, value_name = "DAYS", group = "about", value_parser = clap::value_parser!(u16).range(1..))]
    older_than: Option<u16>,
    /// On what ground.
    #[arg(long, value_name = "WORDS")]
    reason: String,
    /// Who erases it.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Only say how much there is.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// Erases, or says how much there is.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let (reason, by) = (words(&args.reason, "--reason")?, words(&args.by, "--by")?);
    let clock = Clock::system();
    let at = clock.now();
    let about = match (args.record, args.proposal, args.older_than) {
        (Some((object, record)), ..) => About::Record { object, record },
        (_, Some(id), _) => {
            let proposal_id = ProposalId::parse(&id)
                .map_err(|error| ExitWith::usage(format!("proposal-unreadable: {error}")))?;
            About::Proposal { proposal_id }
        }
        (.., days) => {
            let age = SignedDuration::from_hours(24 * i64::from(days.unwrap_or(u16::MAX)));
            About::Before { before: at.checked_sub(age)? }
        }
    };
    let ledger = args.place.write(&clock).await?;
    let mut tx = ledger.begin("erased").await?;
    let erased =
        tx.erase(Erasure { about, by, reason, at, paths: std::collections::BTreeMap::new() }).await?;
    if args.dry_run {
        drop(tx);
    } else {
        tx.commit().await?;
    }
    let forgotten = args.dry_run || ledger.forget().await?;
    if args.place.json {
        println!("{}", json!({ "erased": erased, "dry_run": args.dry_run, "log_truncated": forgotten }));
        return Ok(Exit::Done);
    }
    let verb = if args.dry_run { "would be erased" } else { "erased" };
    println!(
        "{} value(s) of {} entries {verb}, {} inbox batch(es) removed",
        erased.values, erased.entries, erased.batches
    );
    if !forgotten {
        println!(
            "{}",
            match ledger.has_lease() {
                false =>
                    "another process was reading: give the command again, or restart the daemon, to clear the write-ahead log",
                true =>
                    "the tables could not be written anew, and the old bytes are still in them: give the command again as the owner of the schema, when nothing else holds the tables",
            }
        );
    }
    Ok(Exit::Done)
}

fn record(text: &str) -> Result<(ObjectName, RecordId), String> {
    let (object, id) =
        text.split_once('/').ok_or("write it as OBJECT/ID, for example Lead/00QCs0000000001MAA")?;
    let object = ObjectName::parse(object).map_err(|error| error.to_string())?;
    Ok((object, RecordId::parse(id).map_err(|error| error.to_string())?))
}
