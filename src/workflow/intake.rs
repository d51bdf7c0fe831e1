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
    pause::Paused,
    shadow, sweep,
    tally::Tally,
    undone, writers,
};
use crate::{
    domain::{Door, ObjectName, PromotionId, ProposalId, RecordId, Settlement, event::Event, writers::Write},
    ledger::{InboxBatch, ProposalRecord, Tx},
    salesforce::{
        RecordReading, change_event::ChangeEventError, names::ObjectContract, pubsub::PubSubClient,
    },
    telemetry::stream::StreamMode,
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
    /// Events asked for a sweep, and it was done.
    pub sweep: bool,
    /// There may be more in the inbox than one step takes.
    pub full: bool,
}

/// Takes the next batches from the inbox and brings the ledger level with their records. The place
/// in the inbox moves on last: after every record was read, and everything, where events ask for it.
pub async fn step(context: &Context, events: &PubSubClient) -> Result<Intake, WorkflowError> {
    let after = context.ledger.processed_up_to().await?;
    let batches = context.ledger.next_batches(after, BATCHES_PER_STEP).await?;
    let (Some(first), Some(last)) = (batches.first().map(|batch| batch.id), batches.last()) else {
        return Ok(Intake::default());
    };
    let last = last.id;
    // Before anything newer is noted.
    let missed = missed_writes(context, events, after).await?;
    let mut heard = read_hints(context, events, &batches).await?;
    for (object, paused) in std::mem::take(&mut heard.broken) {
        context.pause(&object, paused);
    }
    for object in heard.hints.records.keys().filter(|object| context.is_paused(object.as_str())) {
        note_waiting(context, object, first);
    }
    let mut done = Intake {
        events: batches.iter().map(|batch| u64::from(batch.events)).sum(),
        records: 0,
        sweep: heard.hints.sweep,
        full: batches.len() == BATCHES_PER_STEP,
    };
    confirm(context, &heard.hints.echoes).await?;
    break_glass::record(context, &heard.hints.break_glass).await?;
    for contract in context.governed() {
        let object = object_name(contract.object)?;
        let Some(records) = heard.hints.records.get(&object) else { continue };
        let read = read_records(context, contract, records);
        done.records += context.unless_paused((contract, Some(first)), read).await?.unwrap_or_default();
    }
    shadow::seen(context, &heard.hints.touches).await?;
    if heard.went_back {
        went_back(context, &batches[0].topic).await?;
    }
    if done.sweep {
        sweep_all(context, events).await?;
    }
    let mut tx = context.ledger.begin("inbox processed").await?;
    let watch = writers::take(context, &mut tx, (missed, &heard.writes), last).await?;
    tx.mark_processed(last).await?;
    tx.commit().await?;
    context.watched.keep(watch);
    Ok(done)
}

async fn read_records(
    context: &Context,
    contract: &'static ObjectContract,
    records: &BTreeMap<RecordId, Option<DecisionHint>>,
) -> Result<usize, WorkflowError> {
    let ids: Vec<RecordId> = records.keys().cloned().collect();
    for chunk in ids.chunks(RECORDS_PER_READ) {
        let readings = context.reader.retrieve(contract, chunk).await?;
        level(context, contract, &readings, records).await?;
    }
    Ok(ids.len())
}

/// Reads everything that waits, after trying what is paused.
pub async fn sweep_all(context: &Context, events: &PubSubClient) -> Result<sweep::Swept, WorkflowError> {
    resume(context, events).await?;
    sweep::run(context).await
}

