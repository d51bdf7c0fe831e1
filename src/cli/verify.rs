//! `countersign verify`: is the ledger, or what was exported from it, still what was written?

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Exit, ExitWith, checkpoint::keys, connect::connect, org_side::load_settings, place};
use crate::{
    clock::Clock,
    ledger::{
        LedgerError,
        checkpoint::{self, CheckpointError, Signer, Verifier},
        verify::{self, Against, Report},
    },
    salesforce::Reader,
    workflow::anchor,
};

/// Check a ledger file, or an export of one, for any damage. Exit code 5 when there is one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ledger: a file, or the URL of a PostgreSQL database.
    #[arg(long, value_name = "PLACE", required_unless_present_any = ["export", "config"])]
    ledger: Option<String>,
    /// A file that `countersign export` wrote, checked without a ledger.
    #[arg(long, value_name = "FILE", conflicts_with = "ledger")]
    export: Option<PathBuf>,
    /// Checkpoints that `serve` or `countersign checkpoint` wrote: what they cover must still be there.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// A key that must have signed them, from `countersign checkpoint --new-key`; may be given again
    /// for earlier keys.
    #[arg(long, value_name = "FILE")]
    public_key: Vec<PathBuf>,
    /// Settings file: asks the org for the checkpoints that are kept there, and takes ledger and keys
    /// from the settings where they are not named.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable report.
    #[arg(long)]
    json: bool,
}

/// Reads the whole file.
pub async fn run(mut args: Args) -> anyhow::Result<Exit> {
    let bar = if args.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} entries, {elapsed}") {
        bar.set_style(style);
    }
    let against = given(&args).map_err(|error| ExitWith::usage(format!("{}: {error}", error.code())))?;
    let against = match args.config.clone() {
        Some(config) => of_settings(&mut args, &config, against).await?,
        None => against,
    };
    let against = Some(against).filter(|against| against.log.is_some() || against.anchors.is_some());
    let report = read(&args, against.as_ref(), &mut |entries| bar.set_position(entries)).await;
    bar.finish_and_clear();
    let report = report.map_err(|error| ExitWith::usage(format!("{}: {error}", error.code())))?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(if report.findings.is_empty() { Exit::Done } else { Exit::Damaged })
}

/// What the arguments name.
fn given(args: &Args) -> Result<Against, CheckpointError> {
    let keys = args.public_key.iter().map(|path| Verifier::read(path)).collect::<Result<_, _>>()?;
    let log = args.checkpoint.as_ref().map(|path| checkpoint::read(path)).transpose()?;
    Ok(Against { log, anchors: None, keys })
}

/// What the settings name, and what the org has.
async fn of_settings(args: &mut Args, config: &Path, given: Against) -> anyhow::Result<Against> {
    let settings = load_settings(Some(config))?;
    let mut against = given;
    if let (Some(set), true) = (&settings.checkpoint, against.keys.is_empty()) {
        against.keys = keys(set, Signer::read(&set.private_key_path)?.verifier())?;
    }
    if args.ledger.is_none() && args.export.is_none() {
        args.ledger = Some(settings.ledger.path.clone());
    }
    let connection = connect(&settings, &settings.promoter, &Clock::system())?;
    let org = connection.identity().await.context("asking the org for its checkpoints")?.org_id;
    let anchors = anchor::read(&Reader::new(connection), &org).await;
    against.anchors = anchors.context("asking the org for its checkpoints")?;
    if against.anchors.is_none() {
        eprintln!(
            "warning: anchors-off: the org has no object AI_Checkpoint__c, or the promoter does not see it"
        );
    }
    Ok(against)
}

async fn read(
    args: &Args,
    against: Option<&Against>,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, LedgerError> {
    match (&args.export, &args.ledger) {
        (Some(export), _) => verify::verify_export(export, against, progress),
        (None, ledger) => {
            let place = place::at(ledger.clone().unwrap_or_default(), args.config.as_deref())?;
            verify::verify(&place, against, progress).await
        }
    }
}

fn print(report: &Report) {
    println!("entries       {}", report.entries);
    println!("head          {}", report.head);
    match &report.export {
        Some(end) if !end.private => println!("values        not in this export"),
        _ => println!(
            "values        {} checked, {} erased by {} erasure(s)",
            report.private_checked, report.private_erased, report.erasures
        ),
    }
    match &report.export {
        Some(end) => println!(
            "ledger        of org {}, {} entries when it was exported",
            super::show::safe(&end.org),
            super::show::safe(&end.head)
        ),
        None => {
            println!("inbox         {} batches", report.batches);
            println!("projections   {} rows folded again", report.projections);
        }
    }
    for (name, met) in [("checkpoints  ", &report.checkpoints), ("in the org   ", &report.anchors)] {
        let Some(met) = met else { continue };
        let signed =
            if met.signed == met.read { "all signed by a key" } else { "signatures not all checked" };
        println!("{name} {} read, {} met up to entry {}, {signed}", met.read, met.met, met.up_to);
    }
    if report.restores > 0 {
        let set_aside = report.checkpoints.as_ref().map_or(0, |met| met.set_aside);
        println!("restores      {} accepted, {set_aside} checkpoint(s) set aside by them", report.restores);
    }
    if report.findings.is_empty() {
        println!("no damage found");
        return;
    }
    println!("\n{} damage(s):", report.findings.len());
    for damage in &report.findings {
        let place = damage.seq.map_or_else(String::new, |seq| format!(" at entry {seq}"));
        println!("  {}{place}: {}", damage.code, super::show::safe(&damage.what));
    }
    println!("\nKeep this file as it is, and compare it with your last backup.");
}
