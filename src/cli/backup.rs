//! `countersign backup`: a copy of the ledger that was checked, also while the daemon runs.

use std::path::PathBuf;

use serde_json::json;

use super::{Exit, output, place::Place};
use crate::ledger::verify::verify_file;

/// Copy the ledger into a new file and check the copy. The daemon goes on meanwhile.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The new file, for its owner only.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Exit code 5 when the copy has a damage: then the ledger has it too.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let ledger = args.place.read().await?;
    drop(output::create(&args.out)?);
    if let Err(error) = ledger.backup_to(&args.out).await {
        // What was begun is of no use.
        let _ = std::fs::remove_file(&args.out);
        return Err(error.into());
    }
    let report = verify_file(&args.out).await?;
    let is_sound = report.findings.is_empty();
    let shown = args.out.display();
    if args.place.json {
        println!(
            "{}",
            json!({ "file": args.out, "entries": report.entries, "head": report.head, "findings": report.findings })
        );
    } else if is_sound {
        println!("{} entries copied to {shown} and checked, head {}", report.entries, report.head);
    } else {
        println!(
            "the copy has {} damage(s): run `countersign verify --ledger {shown}`",
            report.findings.len()
        );
    }
    Ok(if is_sound { Exit::Done } else { Exit::Damaged })
}
