//! Carrying a rollback of many promotions out: intent, send, settlement, in batches.
//!
//! Interrupted anywhere, nothing is lost: what was intended is settled by the daemon or by the next
//! run, and what was not intended yet is planned again.

use std::collections::{BTreeMap, BTreeSet};

use super::{RollbackManyError, plan, steps_of, within};
use crate::{
    clock,
    domain::{
        Choice, Digest, Making, ObjectName, Promotion, PromotionId, RecordId, Rollback, Settlement,
        event::Event,
    },
    gate::unwind::{Manifest, RecordUndo},
    ledger::{Begun, Landed},
    workflow::{
        Context, WorkflowError, made,
        promote::{MOST_PER_STEP, Promoter},
    },
};

/// Who asks for what, and why.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which promotions.
    pub choice: Choice,
    /// The digest that was shown; `None` where the person said yes to whatever it is now.
    pub shown: Option<Digest>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// How one promotion's undoing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is back as it was before.
    Restored,
    /// The record was made, and is cancelled.
    Cancelled,
    /// The record changed under it, so it was spared.
    Conflicted,
    /// The org refused, or it has not ended yet.
    Failed,
}

impl Outcome {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Cancelled => "cancelled",
            Self::Conflicted => "conflicted",
            Self::Failed => "failed",
        }
    }
}

/// One promotion's undoing, as it ended.
#[derive(Debug, Clone)]
pub struct End {
    /// Object.
    pub object: ObjectName,
    /// Record.
    pub record: RecordId,
    /// The promotion that was to be undone.
    pub undone: PromotionId,
    /// The compensating promotion, where one was intended.
    pub by: Option<PromotionId>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is not restored, in words.
    pub words: String,
}

/// The whole rollback, as it ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What names it.
    pub id: Digest,
    /// It was begun by an earlier run.
    pub resumed: bool,
    /// What this run was to write and to spare.
    pub manifest: Manifest,
    /// Every undoing, of earlier runs of the same rollback too.
    pub ends: Vec<End>,
}

/// Plans again, holds the plan against what was shown, and carries it out. `told` hears each end.
pub async fn apply(
    context: &Context,
    promoter: &Promoter,
    asked: Asked,
    told: &mut dyn FnMut(usize, &End),
) -> Result<Ended, RollbackManyError> {
    let begun = match &asked.shown {
        Some(shown) => context.ledger.rollback(shown).await.map_err(WorkflowError::from)?,
        None => None,
    };
    let (rollback, manifest, earlier) = match begun {
        Some(begun) if begun.ended => return Err(RollbackManyError::ManifestDone(begun.rollback.id)),
        Some(begun) => {
            let (manifest, earlier) = go_on(context, promoter, &begun).await?;
            (begun.rollback, manifest, Some(earlier))
        }
        None => {
            let (rollback, manifest) = begin(context, promoter, asked).await?;
            (rollback, manifest, None)
        }
    };
    let total = manifest.records.iter().map(|record| record.steps.len()).sum();
    let resumed = earlier.is_some();
    let mut ends = earlier.unwrap_or_default();
    if total > 0 || resumed {
        let mut hear = |end: End| {
            told(total, &end);
            ends.push(end);
        };
        carry_out(context, promoter, (&rollback.id, &manifest), &mut hear).await?;
        finish(context, &rollback.id, &ends).await?;
    }
    Ok(Ended { id: rollback.id, resumed, manifest, ends })
}

/// A rollback that an earlier run began: what is left of what was shown then.
async fn go_on(
    context: &Context,
    promoter: &Promoter,
    begun: &Begun,
) -> Result<(Manifest, Vec<End>), RollbackManyError> {
    settle_leftovers(context, promoter, Some(&begun.rollback.id)).await?;
    let rollback = &begun.rollback;
    let steps = rollback.steps.iter().map(|step| &step.promotion);
    let ids: Vec<PromotionId> = steps.chain(&rollback.spared).cloned().collect();
    let promotions = context.ledger.promotions_by_id(&ids).await.map_err(WorkflowError::from)?;
    let earlier = landed_before(context, &rollback.id, &promotions).await?;
    let landed = |promotion| Landed { promotion, agent: String::new(), policy: None };
    let chosen: Vec<Landed> = promotions.into_iter().map(landed).collect();
    Ok((within(plan(context, &chosen).await?, &rollback.steps), earlier))
}

