//! Finding out what became of a write: from its reply, or by reading the record's mark.
//!
//! A negative end is only ever written when no copy of the request can still land: nothing was
//! sent before this attempt, or a void write has moved the record's number on. `gone` is no such
//! end: it says that the record cannot be seen, not that nothing landed before it went. A proof that
//! arrives later is recorded beside it.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive as _;

use super::{
    Context, WorkflowError,
    promote::{current, settle_if_open},
};
use crate::{
    domain::{Promotion, RecordId, RecordState, Settlement, event::Event},
    salesforce::{RecordReading, RowOutcome, names},
};

/// What Salesforce answers to a write to a converted lead.
const CONVERTED: &str = "CANNOT_UPDATE_CONVERTED_LEAD";

/// Which request a reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The promotion itself.
    Promotion,
    /// The void write that closes it.
    Void,
}

/// What a reply proves. `attempt` counts from 1.
pub fn after_reply(promotion: &Promotion, outcome: RowOutcome, attempt: u64, kind: Reply) -> Settlement {
    match (kind, outcome) {
        (Reply::Promotion, RowOutcome::Done) => Settlement::Done,
        (Reply::Void, RowOutcome::Done) => Settlement::Stale { reason: voided_reason(promotion) },
        (Reply::Promotion, outcome) => after_promotion_reply(outcome, attempt),
        // A converted lead takes no write of ours any more, so no copy of the promotion either.
        (Reply::Void, RowOutcome::Refused { code, .. }) if code == CONVERTED => {
            Settlement::Stale { reason: format!("{}; the lead was converted", voided_reason(promotion)) }
        }
        // A void without a clear yes proves nothing: the record is read, and the void sent again.
        (Reply::Void, _) => Settlement::Voiding { reason: voided_reason(promotion) },
    }
}

fn after_promotion_reply(outcome: RowOutcome, attempt: u64) -> Settlement {
    let first = attempt <= 1;
    match outcome {
        RowOutcome::Done => Settlement::Done,
        RowOutcome::RaceLost { code, message } if first => {
            // The org's messages start with their code.
            let reason = if message.starts_with(&code) { message } else { format!("{code}: {message}") };
            Settlement::Stale { reason }
        }
        // Approval or proposal changed under us: what was decided does not hold any more.
        RowOutcome::Refused { message, rule: Some(rule), .. } if first && rule.is_lost_ground() => {
            Settlement::Stale { reason: message }
        }
        RowOutcome::Refused { code, message, .. } if first => Settlement::Refused { code, message },
        RowOutcome::Gone { .. } => Settlement::Gone,
        // Provably not applied: the same request is sent again later, under the same mark.
        RowOutcome::Retry { .. } | RowOutcome::NotSent { .. } => Settlement::Intended,
        other => Settlement::Unknown { reason: describe(&other) },
    }
}

fn describe(outcome: &RowOutcome) -> String {
    match outcome {
        RowOutcome::Done => "done".to_owned(),
        RowOutcome::Refused { code, message, .. } | RowOutcome::RaceLost { code, message } => {
            format!("refused {code}: {message}")
        }
        RowOutcome::Retry { code } | RowOutcome::NotSent { code } | RowOutcome::Gone { code } => code.clone(),
        RowOutcome::Unknown { reason } => reason.clone(),
    }
}

fn voided_reason(promotion: &Promotion) -> String {
    match &promotion.settlement {
        Settlement::Voiding { reason } => reason.clone(),
        _ => "closed by a void write".to_owned(),
    }
}

/// Reads the marks of promotions whose outcome is not known and appends what they prove.
/// Returns how many ended.
pub async fn read_marks(context: &Context, uncertain: Vec<Promotion>) -> Result<usize, WorkflowError> {
    let mut finished = 0;
    for contract in context.governed() {
        let of_object: Vec<&Promotion> =
            uncertain.iter().filter(|promotion| promotion.plan.object.as_str() == contract.object).collect();
        if of_object.is_empty() {
            continue;
        }
        let ids: Vec<RecordId> = of_object.iter().map(|promotion| promotion.plan.record.clone()).collect();
        let read = async { Ok(context.reader.retrieve(contract, &ids).await?) };
        let Some(readings) = context.unless_paused((contract, None), read).await? else { continue };
        let mut tx = context.ledger.begin("marks read").await?;
        tx.look_ahead(of_object.iter().map(|promotion| &promotion.id)).await?;
        for (promotion, reading) in of_object.into_iter().zip(readings) {
            let promotion = current(&mut tx, &promotion.id).await?;
            if promotion.settlement.is_final() {
                continue;
            }
            let settlement = after_read(&promotion, &reading, approval_holds(context, &promotion));
            let by_mark = settlement == Settlement::Done;
            if settle_if_open(&mut tx, &promotion, settlement).await? {
                finished += 1;
            }
            if by_mark {
                let proof = read_proof(&reading);
                tx.append(&Event::PromotionConfirmed { promotion: promotion.id.clone(), proof }).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(finished)
}

/// What the record proves about a promotion whose outcome is not known.
pub fn after_read(promotion: &Promotion, reading: &RecordReading, approval_holds: bool) -> Settlement {
    let plan = &promotion.plan;
    let record = &reading.snapshot;
    let mark = record.last_promotion.as_deref();
    if matches!(record.state, RecordState::Missing | RecordState::Deleted) {
        return Settlement::Gone;
    }
    if mark == Some(promotion.id.as_str()) {
        return Settlement::Done;
    }
    if mark == Some(promotion.id.void_mark().as_str()) {
        return Settlement::Stale { reason: voided_reason(promotion) };
    }
    if record.promotion_seq > plan.expected_seq {
        return Settlement::Conflict { mark: mark.unwrap_or_default().to_owned() };
    }
    if matches!(promotion.settlement, Settlement::Voiding { .. }) {
        // Once it is to be closed it is not sent again, whatever the values are now.
        return promotion.settlement.clone();
    }
    let moved: Vec<String> = plan
        .changes
        .iter()
        .filter(|change| record.value(&change.field) != Some(&change.before))
        .map(|change| change.field.to_string())
        .collect();
    let reason = if !moved.is_empty() {
        format!("the base moved: {}", moved.join(", "))
    } else if !approval_holds {
        "the approval is too old".to_owned()
    } else if let Settlement::Unknown { reason } = &promotion.settlement
        && reason.starts_with("refused ")
    {
        reason.clone()
    } else {
        // Nothing landed, everything still holds: the same request again, under the same mark.
        return Settlement::Intended;
    };
    if promotion.attempts == 0 {
        return Settlement::Stale { reason };
    }
    Settlement::Voiding { reason }
}

/// A promotion is sent, or sent again, only while its approval is fresh.
pub fn approval_holds(context: &Context, promotion: &Promotion) -> bool {
    let plan = &promotion.plan;
    let Some(policy) = context.rules.policy().objects.get(&plan.object) else { return false };
    let age = context.clock.now().duration_since(plan.planned_at);
    policy
        .approval_max_age_minutes
        .to_i64()
        .is_some_and(|minutes| age.as_secs() <= minutes.saturating_mul(60))
}

/// Proof of landing from a read.
pub fn read_proof(reading: &RecordReading) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("by".to_owned(), "read".to_owned()),
        (names::PROMOTION_SEQ.to_owned(), reading.snapshot.promotion_seq.to_string()),
        ("modified_at".to_owned(), reading.snapshot.modified_at.to_string()),
    ])
}
