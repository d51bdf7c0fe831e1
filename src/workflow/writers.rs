//! Who writes governed fields, from the headers of change events: counted, told when new, and stopped
//! when two of them set a value against each other.
//!
//! A foreign write is heard only where the channel lets it through. The shipped channel carries records
//! with the pending flag; without its filter it carries every change.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{Context, WorkflowError, hints::Ears};
use crate::{
    domain::{
        FieldName, FieldValue, Freeze, ObjectName, RecordId, Scope,
        event::Event,
        ownership::Standing,
        writers::{BY_HAND, Flap, Memory, Write, Writer, WriterMap},
    },
    ledger::Tx,
    salesforce::{
        change_event::{Change, ChangeType},
        names,
    },
};

/// Writes of governed fields by others than the daemon, by `object` and `field`.
pub const FOREIGN_WRITES: &str = "countersign_foreign_writes_total";
/// Writes of governed fields that have an owner, by writers whom nobody listed, by `object` and `field`.
pub const UNLISTED_WRITES: &str = "countersign_unlisted_writes_total";
/// Writers that were new on a governed field without an owner; of one with an owner, [`UNLISTED_WRITES`] counts.
pub const NEW_WRITERS: &str = "countersign_new_writers_total";
/// Records and lanes that were stopped because two writers set a value against each other.
pub const QUARANTINES: &str = "countersign_quarantines_total";

/// Who freezes a value that goes back and forth.
pub const BY: &str = "countersign";
/// Between two entries with the counts, while no writer is new.
const COUNTED_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Records of one lane under quarantine, from which on the lane is frozen and not each record.
const MOST_RECORDS: usize = 20;
/// Most characters of a client's name.
const MOST_CLIENT: usize = 80;

/// What is known of writers, and what has not been recorded yet.
#[derive(Debug)]
pub struct Watch {
    map: WriterMap,
    memory: Memory,
    /// When the counts were recorded last.
    counted_at: Timestamp,
    /// Something was counted since.
    unrecorded: bool,
}

impl Watch {
    /// As the ledger has it.
    async fn read(tx: &mut Tx<'_>, now: Timestamp) -> Result<Self, WorkflowError> {
        let known = tx.writers().await?;
        let counted_at = known.as_ref().map_or(now, |known| known.at);
        let map = known.map(|known| known.map).unwrap_or_default();
        Ok(Self { map, memory: Memory::default(), counted_at, unrecorded: false })
    }
}

/// The watch of one org; empty until the first write is heard.
#[derive(Debug, Clone, Default)]
pub struct Watched(Arc<Mutex<Option<Watch>>>);

impl Watched {
    /// Whether the counts are here. Else what was recorded has to be read, and what was worked on since
    /// has to be counted again.
    pub fn is_known(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Taken out for one step. A step that fails does not give it back: the next one reads what the
    /// ledger holds, so that nothing is counted twice.
    fn out(&self) -> Option<Watch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Gives it back after the commit.
    pub fn keep(&self, watch: Watch) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
    }
}

/// The governed fields that one change wrote.
pub fn writes_of(ears: &Ears<'_>, change: &Change) -> Vec<Write> {
    let contract = ears.contracts.iter().find(|contract| contract.object == change.object);
    let (Some(contract), ChangeType::Update) = (contract, change.change_type) else { return Vec::new() };
    let Ok(object) = ObjectName::parse(contract.object) else { return Vec::new() };
    let by_us = ears.machine_users.iter().any(|user| user.as_str() == change.user_id);
    let is_mark = change.changed_fields.iter().any(|field| field == names::LAST_PROMOTION_ID);
    let writer = Writer { user: change.user_id.clone(), client: client(change) };
    let mut writes = Vec::new();
    for lane in contract.lanes.iter().filter(|lane| change.changed_fields.iter().any(|it| it == lane.field)) {
        let Ok(field) = FieldName::parse(lane.field) else { continue };
        let value = change.values.get(lane.field).cloned().unwrap_or(FieldValue::Null);
        for record in change.record_ids.iter().filter_map(|id| RecordId::parse(id).ok()) {
            let (object, field, value) = (object.clone(), field.clone(), value.clone());
            let (writer, ours) = (writer.clone(), by_us && is_mark);
            writes.push(Write { object, field, record, value, writer, ours, at: change.committed_at });
        }
    }
    writes
}

