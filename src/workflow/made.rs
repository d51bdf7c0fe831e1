//! Making records and cancelling them: send, settle, and never a second copy.
//!
//! A made record carries its proposal's id in a unique field. A request whose outcome is not known is
//! settled by looking for that id, and only where no record has it is the same request sent again; a
//! copy that comes late is then refused by the org as a duplicate. Nothing here ever deletes.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::json;

use super::{
    Context, WorkflowError,
    brakes::Brakes,
    promote::{Progress, current, settle_if_open},
    settle::approval_holds,
};
use crate::{
    domain::{FieldName, Making, Promotion, PromotionId, RecordId, Settlement, event::Event},
    gate::{
        cancel::{Found, plan_cancel},
        rollback::RollbackPlan,
    },
    ledger::Tx,
    salesforce::{MadeRow, NewRow, RowOutcome, RowWrite, Writer},
};

/// Key of the proof that names the record that was made.
pub const MADE_RECORD: &str = "record";
/// How long a request can still land: Salesforce ends each call after ten minutes.
const LATEST: SignedDuration = SignedDuration::from_mins(15);
/// What starts the reason of an outcome that was a refusal, but not of the only copy.
const REFUSED: &str = "refused ";

/// Sends or settles promotions that make or cancel records.
pub async fn advance(
    context: &Context,
    writer: &Writer,
    open: Vec<Promotion>,
    progress: &mut Progress,
) -> Result<(), WorkflowError> {
    if open.is_empty() {
        return Ok(());
    }
    // A copy of these may still land, and what was refused once is refused again: they wait.
    let (waiting, open): (Vec<_>, Vec<_>) = open
        .into_iter()
        .partition(|promotion| matches!(refused_before(context, promotion), Refused::MayStillLand));
    progress.deferred += waiting.len();
    let (cancels, creates): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|promotion| promotion.plan.making == Some(Making::Cancel));
    // What was sent before is looked for first.
    let (fresh, sent): (Vec<_>, Vec<_>) = creates.into_iter().partition(|promotion| promotion.attempts == 0);
    let again = look(context, sent, progress).await?;
    create(context, writer, fresh.into_iter().chain(again).collect(), progress).await?;
    for promotion in cancels {
        cancel(context, writer, &promotion, progress).await?;
    }
    Ok(())
}

/// Looks for records whose request was sent. Returns the promotions of which there is none.
async fn look(
    context: &Context,
    sent: Vec<Promotion>,
    progress: &mut Progress,
) -> Result<Vec<Promotion>, WorkflowError> {
    let mut again = Vec::new();
    for of_object in sent.chunk_by(alike) {
        let found = find(context, of_object).await?;
        let mut tx = context.ledger.begin("made records read").await?;
        for promotion in of_object {
            let promotion = current(&mut tx, &promotion.id).await?;
            if promotion.settlement.is_final() {
                continue;
            }
            if let Some(row) = found.get(promotion.plan.proposal_id.as_str()) {
                done(&mut tx, &promotion, (&row.record, "read")).await?;
                progress.finished += 1;
                continue;
            }
            match refused_before(context, &promotion) {
                Refused::No => again.push(promotion),
                Refused::MayStillLand => progress.deferred += 1,
                Refused::Yes(settlement) => {
                    settle_if_open(&mut tx, &promotion, settlement).await?;
                    progress.finished += 1;
                }
            }
        }
        tx.commit().await?;
    }
    Ok(again)
}

enum Refused {
    No,
    MayStillLand,
    Yes(Settlement),
}

/// A refusal of one copy says nothing about an earlier one: it ends the promotion only when none can
/// land any more.
fn refused_before(context: &Context, promotion: &Promotion) -> Refused {
    let Settlement::Unknown { reason } = &promotion.settlement else { return Refused::No };
    if !reason.starts_with(REFUSED) {
        return Refused::No;
    }
    if context.clock.now().duration_since(promotion.plan.planned_at) < LATEST {
        return Refused::MayStillLand;
    }
    // From an unknown outcome no way leads to refused: that would say that nothing was ever sent.
    Refused::Yes(Settlement::Stale { reason: reason.clone() })
}

