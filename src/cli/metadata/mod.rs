//! `countersign metadata`: the Salesforce package, before and after it is deployed.

mod compare;
mod diff;
mod generate;
mod org;
mod plan;
mod remove;
mod target;

use std::path::PathBuf;

use super::Exit;

/// Plan, generate, compare and remove the Salesforce package.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// What a deploy would create in this org, and what is there already under its names.
    Plan(OrgArgs),
    /// Write the metadata for a further object or field.
    Generate(generate::Args),
    /// Where the org differs from the package: fields, rules and formulas, sets, channel, flows.
    Diff(OrgArgs),
    /// How to take the package out of an org again.
    Remove(remove::Args),
}

/// Which org, and which objects beside the shipped ones.
#[derive(Debug, clap::Args)]
pub struct OrgArgs {
    /// Settings file; default config/countersign.toml when it exists.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    target: target::Target,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs one of them.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.command {
        Command::Plan(args) => plan::run(args).await,
        Command::Generate(args) => generate::run(args).await,
        Command::Diff(args) => diff::run(args).await,
        Command::Remove(args) => remove::run(&args),
    }
}
