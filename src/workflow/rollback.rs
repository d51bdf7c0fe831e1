//! Undoing one promotion by a compensating promotion that spares newer human edits.

use super::{Context, WorkflowError, made, promote::Promoter};
use crate::{
    clock,
    domain::{
        Choice, Digest, Making, Promotion, PromotionId, ProposalId, RecordState, Rollback, RollbackStep,
        Settlement, Stage, event::Event,
    },
    gate::rollback::{RollbackPlan, plan_rollback},
};

/// Why nothing can be rolled back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// No promotion has this id, and no proposal with this id was promoted.
    #[error("`{0}` is neither a promotion nor a promoted proposal; see `countersign proposals`")]
    Unknown(String),
    /// It did not land, so there is nothing to undo.
    #[error("promotion `{id}` is {state}: only a landed promotion can be rolled back")]
    NotLanded {
        /// The promotion.
        id: PromotionId,
        /// Its state.
        state: &'static str,
    },
    /// The values before it were erased.
    #[error("the values of promotion `{0}` were erased: nothing is known any more that could be put back")]
    Erased(PromotionId),
    /// The record is gone.
    #[error("the record of promotion `{0}` is deleted or not visible")]
    RecordGone(PromotionId),
    /// It is itself the undoing of a record that was made.
    #[error("promotion `{0}` cancelled a record that was made: a person may open it again in Salesforce")]
    Cancelled(PromotionId),
    /// A step failed; the command can be given again.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
}

impl RollbackError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Unknown(_) => "rollback-unknown",
            Self::NotLanded { .. } => "rollback-not-landed",
            Self::Erased(_) => "rollback-erased",
            Self::RecordGone(_) => "rollback-record-gone",
            Self::Cancelled(_) => "rollback-of-cancelling",
            Self::Workflow(error) => error.code(),
        }
    }
}

/// Finds the promotion that a promotion id or a proposal id names.
pub async fn find(context: &Context, text: &str) -> Result<Promotion, RollbackError> {
    let ledger = &context.ledger;
    let by_id = ledger.promotion(&PromotionId::new(text)).await.map_err(WorkflowError::from)?;
    let found = match (by_id, ProposalId::parse(text)) {
        (Some(promotion), _) => Some(promotion),
        (None, Ok(proposal)) => ledger
            .promotions_of_proposal(&proposal)
            .await
            .map_err(WorkflowError::from)?
            .into_iter()
            .rfind(|promotion| promotion.undoes.is_none() && promotion.settlement == Settlement::Done),
        (None, Err(_)) => None,
    };
    let promotion = found.ok_or_else(|| RollbackError::Unknown(text.to_owned()))?;
    if promotion.settlement != Settlement::Done {
        let state = promotion.settlement.name();
        return Err(RollbackError::NotLanded { id: promotion.id, state });
    }
    if promotion.plan.changes.is_empty() {
        return Err(RollbackError::Erased(promotion.id));
    }
    Ok(promotion)
}

/// Reads the record and compares what we wrote, what is there now, and the before-image.
pub async fn plan(context: &Context, promotion: &Promotion) -> Result<RollbackPlan, RollbackError> {
    match &promotion.plan.making {
        Some(Making::Create { .. }) => {
            let row = made::made_row(context, promotion).await?;
            let planned = made::plan_cancelling(context, promotion, row.as_ref());
            return match planned {
                Some(plan) if plan.obstacle.is_none() => Ok(plan),
                _ => Err(RollbackError::RecordGone(promotion.id.clone())),
            };
        }
        Some(Making::Cancel) => return Err(RollbackError::Cancelled(promotion.id.clone())),
        None => {}
    }
    let contract = context
        .contracts
        .find(promotion.plan.object.as_str())
        .ok_or_else(|| WorkflowError::Unexpected(format!("no contract for `{}`", promotion.plan.object)))?;
    let ids = std::slice::from_ref(&promotion.plan.record);
    let readings = context.reader.retrieve(contract, ids).await.map_err(WorkflowError::from)?;
    let record = readings.into_iter().next().map(|reading| reading.snapshot);
    match record {
        Some(record) if record.state == RecordState::Live => {
            Ok(plan_rollback(promotion, &record, context.clock.now()))
        }
        _ => Err(RollbackError::RecordGone(promotion.id.clone())),
    }
}