/// The made records of these promotions, by proposal id. Where the field is not unique in the org,
/// the oldest counts.
async fn find(
    context: &Context,
    promotions: &[Promotion],
) -> Result<BTreeMap<String, MadeRow>, WorkflowError> {
    let Some(first) = promotions.first() else { return Ok(BTreeMap::new()) };
    let marks: Vec<&str> = promotions.iter().map(|one| one.plan.proposal_id.as_str()).collect();
    let rows = read(context, first, &marks).await?;
    let mut found: BTreeMap<String, MadeRow> = BTreeMap::new();
    for row in rows {
        let older = found.get(&row.mark).is_none_or(|known| row.record < known.record);
        if older {
            found.insert(row.mark.clone(), row);
        }
    }
    Ok(found)
}

/// The record that a promotion made, as it is now.
pub async fn made_row(context: &Context, promotion: &Promotion) -> Result<Option<MadeRow>, WorkflowError> {
    let rows = read(context, promotion, &[promotion.plan.proposal_id.as_str()]).await?;
    let named = promotion.proof.get(MADE_RECORD);
    Ok(rows.into_iter().find(|row| named.is_none_or(|named| row.record.as_str() == named)))
}

/// The records that these promotions made, as they are now, by promotion.
pub async fn made_rows(
    context: &Context,
    promotions: &[Promotion],
) -> Result<BTreeMap<PromotionId, MadeRow>, WorkflowError> {
    let mut found = BTreeMap::new();
    for alike in promotions.chunk_by(alike) {
        let Some(first) = alike.first() else { continue };
        let marks: Vec<&str> = alike.iter().map(|one| one.plan.proposal_id.as_str()).collect();
        let rows = read(context, first, &marks).await?;
        let by_mark: BTreeMap<&str, &MadeRow> = rows.iter().map(|row| (row.mark.as_str(), row)).collect();
        for one in alike {
            let named = one.proof.get(MADE_RECORD);
            let mine = by_mark.get(one.plan.proposal_id.as_str());
            let mine = mine.filter(|row| named.is_none_or(|named| row.record.as_str() == named));
            found.extend(mine.map(|row| (one.id.clone(), (*row).clone())));
        }
    }
    Ok(found)
}

/// Whether two promotions fill the same fields of one object, so that one read serves both.
fn alike(one: &Promotion, other: &Promotion) -> bool {
    let fields = |promotion: &Promotion| -> Vec<FieldName> {
        promotion.plan.changes.iter().map(|change| change.field.clone()).collect()
    };
    one.plan.object == other.plan.object
        && one.plan.making == other.plan.making
        && fields(one) == fields(other)
}

/// What cancelling the record of a promotion would do; `None` where the promotion made none.
pub fn plan_cancelling(
    context: &Context,
    promotion: &Promotion,
    row: Option<&MadeRow>,
) -> Option<RollbackPlan> {
    let Some(Making::Create { cancel, .. }) = &promotion.plan.making else { return None };
    let found = row.map(|row| Found {
        record: &row.record,
        deleted: row.deleted,
        fields: &row.fields,
        by_other: !context.is_machine(row.modified_by.as_ref()),
    });
    Some(plan_cancel(promotion, cancel, found, context.clock.now()))
}

async fn read(
    context: &Context,
    promotion: &Promotion,
    marks: &[&str],
) -> Result<Vec<MadeRow>, WorkflowError> {
    let object = &promotion.plan.object;
    let unknown = || WorkflowError::Unexpected(format!("no contract for making `{object}`"));
    let contract = context.contracts.made(object.as_str()).ok_or_else(unknown)?;
    let mut fields: Vec<_> = promotion.plan.changes.iter().map(|change| change.field.clone()).collect();
    if let Some(Making::Create { cancel, .. }) = &promotion.plan.making {
        fields.push(cancel.field.clone());
    }
    let schema = match context.schema(object).await {
        Some(described) if fields.iter().all(|field| described.schema.fields.contains_key(field)) => {
            described.schema.clone()
        }
        // The policy that named it is gone; what was made by it can be found all the same.
        _ => context.reader.describe_made(contract, &fields).await?,
    };
    Ok(context.reader.made(contract, marks, &schema).await?)
}

