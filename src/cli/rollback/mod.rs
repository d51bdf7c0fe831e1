//! `countersign rollback plan|apply|drill`: put back what promotions changed, sparing newer edits.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{
    Exit, ExitWith,
    freeze::words,
    org_side::{OrgSide, load_settings},
};
use crate::{clock::Clock, domain::Digest};

mod choice;
mod drill;
mod many;
mod one;
mod print;

use choice::Chosen;

/// Undo promotions.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what would be restored and what would be spared.
    Plan(PlanArgs),
    /// Restore it.
    Apply(ApplyArgs),
    /// Try a rollback of many in a simulated org on this machine.
    Drill(drill::Args),
}

/// One promotion by its id, or many by conditions that must all hold.
#[derive(Debug, ClapArgs)]
struct Target {
    /// A promotion id, or the id of a promoted proposal. The id of a rollback's promotion undoes the
    /// rollback.
    id: Option<String>,
    #[command(flatten)]
    chosen: Chosen,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
struct PlanArgs {
    #[command(flatten)]
    target: Target,
    /// Write the manifest to this new file; its SHA-256 is the digest. Only for many.
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    out: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
struct ApplyArgs {
    #[command(flatten)]
    target: Target,
    /// The digest that `rollback plan` showed; nothing is written when the plan is another one now.
    /// Given again after an interruption, it goes on. Only for many.
    #[arg(long, value_name = "DIGEST", conflicts_with_all = ["id", "yes"])]
    manifest: Option<String>,
    /// Apply whatever the plan is now. Only for many.
    #[arg(long, conflicts_with = "id")]
    yes: bool,
    /// Who asks for it; required for many.
    #[arg(long, value_name = "NAME", requires = "reason")]
    by: Option<String>,
    /// Why; required for many.
    #[arg(long, value_name = "WORDS", requires = "by")]
    reason: Option<String>,
}

/// Plans, applies or drills.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.what {
        What::Plan(args) => plan(args).await,
        What::Apply(args) => apply(args).await,
        What::Drill(args) => drill::run(&args).await,
    }
}

async fn plan(args: PlanArgs) -> anyhow::Result<Exit> {
    let target = args.target;
    let choice = target.chosen.read(target.id.as_deref(), Clock::system().now())?;
    let side = open(&target).await?;
    let exit = match &target.id {
        Some(id) => one::run(&side, id, (target.json, false), None).await,
        None => many::plan(&side, &choice, (target.json, args.out.as_deref())).await,
    };
    side.context.ledger.close().await?;
    exit
}

async fn apply(args: ApplyArgs) -> anyhow::Result<Exit> {
    let target = args.target;
    let choice = target.chosen.read(target.id.as_deref(), Clock::system().now())?;
    let words = match (&args.by, &args.reason) {
        (Some(by), Some(reason)) => Some((words(by, "--by")?, words(reason, "--reason")?)),
        _ => None,
    };
    let Some(id) = &target.id else {
        let Some((by, reason)) = words else {
            return Err(ExitWith::usage(
                "rollback-words-wanted: a rollback of many wants --by NAME and --reason WORDS for the ledger",
            )
            .into());
        };
        let shown = shown(args.manifest.as_deref(), args.yes)?;
        let side = open(&target).await?;
        let asked = crate::workflow::rollback_many::Asked { choice, shown, by, reason };
        let exit = many::apply(&side, asked, target.json).await;
        side.context.ledger.close().await?;
        return exit;
    };
    let side = open(&target).await?;
    let exit = one::run(&side, id, (target.json, true), words).await;
    side.context.ledger.close().await?;
    exit
}

async fn open(target: &Target) -> anyhow::Result<OrgSide> {
    OrgSide::open(load_settings(target.config.as_deref())?, Clock::system()).await
}

/// What the person saw. `None` says yes to whatever it is now.
fn shown(manifest: Option<&str>, yes: bool) -> anyhow::Result<Option<Digest>> {
    match (manifest, yes) {
        (None, true) => Ok(None),
        (None, false) => Err(ExitWith::usage(
            "rollback-manifest-wanted: give --manifest DIGEST as `countersign rollback plan` shows it, or --yes",
        )
        .into()),
        (Some(text), _) if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => {
            Ok(Some(Digest::from_hex(text)))
        }
        (Some(_), _) => Err(ExitWith::usage(
            "rollback-manifest-malformed: --manifest wants the 64 digits that `countersign rollback plan` shows",
        )
        .into()),
    }
}
