//! What the watchdogs find in a ledger, by a clock that the test moves.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::*;
use crate::{
    config::timetable::Timetable,
    domain::{
        Digest, Freeze, Scope,
        event::Event,
        job::{DONE, Job, JobEnd},
    },
    ledger::OpenOptions,
};

const START: &str = "2026-05-01T08:00:00Z";
const MINUTE: Duration = Duration::from_mins(1);

fn watch() -> WatchSettings {
    WatchSettings {
        every_seconds: 60,
        job_late_minutes: 120,
        growth_times: 10,
        entries_per_day: 50,
        silent_hours: 24,
        disk_free_mb: 0,
    }
}

fn limits(plans: Vec<Plan>) -> Limits {
    Limits { watch: watch(), stuck_after: SignedDuration::from_hours(72), plans, heartbeat: None }
}

fn drift_hourly() -> Vec<Plan> {
    let timetable = Timetable::parse("10 * * * *", TimeZone::UTC).unwrap();
    vec![Plan { job: Job::Drift, timetable: Some(timetable) }]
}

async fn ledger(folder: &std::path::Path) -> (Ledger, Clock) {
    let clock = Clock::manual(START.parse().unwrap());
    let options = OpenOptions {
        place: folder.join("ledger.db").into(),
        org_id: "00D000000000001EAA".to_owned(),
        clock: clock.clone(),
        create: true,
    };
    let ledger = Ledger::open(options).await.unwrap();
    ledger.lead("1", &Digest::of(&"rules").unwrap()).await.unwrap();
    (ledger, clock)
}

async fn told(ledger: &Ledger, limits: &Limits, clock: &Clock) -> Vec<String> {
    look(ledger, limits, clock.now()).await.unwrap().iter().map(Alarm::to_string).collect()
}

/// Runs the newest slot of the job with this result.
async fn runs(ledger: &Ledger, clock: &Clock, result: &str) {
    let slot = drift_hourly()[0].timetable.as_ref().unwrap().newest(clock.now()).unwrap();
    let run = ledger.claim_slot((Job::Drift, slot), ("test", clock.now())).await.unwrap().unwrap();
    let end = JobEnd { at: clock.now(), result: result.to_owned(), counts: Default::default() };
    ledger.end_job(&run, end).await.unwrap();
}

#[tokio::test]
async fn a_job_that_is_late_hangs_or_was_given_up_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, clock) = ledger(folder.path()).await;
    let limits = limits(drift_hourly());
    clock.advance(130 * MINUTE);
    assert_eq!(told(&ledger, &limits, &clock).await, Vec::<String>::new(), "08:10 may wait until 10:10");
    clock.advance(MINUTE);
    let overdue = "job-overdue: drift was due at 2026-05-01T08:10:00Z and was not begun";
    assert_eq!(told(&ledger, &limits, &clock).await, [overdue]);
    // The slots that were missed are one.
    runs(&ledger, &clock, DONE).await;
    assert_eq!(told(&ledger, &limits, &clock).await, Vec::<String>::new());
    // 10:10 was served, so 11:10 is next, and may wait until 13:10.
    clock.advance(179 * MINUTE);
    assert_eq!(told(&ledger, &limits, &clock).await, Vec::<String>::new());
    clock.advance(MINUTE);
    assert_eq!(told(&ledger, &limits, &clock).await.len(), 1);
    for wait in [0, 10, 20] {
        clock.advance(wait * MINUTE);
        assert!(!told(&ledger, &limits, &clock).await.iter().any(|told| told.starts_with("job-failed")));
        runs(&ledger, &clock, "salesforce-unavailable").await;
    }
    let failed = "job-failed: drift failed its last try for 2026-05-01T13:10:00Z (salesforce-unavailable) \
                  and rests until its next slot";
    assert_eq!(told(&ledger, &limits, &clock).await, [failed]);
    let next = clock.now();
    ledger.claim_slot((Job::Drift, next), ("test", next)).await.unwrap().unwrap();
    assert_eq!(told(&ledger, &limits, &clock).await, Vec::<String>::new(), "it runs");
    clock.advance(121 * MINUTE);
    let hangs = told(&ledger, &limits, &clock).await;
    assert!(hangs.len() == 1 && hangs[0].ends_with("and has not ended"), "{hangs:?}");
}

