//! Undoing one promotion, as it is shown and carried out.

use serde_json::json;

use crate::{
    cli::{Exit, org_side::OrgSide, show::safe},
    domain::{Promotion, Settlement},
    gate::rollback::RollbackPlan,
    workflow::{promote::Promoter, rollback},
};

/// Plans or applies the rollback of one promotion. `words` say who asks for it and why.
pub async fn run(
    side: &OrgSide,
    id: &str,
    (as_json, apply): (bool, bool),
    words: Option<(String, String)>,
) -> anyhow::Result<Exit> {
    let promotion = rollback::find(&side.context, id).await?;
    let plan = rollback::plan(&side.context, &promotion).await?;
    let ended = if apply && plan.plan.is_some() {
        let promoter = Promoter::new(side.context.clone(), side.promoter_writer());
        rollback::apply(&side.context, &promoter, (&promotion, &plan), words).await?
    } else {
        None
    };
    if as_json {
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
        (true, Some(ended)) => print_end(ended, as_json),
    })
}

fn print_plan(promotion: &Promotion, plan: &RollbackPlan) {
    println!("rollback of promotion {} on {} {}", promotion.id, promotion.plan.object, promotion.plan.record);
    for change in &plan.restore {
        let (from, to) = (safe(&change.before.to_string()), safe(&change.after.to_string()));
        let cancels = plan.plan.as_ref().is_some_and(|plan| plan.making.is_some());
        let word = if cancels { "cancel " } else { "restore" };
        println!("  {word}  {}: {from} → {to}", change.field);
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