/// What earlier runs of the same rollback have undone.
async fn landed_before(
    context: &Context,
    id: &Digest,
    undone: &[Promotion],
) -> Result<Vec<End>, RollbackManyError> {
    let place = |one: &Promotion| (one.plan.object.clone(), one.plan.record.clone());
    // What undoes a record that was made stands on that record, not on its parent.
    let on = |one: &Promotion| {
        let made = one.proof.get(made::MADE_RECORD).filter(|_| one.plan.making.is_some());
        let made = made.and_then(|id| RecordId::parse(id).ok());
        (one.plan.object.clone(), made.unwrap_or_else(|| one.plan.record.clone()))
    };
    let records: BTreeSet<(ObjectName, RecordId)> = undone.iter().map(on).collect();
    let records: Vec<_> = records.into_iter().collect();
    let written = context.ledger.written_on(&records).await.map_err(WorkflowError::from)?;
    let mine = written.into_iter().map(|landed| landed.promotion).filter(|promotion| {
        promotion.rollback.as_ref() == Some(id) && promotion.settlement == Settlement::Done
    });
    let end = |promotion: Promotion| {
        let (object, record) = place(&promotion);
        let cancels = promotion.plan.making == Some(Making::Cancel);
        let (outcome, words) = outcome_of(&promotion.settlement, cancels);
        let by = Some(promotion.id);
        Some(End { object, record, undone: promotion.undoes?, by, outcome, words })
    };
    Ok(mine.filter_map(end).collect())
}

async fn begin(
    context: &Context,
    promoter: &Promoter,
    asked: Asked,
) -> Result<(Rollback, Manifest), RollbackManyError> {
    if asked.shown.is_none() {
        settle_leftovers(context, promoter, None).await?;
    }
    let chosen = super::choose(context, &asked.choice).await?;
    let manifest = plan(context, &chosen).await?;
    let now = manifest.digest().map_err(WorkflowError::from)?;
    if let Some(shown) = asked.shown.filter(|shown| *shown != now) {
        return Err(RollbackManyError::ManifestChanged { shown, now });
    }
    let steps = steps_of(&manifest);
    let kept = manifest.records.iter().flat_map(|record| &record.kept);
    let spared: BTreeSet<PromotionId> = kept.map(|kept| kept.promotion.clone()).collect();
    let rollback = Rollback {
        id: now,
        at: context.clock.now(),
        by: asked.by,
        reason: asked.reason,
        chosen: asked.choice,
        steps,
        spared: spared.into_iter().collect(),
    };
    if !rollback.steps.is_empty() {
        let mut tx = context.ledger.begin("rollback begun").await.map_err(WorkflowError::from)?;
        // The same plan may have been begun and left before its first write.
        if tx.rollback(&rollback.id).await.map_err(WorkflowError::from)?.is_none() {
            let event = Event::RollbackBegun { rollback: rollback.clone() };
            tx.append(&event).await.map_err(WorkflowError::from)?;
            tx.commit().await.map_err(WorkflowError::from)?;
        }
    }
    Ok((rollback, manifest))
}

async fn finish(context: &Context, id: &Digest, ends: &[End]) -> Result<(), RollbackManyError> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for end in ends {
        *counts.entry(end.outcome.name().to_owned()).or_default() += 1;
    }
    let counts = counts.into_iter().map(|(name, count)| (name, count.to_string())).collect();
    let mut tx = context.ledger.begin("rollback ended").await.map_err(WorkflowError::from)?;
    let event = Event::RollbackEnded { rollback: id.clone(), counts };
    tx.append(&event).await.map_err(WorkflowError::from)?;
    tx.commit().await.map_err(WorkflowError::from)?;
    Ok(())
}

/// Brings compensating promotions that were intended before to their end: those of one rollback, or
/// of any. What was committed is carried out, as the daemon would.
pub async fn settle_leftovers(
    context: &Context,
    promoter: &Promoter,
    of: Option<&Digest>,
) -> Result<(), RollbackManyError> {
    let open = context.ledger.open_promotions(usize::MAX).await.map_err(WorkflowError::from)?;
    let mine = |one: &Promotion| match of {
        Some(id) => one.rollback.as_ref() == Some(id),
        None => one.undoes.is_some(),
    };
    let ids: Vec<PromotionId> = open.into_iter().filter(mine).map(|one| one.id).collect();
    for batch in ids.chunks(MOST_PER_STEP) {
        promoter.finish(batch).await?;
    }
    Ok(())
}

/// One write of a record after the other, newest first; many records at the same time.
async fn carry_out(
    context: &Context,
    promoter: &Promoter,
    (rollback, manifest): (&Digest, &Manifest),
    hear: &mut dyn FnMut(End),
) -> Result<(), RollbackManyError> {
    let mut alive: Vec<&RecordUndo> =
        manifest.records.iter().filter(|record| !record.steps.is_empty()).collect();
    let mut place = 0;
    while !alive.is_empty() {
        let mut next = Vec::with_capacity(alive.len());
        for batch in alive.chunks(MOST_PER_STEP) {
            for (record, end) in write_batch(context, promoter, (rollback, place), batch).await? {
                let restored = matches!(end.outcome, Outcome::Restored | Outcome::Cancelled);
                let words = format!("the undoing of a newer promotion {}", end.outcome.name());
                hear(end);
                if restored && record.steps.len() > place + 1 {
                    next.push(record);
                } else {
                    for step in record.steps.iter().skip(place + 1) {
                        hear(end_of(record, &step.promotion, Outcome::Conflicted, words.clone()));
                    }
                }
            }
        }
        alive = next;
        place += 1;
    }
    Ok(())
}

