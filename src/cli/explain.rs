//! `countersign explain CODE`: what a finding code means and what to do about it.

use anyhow::Result;

use super::{Exit, ExitWith};
use crate::gate::{FindingCode, explain};

/// Explain a finding code; without one, list them all.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A finding code, for example `base-moved`.
    #[arg(value_name = "CODE")]
    pub what: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Prints the page, or the list.
pub async fn run(args: Args) -> Result<Exit> {
    let Some(what) = args.what else { return list(args.json) };
    let Some(page) = explain::page(what.trim()) else {
        return Err(ExitWith::usage(format!(
            "`{}` is no finding code; `countersign explain` lists them",
            what.escape_debug()
        ))
        .into());
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&page)?);
    } else {
        print!("{page}");
    }
    Ok(Exit::Done)
}

fn list(json: bool) -> Result<Exit> {
    if json {
        println!("{}", serde_json::to_string_pretty(&explain::pages())?);
        return Ok(Exit::Done);
    }
    let width = FindingCode::ALL.iter().map(|code| code.as_str().len()).max().unwrap_or_default();
    for page in explain::pages() {
        let code = page.code.as_str();
        println!("{code:width$}  {:12}  {}", page.outcome.unwrap_or("note"), page.refuses);
    }
    Ok(Exit::Done)
}
