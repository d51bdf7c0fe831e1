//! From recorded event batches to hints about records, and from hints to ledger events.
//!
//! An event is a hint: the record is read again before anything is decided. Only the echo of
//! our own write is taken from the event itself, as proof of landing.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context, WorkflowError, break_glass,
    consider::{Case, Desk, consider},
    hints::{DecisionHint, Ears, Hints},
    observe::{self, object_name},
    tally::Tally,
    undone,
};
use crate::{
    domain::{PromotionId, RecordId, Settlement, event::Event},
    ledger::{InboxBatch, ProposalRecord, Tx},
    salesforce::{RecordReading, names::ObjectContract, pubsub::PubSubClient},
};

/// Most inbox batches in one step; with a hundred events each they name at most as many
/// records as one read call takes.
const BATCHES_PER_STEP: usize = 20;
/// Most records of one read call.
const RECORDS_PER_READ: usize = 2000;

/// What one step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Intake {
    /// Events taken from the inbox.
    pub events: u64,
    /// Records read and considered.
    pub records: usize,
    /// A full sweep was asked for.
    pub sweep: bool,
    /// There may be more in the inbox than one step takes.
    pub full: bool,
}

/// Takes the next batches from the inbox and brings the ledger level with their records.
pub async fn step(context: &Context, events: &PubSubClient) -> Result<Intake, WorkflowError> {
    let after = context.ledger.processed_up_to().await?;
    let batches = context.ledger.next_batches(after, BATCHES_PER_STEP).await?;
    let Some(last) = batches.last().map(|batch| batch.id) else { return Ok(Intake::default()) };
    let hints = read_hints(context, events, &batches).await?;
    let mut done = Intake {
        events: batches.iter().map(|batch| u64::from(batch.events)).sum(),
        records: 0,
        sweep: hints.sweep,
        full: batches.len() == BATCHES_PER_STEP,
    };
    confirm(context, &hints.echoes).await?;
    break_glass::record(context, &hints.break_glass).await?;
    for contract in context.governed() {
        let object = object_name(contract.object)?;
        let Some(records) = hints.records.get(&object) else { continue };
        let ids: Vec<RecordId> = records.keys().cloned().collect();
        for chunk in ids.chunks(RECORDS_PER_READ) {
            let readings = context.reader.retrieve(contract, chunk).await?;
            level(context, contract, &readings, records).await?;
            done.records += readings.len();
        }
    }
    let mut tx = context.ledger.begin("inbox processed").await?;
    tx.mark_processed(last).await?;
    tx.commit().await?;
    Ok(done)
}

async fn read_hints(
    context: &Context,
    events: &PubSubClient,
    batches: &[InboxBatch],
) -> Result<Hints, WorkflowError> {
    let mut hints = Hints::default();
    let ears = Ears { contracts: context.governed().collect(), machine_users: &context.machine_users };
    for batch in batches {
        for event in events.read_response(batch.payload.clone().into()).await? {
            match event.change {
                Ok(change) => hints.take(&ears, &change),
                Err(error) => {
                    // Nobody knows which record it spoke of, so everything pending is read.
                    tracing::error!(code = error.code(), schema = %event.schema_id, "an event cannot be read");
                    hints.sweep = true;
                }
            }
        }
    }
    Ok(hints)
}

