//! Promotions without an end or without a proof, some time after they were planned.

use std::collections::BTreeMap;

use super::Run;
use crate::{
    domain::{Discrepancy, DiscrepancyKind, Promotion, RecordId, RecordState, Settlement},
    salesforce::RecordReading,
    workflow::WorkflowError,
};

/// Most of each that one run looks at, the oldest ones.
const MOST: usize = 2_000;

/// Tells both. The sweep has read the marks before and confirmed what they prove.
pub(super) async fn look(run: &mut Run<'_>) -> Result<(), WorkflowError> {
    let is_late =
        |promotion: &Promotion| run.at.duration_since(promotion.plan.planned_at) > run.options.proof_after;
    let mut open = run.context.ledger.open_promotions(MOST).await?;
    open.retain(is_late);
    let mut unproven = run.context.ledger.unconfirmed(MOST).await?;
    unproven.retain(|promotion| promotion.settlement == Settlement::Done && is_late(promotion));
    for promotion in open {
        let (state, attempts) = (promotion.settlement.name(), promotion.attempts);
        let words = format!("it is {state} after {attempts} attempt(s); the daemon settles it");
        add(run, DiscrepancyKind::PromotionOpen, &promotion, (state, words));
    }
    let seen = readings(run, &unproven).await?;
    for promotion in unproven {
        let (code, words) =
            seen.get(&promotion.plan.record).map_or_else(unread, |reading| shown(&promotion, reading));
        add(run, DiscrepancyKind::LandingUnproven, &promotion, (code, words));
    }
    Ok(())
}

async fn readings(
    run: &Run<'_>,
    unproven: &[Promotion],
) -> Result<BTreeMap<RecordId, RecordReading>, WorkflowError> {
    let mut found = BTreeMap::new();
    for contract in run.context.governed() {
        let of_object = unproven.iter().filter(|promotion| promotion.plan.object.as_str() == contract.object);
        let ids: Vec<RecordId> = of_object.map(|promotion| promotion.plan.record.clone()).collect();
        if ids.is_empty() {
            continue;
        }
        let read = async { Ok(run.context.reader.retrieve(contract, &ids).await?) };
        let readings = run.context.unless_paused((contract, None), read).await?.unwrap_or_default();
        found.extend(readings.into_iter().map(|reading| (reading.snapshot.record.clone(), reading)));
    }
    Ok(found)
}

fn unread() -> (&'static str, String) {
    ("record-unread", "the record was not read: its object is paused, or governed no more".to_owned())
}

/// What stands where the mark should be.
fn shown(promotion: &Promotion, reading: &RecordReading) -> (&'static str, String) {
    let snapshot = &reading.snapshot;
    if snapshot.state == RecordState::Missing {
        return ("record-gone", "the record is gone, or not visible any more".to_owned());
    }
    let mark = snapshot.last_promotion.as_deref().unwrap_or("(none)");
    let (number, ours) = (snapshot.promotion_seq, promotion.plan.expected_seq + 1);
    ("mark-missing", format!("the record has mark `{mark}` and number {number}; ours is {ours}"))
}

fn add(run: &mut Run<'_>, kind: DiscrepancyKind, promotion: &Promotion, (code, words): (&str, String)) {
    let plan = &promotion.plan;
    run.found.add(Discrepancy {
        kind,
        object: plan.object.clone(),
        record: plan.record.clone(),
        field: None,
        proposal: Some(plan.proposal_id.to_string()),
        promotion: Some(promotion.id.clone()),
        code: code.to_owned(),
        at: Some(plan.planned_at),
        by: None,
        before: None,
        after: None,
        words,
        repaired: false,
    });
}
