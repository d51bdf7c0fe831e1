//! The command line. One file per command: `Args` and `run`.
//!
//! To add a command: a file with `pub struct Args` (derive `clap::Args`) and
//! `pub async fn run(args: Args) -> anyhow::Result<Exit>`, a `mod` line, a variant of
//! [`Command`] and an arm in [`run`]. Data goes to stdout, everything else to stderr.

pub mod exit;
pub mod explain;
pub mod org;

use clap::{Parser, Subcommand};

pub use exit::{Exit, ExitWith};

/// AI proposes, people countersign in Salesforce, a deterministic gate promotes.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One variant per file of this module.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain a finding code.
    Explain(explain::Args),
    /// Run a simulated Salesforce org on this machine.
    Org(org::Args),
}

/// Runs the command to its end.
pub async fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Explain(args) => explain::run(args).await,
        Command::Org(args) => org::run(args).await,
    }
}

/// Prints help, version or what is wrong with the command line.
pub fn usage(error: &clap::Error) -> Exit {
    // A closed stdout or stderr leaves nobody to tell.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

/// Prints an error with its causes and picks the exit code.
pub fn failed(error: &anyhow::Error) -> Exit {
    eprintln!("countersign: {error:#}");
    error.downcast_ref::<ExitWith>().map_or(Exit::Failed, |known| known.exit)
}
