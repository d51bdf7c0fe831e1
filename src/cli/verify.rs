//! `countersign verify`: is the ledger, or what was exported from it, still what was written?

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Exit, ExitWith, place};
use crate::ledger::{
    LedgerError,
    checkpoint::{self, CheckpointError, Verifier},
    verify::{self, Against, Report},
};

/// Check a ledger file, or an export of one, for any damage. Exit code 5 when there is one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ledger: a file, or the URL of a PostgreSQL database.
    #[arg(long, value_name = "PLACE", required_unless_present = "export")]
    ledger: Option<String>,
    /// A file that `countersign export` wrote, checked without a ledger.
    #[arg(long, value_name = "FILE", conflicts_with = "ledger")]
    export: Option<PathBuf>,
    /// Checkpoints that `serve` or `countersign checkpoint` wrote: what they cover must still be there.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The key that must have signed them, from `countersign checkpoint --new-key`.
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    public_key: Option<PathBuf>,
    /// Machine-readable report.
    #[arg(long)]
    json: bool,
}

/// Reads the whole file.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let bar = if args.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} entries, {elapsed}") {
        bar.set_style(style);
    }
    let against = args.checkpoint.as_ref().map(|path| -> Result<_, CheckpointError> {
        let key = args.public_key.as_ref().map(|path| Verifier::read(path)).transpose()?;
        Ok(Against { log: checkpoint::read(path)?, key })
    });
    let against = against.transpose();
    let against = against.map_err(|error| ExitWith::usage(format!("{}: {error}", error.code())))?;
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

async fn read(
    args: &Args,
    against: Option<&Against>,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, LedgerError> {
    match (&args.export, &args.ledger) {
        (Some(export), _) => verify::verify_export(export, against, progress),
        (None, ledger) => {
            let place = place::at(ledger.clone().unwrap_or_default(), None)?;
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
    if let Some(met) = &report.checkpoints {
        let signed =
            if met.signed == met.read { "all signed by the key" } else { "signatures not all checked" };
        println!("checkpoints   {} read, {} met up to entry {}, {signed}", met.read, met.met, met.up_to);
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