/// The writes of batches that were worked on and whose counts were not recorded, because the process
/// ended or a step failed; `None` while the counts are in memory.
async fn missed_writes(
    context: &Context,
    events: &PubSubClient,
    done: i64,
) -> Result<Option<Vec<Write>>, WorkflowError> {
    if context.watched.is_known() {
        return Ok(None);
    }
    let ears = Ears { contracts: context.governed().collect(), machine_users: &context.machine_users };
    let mut writes = Vec::new();
    let mut after = context.ledger.counted_up_to().await?.unwrap_or(done);
    while after < done {
        let mut batches = context.ledger.next_batches(after, BATCHES_PER_STEP).await?;
        batches.retain(|batch| batch.id <= done);
        let Some(last) = batches.last() else { break };
        after = last.id;
        for batch in &batches {
            // What cannot be read was told when the batch was worked on.
            let Ok(received) = events.read_response(batch.payload.clone().into()).await else { continue };
            for (place, event) in received.into_iter().enumerate() {
                let Ok(change) = event.change else { continue };
                if !context.recent.note(&change, (batch.id, place)).again {
                    writes.extend(writers::writes_of(&ears, &change));
                }
            }
        }
    }
    Ok(Some(writes))
}

/// A paused object whose events came in is read from here on when it goes on.
fn note_waiting(context: &Context, object: &ObjectName, batch: i64) {
    let known = context.paused().get(object).cloned();
    if let Some(paused) = known.filter(|paused| paused.from_batch.is_some()) {
        context.pause(object, Paused { from_batch: Some(batch), ..paused });
    }
}

/// The stream is another one than before: told in the ledger, and everything is read.
async fn went_back(context: &Context, topic: &str) -> Result<(), WorkflowError> {
    let code = "stream-went-back".to_owned();
    tracing::error!(code, "commit times went back by more than an hour: the stream is another one");
    StreamMode::WentBack.count(1);
    let mut tx = context.ledger.begin("stream went back").await?;
    tx.append(&Event::StreamReset { topic: topic.to_owned(), code, at: context.clock.now() }).await?;
    tx.commit().await?;
    Ok(())
}

/// What a step heard.
#[derive(Default)]
struct Heard {
    hints: Hints,
    /// Objects whose events cannot be understood, by the last event of each in these batches.
    broken: BTreeMap<ObjectName, Paused>,
    /// Changes of governed fields, whoever made them.
    writes: Vec<Write>,
    went_back: bool,
}