/// Counts the attempt, commits, sends, and settles each row.
async fn create(
    context: &Context,
    writer: &Writer,
    ready: Vec<Promotion>,
    progress: &mut Progress,
) -> Result<(), WorkflowError> {
    let mut tx = context.ledger.begin("new records sent").await?;
    let brakes = Brakes::read(&mut tx, ready.iter().map(|promotion| &promotion.plan.object)).await?;
    let (mut fresh, mut rows) = (Vec::new(), Vec::new());
    for promotion in ready {
        let promotion = current(&mut tx, &promotion.id).await?;
        if promotion.settlement.is_final() {
            continue;
        }
        if brakes.stop(&mut tx, &promotion).await? {
            progress.deferred += 1;
            continue;
        }
        if promotion.attempts == 0 && !approval_holds(context, &promotion) {
            let reason = "the decision is too old".to_owned();
            settle_if_open(&mut tx, &promotion, Settlement::Stale { reason }).await?;
            progress.finished += 1;
            continue;
        }
        let Some(row) = new_row(context, &promotion) else {
            let (code, message) = ("lane-unknown".into(), "no contract says how it is made".into());
            settle_if_open(&mut tx, &promotion, Settlement::Refused { code, message }).await?;
            progress.finished += 1;
            continue;
        };
        rows.push(row);
        fresh.push(promotion);
    }
    if !fresh.is_empty() {
        let promotions: Vec<PromotionId> = fresh.iter().map(|promotion| promotion.id.clone()).collect();
        tx.append(&Event::PromotionsSent { promotions }).await?;
    }
    tx.commit().await?;
    if fresh.is_empty() {
        return Ok(());
    }
    progress.sent += fresh.len();
    let outcomes = writer.create(&rows).await;
    let mut tx = context.ledger.begin("new records settled").await?;
    for (promotion, (outcome, record)) in fresh.iter().zip(outcomes) {
        let promotion = current(&mut tx, &promotion.id).await?;
        if promotion.settlement.is_final() {
            progress.finished += 1;
        } else if let (RowOutcome::Done, Some(record)) = (&outcome, record) {
            done(&mut tx, &promotion, (&record, "reply")).await?;
            progress.finished += 1;
        } else {
            let settlement = after_create(outcome, promotion.attempts);
            let ended = settle_if_open(&mut tx, &promotion, settlement).await?;
            if ended { progress.finished += 1 } else { progress.deferred += 1 }
        }
    }
    tx.commit().await?;
    Ok(())
}

/// The new record in Salesforce's field names, with the mark that makes it one.
fn new_row(context: &Context, promotion: &Promotion) -> Option<NewRow> {
    let plan = &promotion.plan;
    let contract = context.contracts.made(plan.object.as_str())?;
    let values = plan.changes.iter().map(|change| (change.field.to_string(), change.after.to_json()));
    let mut fields: BTreeMap<String, serde_json::Value> = values.collect();
    fields.insert(contract.mark.to_owned(), json!(plan.proposal_id.as_str()));
    Some(NewRow { object: plan.object.clone(), fields })
}

/// What a reply proves that was no yes. `attempt` counts from 1.
fn after_create(outcome: RowOutcome, attempt: u64) -> Settlement {
    match outcome {
        // Ours, from an earlier attempt: the mark is looked for.
        RowOutcome::Refused { code, .. } if code == "DUPLICATE_VALUE" => Settlement::Unknown { reason: code },
        RowOutcome::Refused { code, message, .. } | RowOutcome::RaceLost { code, message } => {
            if attempt <= 1 {
                Settlement::Refused { code, message }
            } else {
                Settlement::Unknown { reason: format!("{REFUSED}{code}: {message}") }
            }
        }
        RowOutcome::Gone { code } if attempt <= 1 => {
            Settlement::Refused { code, message: "the parent is gone".to_owned() }
        }
        RowOutcome::Gone { code } => {
            Settlement::Unknown { reason: format!("{REFUSED}{code}: the parent is gone") }
        }
        RowOutcome::Retry { .. } | RowOutcome::NotSent { .. } => Settlement::Intended,
        RowOutcome::Done => Settlement::Unknown { reason: "made, and no record is named".to_owned() },
        RowOutcome::Unknown { reason } => Settlement::Unknown { reason },
    }
}

