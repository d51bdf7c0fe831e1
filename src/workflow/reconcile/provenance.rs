//! Values that are not the promoted ones: who changed them, when, from what to what.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Run,
    compare::{self, Drift},
    look::Portion,
};
use crate::{
    domain::{BreakGlassUse, Discrepancy, DiscrepancyKind, PromotionId, RecordId, shadow::who::Who},
    salesforce::{Sighting, TrackedChange, names::ObjectContract},
    workflow::{
        WorkflowError,
        people::{self, Asked},
    },
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
    let mut found = Vec::new();
    for (seen, drifts) in drifting {
        for drift in drifts {
            let used =
                used.get(&seen.record).and_then(|used| used.iter().rfind(|it| it.at >= drift.planned_at));
            let tracked = history.iter().find(|change| {
                change.record == seen.record
                    && change.field == drift.field
                    && change.at.as_second() >= drift.planned_at.as_second()
                    && compare::is_same(&change.after, &drift.now)
            });
            let by_program = who(run, (seen, &drift), (used, tracked), &asked) == Who::Program;
            found.push(told(run, (portion, seen), drift, (used, tracked), by_program));
        }
    }
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

/// What is known of the change: the org's history says most, then its stamp, then who saved last.
fn told(
    run: &Run<'_>,
    (portion, seen): (&Portion, &Sighting),
    drift: Drift,
    (used, tracked): (Option<&BreakGlassUse>, Option<&TrackedChange>),
    by_program: bool,
) -> Discrepancy {
    let explained = drift.stamped_at.is_some() || used.is_some();
    let kind = match (explained, by_program) {
        (false, _) => DiscrepancyKind::UnexplainedChange,
        (true, false) => DiscrepancyKind::Overridden,
        (true, true) => DiscrepancyKind::OverriddenByProgram,
    };
    let by = tracked
        .and_then(|change| change.by.clone())
        .or_else(|| used.and_then(|used| used.by.clone()))
        .or_else(|| seen.modified_by.clone());
    let at = tracked.map(|change| change.at).or(drift.stamped_at).or(used.map(|used| used.at));
    let code = match (used, drift.stamped_at, run.context.is_machine(by.as_ref())) {
        _ if kind == DiscrepancyKind::OverriddenByProgram => "changed-by-program",
        (Some(_), ..) => "break-glass",
        (None, Some(_), _) => "changed-by-hand",
        (None, None, true) => "changed-by-daemons-user",
        (None, None, false) => "no-provenance",
    };
    let source = match (tracked, explained) {
        (Some(_), _) => "the org's field history tells who and when",
        (None, true) => "the org stamped the change; who is the user of the last save",
        (None, false) => "the org stamped no change; who and when are those of the last save",
    };
    Discrepancy {
        kind,
        object: portion.object.clone(),
        record: seen.record.clone(),
        field: Some(drift.field),
        proposal: Some(drift.proposal.to_string()),
        promotion: Some(drift.promotion),
        code: code.to_owned(),
        at: Some(at.unwrap_or(seen.modified_at)),
        by,
        before: Some(tracked.map_or(drift.promoted, |change| change.before.clone())),
        after: Some(drift.now),
        words: format!("{source}; the promotion was planned at {}", drift.planned_at),
        repaired: false,
    }
}

/// Who made the change. Whoever saved the record last did only where that was the same save.
fn who(
    run: &Run<'_>,
    (seen, drift): (&Sighting, &Drift),
    (used, tracked): (Option<&BreakGlassUse>, Option<&TrackedChange>),
    asked: &Asked,
) -> Who {
    let told = tracked.and_then(|change| change.by.as_ref()).or(used.and_then(|used| used.by.as_ref()));
    match (told, drift.stamped_at) {
        (Some(user), _) => asked.who(Some(user)),
        (None, Some(at)) if at.as_second() == seen.modified_at.as_second() => {
            asked.who(seen.modified_by.as_ref())
        }
        (None, Some(at)) if run.context.people.was_program(&seen.record, at) => Who::Program,
        _ => Who::Unknown,
    }
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
