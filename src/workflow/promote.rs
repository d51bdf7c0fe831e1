//! The promoter: the only owner of a writer that can touch canonical fields.
//!
//! It has no choice left to make. What it sends was committed as an intent, the attempt is
//! counted before the request leaves, and every row's answer becomes one settlement.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Context, WorkflowError,
    brakes::Brakes,
    made,
    pacing::NO_ANSWER,
    settle::{self, Reply},
    stamp, undone,
};
use crate::{
    domain::{Basis, Promotion, PromotionId, RecordId, Settlement, event::Event},
    ledger::Tx,
    salesforce::{Contracts, RowOutcome, RowWrite, Writer},
};

/// Most promotions in one step: five collections of 200 rows, one API call.
pub const MOST_PER_STEP: usize = 1000;

/// How often [`Promoter::finish`] looks until all have ended.
const LOOKS: u32 = 60;
/// How long it waits between two looks.
const LOOK_LEAST: Duration = Duration::from_millis(50);
const LOOK_MOST: Duration = Duration::from_secs(1);

/// Most calls of less than that in one step.
const MOST_SMALL_CALLS: usize = 20;

/// Carries out intents.
#[derive(Clone)]
pub struct Promoter {
    context: Context,
    writer: Writer,
}

/// What one step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Promotions sent for the first time or again.
    pub sent: usize,
    /// Promotions whose state became final.
    pub finished: usize,
    /// Promotions that could not be sent now and are tried later.
    pub deferred: usize,
}

impl Promoter {
    /// Takes the promoter's own writer. Several may carry out promotions of one org, also in other
    /// processes: what one has sent the others read before they send.
    pub fn new(context: Context, writer: Writer) -> Self {
        Self { context, writer }
    }

    /// Sends or settles open promotions, at most [`MOST_PER_STEP`].
    pub async fn step(&self) -> Result<Progress, WorkflowError> {
        // Those that wait for another try must not stand in the way of the others.
        let (pacing, now) = (&self.context.pacing, self.context.clock.now());
        let most = MOST_PER_STEP + pacing.waiting();
        let mut open = self.context.ledger.open_promotions(most).await?;
        if open.len() < most {
            pacing.keep_only(KIND, &open.iter().map(|promotion| wait_key(&promotion.id)).collect());
        }
        open.retain(|promotion| pacing.is_due(&wait_key(&promotion.id), now));
        open.truncate(MOST_PER_STEP);
        self.advance(open).await
    }

