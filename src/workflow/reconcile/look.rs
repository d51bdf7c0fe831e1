//! Reading the records of one object and comparing them with the ledger, portion by portion.

use std::collections::{BTreeMap, BTreeSet};

use super::{OVERLAP, Run, compare, missed, provenance};
use crate::{
    domain::{
        ObjectName, Promotion, ProposalId, RecordId,
        reconciliation::{Reading, Way},
    },
    ledger::ProposalRecord,
    salesforce::{Sighting, names::ObjectContract},
    workflow::{WorkflowError, observe::object_name},
};

/// A portion of records with what the ledger knows of them.
pub(super) struct Portion {
    /// Object.
    pub object: ObjectName,
    /// The records.
    pub seen: Vec<Sighting>,
    /// The proposals whose ids stand on them.
    pub known: BTreeMap<String, ProposalRecord>,
    /// Ids on them that were refused at the door.
    pub refused: BTreeSet<String>,
    /// What was promoted on them or is under way, oldest first.
    pub written: BTreeMap<RecordId, Vec<Promotion>>,
}

/// Reads and compares the records of one object.
pub(super) async fn object(
    run: &mut Run<'_>,
    contract: &'static ObjectContract,
    told: &mut (dyn FnMut(u64) + Send),
) -> Result<(), WorkflowError> {
    let object = object_name(contract.object)?;
    let reader = &run.context.reader;
    let since = match (&run.before, run.options.full) {
        (Some(before), false) => before.reads.get(&object).and_then(|read| read.at.checked_sub(OVERLAP).ok()),
        _ => None,
    };
    let at = run.context.clock.now();
    let way = match reader.count_changed(contract, since).await? {
        Some(count) if count <= run.options.bulk_above => Way::Pages,
        _ => Way::Bulk,
    };
    let mut sightings = reader.changed(contract, since, way).await?;
    let mut records = 0;
    let compared = async {
        while let Some(seen) = sightings.next().await? {
            let count = seen.len() as u64;
            records += count;
            portion(run, contract, &object, seen).await?;
            told(count);
        }
        Ok::<(), WorkflowError>(())
    };
    let compared = compared.await;
    sightings.forget().await;
    compared?;
    run.found.read(object, Reading { since, at, way, records });
    Ok(())
}

async fn portion(
    run: &mut Run<'_>,
    contract: &'static ObjectContract,
    object: &ObjectName,
    seen: Vec<Sighting>,
) -> Result<(), WorkflowError> {
    let portion = known(run, object, seen).await?;
    missed::repair(run, contract, &portion).await?;
    provenance::look(run, contract, &portion).await
}

/// What the ledger knows of these records.
async fn known(run: &Run<'_>, object: &ObjectName, seen: Vec<Sighting>) -> Result<Portion, WorkflowError> {
    let ledger = &run.context.ledger;
    // What is no id is refused where it carries the flag, and says nothing otherwise.
    let ids: BTreeSet<&str> = seen
        .iter()
        .filter_map(|one| one.proposal_id.as_deref())
        .filter(|id| ProposalId::parse(id).is_ok())
        .collect();
    let known = if ids.is_empty() { BTreeMap::new() } else { ledger.proposals_by_id(&ids).await? };
    let unknown: BTreeSet<&str> = ids.into_iter().filter(|id| !known.contains_key(*id)).collect();
    let refused = if unknown.is_empty() { BTreeSet::new() } else { ledger.refused_ids(&unknown).await? };
    let marked = seen.iter().filter(|one| one.last_promotion.is_some() || one.promotion_seq > 0);
    let pairs: Vec<(ObjectName, RecordId)> = marked.map(|one| (object.clone(), one.record.clone())).collect();
    let mut written: BTreeMap<RecordId, Vec<Promotion>> = BTreeMap::new();
    if !pairs.is_empty() {
        for landed in ledger.written_on(&pairs).await? {
            // The record of a promotion that makes another one is only the parent.
            if landed.promotion.plan.making.is_none() {
                written.entry(landed.promotion.plan.record.clone()).or_default().push(landed.promotion);
            }
        }
    }
    Ok(Portion { object: object.clone(), seen, known, refused, written })
}

impl Portion {
    /// The records that show what the ledger has not heard of.
    pub fn missed<'a>(&'a self, run: &Run<'_>) -> Vec<(&'a Sighting, compare::Missed)> {
        let when = compare::When { ledger_began: run.ledger_began };
        let of = |seen: &'a Sighting| {
            let id = seen.proposal_id.as_deref()?;
            if run.is_fresh(seen.modified_at) || self.refused.contains(id) {
                return None;
            }
            Some((seen, compare::missed(seen, self.known.get(id), &when)?))
        };
        self.seen.iter().filter_map(of).collect()
    }
}
