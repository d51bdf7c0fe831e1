//! Values that are not the promoted ones: who changed them, when, from what to what.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Run,
    compare::{self, Drift},
    known::Known,
    look::Portion,
};
use crate::{
    domain::{BreakGlassUse, Discrepancy, DiscrepancyKind, PromotionId, RecordId},
    salesforce::{Sighting, names::ObjectContract},
    workflow::{WorkflowError, people},
};

/// Finds values and marks of these records that the ledger does not explain.
pub(super) async fn look(
    run: &mut Run<'_>,
    contract: &'static ObjectContract,
    portion: &Portion,
) -> Result<(), WorkflowError> {
    marks(run, portion).await?;
    let settled = portion.seen.iter().filter(|seen| !run.is_fresh(seen.modified_at));
    let drifting: Vec<(&Sighting, Vec<Drift>)> = settled
        .filter_map(|seen| Some((seen, compare::drifts(seen, portion.written.get(&seen.record)?))))
        .filter(|(_, drifts)| !drifts.is_empty())
        .collect();
    if drifting.is_empty() {
        return Ok(());
    }
    let records: Vec<RecordId> = drifting.iter().map(|(seen, _)| seen.record.clone()).collect();
    let history = run.context.reader.history(contract, &records).await?;
    let used = break_glass(run, &records).await?;
    let mut users: Vec<RecordId> = drifting.iter().filter_map(|(seen, _)| seen.modified_by.clone()).collect();
    users.extend(history.iter().filter_map(|change| change.by.clone()));
    users.extend(used.values().flatten().filter_map(|used| used.by.clone()));
    let asked = people::ask(run.context, users.iter()).await?;
    let (machines, people) = (run.context.machine_users.as_ref(), &run.context.people);
    let known = Known { history, used, asked, machines, people };
    let changes =
        drifting.into_iter().flat_map(|(seen, drifts)| drifts.into_iter().map(move |drift| (seen, drift)));
    let found: Vec<Discrepancy> =
        changes.map(|(seen, drift)| known.told(&portion.object, seen, drift)).collect();
    found.into_iter().for_each(|one| run.found.add(one));
    Ok(())
}

async fn break_glass(
    run: &Run<'_>,
    records: &[RecordId],
) -> Result<BTreeMap<RecordId, Vec<BreakGlassUse>>, WorkflowError> {
    let wanted: BTreeSet<&RecordId> = records.iter().collect();
    let mut found: BTreeMap<RecordId, Vec<BreakGlassUse>> = BTreeMap::new();
    for used in run.context.ledger.break_glass_uses().await? {
        if wanted.contains(&used.record) {
            found.entry(used.record.clone()).or_default().push(used);
        }
    }
    Ok(found)
}

/// Marks and numbers that this ledger did not write.
async fn marks(run: &mut Run<'_>, portion: &Portion) -> Result<(), WorkflowError> {
    let settled = |seen: &&Sighting| !run.is_fresh(seen.modified_at);
    let marked: Vec<(&Sighting, PromotionId)> = portion
        .seen
        .iter()
        .filter(settled)
        .filter_map(|seen| Some((seen, compare::marked(seen.last_promotion.as_deref()?))))
        .collect();
    if marked.is_empty() {
        return Ok(());
    }
    let ids: Vec<PromotionId> = marked.iter().map(|(_, id)| id.clone()).collect();
    let known = run.context.ledger.promotions_by_id(&ids).await?;
    let known: BTreeSet<PromotionId> = known.into_iter().map(|promotion| promotion.id).collect();
    for (seen, id) in marked {
        let written = portion.written.get(&seen.record).map(Vec::as_slice).unwrap_or_default();
        let Some((code, words)) = compare::mark_problem(seen, written, known.contains(&id)) else { continue };
        run.found.add(Discrepancy {
            kind: DiscrepancyKind::ForeignMark,
            object: portion.object.clone(),
            record: seen.record.clone(),
            field: None,
            proposal: seen.proposal_id.clone(),
            promotion: Some(id),
            code: code.to_owned(),
            at: Some(seen.modified_at),
            by: seen.modified_by.clone(),
            before: None,
            after: None,
            words,
            repaired: false,
        });
    }
    Ok(())
}