    /// Sends or settles these promotions.
    pub async fn advance(&self, open: Vec<Promotion>) -> Result<Progress, WorkflowError> {
        let mut progress = Progress::default();
        let (making, open): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|promotion| promotion.plan.making.is_some());
        made::advance(&self.context, &self.writer, making, &mut progress).await?;
        // Of a paused object nothing is sent, and its marks cannot be read.
        let (paused, open): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|promotion| self.context.is_paused(promotion.plan.object.as_str()));
        progress.deferred += paused.len();
        // Only a promotion that was sent before can be, or become, one that a void must close.
        let (ready, mut uncertain): (Vec<_>, Vec<_>) = open.into_iter().partition(|promotion| {
            promotion.settlement == Settlement::Intended && settle::approval_holds(&self.context, promotion)
        });
        // What was sent before is read before it is sent again; what it is then, `send` looks up.
        uncertain.extend(ready.iter().filter(|promotion| promotion.attempts > 0).cloned());
        let voids = !uncertain.is_empty();
        progress.finished += settle::read_marks(&self.context, uncertain).await?;
        for (most, group) in by_attempts(ready) {
            for chunk in
                group.chunks(most).take(if most < MOST_PER_STEP { MOST_SMALL_CALLS } else { usize::MAX })
            {
                self.send(chunk.to_vec(), &mut progress).await?;
            }
        }
        if voids {
            self.send_voids(&mut progress).await?;
        }
        Ok(progress)
    }

    /// Sends and settles until all of these have ended, or nobody can say how after many looks.
    /// Another process may be settling the same. Tells how each stands.
    pub async fn finish(
        &self,
        ids: &[PromotionId],
    ) -> Result<BTreeMap<PromotionId, Promotion>, WorkflowError> {
        let mut known = BTreeMap::new();
        let mut pause = LOOK_LEAST;
        for look in 0..LOOKS {
            let found = self.context.ledger.promotions_by_id(ids).await?;
            known = found.into_iter().map(|promotion| (promotion.id.clone(), promotion)).collect();
            let open: Vec<Promotion> =
                known.values().filter(|promotion| !promotion.settlement.is_final()).cloned().collect();
            if open.is_empty() {
                break;
            }
            if look > 0 {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LOOK_MOST);
            }
            self.advance(open).await?;
        }
        Ok(known)
    }

    async fn send(&self, ready: Vec<Promotion>, progress: &mut Progress) -> Result<(), WorkflowError> {
        let mut tx = self.context.ledger.begin("promotions sent").await?;
        tx.look_ahead(ready.iter().map(|promotion| &promotion.id)).await?;
        let brakes = Brakes::read(&mut tx, ready.iter().map(|promotion| &promotion.plan.object)).await?;
        let mut unsent = Vec::with_capacity(ready.len());
        for promotion in ready {
            // Another process, for example `rollback apply`, may have sent it since it was read.
            let promotion = current(&mut tx, &promotion.id).await?;
            if promotion.settlement != Settlement::Intended {
                continue;
            }
            if brakes.stop(&mut tx, &promotion).await? {
                progress.deferred += 1;
            } else {
                unsent.push(promotion);
            }
        }
        let (fresh, rows) = drop_unsendable(&mut tx, &self.context.contracts, unsent, progress).await?;
        if !fresh.is_empty() {
            let ids: Vec<PromotionId> = fresh.iter().map(|promotion| promotion.id.clone()).collect();
            tx.append(&Event::PromotionsSent { promotions: ids }).await?;
        }
        tx.commit().await?;
        if fresh.is_empty() {
            return Ok(());
        }
        progress.sent += fresh.len();
        let outcomes = self.writer.update_by_parent(&rows, &self.parents(&rows).await).await;
        self.record_outcomes(&fresh, outcomes, Reply::Promotion, progress).await
    }

    /// Parents of the rows, where there are more of an object than one collection takes.
    async fn parents(&self, rows: &[RowWrite]) -> BTreeMap<RecordId, RecordId> {
        let mut parents = BTreeMap::new();
        for contract in self.context.governed() {
            let of_object = rows.iter().filter(|row| row.object.as_str() == contract.object);
            let ids: Vec<RecordId> = of_object.map(|row| row.record.clone()).collect();
            if ids.len() > self.writer.batch_rows() {
                parents.extend(self.context.reader.parents(contract, &ids).await);
            }
        }
        parents
    }

    async fn send_voids(&self, progress: &mut Progress) -> Result<(), WorkflowError> {
        let (pacing, now) = (&self.context.pacing, self.context.clock.now());
        let open = self.context.ledger.open_promotions(MOST_PER_STEP + pacing.waiting()).await?;
        let voiding: Vec<Promotion> = open
            .into_iter()
            .filter(|promotion| promotion.plan.making.is_none())
            .filter(|promotion| pacing.is_due(&wait_key(&promotion.id), now))
            .filter(|promotion| matches!(promotion.settlement, Settlement::Voiding { .. }))
            .take(MOST_PER_STEP)
            .collect();
        if voiding.is_empty() {
            return Ok(());
        }
        let ids: Vec<PromotionId> = voiding.iter().map(|promotion| promotion.id.clone()).collect();
        let mut tx = self.context.ledger.begin("voids sent").await?;
        tx.look_ahead(&ids).await?;
        tx.append(&Event::PromotionsSent { promotions: ids }).await?;
        tx.commit().await?;
        let rows: Vec<RowWrite> = voiding.iter().map(stamp::void_row).collect();
        let outcomes = self.writer.update(&rows).await;
        self.record_outcomes(&voiding, outcomes, Reply::Void, progress).await
    }

    async fn record_outcomes(
        &self,
        sent: &[Promotion],
        outcomes: Vec<RowOutcome>,
        kind: Reply,
        progress: &mut Progress,
    ) -> Result<(), WorkflowError> {
        let mut tx = self.context.ledger.begin("promotions settled").await?;
        tx.look_ahead(sent.iter().map(|promotion| &promotion.id)).await?;
        for (promotion, outcome) in sent.iter().zip(outcomes) {
            // Attempts of every process count: a refusal proves something only of a lone copy.
            let promotion = current(&mut tx, &promotion.id).await?;
            let refusal = worth_a_pause(&outcome, &promotion, kind);
            let settlement = settle::after_reply(&promotion, outcome, promotion.attempts, kind);
            let (key, pacing) = (wait_key(&promotion.id), &self.context.pacing);
            match refusal.filter(|_| !settlement.is_final()) {
                Some(code) => pacing.wait(&key, &code, self.context.clock.now()),
                None => pacing.forget(&key),
            }
            let done = settle_if_open(&mut tx, &promotion, settlement).await?;
            if done { progress.finished += 1 } else { progress.deferred += 1 }
        }
        tx.commit().await?;
        Ok(())
    }
}

/// What the names begin with under which promotions wait.
const KIND: &str = "promotion";