/// The client, in the words of the event's origin. Callers may name themselves as they like.
fn client(change: &Change) -> String {
    let api = change.origin.strip_prefix("com/salesforce/api/").and_then(|rest| rest.split('/').next());
    let text = match (api, change.client.as_deref()) {
        (_, Some("SfdcInternalAPI/")) => BY_HAND.to_owned(),
        (Some(api), Some(client)) => format!("{api} {client}"),
        (Some(api), None) => api.to_owned(),
        (None, Some(client)) => client.to_owned(),
        // Flows, Apex and other things that run by themselves in the org.
        (None, None) => "inside the org".to_owned(),
    };
    text.chars().take(MOST_CLIENT).collect()
}

/// Counts writes and records what has to be: a new writer at once, counts now and then, and a freeze for
/// what goes back and forth. `missed` are writes of earlier batches whose counts were lost with the
/// memory that held them; they are counted and set nothing off, because that was done then. `last` is
/// the newest batch of the step. The caller keeps the watch after the commit.
pub async fn take(
    context: &Context,
    tx: &mut Tx<'_>,
    (missed, writes): (Option<Vec<Write>>, &[Write]),
    last: i64,
) -> Result<Watch, WorkflowError> {
    let now = context.clock.now();
    let mut watch = match context.watched.out() {
        Some(watch) => watch,
        None => Watch::read(tx, now).await?,
    };
    let mut is_news = false;
    for write in missed.iter().flatten() {
        is_news |= watch.map.count(write);
        watch.unrecorded = true;
    }
    for write in writes {
        watch.unrecorded = true;
        let standing = context.ownership.standing((&write.object, &write.field), &write.writer, write.ours);
        if watch.map.count(write) {
            tell_new(write, standing);
            is_news = true;
        }
        measure(write, standing);
        if let Some(flap) = watch.memory.note(write) {
            quarantine(tx, &flap, now).await?;
        }
    }
    let is_due = now.duration_since(watch.counted_at) >= COUNTED_EVERY;
    if is_news || (watch.unrecorded && is_due) {
        tx.append(&Event::WritersCounted { map: watch.map.clone(), at: now }).await?;
        (watch.counted_at, watch.unrecorded) = (now, false);
    }
    if !watch.unrecorded {
        tx.mark_counted(last).await?;
    }
    Ok(watch)
}

fn measure(write: &Write, standing: Standing<'_>) {
    let labels = [("object", write.object.to_string()), ("field", write.field.to_string())];
    if !write.ours {
        metrics::counter!(FOREIGN_WRITES, &labels).increment(1);
    }
    if standing == Standing::Unlisted {
        metrics::counter!(UNLISTED_WRITES, &labels).increment(1);
    }
}

/// Whom the owner of the field listed is no news. Names of clients are data: they stand in the ledger and
/// not in the log.
fn tell_new(write: &Write, standing: Standing<'_>) {
    let (code, words) = match standing {
        Standing::Gate | Standing::Listed(_) | Standing::ByHand => return,
        Standing::Unlisted => {
            ("writer-not-listed", "a governed field was written by somebody whom its owner did not list")
        }
        Standing::Unowned => {
            metrics::counter!(NEW_WRITERS).increment(1);
            ("writer-new", "a governed field was written by somebody who did not write it before")
        }
    };
    let (object, field, user_id) = (&write.object, &write.field, write.writer.user.as_str());
    tracing::warn!(code, %object, %field, user_id, record = %write.record, "{words}");
}

/// Freezes the record, or the lane when many of its records are frozen so. People lift it.
async fn quarantine(tx: &mut Tx<'_>, flap: &Flap, now: Timestamp) -> Result<(), WorkflowError> {
    let frozen = tx.freezes().await?;
    let lane = Scope::Lane(flap.object.clone(), flap.field.clone());
    let record = Scope::Record(flap.object.clone(), flap.record.clone());
    if frozen.iter().any(|known| known.scope == lane || known.scope == record || known.scope == Scope::Org) {
        return Ok(());
    }
    let of_object = |scope: &Scope| matches!(scope, Scope::Record(object, _) if *object == flap.object);
    let many =
        frozen.iter().filter(|known| known.by == BY && of_object(&known.scope)).count() >= MOST_RECORDS;
    let scope = if many { lane } else { record };
    let [one, other] = &flap.writers;
    let reason = format!(
        "{} goes back and forth between {} ({}) and {} ({}) since {}",
        flap.field, one.user, one.client, other.user, other.client, flap.since
    );
    let (object, field, record) = (&flap.object, &flap.field, &flap.record);
    tracing::error!(
        code = "value-flapping",
        %object,
        %field,
        %record,
        "two writers set a value against each other; `countersign writers` names them"
    );
    metrics::counter!(QUARANTINES).increment(1);
    tx.append(&Event::Frozen { freeze: Freeze { scope, since: now, by: BY.to_owned(), reason } }).await?;
    Ok(())
}
