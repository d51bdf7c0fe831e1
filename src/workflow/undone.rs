//! The stage of a proposal after a rollback of its promotion, or the undoing of one, has landed.

use super::WorkflowError;
use crate::{
    domain::{Promotion, PromotionId, Settlement, Stage, event::Event},
    gate::unwind::{is_cancelled, is_undone},
    ledger::Tx,
};

/// Tells the stage that follows from a promotion that has just been settled as landed. Whoever
/// settles it calls this in the same transaction, so that a crash cannot come in between.
pub async fn tell_stage(tx: &mut Tx<'_>, landed: &Promotion) -> Result<(), WorkflowError> {
    if landed.undoes.is_none() {
        return Ok(());
    }
    let id = &landed.plan.proposal_id;
    let all = tx.promotions_of_proposal(id).await?;
    let own = all.iter().rfind(|one| one.undoes.is_none() && one.settlement == Settlement::Done);
    let (Some(own), Some(known)) = (own, tx.proposal(id).await?) else { return Ok(()) };
    // A record that is cancelled is undone, whatever its other fields hold.
    let whole = own.plan.making.is_some() && is_cancelled(&own.id, &all)
        || own.plan.making.is_none()
            && own.plan.changes.iter().all(|change| is_undone(&own.id, &change.field, &all));
    let (stage, code) = match known.stage {
        Stage::Promoted if whole => (Stage::RolledBack, "rolled-back"),
        Stage::RolledBack if !whole && restores(landed, &all) => (Stage::Promoted, "rollback-undone"),
        _ => return Ok(()),
    };
    let (proposal_id, code) = (id.clone(), code.to_owned());
    tx.append(&Event::StageChanged { proposal_id, stage, code, successor: None }).await?;
    Ok(())
}

/// Whether a rollback puts back what the proposal wanted: it undoes a rollback, or the undoing of
/// the undoing of one, and so on.
fn restores(landed: &Promotion, all: &[Promotion]) -> bool {
    let parent = |id: &PromotionId| all.iter().find(|one| one.id == *id);
    let mut up = 0;
    let mut next = landed.undoes.as_ref().and_then(parent);
    while let Some(promotion) = next {
        up += 1;
        next = promotion.undoes.as_ref().and_then(parent);
    }
    up % 2 == 0
}
