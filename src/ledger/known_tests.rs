//! What decisions ask the ledger besides proposals: counts, freezes, signals, kept rules.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::{
    tests::{open_at, over_both, promotion, proposal, verified},
    *,
};
use crate::{
    clock::Clock,
    config::policies,
    domain::{
        Basis, Digest, Evidence, Freeze, ObjectName, ProposalId, Scope,
        event::Event,
        policy::{CountKey, Counted, Per},
    },
};

const START: &str = "2026-05-01T08:00:00Z";

fn start() -> Timestamp {
    START.parse().unwrap()
}

async fn append(ledger: &Ledger, event: Event) {
    let mut tx = ledger.begin("test").await.unwrap();
    tx.append(&event).await.unwrap();
    tx.commit().await.unwrap();
}

async fn count(ledger: &Ledger, (of, per): (Counted, Per), whose: &str, now: Timestamp) -> Decimal {
    let key = CountKey { of, per, whose: whose.into(), minutes: 60.into() };
    let mut tx = ledger.begin("test").await.unwrap();
    tx.count(&ObjectName::parse("Lead").unwrap(), &key, now).await.unwrap()
}

/// Three proposals and two automatic promotions, twenty minutes apart from each other.
async fn story(folder: &std::path::Path) -> (Ledger, Clock) {
    let clock = Clock::manual(start());
    let ledger = open_at(folder, clock.clone()).await;
    for place in 0..3 {
        let mut one = proposal(&format!("p-{place}"));
        one.actor.agent = if place == 2 { "another-agent".into() } else { "test-agent".into() };
        append(&ledger, Event::ProposalReceived { proposal: one }).await;
        if place < 2 {
            let mut promotion = promotion(&format!("m-{place}"), &format!("p-{place}"));
            promotion.plan.basis = if place == 0 { Basis::Auto } else { Basis::Approved };
            let settled = Event::PromotionSettled {
                promotion: promotion.id.clone(),
                settlement: crate::domain::Settlement::Gone,
            };
            append(&ledger, Event::PromotionIntended { promotion }).await;
            append(&ledger, settled).await;
        }
        clock.advance(std::time::Duration::from_mins(20));
    }
    (ledger, clock)
}

async fn counts_are_of_the_last_minutes_and_of_whom_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, clock) = story(folder.path()).await;
    let now = clock.now();
    let record = proposal("x").record.to_string();
    for (what, whose, expected) in [
        ((Counted::Proposals, Per::Agent), "test-agent", 2),
        ((Counted::Proposals, Per::Agent), "another-agent", 1),
        ((Counted::Proposals, Per::Agent), "nobody", 0),
        ((Counted::Proposals, Per::Lane), "Status", 3),
        ((Counted::Proposals, Per::Lane), "Rating", 0),
        ((Counted::Proposals, Per::Record), record.as_str(), 3),
        ((Counted::Proposals, Per::Object), "Lead", 3),
        ((Counted::Promotions, Per::Object), "Lead", 1),
        ((Counted::Promotions, Per::Agent), "test-agent", 1),
        ((Counted::Promotions, Per::Agent), "another-agent", 0),
    ] {
        assert_eq!(count(&ledger, what, whose, now).await, Decimal::from(expected), "{what:?} {whose}");
    }
    // An hour ago from then on the first one has left the hour.
    let later = now + SignedDuration::from_mins(1);
    assert_eq!(count(&ledger, (Counted::Proposals, Per::Object), "Lead", later).await, Decimal::TWO);
    assert_eq!(count(&ledger, (Counted::Promotions, Per::Object), "Lead", later).await, Decimal::ZERO);
    let long_after = now + SignedDuration::from_hours(9);
    assert_eq!(count(&ledger, (Counted::Proposals, Per::Object), "Lead", long_after).await, Decimal::ZERO);
}

async fn the_place_before_a_moment_is_found_at_both_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = story(folder.path()).await;
    let length = ledger.length().await.unwrap();
    assert_eq!(ledger.place_before(start()).await.unwrap(), 0);
    assert_eq!(ledger.place_before(start() + SignedDuration::from_mins(1)).await.unwrap(), 3);
    assert_eq!(ledger.place_before(start() + SignedDuration::from_hours(9)).await.unwrap(), length);
}