#[tokio::test]
async fn a_day_with_more_entries_than_the_limit_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, clock) = ledger(folder.path()).await;
    for count in 0..60 {
        let mut tx = ledger.begin("test").await.unwrap();
        let freeze = Freeze {
            scope: Scope::Agent(format!("agent-{count}")),
            reason: "test".to_owned(),
            by: "test".to_owned(),
            since: clock.now(),
        };
        tx.append(&Event::Frozen { freeze }).await.unwrap();
        tx.commit().await.unwrap();
    }
    clock.advance(1000 * MINUTE);
    let grown = told(&ledger, &limits(Vec::new()), &clock).await;
    assert!(grown.len() == 1 && grown[0].starts_with("ledger-growth: 6"), "{grown:?}");
    clock.advance(1000 * MINUTE);
    assert_eq!(told(&ledger, &limits(Vec::new()), &clock).await, Vec::<String>::new(), "a day later");
}

#[tokio::test]
async fn a_full_disk_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, clock) = ledger(folder.path()).await;
    let mut limits = limits(Vec::new());
    limits.watch.disk_free_mb = u64::MAX;
    let full = told(&ledger, &limits, &clock).await;
    assert!(full.len() == 1 && full[0].starts_with("disk-low: "), "{full:?}");
}

#[test]
fn what_begins_and_what_ends_is_told_one_time() {
    let board = Board::default();
    let alarm = |code| Alarm::new(code, "found");
    let (begun, ended) = board.put(vec![alarm(Watchdog::DiskLow), alarm(Watchdog::JobFailed)]);
    assert_eq!((begun.len(), ended.len()), (2, 0));
    assert_eq!(board.lines(), ["disk-low: found", "job-failed: found"]);
    let (begun, ended) = board.put(vec![alarm(Watchdog::JobFailed), alarm(Watchdog::JobFailed)]);
    assert_eq!((begun.len(), ended), (0, BTreeSet::from([Watchdog::DiskLow])));
}

#[test]
fn a_daemon_that_has_not_looked_for_long_is_silent() {
    let limits = limits(Vec::new());
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    let looked = Looked { at: at(0), alarms: Vec::new() };
    assert_eq!(silent(Some(&looked), &limits, at(240)), None);
    assert!(silent(Some(&looked), &limits, at(241)).is_some());
    assert!(silent(None, &limits, at(0)).is_some());
}

async fn watched(ledger: &Ledger, clock: &Clock) {
    let mut tx = ledger.begin("test").await.unwrap();
    tx.note_looked(&Looked { at: clock.now(), alarms: Vec::new() }).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn after_a_long_silence_nothing_runs_by_itself_until_a_person_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, clock) = ledger(folder.path()).await;
    let limits = limits(Vec::new());
    let wake = async || silence::wake(&ledger, &limits, clock.now()).await.unwrap();
    assert!(!wake().await, "nobody has watched it yet");
    watched(&ledger, &clock).await;
    clock.advance(24 * 60 * MINUTE - Duration::from_secs(1));
    assert!(!wake().await, "not long enough");
    clock.advance(Duration::from_secs(1));
    assert!(wake().await);
    let frozen = ledger.freezes().await.unwrap();
    assert_eq!((frozen.len(), &frozen[0].scope), (1, &Scope::Automatic));
    assert!(frozen[0].reason.contains("for 24 h, since 2026-05-01T08:00:00Z"), "{}", frozen[0].reason);
    assert!(told(&ledger, &limits, &clock).await[0].starts_with("review-only: "));
    assert!(!wake().await, "it woke before");
    // Who lifts it at once does not meet it again, whatever happens to the daemon meanwhile.
    let mut tx = ledger.begin("test").await.unwrap();
    let lifted = Event::Unfrozen { scope: Scope::Automatic, by: "test".to_owned(), at: clock.now() };
    tx.append(&lifted).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!wake().await);
    assert_eq!(told(&ledger, &limits, &clock).await, Vec::<String>::new());
    let mut never = limits.clone();
    never.watch.silent_hours = 0;
    clock.advance(1_000_000 * MINUTE);
    assert!(!silence::wake(&ledger, &never, clock.now()).await.unwrap());
}
