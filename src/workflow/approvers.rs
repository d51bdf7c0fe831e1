//! Do the owners of what waits for a person still work here? Asked of the org, and noted for the
//! watchdogs. It writes nothing into the org.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, WorkflowError};
use crate::{
    domain::{
        RecordId, Stage,
        alarm::{IdleApprover, IdleApprovers},
    },
    ledger::ProposalRecord,
    salesforce::names::ObjectContract,
};

/// Proposals that are looked at together.
const PAGE: u32 = 1_000;
/// So many are named; the others are counted.
const MOST_NAMED: usize = 50;

/// Looks at the owners of all records whose proposal waits for a person. One call for each 2,000
/// records, and a few for their owners.
pub async fn look(context: &Context) -> Result<IdleApprovers, WorkflowError> {
    let mut found = IdleApprovers { at: context.clock.now(), waiting: 0, idle: 0, first: Vec::new() };
    let mut after = 0;
    loop {
        let page = context.ledger.open_proposals(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.received_seq;
        let waiting = page
            .into_iter()
            .filter(|known| known.stage == Stage::AwaitingApproval && known.proposal.stands_on_its_record());
        let waiting: Vec<ProposalRecord> = waiting.collect();
        found.waiting += waiting.len() as u64;
        of_page(context, &waiting, &mut found).await?;
    }
}

/// Looks, and notes what was found.
pub async fn look_and_note(context: &Context) -> Result<IdleApprovers, WorkflowError> {
    let found = look(context).await?;
    let mut tx = context.ledger.begin("approvers looked at").await?;
    tx.note_idle_approvers(&found).await?;
    tx.commit().await?;
    Ok(found)
}

async fn of_page(
    context: &Context,
    waiting: &[ProposalRecord],
    found: &mut IdleApprovers,
) -> Result<(), WorkflowError> {
    let mut owners: BTreeMap<RecordId, RecordId> = BTreeMap::new();
    for contract in context.governed() {
        let records: BTreeSet<RecordId> = waiting
            .iter()
            .filter(|known| known.proposal.object.as_str() == contract.object)
            .map(|known| known.proposal.record.clone())
            .collect();
        owners.extend(owners_of(context, contract, records).await?);
    }
    let idle = context.reader.idle_owners(&owners.values().cloned().collect()).await?;
    for known in waiting {
        let proposal = &known.proposal;
        let Some(owner) = owners.get(&proposal.record) else { continue };
        let Some(why) = idle.get(owner) else { continue };
        found.idle += 1;
        if found.first.len() < MOST_NAMED {
            found.first.push(IdleApprover {
                proposal: proposal.id.clone(),
                object: proposal.object.clone(),
                record: proposal.record.clone(),
                owner: owner.clone(),
                code: why.code().to_owned(),
            });
        }
    }
    Ok(())
}

async fn owners_of(
    context: &Context,
    contract: &'static ObjectContract,
    records: BTreeSet<RecordId>,
) -> Result<Vec<(RecordId, RecordId)>, WorkflowError> {
    if records.is_empty() || contract.owner.is_none() {
        return Ok(Vec::new());
    }
    let records: Vec<RecordId> = records.into_iter().collect();
    let readings = context.reader.retrieve(contract, &records).await?;
    let owner = |reading: crate::salesforce::RecordReading| {
        let snapshot = reading.snapshot;
        Some((snapshot.record, snapshot.owner?))
    };
    Ok(readings.into_iter().filter_map(owner).collect())
}