async fn ids_that_look_like_other_stories_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open_at(folder.path(), Clock::manual(start())).await;
    let policy = policies::load(None).unwrap();
    let digest = policy.digest().unwrap();
    let record = proposal("x").record;
    // The longest id is too short for a digest; a refused one may be any text.
    let looks = [format!("basis:{digest}"), "freeze:".to_owned(), format!("signal:{record}")];
    for id in looks {
        let code = "proposal-id-malformed".to_owned();
        append(&ledger, Event::SubmissionRefused { proposal_id: id, code, fingerprint: None }).await;
    }
    for id in ["basis:x".to_owned(), "freeze:".to_owned(), format!("signal:{record}")] {
        let mut own = proposal("x");
        own.id = ProposalId::parse(&id).unwrap();
        append(&ledger, Event::ProposalReceived { proposal: own }).await;
    }
    let mut tx = ledger.begin("test").await.unwrap();
    assert_eq!(tx.freezes().await.unwrap(), []);
    assert!(!tx.any_signal().await.unwrap());
    assert_eq!(tx.signals(&record).await.unwrap(), []);
    tx.keep_policy(&digest, &policy).await.unwrap();
    tx.keep_policy(&digest, &policy).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ledger.length().await.unwrap(), 7, "kept once, whatever else bears its name");
    let basis = ledger.basis().await.unwrap();
    assert_eq!(basis.policies.into_keys().collect::<Vec<Digest>>(), [digest]);
    let report = verified(folder.path()).await;
    assert_eq!(report.findings, []);
}

async fn freezes_and_signals_come_back_as_they_were_told() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open_at(folder.path(), Clock::manual(start())).await;
    let freeze = Freeze {
        scope: Scope::parse("agent:test-agent").unwrap(),
        since: start(),
        by: "Pat Example".into(),
        reason: "odd values".into(),
    };
    append(&ledger, Event::Frozen { freeze: freeze.clone() }).await;
    assert_eq!(ledger.freezes().await.unwrap(), std::slice::from_ref(&freeze));
    let lifted = Event::Unfrozen { scope: freeze.scope, by: "Pat Example".into(), at: start() };
    append(&ledger, lifted).await;
    assert_eq!(ledger.freezes().await.unwrap(), []);

    let (object, record) = (proposal("x").object, proposal("x").record);
    let told = |kind: usize| Evidence {
        kind: format!("kind-{kind}"),
        source: "mailbox".into(),
        occurred_at: start(),
        link: None,
        digest: None,
    };
    for kind in 0..103 {
        let (object, record, signal) = (object.clone(), record.clone(), told(kind));
        append(&ledger, Event::SignalReceived { object, record, signal, by: "mail-sync".into() }).await;
    }
    let mut tx = ledger.begin("test").await.unwrap();
    assert!(tx.any_signal().await.unwrap());
    let signals = tx.signals(&record).await.unwrap();
    assert_eq!((signals.len(), &signals[0], &signals[99]), (100, &told(3), &told(102)));
}

async fn what_was_worked_on_leaves_the_inbox_by_age_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open_at(folder.path(), Clock::manual(start())).await;
    let mut tx = ledger.begin("test").await.unwrap();
    for days in [40, 40, 1] {
        let batch = InboxBatch {
            id: 0,
            topic: "/data/ExampleChannel__chn".to_owned(),
            received_at: start() - SignedDuration::from_hours(24 * days),
            events: 1,
            payload: b"response".to_vec(),
        };
        tx.record_batch(&batch).await.unwrap();
    }
    tx.mark_processed(1).await.unwrap();
    tx.commit().await.unwrap();
    let limit = start() - SignedDuration::from_hours(24 * 30);
    for (processed, gone, left) in [(1, 1, 2), (3, 1, 1), (3, 0, 1)] {
        let mut tx = ledger.begin("test").await.unwrap();
        tx.mark_processed(processed).await.unwrap();
        assert_eq!(tx.prune_inbox(limit).await.unwrap(), gone, "worked on up to {processed}");
        tx.commit().await.unwrap();
        let report = verified(folder.path()).await;
        assert_eq!((report.batches, report.findings), (left, vec![]));
    }
}

over_both!(
    what_was_worked_on_leaves_the_inbox_by_age_and_the_rest_stays,
    counts_are_of_the_last_minutes_and_of_whom_they_are_asked_for,
    the_place_before_a_moment_is_found_at_both_ends,
    ids_that_look_like_other_stories_change_nothing,
    freezes_and_signals_come_back_as_they_were_told
);
