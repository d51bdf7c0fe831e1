//! Telling a record how its proposal ended, and taking its pending flag off.
//!
//! Clearing the flag could hide a newer proposal that was written in between. So the records are
//! read first, and a newer proposal that stands there is considered before anything is written; the
//! write then names the proposal that was read, and the org refuses it over any other one
//! (`AI_GATE_22`), also when it arrives late.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, WorkflowError, intake::level, observe, stamp};
use crate::{
    domain::{RecordId, RecordState, event::Event},
    ledger::NoticeRecord,
    salesforce::{RecordReading, RowOutcome, RowWrite, Writer},
};

/// Most notices in one step, one API call.
pub const MOST_PER_STEP: usize = 1000;

/// What the names begin with under which notices wait.
const KIND: &str = "notice";

/// A notice whose record was read.
struct Telling {
    notice: NoticeRecord,
    row: RowWrite,
    /// The record is neither gone nor converted.
    is_live: bool,
}

/// Sends open notices. Returns how many ended.
pub async fn step(context: &Context, writer: &Writer) -> Result<usize, WorkflowError> {
    let (pacing, now) = (&context.pacing, context.clock.now());
    let most = MOST_PER_STEP + pacing.waiting();
    let mut open = context.ledger.open_notices(most).await?;
    if open.len() < most {
        pacing.keep_only(KIND, &open.iter().map(wait_key).collect());
    }
    open.retain(|notice| !context.is_paused(notice.object.as_str()) && pacing.is_due(&wait_key(notice), now));
    open.truncate(MOST_PER_STEP);
    if open.is_empty() {
        return Ok(0);
    }
    let tellings = read_first(context, open).await?;
    let rows: Vec<RowWrite> = tellings.iter().map(|telling| telling.row.clone()).collect();
    let outcomes = writer.update(&rows).await;
    let mut ended = 0;
    let mut tx = context.ledger.begin("notices settled").await?;
    for (Telling { notice, is_live, .. }, outcome) in tellings.iter().zip(outcomes) {
        let Some(result) = result_of(&outcome, *is_live) else {
            if let Some(code) = refusal(&outcome) {
                pacing.wait(&wait_key(notice), code, now);
            }
            continue;
        };
        pacing.forget(&wait_key(notice));
        tx.append(&Event::NoticeSettled { proposal_id: notice.proposal_id.clone(), result }).await?;
        ended += 1;
    }
    tx.commit().await?;
    Ok(ended)
}

/// `None` keeps the notice open: it is safe to send twice. A refusal ends it only where the record takes
/// no write any more. On any other record it is tried again after growing pauses: a notice that ended
/// would be written down anew at each sweep, for the flag still stands.
fn result_of(outcome: &RowOutcome, is_live: bool) -> Option<String> {
    match outcome {
        RowOutcome::Done => Some("done".to_owned()),
        _ if is_live => None,
        _ => refusal(outcome).map(str::to_owned),
    }
}

/// The code with which the org refused it; none where nobody knows what became of it.
fn refusal(outcome: &RowOutcome) -> Option<&str> {
    match outcome {
        RowOutcome::Refused { code, .. }
        | RowOutcome::RaceLost { code, .. }
        | RowOutcome::Gone { code }
        | RowOutcome::Retry { code }
        | RowOutcome::NotSent { code } => Some(code),
        RowOutcome::Done | RowOutcome::Unknown { .. } => None,
    }
}

/// Under which name a notice waits.
fn wait_key(notice: &NoticeRecord) -> String {
    format!("{KIND} {}", notice.proposal_id)
}

/// Reads the records of the notices, considers what none of them speaks of, and gives each notice
/// with its row. An object that nobody governs any more has no rows; its notices stay open.
async fn read_first(context: &Context, open: Vec<NoticeRecord>) -> Result<Vec<Telling>, WorkflowError> {
    let mut tellings = Vec::with_capacity(open.len());
    for contract in context.governed() {
        let of_object: Vec<&NoticeRecord> =
            open.iter().filter(|notice| notice.object.as_str() == contract.object).collect();
        if of_object.is_empty() {
            continue;
        }
        let mut told: BTreeMap<RecordId, BTreeSet<&str>> = BTreeMap::new();
        for notice in &of_object {
            told.entry(notice.record.clone()).or_default().insert(notice.proposal_id.as_str());
        }
        let ids: Vec<RecordId> = told.keys().cloned().collect();
        let found = context.reader.retrieve(contract, &ids).await?;
        let newer = found.iter().filter(|reading| {
            told.get(&reading.snapshot.record).is_some_and(|told| !speaks_of(told, reading))
        });
        let newer: Vec<RecordReading> = newer.cloned().map(asking).collect();
        if !newer.is_empty() {
            level(context, contract, &newer, &BTreeMap::new()).await?;
        }
        let found: BTreeMap<&RecordId, &RecordReading> =
            found.iter().map(|reading| (&reading.snapshot.record, reading)).collect();
        for notice in of_object {
            tellings.extend(found.get(&notice.record).map(|reading| Telling {
                notice: notice.clone(),
                row: stamp::notice_row(reading, &notice.text),
                is_live: reading.snapshot.state == RecordState::Live,
            }));
        }
    }
    Ok(tellings)
}

/// A proposal asks also when its flag is off: a notice may have taken it.
fn asking(mut reading: RecordReading) -> RecordReading {
    reading.slot.pending = true;
    reading
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
