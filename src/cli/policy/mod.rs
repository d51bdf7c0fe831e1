//! `countersign policy`: rules read, tried and compared before they are in force.

mod diff;
mod lint;
mod test;

use std::path::{Path, PathBuf};

use super::{Exit, ExitWith};
use crate::config::policies::{self, Policies};

/// Lint, test and compare policies.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// What is legal in the rules and probably not meant.
    Lint(lint::Args),
    /// Run golden cases: inputs with the verdict that they must get.
    Test(test::Args),
    /// What changes in meaning from one directory of policies to another.
    Diff(diff::Args),
}

/// Runs one of them.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.command {
        Command::Lint(args) => lint::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Diff(args) => diff::run(&args),
    }
}

/// The policies of a directory, or the built-in ones, for every org.
pub fn load(directory: Option<&PathBuf>) -> anyhow::Result<Policies> {
    policies::load_set(directory.map(PathBuf::as_path)).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
        let place = directory.map_or_else(|| "the built-in policies".into(), |path| shown(path));
        ExitWith::usage(format!("policy-unusable: {place}\n{}", lines.join("\n"))).into()
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
