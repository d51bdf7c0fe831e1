//! What the watchdogs ask the ledger.

use jiff::{SignedDuration, Timestamp};

use super::{
    tests::{open_at, over_both, proposal, verified},
    *,
};
use crate::{
    clock::Clock,
    domain::{
        Alarm, Stage, Watchdog,
        alarm::{IdleApprovers, Looked},
        event::Event,
    },
};

const START: &str = "2026-05-01T08:00:00Z";

async fn append(ledger: &Ledger, event: Event) {
    let mut tx = ledger.begin("test").await.unwrap();
    tx.append(&event).await.unwrap();
    tx.commit().await.unwrap();
}

async fn waiting(ledger: &Ledger, since: Timestamp) -> (u64, Option<String>) {
    let place = ledger.place_before(since).await.unwrap();
    let waiting = ledger.waiting_since(place).await.unwrap();
    (waiting.count, waiting.oldest.map(|id| id.to_string()))
}

async fn what_waits_for_a_person_is_counted_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START.parse().unwrap());
    let ledger = open_at(folder.path(), clock.clone()).await;
    for (id, stage) in
        [("p-1", Stage::Refused), ("p-2", Stage::AwaitingApproval), ("p-3", Stage::AwaitingApproval)]
    {
        append(&ledger, Event::ProposalReceived { proposal: proposal(id) }).await;
        let verdict = serde_json::json!({});
        let proposal_id = proposal(id).id;
        append(&ledger, Event::VerdictReached { proposal_id, stage, verdict, input: None }).await;
        clock.advance(std::time::Duration::from_mins(60));
    }
    let start: Timestamp = START.parse().unwrap();
    let at = |minutes: i64| start + SignedDuration::from_mins(minutes);
    assert_eq!(waiting(&ledger, at(60)).await, (0, None), "what was refused waits for nobody");
    assert_eq!(waiting(&ledger, at(61)).await, (1, Some("p-2".to_owned())));
    assert_eq!(waiting(&ledger, at(180)).await, (2, Some("p-2".to_owned())));
}

async fn notes_are_read_back_and_are_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START.parse().unwrap());
    let ledger = open_at(folder.path(), clock.clone()).await;
    assert_eq!((ledger.looked().await.unwrap(), ledger.idle_approvers().await.unwrap()), (None, None));
    let before = ledger.length().await.unwrap();
    let looked = Looked { at: clock.now(), alarms: vec![Alarm::new(Watchdog::DiskLow, "9 MB")] };
    let idle = IdleApprovers { at: clock.now(), waiting: 7, idle: 0, first: Vec::new() };
    let mut tx = ledger.begin("test").await.unwrap();
    tx.note_looked(&looked).await.unwrap();
    tx.note_idle_approvers(&idle).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ledger.looked().await.unwrap(), Some(looked));
    assert_eq!(ledger.idle_approvers().await.unwrap(), Some(idle));
    assert_eq!(ledger.length().await.unwrap(), before, "a note is no entry");
    assert_eq!(verified(folder.path()).await.findings, []);
}

over_both!(what_waits_for_a_person_is_counted_by_age, notes_are_read_back_and_are_no_damage);