/// Under which name a promotion waits.
fn wait_key(id: &PromotionId) -> String {
    format!("{KIND} {id}")
}

/// The code for which the next try waits: what may pass by itself, a void that is refused for good,
/// and what stays without an answer although it goes alone.
fn worth_a_pause(outcome: &RowOutcome, promotion: &Promotion, kind: Reply) -> Option<String> {
    match outcome {
        RowOutcome::Retry { code } | RowOutcome::NotSent { code } => Some(code.clone()),
        RowOutcome::Refused { code, .. } if kind == Reply::Void => Some(code.clone()),
        RowOutcome::Unknown { .. } if most_together(promotion.attempts) == 1 => Some(NO_ANSWER.to_owned()),
        _ => None,
    }
}

/// Promotions by how many may share a call. What stayed without an answer again and again may do so
/// for one row's sake: it goes in smaller and smaller calls, so that the rest lands.
fn by_attempts(ready: Vec<Promotion>) -> BTreeMap<usize, Vec<Promotion>> {
    let mut groups: BTreeMap<usize, Vec<Promotion>> = BTreeMap::new();
    for promotion in ready {
        groups.entry(most_together(promotion.attempts)).or_default().push(promotion);
    }
    groups
}

/// How many may share the next call after so many attempts.
fn most_together(attempts: u64) -> usize {
    match attempts {
        0 | 1 => MOST_PER_STEP,
        2 => 200,
        3 => 40,
        4 => 8,
        _ => 1,
    }
}

/// A proposal whose promotion did not land still has its pending flag: the record is told.
fn failure_notice(promotion: &Promotion, settlement: &Settlement) -> Option<Event> {
    let words = match settlement {
        Settlement::Stale { reason } => format!("stale: {reason}"),
        // A rule's message starts with its code.
        Settlement::Refused { code, message } if message.starts_with(code) => format!("refused: {message}"),
        Settlement::Refused { code, message } => format!("refused: {code}: {message}"),
        Settlement::Conflict { mark } => {
            format!("refused: foreign-mark: the record carries the mark `{mark}`")
        }
        _ => return None,
    };
    let plan = &promotion.plan;
    // What the schedule proposes stands on no record, and a record that was never made cannot be told:
    // there is no flag to take off.
    let on_record = promotion.undoes.is_none() && plan.making.is_none() && plan.basis != Basis::Decay;
    on_record.then(|| Event::NoticeIntended {
        object: plan.object.clone(),
        record: plan.record.clone(),
        proposal_id: plan.proposal_id.clone(),
        text: stamp::fit(&words),
    })
}

/// A promotion that cannot be written down as a row never leaves; it ends here.
async fn drop_unsendable(
    tx: &mut Tx<'_>,
    contracts: &Contracts,
    ready: Vec<Promotion>,
    progress: &mut Progress,
) -> Result<(Vec<Promotion>, Vec<RowWrite>), WorkflowError> {
    let mut rows = Vec::with_capacity(ready.len());
    let mut fresh = Vec::with_capacity(ready.len());
    for promotion in ready {
        if let Some(row) = stamp::promotion_row(contracts, &promotion) {
            rows.push(row);
            fresh.push(promotion);
            continue;
        }
        let settlement = Settlement::Refused {
            code: "lane-unknown".into(),
            message: "the plan names a field that has no lane".into(),
        };
        tx.append(&Event::PromotionSettled { promotion: promotion.id, settlement }).await?;
        progress.finished += 1;
    }
    Ok((fresh, rows))
}

/// A promotion as it stands in this transaction.
pub async fn current(tx: &mut Tx<'_>, id: &PromotionId) -> Result<Promotion, WorkflowError> {
    let found = tx.promotion(id).await?;
    found.ok_or_else(|| WorkflowError::Unexpected(format!("promotion `{id}` is not in the ledger")))
}

/// Appends a settlement unless the promotion has ended meanwhile (its echo can be faster than
/// the reply). `promotion` is as it stands in the transaction. True when it has ended.
pub async fn settle_if_open(
    tx: &mut Tx<'_>,
    promotion: &Promotion,
    settlement: Settlement,
) -> Result<bool, WorkflowError> {
    if promotion.settlement.is_final() {
        return Ok(true);
    }
    let is_final = settlement.is_final();
    let notice = failure_notice(promotion, &settlement);
    let landed = settlement == Settlement::Done;
    if promotion.settlement != settlement {
        tx.append(&Event::PromotionSettled { promotion: promotion.id.clone(), settlement }).await?;
        if let Some(notice) = notice {
            tx.append(&notice).await?;
        }
        if landed {
            undone::tell_stage(tx, promotion).await?;
        }
    }
    Ok(is_final)
}
