//! `countersign explain CODE|PROPOSAL`: what a code means, or the whole story of a proposal.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::json;

use super::{Exit, ExitWith, show::safe, status};
use crate::{
    domain::ProposalId,
    gate::{FindingCode, explain},
    salesforce::GateRule,
};

mod story;

pub use story::Story;

/// Explain a finding code, or tell the story of a proposal.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A code such as `base-moved` or `AI_GATE_16`, or a proposal id; without one, all codes are listed.
    #[arg(value_name = "CODE|PROPOSAL")]
    what: Option<String>,
    /// Ledger: a file, or the URL of a PostgreSQL database; without it the one of the settings.
    #[arg(long, value_name = "PLACE")]
    ledger: Option<String>,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

/// Prints the page of a code, or the entries of a proposal.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let Some(what) = args.what else { return list(args.json) };
    if let Some(page) = explain::page(what.trim()) {
        if args.json {
            println!("{}", serde_json::to_string_pretty(&page)?);
        } else {
            print!("{page}");
        }
        return Ok(Exit::Done);
    }
    if let Some(rule) = GateRule::of_code(what.trim()) {
        return org_rule(rule, args.json);
    }
    let unknown = || {
        let what = safe(&what);
        ExitWith::usage(format!(
            "`{what}` is neither a code nor a proposal here; `countersign explain` lists the codes"
        ))
    };
    let id = ProposalId::parse(&what).map_err(|_| unknown())?;
    let ledger = status::open(args.ledger, args.config).await?;
    let story = Story::read(&ledger, &id).await?.ok_or_else(unknown)?;
    match args.json {
        true => println!("{}", story.json()),
        false => print!("{}", story.text()),
    }
    Ok(Exit::Done)
}

fn list(json: bool) -> anyhow::Result<Exit> {
    if json {
        println!("{}", serde_json::to_string_pretty(&explain::pages())?);
        return Ok(Exit::Done);
    }
    let width = FindingCode::ALL.iter().map(|code| code.as_str().len()).max().unwrap_or_default();
    for page in explain::pages() {
        let code = page.code.as_str();
        println!("{code:width$}  {:12}  {}", page.outcome.unwrap_or("note"), page.refuses);
    }
    for rule in GateRule::ALL {
        println!("{:width$}  {:12}  {}", rule.code(), "org refuses", rule.refuses());
    }
    Ok(Exit::Done)
}

/// What a rule of the org refuses, and what to do.
fn org_rule(rule: GateRule, json: bool) -> anyhow::Result<Exit> {
    if json {
        println!("{}", json!({ "code": rule.code(), "refuses": rule.refuses(), "fix": rule.fix() }));
    } else {
        println!("{rule}  (a validation rule of the package, in the org)\n");
        println!("What it refuses\n  {}\n\nHow to fix\n  {}", rule.refuses(), rule.fix());
    }
    Ok(Exit::Done)
}
