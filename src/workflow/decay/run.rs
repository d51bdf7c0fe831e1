//! Carrying out an announced run: each record is read and judged again, and moved through the
//! promotion protocol.
//!
//! Interrupted anywhere, nothing is lost: what was intended is settled by the daemon or by the next
//! run, and what was not judged yet is judged then.

use std::collections::BTreeMap;

use super::{
    DecayError,
    due::Desk,
    find, manifest_of, odd,
    report::{self, End, Fate},
};
use crate::{
    clock,
    domain::{
        DecayRun, Door, ObjectName, Promotion, PromotionId, Proposal, RecordId, Settlement, Stage,
        event::Event,
    },
    gate::Outcome,
    ledger::{Ledger, ProposalRecord},
    salesforce::RecordReading,
    workflow::{
        Context, WorkflowError,
        consider::json,
        promote::{MOST_PER_STEP, Promoter},
    },
};

/// A run as it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// What was announced.
    pub run: DecayRun,
    /// Every announced record.
    pub ends: Vec<End>,
}

/// Carries out the run of this name, or the one that is announced. `told` hears how many records
/// have ended, of how many.
pub async fn run(
    context: &Context,
    promoter: &Promoter,
    name: Option<&str>,
    told: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Done, DecayError> {
    let known = find(&context.ledger, name).await?;
    let run = known.run;
    if known.counts.is_some() {
        return Err(DecayError::Ended(run.id));
    }
    if context.clock.now() < run.runs_from {
        return Err(DecayError::TooEarly { id: run.id, runs_from: run.runs_from });
    }
    if run.policy != *context.rules.digest() {
        return Err(DecayError::PolicyChanged(run.id));
    }
    let proposals = announced(context, &run).await?;
    let total = proposals.len();
    let (open, ended): (Vec<_>, Vec<_>) =
        proposals.into_iter().partition(|known| known.stage == Stage::Received);
    // What an earlier run of the same intended and did not see the end of.
    let under_way: Vec<PromotionId> = ended
        .iter()
        .filter(|known| known.stage == Stage::Promoting)
        .filter_map(|known| known.promotion.clone())
        .collect();
    for batch in under_way.chunks(MOST_PER_STEP) {
        promoter.finish(batch).await?;
    }
    let mut count = ended.len();
    for of_object in open.chunk_by(|one, other| one.proposal.object == other.proposal.object) {
        for batch in of_object.chunks(MOST_PER_STEP) {
            let ids = move_batch(context, batch).await?;
            promoter.finish(&ids).await?;
            count += batch.len();
            told(count, total);
        }
    }
    let ends = report::ends(&context.ledger, &run).await?;
    finish(context, &run, &ends).await?;
    Ok(Done { run, ends })
}

/// Gives an announced run up: nothing of it moves any more.
pub async fn cancel(ledger: &Ledger, name: Option<&str>) -> Result<DecayRun, DecayError> {
    let known = find(ledger, name).await?;
    if known.counts.is_some() {
        return Err(DecayError::Ended(known.run.id));
    }
    let proposals = ledger.proposals_of_run(&known.run.id).await.map_err(WorkflowError::from)?;
    let mut tx = ledger.begin("decay cancelled").await.map_err(WorkflowError::from)?;
    let mut events = Vec::new();
    for proposal in proposals.into_iter().filter(|known| known.stage == Stage::Received) {
        let (proposal_id, code) = (proposal.proposal.id, "decay-cancelled".to_owned());
        events.push(Event::StageChanged { proposal_id, stage: Stage::Superseded, code, successor: None });
    }
    let counts = BTreeMap::from([("cancelled".to_owned(), events.len().to_string())]);
    events.push(Event::DecayEnded { run: known.run.id.clone(), counts });
    tx.append_all(&events).await.map_err(WorkflowError::from)?;
    tx.commit().await.map_err(WorkflowError::from)?;
    Ok(known.run)
}

/// The run's proposals, held against what was announced.
async fn announced(context: &Context, run: &DecayRun) -> Result<Vec<ProposalRecord>, DecayError> {
    let proposals = context.ledger.proposals_of_run(&run.id).await.map_err(WorkflowError::from)?;
    let bodies: Vec<Proposal> = proposals.iter().map(|known| known.proposal.clone()).collect();
    let found = manifest_of(context, run, &bodies).digest().map_err(WorkflowError::from)?;
    let of_schedule = bodies.iter().all(|proposal| proposal.door == Door::Schedule);
    if found != run.id || !of_schedule {
        return Err(DecayError::NotAsAnnounced(run.id.clone()));
    }
    Ok(proposals)
}

/// Reads and judges a batch of one object; commits verdicts and intents. Tells what was intended.
async fn move_batch(context: &Context, batch: &[ProposalRecord]) -> Result<Vec<PromotionId>, DecayError> {
    let Some(object) = batch.first().map(|known| known.proposal.object.clone()) else {
        return Ok(Vec::new());
    };
    let readings = read(context, &object, batch).await?;
    let described = context.schema(&object).await;
    let now = context.clock.now();
    let mut tx = context.ledger.begin("decay moved").await.map_err(WorkflowError::from)?;
    let desk = Desk::open(context, &mut tx, described.as_deref(), &readings).await?;
    let mut intended = Vec::new();
    let mut events = Vec::new();
    for (known, reading) in batch.iter().zip(&readings) {
        // Another process may carry out the same run.
        let current = tx.proposal(&known.proposal.id).await.map_err(WorkflowError::from)?;
        if current.is_none_or(|current| current.stage != Stage::Received) {
            continue;
        }
        let facts = desk.facts(&mut tx, &known.proposal, reading, None).await?;
        let (verdict, recorded) = desk.judge(&known.proposal, reading, &facts, now);
        events.push(Event::VerdictReached {
            proposal_id: known.proposal.id.clone(),
            stage: stage_after(verdict.outcome),
            verdict: json(&verdict)?,
            input: Some(json(&recorded)?),
        });
        let Some(plan) = verdict.plan.filter(|_| verdict.outcome == Outcome::Promote) else { continue };
        let id = PromotionId::new(clock::unique_id());
        intended.push(id.clone());
        events.push(Event::PromotionIntended {
            promotion: Promotion {
                id,
                plan,
                attempts: 0,
                settlement: Settlement::Intended,
                undoes: None,
                rollback: None,
                proof: BTreeMap::new(),
            },
        });
    }
    if !events.is_empty() {
        context.keep_basis(&mut tx, described.as_deref()).await?;
    }
    tx.append_all(&events).await.map_err(WorkflowError::from)?;
    tx.commit().await.map_err(WorkflowError::from)?;
    Ok(intended)
}

async fn read(
    context: &Context,
    object: &ObjectName,
    batch: &[ProposalRecord],
) -> Result<Vec<RecordReading>, WorkflowError> {
    let contract =
        context.contracts.find(object.as_str()).ok_or_else(|| odd(format!("no contract for `{object}`")))?;
    let ids: Vec<RecordId> = batch.iter().map(|known| known.proposal.record.clone()).collect();
    Ok(context.reader.retrieve(contract, &ids).await?)
}

/// Each announced record is judged once: what does not move now waits for the next announcement.
fn stage_after(outcome: Outcome) -> Stage {
    match outcome {
        Outcome::Promote => Stage::Promoting,
        Outcome::Stale => Stage::Stale,
        Outcome::Shadow => Stage::Shadow,
        Outcome::AlreadyDone | Outcome::Superseded => Stage::Superseded,
        Outcome::Expired => Stage::Expired,
        Outcome::Review | Outcome::Block | Outcome::Hold | Outcome::Rejected => Stage::Refused,
    }
}

async fn finish(context: &Context, run: &DecayRun, ends: &[End]) -> Result<(), DecayError> {
    if ends.iter().any(|end| end.fate == Fate::Open) {
        // The daemon settles it; the run is ended by whoever looks next.
        return Ok(());
    }
    let counts =
        report::counts(ends).into_iter().map(|(fate, count)| (fate.name().to_owned(), count.to_string()));
    let event = Event::DecayEnded { run: run.id.clone(), counts: counts.collect() };
    let mut tx = context.ledger.begin("decay ended").await.map_err(WorkflowError::from)?;
    let runs = tx.decay_runs().await.map_err(WorkflowError::from)?;
    if runs.iter().any(|known| known.run.id == run.id && known.counts.is_some()) {
        return Ok(());
    }
    tx.append(&event).await.map_err(WorkflowError::from)?;
    tx.commit().await.map_err(WorkflowError::from)?;
    Ok(())
}
