//! Finding what no event told: every record that carries the pending flag, and every landed
//! promotion that still lacks its proof.

use std::collections::BTreeMap;

use super::{Context, WorkflowError, drift, intake::level, settle::read_proof};
use crate::domain::{Promotion, RecordId, Settlement, event::Event};

/// Most unconfirmed promotions that one sweep looks at.
const MOST_UNCONFIRMED: usize = 2000;

/// What a sweep saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Records with the pending flag.
    pub pending: usize,
    /// Promotions confirmed by reading.
    pub confirmed: usize,
}

/// Reads everything that waits for the daemon. Safe to run at any time, and twice.
pub async fn run(context: &Context) -> Result<Swept, WorkflowError> {
    context.try_paused().await?;
    let mut swept = Swept::default();
    for contract in context.governed() {
        context.unless_paused((contract, None), one(context, contract, &mut swept)).await?;
    }
    if let Err(error) = context.describe_made().await {
        // What was described last stands; the org has the last word on what is made.
        tracing::warn!(code = error.code(), %error, "the objects whose records are made were not described");
    }
    Ok(swept)
}

async fn one(
    context: &Context,
    contract: &'static crate::salesforce::names::ObjectContract,
    swept: &mut Swept,
) -> Result<(), WorkflowError> {
    context.describe_one(contract).await?;
    drift::note(context, contract, None).await?;
    let mut pages = context.reader.pending(contract);
    while let Some(readings) = pages.next().await? {
        swept.pending += readings.len();
        level(context, contract, &readings, &BTreeMap::new()).await?;
    }
    swept.confirmed += confirm(context, contract).await?;
    Ok(())
}

/// The echo is only one way to know: filters and headers of change events are settings of the
/// org, so a landed promotion without an echo is confirmed by reading its mark.
async fn confirm(
    context: &Context,
    contract: &'static crate::salesforce::names::ObjectContract,
) -> Result<usize, WorkflowError> {
    let waiting: Vec<Promotion> = context
        .ledger
        .unconfirmed(MOST_UNCONFIRMED)
        .await?
        .into_iter()
        .filter(|promotion| promotion.plan.object.as_str() == contract.object)
        .filter(|promotion| promotion.settlement == Settlement::Done)
        .collect();
    if waiting.is_empty() {
        return Ok(0);
    }
    let ids: Vec<RecordId> = waiting.iter().map(|promotion| promotion.plan.record.clone()).collect();
    let readings = context.reader.retrieve(contract, &ids).await?;
    let mut tx = context.ledger.begin("landed promotions read").await?;
    tx.look_ahead(waiting.iter().map(|promotion| &promotion.id)).await?;
    let mut confirmed = 0;
    for (promotion, reading) in waiting.iter().zip(&readings) {
        // A later promotion has moved the mark on; the number proves that this one came before.
        let landed = reading.snapshot.last_promotion.as_deref() == Some(promotion.id.as_str())
            || reading.snapshot.promotion_seq > promotion.plan.expected_seq + 1;
        if landed {
            let proof = read_proof(reading);
            tx.append(&Event::PromotionConfirmed { promotion: promotion.id.clone(), proof }).await?;
            confirmed += 1;
        }
    }
    tx.commit().await?;
    Ok(confirmed)
}
