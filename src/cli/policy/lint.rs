//! `countersign policy lint`.

use std::path::PathBuf;

use serde_json::json;

use super::{Exit, load};

/// What is legal in the rules and probably not meant.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory with policy files; the built-in policies when absent.
    pub directory: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Exit code 0 when there is nothing to look at, 1 when there is, 2 when the policies are no policies.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let policies = load(args.directory.as_ref())?;
    let found = policies.lint();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&json!({ "ok": found.is_empty(), "lints": found }))?);
    } else {
        for lint in &found {
            println!("{}: {}: {}; {} [{}]", lint.policy, lint.key, lint.message, lint.fix, lint.code);
        }
        let (count, orgs) = (policies.of_known(None).objects.len(), policies.overrides().count());
        let own = if orgs == 0 { String::new() } else { format!(", {orgs} org(s) with rules of their own") };
        println!("{count} policies{own}, {} thing(s) to look at", found.len());
    }
    Ok(if found.is_empty() { Exit::Done } else { Exit::Failed })
}
