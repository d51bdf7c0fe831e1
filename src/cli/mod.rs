//! The command line. One file per command: `Args` and `run`.
//!
//! To add a command: a file with `pub struct Args` (derive `clap::Args`) and
//! `pub async fn run(args: Args) -> anyhow::Result<Exit>`, a `mod` line, a variant of
//! [`Command`] and an arm in [`run`]. Data goes to stdout, everything else to stderr.

pub mod backup;
pub mod card;
pub mod check;
pub mod checkpoint;
pub mod connect;
pub mod console;
pub mod contracts;
mod counters;
#[cfg(debug_assertions)]
pub mod crash_at;
pub mod csv;
pub mod daemon;
pub mod decay;
pub mod demo;
pub mod doctor;
pub mod drift;
pub mod erase;
pub mod event;
pub mod evidence;
pub mod exit;
pub mod explain;
pub mod export;
pub mod form;
pub mod freeze;
pub mod front;
pub mod inventory;
pub mod jobs;
pub mod lead;
pub mod metadata;
pub mod moment;
pub mod org;
pub mod org_side;
pub mod output;
mod ownership;
pub mod page;
pub mod place;
pub mod policy;
mod problems;
pub mod propose;
pub mod quality;
pub mod reconcile;
pub mod recorder;
pub mod replay;
pub mod rollback;
pub mod serve;
pub mod shadow;
pub mod show;
pub mod signal;
pub mod status;
pub mod tables;
pub mod verify;
pub mod watch;
pub mod writers;

use clap::{Parser, Subcommand};

pub use exit::{Exit, ExitWith};

use crate::{
    ledger::{LedgerError, checkpoint::CheckpointError},
    salesforce::{SalesforceError, pubsub::StreamError},
    workflow::{
        WorkflowError, decay::DecayError, reconcile::ReconcileError, rollback::RollbackError,
        rollback_many::RollbackManyError, shadow::act::ShadowError,
    },
};

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
    /// Watch the whole story on this machine: no account, no server.
    Demo(demo::Args),
    /// Run the daemon.
    Serve(serve::Args),
    /// Send a proposal.
    Propose(propose::Args),
    /// Show what a proposal would do; nothing is written.
    Preview(propose::PreviewArgs),
    /// Record what happened on a record: a reply, a meeting, a form.
    Signal(signal::Args),
    /// List proposals.
    Proposals(status::ProposalsArgs),
    /// Count proposals by stage.
    Status(status::Args),
    /// Decode recorded change events.
    Event(event::Args),
    /// Explain a finding code, or tell the story of a proposal.
    Explain(explain::Args),
    /// Check a ledger for any damage.
    Verify(verify::Args),
    /// Sign what the ledger holds, or accept a restored one.
    Checkpoint(checkpoint::Args),
    /// Copy the ledger and check the copy, also while the daemon runs.
    Backup(backup::Args),
    /// Erase values of records and words of people for good.
    Erase(erase::Args),
    /// Make a folder for an auditor about a period.
    Evidence(evidence::Args),
    /// Write the ledger's entries as lines of JSON.
    Export(export::Args),
    /// Make recorded decisions again, under the rules of then or under candidates.
    Replay(replay::Args),
    /// Plan, apply or drill the undoing of promotions.
    Rollback(rollback::Args),
    /// Announce, run and report the decay of stale states.
    Decay(decay::Args),
    /// Compare the org with the ledger, repair what is safe, list the rest.
    Reconcile(reconcile::Args),
    /// Tell what changed in the org below the lanes, look again, or accept it.
    Drift(drift::Args),
    /// Show the timetable and the history of scheduled work, or run a job now.
    Jobs(jobs::Args),
    /// Measure lanes that only record, and let them act until a day.
    Shadow(shadow::Args),
    /// Tell what the watchdogs see: what goes wrong slowly.
    Watch(watch::Args),
    /// Tell how often people accept, how long they take, and how much goes back.
    Quality(quality::Args),
    /// Tell who writes governed fields besides the daemon.
    Writers(writers::Args),
    /// Tell which flows and Apex code of the org set governed fields.
    Inventory(inventory::Args),
    /// Stop the org, a lane or an agent.
    Freeze(freeze::Args),
    /// Lift a freeze.
    Unfreeze(freeze::UnfreezeArgs),
    /// Check settings and policies, and tell every problem at once.
    Check(check::Args),
    /// Try the settings against the org and say what is missing, wrong or too much.
    Doctor(doctor::Args),
    /// Lint, test and compare policies.
    Policy(policy::Args),
    /// Plan, generate, compare and remove the Salesforce package.
    Metadata(metadata::Args),
    /// Run a simulated Salesforce org on this machine.
    Org(org::Args),
}