/// Appends proof of landing for our own echoes. An echo may be faster than the reply.
async fn confirm(
    context: &Context,
    echoes: &[(PromotionId, BTreeMap<String, String>)],
) -> Result<(), WorkflowError> {
    if echoes.is_empty() {
        return Ok(());
    }
    let mut tx = context.ledger.begin("echoes confirmed").await?;
    for (id, proof) in echoes {
        let Some(promotion) = tx.promotion(id).await? else { continue };
        if !promotion.settlement.is_final() {
            let settlement = Settlement::Done;
            tx.append(&Event::PromotionSettled { promotion: id.clone(), settlement }).await?;
            undone::tell_stage(&mut tx, &promotion).await?;
        } else if promotion.settlement != Settlement::Done {
            tracing::error!(promotion = %id, state = promotion.settlement.name(), "an ended promotion landed");
        }
        if promotion.proof.is_empty() {
            tx.append(&Event::PromotionConfirmed { promotion: id.clone(), proof: proof.clone() }).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Brings the ledger level with freshly read records, in one transaction.
///
/// A record whose events the ledger refuses does not hold up the others: it is left as it is,
/// with its pending flag, and told in the log each time that it is met.
pub async fn level(
    context: &Context,
    contract: &'static ObjectContract,
    readings: &[RecordReading],
    hints: &BTreeMap<RecordId, Option<DecisionHint>>,
) -> Result<(), WorkflowError> {
    match level_together(context, contract, readings, hints).await {
        Err(error) if error.is_about_one_record() => {}
        settled => return settled,
    }
    for reading in readings {
        match level_together(context, contract, std::slice::from_ref(reading), hints).await {
            Err(error) if error.is_about_one_record() => {
                let record = &reading.snapshot.record;
                tracing::error!(code = error.code(), %record, %error, "a record is left as it is");
                metrics::counter!("countersign_records_left_total").increment(1);
            }
            settled => settled?,
        }
    }
    Ok(())
}

async fn level_together(
    context: &Context,
    contract: &'static ObjectContract,
    readings: &[RecordReading],
    hints: &BTreeMap<RecordId, Option<DecisionHint>>,
) -> Result<(), WorkflowError> {
    let object = object_name(contract.object)?;
    let described = context.schema(&object).await;
    let now = context.clock.now();
    let mut tx = context.ledger.begin("records considered").await?;
    let keys: Vec<RecordId> = readings.iter().map(|reading| reading.snapshot.record.clone()).collect();
    let mut known = tx.proposals_for(&object, &keys).await?;
    let open = tx.open_promotions_for(&object, &keys).await?;
    let signals = tx.any_signal().await?;
    let mut tally = Tally::open(&mut tx).await?;
    let mut events = Vec::new();
    let mut broken = Vec::new();
    let mut seen = BTreeSet::new();
    for reading in readings {
        let record = &reading.snapshot.record;
        if !seen.insert(record.clone()) {
            continue;
        }
        let mut mine = known.remove(record).unwrap_or_default();
        if let Some(id) = reading.slot.proposal_id.as_deref()
            && !mine.iter().any(|known| known.proposal.id.as_str() == id)
        {
            mine.extend(tx.proposal_by_text(id).await?);
        }
        if let Some(open) = open.get(record)
            && waits_for(reading, &mine, open)
        {
            context.hold(&object, record).await;
        }
        if let Some(used) = break_glass::of_reading(&mut tx, reading).await? {
            events.push(Event::BreakGlassUsed { used: used.clone() });
            broken.push(used);
        }
        let case = Case {
            reading,
            told: told(&mut tx, reading).await?,
            signals: if signals { tx.signals(record).await? } else { Vec::new() },
            known: mine,
            open_promotion: open.get(record).cloned(),
            hint: hints.get(record).cloned().flatten(),
        };
        tally.prepare(&mut tx, (&context.rules, &case), now).await?;
        let desk = Desk {
            rules: &context.rules,
            described: described.as_deref(),
            machine_users: &context.machine_users,
            tally: &tally,
            now,
        };
        let considered = consider(&desk, &case)?;
        tally.follow(&context.rules, &case, &considered);
        events.extend(considered);
    }
    if events.iter().any(|event| matches!(event, Event::VerdictReached { .. })) {
        context.keep_basis(&mut tx, described.as_deref()).await?;
    }
    tx.append_all(&events).await?;
    tx.commit().await?;
    broken.iter().for_each(break_glass::warn);
    Ok(())
}

/// Whether a notice about what is no proposal is on its way to the record.
async fn told(tx: &mut Tx<'_>, reading: &RecordReading) -> Result<bool, WorkflowError> {
    if !reading.slot.pending {
        return Ok(false);
    }
    match observe::stand_in(reading) {
        Some(id) => Ok(tx.notice_open(&id).await?),
        None => Ok(false),
    }
}

/// Whether the record carries a proposal that is not the one being promoted.
fn waits_for(reading: &RecordReading, known: &[ProposalRecord], open: &PromotionId) -> bool {
    let Some(current) = reading.slot.proposal_id.as_deref() else { return false };
    let own = known
        .iter()
        .any(|record| record.proposal.id.as_str() == current && record.promotion.as_ref() == Some(open));
    !own && reading.slot.pending
}

/// Reads again the records whose proposal waited for the end of another promotion.
pub async fn held(context: &Context) -> Result<usize, WorkflowError> {
    let taken = context.take_held(RECORDS_PER_READ).await;
    if taken.is_empty() {
        return Ok(0);
    }
    for contract in context.governed() {
        let of_object = taken.iter().filter(|(object, _)| object.as_str() == contract.object);
        let ids: Vec<RecordId> = of_object.map(|(_, record)| record.clone()).collect();
        if !ids.is_empty() {
            let readings = context.reader.retrieve(contract, &ids).await?;
            level(context, contract, &readings, &BTreeMap::new()).await?;
        }
    }
    Ok(taken.len())
}