fn end_of(record: &RecordUndo, undone: &PromotionId, outcome: Outcome, words: String) -> End {
    let (object, record) = (record.object.clone(), record.record.clone());
    End { object, record, undone: undone.clone(), by: None, outcome, words }
}

async fn write_batch<'a>(
    context: &Context,
    promoter: &Promoter,
    (rollback, place): (&Digest, usize),
    batch: &[&'a RecordUndo],
) -> Result<Vec<(&'a RecordUndo, End)>, RollbackManyError> {
    let intended = intend(context, (rollback, place), batch).await?;
    let ids: Vec<PromotionId> = intended.iter().flatten().cloned().collect();
    let ended = promoter.finish(&ids).await?;
    let mut ends = Vec::with_capacity(batch.len());
    for (record, id) in batch.iter().zip(intended) {
        let Some(step) = record.steps.get(place) else { continue };
        let end = match id.as_ref().and_then(|id| ended.get(id)) {
            Some(promotion) => {
                let (outcome, words) = outcome_of(&promotion.settlement, record.cancels);
                End { by: id, ..end_of(record, &step.promotion, outcome, words) }
            }
            None => {
                let words =
                    "another promotion of the record has not ended, or has ended meanwhile: plan again"
                        .to_owned();
                end_of(record, &step.promotion, Outcome::Conflicted, words)
            }
        };
        ends.push((*record, end));
    }
    Ok(ends)
}

/// Commits the intents of a batch. `None` where another promotion of the record is open.
async fn intend(
    context: &Context,
    (rollback, place): (&Digest, usize),
    batch: &[&RecordUndo],
) -> Result<Vec<Option<PromotionId>>, RollbackManyError> {
    let mut by_object: BTreeMap<&ObjectName, Vec<RecordId>> = BTreeMap::new();
    for record in batch {
        by_object.entry(&record.object).or_default().push(record.record.clone());
    }
    let now = context.clock.now();
    let mut tx = context.ledger.begin("rollback intended").await.map_err(WorkflowError::from)?;
    let mut open = BTreeMap::new();
    for (object, records) in by_object {
        open.extend(tx.open_promotions_for(object, &records).await.map_err(WorkflowError::from)?);
    }
    let mut intended = Vec::with_capacity(batch.len());
    for record in batch {
        let free = !open.contains_key(&record.record);
        let step = record.steps.get(place).zip(record.plan(place, now)).filter(|_| free);
        let Some((step, plan)) = step else {
            intended.push(None);
            continue;
        };
        // Somebody wrote between the reading and now.
        if tx.used_number(&plan).await.map_err(WorkflowError::from)?.is_some() {
            intended.push(None);
            continue;
        }
        let promotion = Promotion {
            id: PromotionId::new(clock::unique_id()),
            plan,
            attempts: 0,
            settlement: Settlement::Intended,
            undoes: Some(step.promotion.clone()),
            rollback: Some(rollback.clone()),
            proof: BTreeMap::new(),
        };
        intended.push(Some(promotion.id.clone()));
        tx.append(&Event::PromotionIntended { promotion }).await.map_err(WorkflowError::from)?;
    }
    tx.commit().await.map_err(WorkflowError::from)?;
    Ok(intended)
}

fn outcome_of(settlement: &Settlement, cancels: bool) -> (Outcome, String) {
    match settlement {
        Settlement::Done if cancels => (Outcome::Cancelled, String::new()),
        Settlement::Done => (Outcome::Restored, String::new()),
        Settlement::Stale { reason } => (Outcome::Conflicted, reason.clone()),
        Settlement::Conflict { mark } => {
            (Outcome::Conflicted, format!("the record carries the mark `{mark}`, which is not ours"))
        }
        Settlement::Refused { code, message } if message.starts_with(code) => {
            (Outcome::Failed, message.clone())
        }
        Settlement::Refused { code, message } => (Outcome::Failed, format!("{code}: {message}")),
        Settlement::Gone => (Outcome::Failed, "the record is gone".to_owned()),
        open => (
            Outcome::Failed,
            format!("{}: not ended yet; the daemon or the next run settles it", open.name()),
        ),
    }
}
