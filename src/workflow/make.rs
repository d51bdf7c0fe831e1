//! Proposals for records that do not exist yet: taken from the ledger and judged against the parent.
//!
//! They stand on no record, so no event tells of them and no sweep finds them: each step of the
//! engine looks for those that are open. What is on hold is judged again until it ends.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context, Described, WorkflowError,
    consider::{intended, json},
    tally::Tally,
};
use crate::{
    domain::{Creation, ObjectName, PromotionId, Proposal, RecordId, event::Event},
    gate::{self, FindingCode, History, Input, Outcome, Recorded, Verdict},
    ledger::{ProposalRecord, Tx},
    salesforce::{RecordReading, names::ObjectContract},
};

/// Most proposals that one step judges.
const MOST_PER_STEP: usize = 500;

/// The contract of the parent, where the policy lets records of this object be made at all.
pub fn parent_contract(
    context: &Context,
    object: &ObjectName,
    creates: &Creation,
) -> Option<&'static ObjectContract> {
    context.made().find(|contract| contract.object == object.as_str())?;
    context.contracts.find(creates.parent.as_str())
}

/// Judges what is open. Returns for how many there was news.
pub async fn step(context: &Context) -> Result<usize, WorkflowError> {
    let mut news = 0;
    for contract in context.made() {
        let object = ObjectName::parse(contract.object)
            .map_err(|error| WorkflowError::Unexpected(error.to_string()))?;
        let waiting = context.ledger.waiting(&object, MOST_PER_STEP).await?;
        if waiting.is_empty() {
            continue;
        }
        let parents = parents(context, &object, &waiting).await?;
        news += judge_all(context, &object, (waiting, &parents)).await?;
    }
    Ok(news)
}

/// The parents as they are now. Those of an object without a contract are left out.
async fn parents(
    context: &Context,
    object: &ObjectName,
    waiting: &[ProposalRecord],
) -> Result<BTreeMap<RecordId, RecordReading>, WorkflowError> {
    let mut wanted: BTreeMap<&'static str, (&'static ObjectContract, BTreeSet<RecordId>)> = BTreeMap::new();
    for proposal in waiting.iter().map(|known| &known.proposal) {
        let Some(creates) = &proposal.creates else { continue };
        if let Some(contract) = parent_contract(context, object, creates) {
            let of_object = wanted.entry(contract.object).or_insert_with(|| (contract, BTreeSet::new()));
            of_object.1.insert(proposal.record.clone());
        }
    }
    let mut found = BTreeMap::new();
    for (contract, ids) in wanted.into_values() {
        let ids: Vec<RecordId> = ids.into_iter().collect();
        // Below a record of a paused object nothing is made for now.
        let read = async { Ok(context.reader.retrieve(contract, &ids).await?) };
        let readings = context.unless_paused((contract, None), read).await?.unwrap_or_default();
        found.extend(readings.into_iter().map(|reading| (reading.snapshot.record.clone(), reading)));
    }
    Ok(found)
}

async fn judge_all(
    context: &Context,
    object: &ObjectName,
    (waiting, parents): (Vec<ProposalRecord>, &BTreeMap<RecordId, RecordReading>),
) -> Result<usize, WorkflowError> {
    let described = context.schema(object).await;
    let mut tx = context.ledger.begin("new records considered").await?;
    let mut tally = Tally::open(&mut tx, object).await?;
    let records: Vec<RecordId> = parents.keys().cloned().collect();
    let mut open = tx.open_promotions_for(object, &records).await?;
    let mut events = Vec::new();
    for known in waiting {
        // Another process may have ended it since it was listed.
        let Some(known) = tx.proposal(&known.proposal.id).await? else { continue };
        let Some(parent) = parents.get(&known.proposal.record) else { continue };
        if known.stage.is_final() || known.promotion.is_some() {
            continue;
        }
        let at =
            At { context, described: described.as_deref(), parent, open: open.get(&known.proposal.record) };
        let told = judge(&mut tx, &mut tally, &at, &known).await?;
        let begun = told.iter().any(|event| matches!(event, Event::PromotionIntended { .. }));
        if let (true, Some(Event::PromotionIntended { promotion })) = (begun, told.last()) {
            open.insert(known.proposal.record.clone(), promotion.id.clone());
            tally.count(&context.rules, &known.proposal);
        }
        events.extend(told);
    }
    let news = events.iter().filter(|event| matches!(event, Event::VerdictReached { .. })).count();
    if news > 0 {
        context.keep_basis(&mut tx, described.as_deref()).await?;
    }
    tx.append_all(&events).await?;
    tx.commit().await?;
    Ok(news)
}

/// What does not differ between the proposals of one parent.
struct At<'a> {
    context: &'a Context,
    described: Option<&'a Described>,
    parent: &'a RecordReading,
    open: Option<&'a PromotionId>,
}

async fn judge(
    tx: &mut Tx<'_>,
    tally: &mut Tally,
    at: &At<'_>,
    known: &ProposalRecord,
) -> Result<Vec<Event>, WorkflowError> {
    let (context, proposal) = (at.context, &known.proposal);
    let now = context.clock.now();
    tally.load(tx, (&context.rules, proposal), now).await?;
    let last: Option<Verdict> =
        known.verdict.clone().and_then(|verdict| serde_json::from_value(verdict).ok());
    let history = History {
        open_promotion: at.open.map(ToString::to_string),
        machine_users: context.machine_users.to_vec(),
        frozen: tally.frozen(proposal),
        drift: tally.drift(proposal),
        lanes: tally.lanes(proposal, now),
        signals: tx.signals(&proposal.record).await?,
        counts: tally.counts((&context.rules, proposal), last.as_ref(), (Some(proposal.received_at), now)),
        ..History::default()
    };
    let input = Input {
        proposal,
        record: &at.parent.snapshot,
        approval: None,
        history: &history,
        schema: at.described.map(|described| &described.schema),
        rules: &context.rules,
        now,
    };
    let verdict = gate::decide(&input);
    let recorded = Recorded::of(&input, at.described.map(|described| &described.digest));
    told(proposal, known, (&verdict, &recorded), last.as_ref())
}

/// The verdict where it says something new, and the intent that it asks for, which comes last.
fn told(
    proposal: &Proposal,
    known: &ProposalRecord,
    (verdict, recorded): (&Verdict, &Recorded),
    last: Option<&Verdict>,
) -> Result<Vec<Event>, WorkflowError> {
    let codes = |verdict: &Verdict| -> Vec<FindingCode> {
        verdict.findings.iter().map(|finding| finding.code).collect()
    };
    let soon_over = verdict.deciding().is_none_or(|finding| finding.code == FindingCode::PromotionOpen);
    let same = last.is_some_and(|last| last.outcome == verdict.outcome && codes(last) == codes(verdict));
    if verdict.outcome == Outcome::Hold && (soon_over || same) {
        return Ok(Vec::new());
    }
    let mut events = vec![Event::VerdictReached {
        proposal_id: proposal.id.clone(),
        stage: verdict.outcome.stage(false).unwrap_or(known.stage),
        verdict: json(verdict)?,
        input: Some(json(recorded)?),
    }];
    events.extend(verdict.plan.clone().map(intended));
    Ok(events)
}