/// Carries a plan out: intent, write, settlement, like every promotion. Returns the
/// compensating promotion as it ended, or `None` when there is nothing to restore.
pub async fn apply(
    context: &Context,
    promoter: &Promoter,
    (undone, plan): (&Promotion, &RollbackPlan),
    words: Option<(String, String)>,
) -> Result<Option<Promotion>, RollbackError> {
    let Some(steps) = plan.plan.clone() else { return Ok(None) };
    let begun = words.map(|words| begun(context, (undone, plan), words)).transpose()?;
    let promotion = Promotion {
        id: PromotionId::new(clock::unique_id()),
        plan: steps,
        attempts: 0,
        settlement: Settlement::Intended,
        undoes: Some(undone.id.clone()),
        rollback: begun.as_ref().map(|rollback| rollback.id.clone()),
        proof: std::collections::BTreeMap::new(),
    };
    let id = promotion.id.clone();
    let intended = Event::PromotionIntended { promotion };
    append(context, begun.map(|rollback| Event::RollbackBegun { rollback }).into_iter().chain([intended]))
        .await?;
    let mut ended = None;
    for _ in 0..5 {
        let current = context.ledger.promotion(&id).await.map_err(WorkflowError::from)?;
        let Some(current) = current else { break };
        if current.settlement.is_final() {
            ended = Some(current);
            break;
        }
        promoter.advance(vec![current.clone()]).await?;
        ended = Some(current);
    }
    let landed = ended.as_ref().is_some_and(|promotion| promotion.settlement == Settlement::Done);
    if landed && plan.spared.is_empty() && undone.undoes.is_none() && undone.plan.making.is_none() {
        tell_whole(context, undone).await?;
    }
    Ok(ended)
}

/// Where a field was put back by hand before, no write of ours tells that the whole is undone.
async fn tell_whole(context: &Context, undone: &Promotion) -> Result<(), RollbackError> {
    let id = &undone.plan.proposal_id;
    let known = context.ledger.proposal(id).await.map_err(WorkflowError::from)?;
    if known.is_none_or(|known| known.stage != Stage::Promoted) {
        return Ok(());
    }
    let (proposal_id, code) = (id.clone(), "rolled-back".to_owned());
    append(context, [Event::StageChanged { proposal_id, stage: Stage::RolledBack, code, successor: None }])
        .await
}

/// Who asked for it and why, under the digest of what was planned.
fn begun(
    context: &Context,
    (undone, plan): (&Promotion, &RollbackPlan),
    (by, reason): (String, String),
) -> Result<Rollback, RollbackError> {
    Ok(Rollback {
        id: Digest::of(&(&undone.id, &plan.plan)).map_err(WorkflowError::from)?,
        at: context.clock.now(),
        by,
        reason,
        chosen: Choice { proposal: Some(undone.plan.proposal_id.clone()), ..Choice::default() },
        steps: vec![RollbackStep {
            promotion: undone.id.clone(),
            fields: plan.restore.iter().map(|change| change.field.clone()).collect(),
        }],
        spared: Vec::new(),
    })
}

async fn append(context: &Context, events: impl IntoIterator<Item = Event>) -> Result<(), RollbackError> {
    let events: Vec<Event> = events.into_iter().collect();
    let mut tx = context.ledger.begin("rollback").await.map_err(WorkflowError::from)?;
    tx.append_all(&events).await.map_err(WorkflowError::from)?;
    tx.commit().await.map_err(WorkflowError::from)?;
    Ok(())
}
