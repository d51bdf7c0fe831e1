//! Telling a record how its proposal ended, and taking its pending flag off.
//!
//! Clearing the flag could hide a newer proposal that was written in between, so the records
//! are read again after the write: whatever stands there now is considered once more.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, WorkflowError, intake::level, observe, stamp};
use crate::{
    domain::{RecordId, event::Event},
    ledger::NoticeRecord,
    salesforce::{RecordReading, RowOutcome, RowWrite, Writer},
};

/// Most notices in one step, one API call.
pub const MOST_PER_STEP: usize = 1000;

/// Sends open notices. Returns how many ended.
pub async fn step(context: &Context, writer: &Writer) -> Result<usize, WorkflowError> {
    let mut open = context.ledger.open_notices(MOST_PER_STEP).await?;
    open.retain(|notice| !context.is_paused(notice.object.as_str()));
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
        let mut spoken_of: BTreeMap<RecordId, BTreeSet<&str>> = BTreeMap::new();
        for notice in of_object {
            spoken_of.entry(notice.record.clone()).or_default().insert(notice.proposal_id.as_str());
        }
        if spoken_of.is_empty() {
            continue;
        }
        let ids: Vec<RecordId> = spoken_of.keys().cloned().collect();
        let mut moved: Vec<RecordReading> = Vec::new();
        for mut reading in context.reader.retrieve(contract, &ids).await? {
            let told = spoken_of.get(&reading.snapshot.record);
            if told.is_some_and(|told| !speaks_of(told, &reading)) {
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

/// Whether one of the notices is about what stands in the proposal fields now: under its own id,
/// or under the stand-in of what is no proposal.
fn speaks_of(told: &BTreeSet<&str>, reading: &RecordReading) -> bool {
    let current = reading.slot.proposal_id.as_deref();
    let stand_in = observe::stand_in(reading);
    current.is_some_and(|id| told.contains(id)) || stand_in.is_some_and(|id| told.contains(id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::tests::reading;

    fn with_id(id: Option<&str>) -> RecordReading {
        let mut reading = reading();
        reading.slot.proposal_id = id.map(str::to_owned);
        reading
    }

    #[test]
    fn a_notice_is_about_its_own_proposal_only() {
        let told = BTreeSet::from(["p-1"]);
        assert!(speaks_of(&told, &with_id(Some("p-1"))));
        assert!(!speaks_of(&told, &with_id(Some("p-2"))), "a newer proposal asks again");
        assert!(!speaks_of(&told, &with_id(None)), "withdrawn meanwhile");
        assert!(
            speaks_of(&BTreeSet::from(["idle:00QCs0000000001MAA"]), &with_id(None)),
            "it is not told twice"
        );
    }

    #[test]
    fn a_notice_about_no_proposal_hides_none_that_came_after_it() {
        let bad = with_id(Some("not an id!"));
        let stand_in = observe::stand_in(&bad).unwrap();
        let told = BTreeSet::from([stand_in.as_str()]);
        assert!(speaks_of(&told, &bad), "it is not told twice");
        assert!(!speaks_of(&told, &with_id(Some("p-2"))), "a proposal written in between asks");
        assert!(!speaks_of(&told, &with_id(Some("also not an id!"))));
    }

    #[test]
    fn several_notices_about_one_record_all_count() {
        let bad = with_id(Some("not an id!"));
        let stand_in = observe::stand_in(&bad).unwrap();
        let told = BTreeSet::from(["p-1", stand_in.as_str()]);
        assert!(speaks_of(&told, &bad) && speaks_of(&told, &with_id(Some("p-1"))));
    }
}
