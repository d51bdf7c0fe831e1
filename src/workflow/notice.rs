//! Telling a record how its proposal ended, and taking its pending flag off.
//!
//! Clearing the flag could hide a newer proposal that was written in between, so the records
//! are read again after the write: whatever stands there now is considered once more.

use std::collections::BTreeMap;

use super::{Context, WorkflowError, intake::level, stamp};
use crate::{
    domain::{RecordId, event::Event},
    ledger::NoticeRecord,
    salesforce::{RecordReading, RowOutcome, RowWrite, Writer},
};

/// Most notices in one step, one API call.
pub const MOST_PER_STEP: usize = 1000;

/// Sends open notices. Returns how many ended.
pub async fn step(context: &Context, writer: &Writer) -> Result<usize, WorkflowError> {
    let open = context.ledger.open_notices(MOST_PER_STEP).await?;
    if open.is_empty() {
        return Ok(0);
    }
    let rows: Vec<RowWrite> =
        open.iter().map(|notice| stamp::notice_row(&notice.object, &notice.record, &notice.text)).collect();
    let outcomes = writer.update(&rows).await;
    read_again(context, &open).await?;
    let mut ended = 0;
    let mut tx = context.ledger.begin("notices settled").await?;
    for (notice, outcome) in open.iter().zip(outcomes) {
        let Some(result) = result_of(&outcome) else { continue };
        tx.append(&Event::NoticeSettled { proposal_id: notice.proposal_id.clone(), result }).await?;
        ended += 1;
    }
    tx.commit().await?;
    Ok(ended)
}

/// `None` keeps the notice open: it is safe to send twice.
fn result_of(outcome: &RowOutcome) -> Option<String> {
    match outcome {
        RowOutcome::Done => Some("done".to_owned()),
        RowOutcome::Refused { code, .. } | RowOutcome::RaceLost { code, .. } | RowOutcome::Gone { code } => {
            Some(code.clone())
        }
        RowOutcome::Retry { .. } | RowOutcome::NotSent { .. } | RowOutcome::Unknown { .. } => None,
    }
}

async fn read_again(context: &Context, sent: &[NoticeRecord]) -> Result<(), WorkflowError> {
    for contract in context.governed() {
        let of_object = sent.iter().filter(|notice| notice.object.as_str() == contract.object);
        let spoken_of: BTreeMap<RecordId, &str> =
            of_object.map(|notice| (notice.record.clone(), notice.proposal_id.as_str())).collect();
        if spoken_of.is_empty() {
            continue;
        }
        let ids: Vec<RecordId> = spoken_of.keys().cloned().collect();
        let mut moved: Vec<RecordReading> = Vec::new();
        for mut reading in context.reader.retrieve(contract, &ids).await? {
            let told = spoken_of.get(&reading.snapshot.record).copied();
            let is_other = reading.slot.proposal_id.as_deref() != told;
            if is_other && !told.is_some_and(|id| id.starts_with("unreadable:")) {
                // Our own write may have taken this proposal's flag: it asks all the same.
                reading.slot.pending = true;
                moved.push(reading);
            }
        }
        if !moved.is_empty() {
            level(context, contract, &moved, &BTreeMap::new()).await?;
        }
    }
    Ok(())
}
