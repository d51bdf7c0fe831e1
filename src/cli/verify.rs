//! `countersign verify`: is the ledger still what was written?

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Exit, ExitWith};
use crate::ledger::verify::{self, Report};

/// Check a ledger file for any damage. Exit code 5 when there is one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ledger file.
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
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
    let report = verify::verify(&args.ledger, &mut |entries| bar.set_position(entries)).await;
    bar.finish_and_clear();
    let report = report.map_err(|error| ExitWith::usage(format!("{}: {error}", error.code())))?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(if report.findings.is_empty() { Exit::Done } else { Exit::Damaged })
}

fn print(report: &Report) {
    println!("entries       {}", report.entries);
    println!("head          {}", report.head);
    println!("values        {} checked, {} erased", report.private_checked, report.private_erased);
    println!("inbox         {} batches", report.batches);
    println!("projections   {} rows folded again", report.projections);
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