/// Settles a promotion whose record is there, and names the record.
async fn done(
    tx: &mut Tx<'_>,
    promotion: &Promotion,
    (record, by): (&RecordId, &str),
) -> Result<(), WorkflowError> {
    settle_if_open(tx, promotion, Settlement::Done).await?;
    let proof = BTreeMap::from([
        ("by".to_owned(), by.to_owned()),
        (MADE_RECORD.to_owned(), record.as_str().to_owned()),
    ]);
    tx.append(&Event::PromotionConfirmed { promotion: promotion.id.clone(), proof }).await?;
    Ok(())
}

/// Cancels one record, unless it was changed since it is read here.
async fn cancel(
    context: &Context,
    writer: &Writer,
    promotion: &Promotion,
    progress: &mut Progress,
) -> Result<(), WorkflowError> {
    let row = made_row(context, promotion).await?;
    let mut tx = context.ledger.begin("cancellation sent").await?;
    let promotion = current(&mut tx, &promotion.id).await?;
    if promotion.settlement.is_final() {
        return Ok(());
    }
    let before = before_cancel(context, &promotion, row);
    let row = match before {
        Ok(row) => row,
        Err(settlement) => {
            finish(&mut tx, &promotion, settlement).await?;
            tx.commit().await?;
            progress.finished += 1;
            return Ok(());
        }
    };
    tx.append(&Event::PromotionsSent { promotions: vec![promotion.id.clone()] }).await?;
    tx.commit().await?;
    progress.sent += 1;
    let values = promotion.plan.changes.iter();
    let fields = values.map(|change| (change.field.to_string(), change.after.to_json())).collect();
    let write = RowWrite { object: promotion.plan.object.clone(), record: row.record, fields };
    let outcome = writer.update_unmodified(&write, row.modified_at).await;
    let mut tx = context.ledger.begin("cancellation settled").await?;
    let promotion = current(&mut tx, &promotion.id).await?;
    let settlement = match outcome {
        RowOutcome::Done => Settlement::Done,
        RowOutcome::RaceLost { message, .. } if promotion.attempts <= 1 => {
            Settlement::Stale { reason: message }
        }
        // What moved the record may have been another copy of this: it is read again.
        RowOutcome::RaceLost { message, .. } => Settlement::Unknown { reason: message },
        RowOutcome::Refused { code, message, .. } if promotion.attempts <= 1 => {
            Settlement::Refused { code, message }
        }
        RowOutcome::Gone { .. } => Settlement::Gone,
        RowOutcome::Refused { code, message, .. } => {
            Settlement::Unknown { reason: format!("{REFUSED}{code}: {message}") }
        }
        RowOutcome::Retry { .. } | RowOutcome::NotSent { .. } => Settlement::Intended,
        RowOutcome::Unknown { reason } => Settlement::Unknown { reason },
    };
    let ended = finish(&mut tx, &promotion, settlement).await?;
    if ended {
        progress.finished += 1
    } else {
        progress.deferred += 1
    }
    tx.commit().await?;
    Ok(())
}

/// The record to cancel, or how the promotion ends without a write.
fn before_cancel(
    context: &Context,
    promotion: &Promotion,
    row: Option<MadeRow>,
) -> Result<MadeRow, Settlement> {
    let Some(row) = row.filter(|row| !row.deleted && row.record == promotion.plan.record) else {
        return Err(Settlement::Gone);
    };
    let changes = &promotion.plan.changes;
    if changes.iter().all(|change| row.fields.get(&change.field) == Some(&change.after)) {
        return Err(Settlement::Done);
    }
    if changes.iter().any(|change| row.fields.get(&change.field) != Some(&change.before))
        || !context.is_machine(row.modified_by.as_ref())
    {
        return Err(Settlement::Stale { reason: "somebody changed the record".to_owned() });
    }
    if let Refused::Yes(settlement) = refused_before(context, promotion) {
        return Err(settlement);
    }
    Ok(row)
}

/// Settles, and proves a landing by the read or the reply.
async fn finish(
    tx: &mut Tx<'_>,
    promotion: &Promotion,
    settlement: Settlement,
) -> Result<bool, WorkflowError> {
    if settlement == Settlement::Done && !promotion.settlement.is_final() {
        done(tx, promotion, (&promotion.plan.record, "read")).await?;
        return Ok(true);
    }
    settle_if_open(tx, promotion, settlement).await
}
