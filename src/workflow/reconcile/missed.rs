//! What no event told is taken in: the records are read again, whole, and brought level.

use std::collections::{BTreeMap, BTreeSet};

use super::{Run, compare::Missed, look::Portion};
use crate::{
    domain::{Discrepancy, DiscrepancyKind, PromotionId, RecordId, RecordState},
    salesforce::names::ObjectContract,
    workflow::{WorkflowError, intake::level},
};

/// Takes in what these records show, and carries out what follows from it.
pub(super) async fn repair(
    run: &mut Run<'_>,
    contract: &'static ObjectContract,
    portion: &Portion,
) -> Result<(), WorkflowError> {
    let missed = portion.missed(run);
    if missed.is_empty() {
        return Ok(());
    }
    let context = run.context;
    let records: Vec<RecordId> = missed.iter().map(|(seen, _)| seen.record.clone()).collect();
    let readings = context.reader.retrieve(contract, &records).await?;
    level(context, contract, &readings, &BTreeMap::new()).await?;
    let gone: BTreeSet<&RecordId> = readings
        .iter()
        .filter(|reading| reading.snapshot.state != RecordState::Live)
        .map(|reading| &reading.snapshot.record)
        .collect();
    let ids: BTreeSet<&str> = missed.iter().filter_map(|(seen, _)| seen.proposal_id.as_deref()).collect();
    let known = context.ledger.proposals_by_id(&ids).await?;
    let refused = context.ledger.refused_ids(&ids).await?;
    let mut intended: Vec<PromotionId> = Vec::new();
    for (seen, what) in missed {
        let id = seen.proposal_id.as_deref().unwrap_or_default();
        let now = known.get(id).filter(|known| known.proposal.record == seen.record);
        let repaired = gone.contains(&seen.record)
            || match what {
                Missed::Proposal => now.is_some() || refused.contains(id),
                Missed::Decision => now.is_some_and(|now| now.approval.is_some() || now.stage.is_final()),
                Missed::Outcome => now.is_some_and(|now| now.notice_open),
            };
        intended.extend(now.and_then(|now| now.promotion.clone()));
        run.found.add(Discrepancy {
            kind: DiscrepancyKind::MissedEvent,
            object: portion.object.clone(),
            record: seen.record.clone(),
            field: None,
            proposal: Some(id.to_owned()),
            promotion: None,
            code: what.code().to_owned(),
            at: Some(seen.modified_at),
            by: seen.modified_by.clone(),
            before: None,
            after: None,
            words: words(what, seen.pending, repaired),
            repaired,
        });
    }
    run.promoter.finish(&intended).await?;
    Ok(())
}

fn words(what: Missed, pending: bool, repaired: bool) -> String {
    let what = match what {
        Missed::Proposal if pending => "a proposal stands on the record and no event told of it",
        Missed::Proposal => {
            "a proposal stands on the record without the flag AI Gate Pending, so nobody would have read it"
        }
        Missed::Decision => "a decision stands on the record and no event told of it",
        Missed::Outcome => "the proposal has ended and the record still carries the flag",
    };
    let end = match (repaired, pending) {
        (true, _) => "it was taken in",
        (false, true) => "it could not be taken in",
        (false, false) => "it is not taken in: somebody else saved the record since",
    };
    format!("{what}; {end}")
}
