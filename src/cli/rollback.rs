//! `countersign rollback plan|apply`: put back what one promotion changed, sparing newer edits.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::{
    Exit,
    org_side::{OrgSide, load_settings},
    show::safe,
};
use crate::{
    clock::Clock,
    domain::{Promotion, Settlement},
    gate::rollback::RollbackPlan,
    workflow::{promote::Promoter, rollback},
};

/// Undo one promotion.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what would be restored and what would be spared.
    Plan(Target),
    /// Restore it.
    Apply(Target),
}

#[derive(Debug, ClapArgs)]
struct Target {
    /// A promotion id, or the id of a promoted proposal.
    id: String,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

/// Plans or applies a rollback.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let (target, apply) = match args.what {
        What::Plan(target) => (target, false),
        What::Apply(target) => (target, true),
    };
    let side = OrgSide::open(load_settings(target.config.as_deref())?, Clock::system()).await?;
    let exit = on_side(&side, &target, apply).await;
    side.context.ledger.close().await?;
    exit
}

async fn on_side(side: &OrgSide, target: &Target, apply: bool) -> anyhow::Result<Exit> {
    let promotion = rollback::find(&side.context, &target.id).await?;
    let plan = rollback::plan(&side.context, &promotion).await?;
    let ended = if apply && plan.plan.is_some() {
        let promoter = Promoter::new(side.context.clone(), side.promoter_writer());
        rollback::apply(&side.context, &promoter, &promotion, &plan).await?
    } else {
        None
    };
    if target.json {
        let state = ended.as_ref().map(|promotion| promotion.settlement.name());
        println!("{}", json!({ "promotion": promotion.id, "plan": plan, "applied": apply, "result": state }));
    } else {
        print_plan(&promotion, &plan);
    }
    Ok(match (apply, &ended) {
        (false, _) => Exit::Done,
        (true, None) => {
            println!("nothing to restore");
            Exit::Done
        }
        (true, Some(ended)) => print_end(ended, target.json),
    })
}

fn print_plan(promotion: &Promotion, plan: &RollbackPlan) {
    println!("rollback of promotion {} on {} {}", promotion.id, promotion.plan.object, promotion.plan.record);
    for change in &plan.restore {
        let (from, to) = (safe(&change.before.to_string()), safe(&change.after.to_string()));
        println!("  restore  {}: {from} → {to}", change.field);
    }
    for spared in &plan.spared {
        let found = spared
            .found
            .as_ref()
            .map_or_else(|| "nothing readable".to_owned(), |found| safe(&found.to_string()));
        println!("  spare    {}: it holds `{found}`, which is newer than what we wrote", spared.field);
    }
    for field in &plan.already {
        println!("  nothing  {field}: it already holds the value from before");
    }
}

fn print_end(ended: &Promotion, as_json: bool) -> Exit {
    let exit = if ended.settlement == Settlement::Done { Exit::Done } else { Exit::Failed };
    if !as_json {
        match &ended.settlement {
            Settlement::Done => println!("restored; compensating promotion {}", ended.id),
            other => println!("not restored: {} (promotion {})", other.name(), ended.id),
        }
    }
    exit
}
