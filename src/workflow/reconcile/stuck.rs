//! Proposals that do not come to an end. Each open one is judged again; what then is still open, and
//! for too long, is listed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Run;
use crate::{
    domain::{Discrepancy, DiscrepancyKind, Door, ObjectName, ProposalId, RecordId, Stage},
    ledger::ProposalRecord,
    salesforce::names::ObjectContract,
    workflow::{WorkflowError, intake::level},
};

/// Proposals that are looked at together.
const PAGE: u32 = 1_000;

/// Looks at every open proposal.
pub(super) async fn look(run: &mut Run<'_>) -> Result<(), WorkflowError> {
    let mut after = 0;
    loop {
        let page = run.context.ledger.open_proposals(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.received_seq;
        let owners = judge_again(run, &page).await?;
        tell(run, &page, &owners).await?;
    }
}

/// Brings the ledger level with the records of a page, and tells their owners.
async fn judge_again(
    run: &Run<'_>,
    page: &[ProposalRecord],
) -> Result<BTreeMap<RecordId, RecordId>, WorkflowError> {
    let context = run.context;
    let mut owners = BTreeMap::new();
    for contract in context.governed() {
        let records: BTreeSet<RecordId> = page
            .iter()
            .filter(|known| is_on(known, contract))
            .map(|known| known.proposal.record.clone())
            .collect();
        if records.is_empty() {
            continue;
        }
        let records: Vec<RecordId> = records.into_iter().collect();
        let judged = async {
            let mut readings = context.reader.retrieve(contract, &records).await?;
            // What happens just now has its event under way.
            readings.retain(|reading| !run.is_fresh(reading.snapshot.modified_at));
            level(context, contract, &readings, &BTreeMap::new()).await?;
            Ok(readings)
        };
        for reading in context.unless_paused((contract, None), judged).await?.unwrap_or_default() {
            let snapshot = reading.snapshot;
            owners.extend(snapshot.owner.map(|owner| (snapshot.record, owner)));
        }
    }
    Ok(owners)
}

fn is_on(known: &ProposalRecord, contract: &ObjectContract) -> bool {
    known.proposal.object.as_str() == contract.object && known.proposal.stands_on_its_record()
}

async fn tell(
    run: &mut Run<'_>,
    page: &[ProposalRecord],
    owners: &BTreeMap<RecordId, RecordId>,
) -> Result<(), WorkflowError> {
    let ids: BTreeSet<&str> = page.iter().map(|known| known.proposal.id.as_str()).collect();
    let now = run.context.ledger.proposals_by_id(&ids).await?;
    let idle = run.context.reader.idle_owners(&owners.values().cloned().collect()).await?;
    for before in page {
        let Some(known) = now.get(before.proposal.id.as_str()) else { continue };
        // A decay run has its own report.
        if known.proposal.door == Door::Schedule {
            continue;
        }
        if known.stage.is_final() {
            let words = "no event told that it had come to its end; it was judged again".to_owned();
            let why = Why { code: known.stage.name(), since: before.updated_at, words, repaired: true };
            add(run, DiscrepancyKind::ProposalStuck, known, why);
            continue;
        }
        let owner = owners.get(&known.proposal.record);
        let idle = owner.and_then(|owner| Some((owner, idle.get(owner)?)));
        if let (Some((owner, idle)), Stage::AwaitingApproval) = (idle, known.stage) {
            let words = format!("the owner {owner} {}", idle.words());
            let why = Why { code: idle.code(), since: known.proposal.received_at, words, repaired: false };
            add(run, DiscrepancyKind::ApproverInactive, known, why);
        }
        if let Some(why) = stuck(run, known).await? {
            add(run, DiscrepancyKind::ProposalStuck, known, why);
        }
    }
    Ok(())
}

/// Why a proposal is listed.
struct Why {
    code: &'static str,
    since: Timestamp,
    words: String,
    repaired: bool,
}

async fn stuck(run: &Run<'_>, known: &ProposalRecord) -> Result<Option<Why>, WorkflowError> {
    let received = known.proposal.received_at;
    let waits = run.at.duration_since(received) > run.options.stuck_after;
    let (code, since, words) = match known.stage {
        Stage::AwaitingApproval if waits => {
            ("nobody-decided", received, format!("it waits for a person since {received}"))
        }
        Stage::Received if waits => {
            let what = "it is held back: countersign explain tells by what";
            ("not-judged-to-an-end", received, format!("{what}; it came in at {received}"))
        }
        Stage::Approved | Stage::Promoting
            if run.at.duration_since(known.updated_at) > run.options.proof_after
                && !is_under_way(run, known).await? =>
        {
            let words = format!("it was let through at {}, and no promotion is under way", known.updated_at);
            ("not-promoted", known.updated_at, words)
        }
        _ => return Ok(None),
    };
    Ok(Some(Why { code, since, words, repaired: false }))
}

/// Whether its promotion has not ended: then the promotion is what is told.
async fn is_under_way(run: &Run<'_>, known: &ProposalRecord) -> Result<bool, WorkflowError> {
    let Some(id) = &known.promotion else { return Ok(false) };
    let promotion = run.context.ledger.promotion(id).await?;
    Ok(promotion.is_some_and(|promotion| !promotion.settlement.is_final()))
}

fn add(run: &mut Run<'_>, kind: DiscrepancyKind, known: &ProposalRecord, why: Why) {
    let (object, record): (&ObjectName, &RecordId) = (&known.proposal.object, &known.proposal.record);
    let id: &ProposalId = &known.proposal.id;
    run.found.add(Discrepancy {
        kind,
        object: object.clone(),
        record: record.clone(),
        field: None,
        proposal: Some(id.to_string()),
        promotion: known.promotion.clone(),
        code: why.code.to_owned(),
        at: Some(why.since),
        by: None,
        before: None,
        after: None,
        words: why.words,
        repaired: why.repaired,
    });
}