async fn read_hints(
    context: &Context,
    events: &PubSubClient,
    batches: &[InboxBatch],
) -> Result<Heard, WorkflowError> {
    let mut heard = Heard::default();
    let ears = Ears { contracts: context.governed().collect(), machine_users: &context.machine_users };
    for batch in batches {
        let received = match events.read_response(batch.payload.clone().into()).await {
            Ok(received) => received,
            Err(error) if error.code() == "pubsub-response-damaged" => {
                tracing::error!(code = error.code(), batch = batch.id, "a stored response cannot be read");
                StreamMode::Unreadable.count(1);
                heard.hints.sweep = true;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        for (place, event) in received.into_iter().enumerate() {
            match event.change {
                Ok(change) => {
                    let noted = context.recent.note(&change, (batch.id, place));
                    if noted.went_back {
                        heard.went_back = true;
                        heard.hints.sweep = true;
                    }
                    if !noted.again {
                        heard.writes.extend(writers::writes_of(&ears, &change));
                    }
                    heard.hints.take(&ears, &change);
                }
                Err(error) => heard.not_understood(&ears, batch.id, &error),
            }
        }
    }
    Ok(heard)
}

impl Heard {
    fn not_understood(&mut self, ears: &Ears<'_>, batch: i64, error: &ChangeEventError) {
        let governed = |name: &&str| ears.contracts.iter().any(|contract| contract.object == *name);
        let Some(entity) = error.entity() else {
            // Nobody knows which record it spoke of, so everything pending is read.
            tracing::error!(code = error.code(), %error, "an event cannot be read");
            StreamMode::Unreadable.count(1);
            self.hints.sweep = true;
            return;
        };
        match error {
            ChangeEventError::FieldRetyped { .. } => StreamMode::FieldRetyped.count(1),
            _ => StreamMode::SchemaUnknown.count(1),
        }
        let Some(Ok(object)) = Some(entity).filter(governed).map(ObjectName::parse) else { return };
        let (code, words) = (error.code().to_owned(), error.to_string());
        self.broken.entry(object).or_insert(Paused { code, words, from_batch: Some(batch) });
    }
}

/// Tries the objects that an event had paused: their events are read again from the first one on. An
/// object goes on when its newest event can be understood; what could not be is made good by the sweep
/// that follows.
async fn resume(context: &Context, events: &PubSubClient) -> Result<(), WorkflowError> {
    for (object, paused) in context.paused() {
        let Some(from) = paused.from_batch else { continue };
        let contract = context.governed().find(|contract| contract.object == object.as_str());
        let Some(contract) = contract else { continue };
        let (mut after, mut records, mut newest_is_good) = (from - 1, BTreeMap::new(), false);
        loop {
            let batches = context.ledger.next_batches(after, BATCHES_PER_STEP).await?;
            let Some(last) = batches.last().map(|batch| batch.id) else { break };
            after = last;
            for batch in &batches {
                let mut heard = read_hints(context, events, std::slice::from_ref(batch)).await?;
                let good = heard.hints.records.remove(&object);
                newest_is_good = match (&good, heard.broken.contains_key(&object)) {
                    (_, true) => false,
                    (Some(_), false) => true,
                    (None, false) => newest_is_good,
                };
                records.extend(good.unwrap_or_default());
            }
        }
        if newest_is_good && context.is_readable(contract).await? {
            context.resume(&object);
            let read = read_records(context, contract, &records);
            context.unless_paused((contract, Some(from)), read).await?;
        }
    }
    Ok(())
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
    tx.look_ahead(echoes.iter().map(|(id, _)| id)).await?;
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
    let named = named(readings, &known);
    let ended = tx.proposals_by_text(&named).await?;
    let open = tx.open_promotions_for(&object, &keys).await?;
    let told = told(&mut tx, readings).await?;
    let signals = tx.any_signal().await?;
    let mut tally = Tally::open(&mut tx, &object).await?;
    let mut events = Vec::new();
    let mut broken = Vec::new();
    let mut seen = BTreeSet::new();
    for reading in readings {
        let record = &reading.snapshot.record;
        if !seen.insert(record.clone()) {
            continue;
        }
        let mut mine = known.remove(record).unwrap_or_default();
        // What the schedule announced stands on no record, so no record can take it back.
        mine.retain(|known| known.proposal.door != Door::Schedule);
        if let Some(id) = reading.slot.proposal_id.as_deref()
            && !mine.iter().any(|known| known.proposal.id.as_str() == id)
        {
            mine.extend(ended.get(id).cloned());
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
            told: reading.slot.pending && observe::stand_in(reading).is_some_and(|id| told.contains(&id)),
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

/// The ids that stand on records which have no open proposal of that id.
fn named<'a>(
    readings: &'a [RecordReading],
    open: &BTreeMap<RecordId, Vec<ProposalRecord>>,
) -> BTreeSet<&'a str> {
    let stands = |known: &ProposalRecord, id: &str| {
        known.proposal.id.as_str() == id && known.proposal.door != Door::Schedule
    };
    let is_open = |record: &RecordId, id: &str| {
        open.get(record).is_some_and(|open| open.iter().any(|known| stands(known, id)))
    };
    let named = readings.iter().filter_map(|reading| {
        let id = reading.slot.proposal_id.as_deref()?;
        (!is_open(&reading.snapshot.record, id)).then_some(id)
    });
    named.collect()
}

/// Under which ids a notice about what is no proposal is on its way to one of the records that wait.
async fn told(tx: &mut Tx<'_>, readings: &[RecordReading]) -> Result<BTreeSet<ProposalId>, WorkflowError> {
    let waiting = readings.iter().filter(|reading| reading.slot.pending);
    let ids: Vec<ProposalId> = waiting.filter_map(observe::stand_in).collect();
    Ok(tx.open_notices_among(&ids).await?)
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
        if ids.is_empty() {
            continue;
        }
        let read = async {
            let readings = context.reader.retrieve(contract, &ids).await?;
            level(context, contract, &readings, &BTreeMap::new()).await
        };
        if context.unless_paused((contract, None), read).await?.is_none() {
            for (object, record) in taken.iter().filter(|(object, _)| object.as_str() == contract.object) {
                context.hold(object, record).await;
            }
        }
    }
    Ok(taken.len())
}
