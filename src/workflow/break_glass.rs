//! Uses of break-glass, reported: one ledger entry each, a warning and a count.
//!
//! The rules let a break-glass user repair by hand what only the daemon writes, and demand a
//! changed reason and the pending flag in the same save. So an event tells it, and the sweep
//! finds it where the event was lost. Nothing is undone here: it is for people to look at.

use super::{Context, WorkflowError};
use crate::{
    domain::{BreakGlassUse, RecordId, break_glass::Seen, event::Event},
    ledger::Tx,
    salesforce::RecordReading,
};

/// Uses that the ledger knows, since the process started.
pub const BREAK_GLASS_USES: &str = "countersign_break_glass_uses_total";

/// Records the uses that events told of.
pub async fn record(context: &Context, told: &[BreakGlassUse]) -> Result<(), WorkflowError> {
    if told.is_empty() {
        return Ok(());
    }
    let mut tx = context.ledger.begin("break-glass uses recorded").await?;
    let mut new = Vec::new();
    for used in told {
        if append_if_new(&mut tx, used).await? {
            new.push(used);
        }
    }
    tx.commit().await?;
    new.into_iter().for_each(warn);
    Ok(())
}

/// The use that stands on a record which was just read, when the ledger does not know it yet.
/// The caller appends it and warns after the commit.
pub async fn of_reading(
    tx: &mut Tx<'_>,
    reading: &RecordReading,
) -> Result<Option<BreakGlassUse>, WorkflowError> {
    let Some(reason) = &reading.slot.break_glass else { return Ok(None) };
    let snapshot = &reading.snapshot;
    let used = BreakGlassUse {
        object: snapshot.object.clone(),
        record: snapshot.record.clone(),
        by: snapshot.modified_by.clone(),
        at: snapshot.modified_at,
        reason: Some(reason.clone()),
        seen: Seen::Read,
    };
    let known = tx.break_glass_uses(&used.record).await?;
    Ok(Some(used).filter(|used| used.is_news(&known)))
}

async fn append_if_new(tx: &mut Tx<'_>, used: &BreakGlassUse) -> Result<bool, WorkflowError> {
    let known = tx.break_glass_uses(&used.record).await?;
    let news = used.is_news(&known);
    if news {
        tx.append(&Event::BreakGlassUsed { used: used.clone() }).await?;
    }
    Ok(news)
}

/// The reason is a person's words: it stands in the ledger and not in the log.
pub fn warn(used: &BreakGlassUse) {
    let user_id = used.by.as_ref().map_or("unknown", RecordId::as_str);
    tracing::warn!(
        code = "break-glass-used",
        object = %used.object,
        record = %used.record,
        user_id,
        "somebody went around the rules; the reason is in the ledger"
    );
    metrics::counter!(BREAK_GLASS_USES).increment(1);
}