/// Runs the command to its end.
pub async fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Propose(args) => propose::run(args).await,
        Command::Preview(args) => propose::preview(args).await,
        Command::Signal(args) => signal::run(args).await,
        Command::Proposals(args) => status::proposals(args).await,
        Command::Status(args) => status::run(args).await,
        Command::Event(args) => event::run(args).await,
        Command::Explain(args) => explain::run(args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Checkpoint(args) => checkpoint::run(args).await,
        Command::Backup(args) => backup::run(args).await,
        Command::Evidence(args) => evidence::run(args).await,
        Command::Erase(args) => erase::run(args).await,
        Command::Export(args) => export::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Rollback(args) => rollback::run(args).await,
        Command::Decay(args) => decay::run(args).await,
        Command::Reconcile(args) => reconcile::run(args).await,
        Command::Drift(args) => drift::run(args).await,
        Command::Jobs(args) => jobs::run(args).await,
        Command::Shadow(args) => shadow::run(args).await,
        Command::Watch(args) => watch::run(args).await,
        Command::Quality(args) => quality::run(args).await,
        Command::Writers(args) => writers::run(args).await,
        Command::Inventory(args) => inventory::run(args).await,
        Command::Freeze(args) => freeze::run(args).await,
        Command::Unfreeze(args) => freeze::unfreeze(args).await,
        Command::Check(args) => check::run(args).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Policy(args) => policy::run(args).await,
        Command::Metadata(args) => metadata::run(args).await,
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
    match code_of(error) {
        Some(code) => eprintln!("countersign: {code}: {error:#}"),
        None => eprintln!("countersign: {error:#}"),
    }
    error.downcast_ref::<ExitWith>().map_or(Exit::Failed, |known| known.exit)
}

/// The stable code of the typed error at the bottom of a chain of contexts.
fn code_of(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let ledger = cause.downcast_ref::<LedgerError>().map(LedgerError::code);
        let salesforce = cause.downcast_ref::<SalesforceError>().map(SalesforceError::code);
        let stream = cause.downcast_ref::<StreamError>().map(StreamError::code);
        let workflow = cause.downcast_ref::<WorkflowError>().map(WorkflowError::code);
        let rollback = cause.downcast_ref::<RollbackError>().map(RollbackError::code);
        let checkpoint = cause.downcast_ref::<CheckpointError>().map(CheckpointError::code);
        let many = cause.downcast_ref::<RollbackManyError>().map(RollbackManyError::code);
        let decay = cause.downcast_ref::<DecayError>().map(DecayError::code);
        let reconcile = cause.downcast_ref::<ReconcileError>().map(ReconcileError::code);
        let shadow = cause.downcast_ref::<ShadowError>().map(ShadowError::code);
        let of_rollback = rollback.or(many).or(decay).or(reconcile).or(shadow);
        ledger.or(checkpoint).or(salesforce).or(stream).or(workflow).or(of_rollback).map(str::to_owned)
    })
}

/// Lets a command end without noise when its reader is gone, as in `countersign proposals | head`.
pub fn end_quietly_when_nobody_reads() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let words = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if words.starts_with("failed printing to stdout") && words.contains("Broken pipe") {
            std::process::exit(i32::from(Exit::Failed.code()));
        }
        before(panic);
    }));
}
