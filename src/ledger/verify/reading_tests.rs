//! What is read is told as it stands: values without an entry, what cannot be read, what was erased, and
//! texts with the character that parts columns.

use std::collections::BTreeMap;

use super::{
    tests::{after, received, sample},
    *,
};
use crate::{
    domain::{
        Approval, Decision, Digest, ProposalId, Stage,
        erasure::{About, Erasure},
        event::Event,
    },
    ledger::tests,
};

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|damage| damage.code).collect()
}

/// A value that belongs to no entry does not hide those of the entries behind it.
#[tokio::test]
async fn what_is_missing_is_all_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let copy = sample(folder.path()).await;
    let gone = after(
        &copy,
        "PRAGMA foreign_keys = OFF; DROP TRIGGER entry_is_not_removed; DELETE FROM entry WHERE seq = 2",
    )
    .await;
    let told = codes(&gone);
    assert!(told.contains(&"chain-gap") && told.contains(&"private-stray"), "{told:?}");
    assert!(!told.contains(&"private-missing"), "{told:?}");
    assert_eq!(told.iter().filter(|code| **code == "private-stray").count(), 1, "{told:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_so_is_what_stands_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let copy = received(folder.path(), 1000).await;
    let no_text = "UPDATE private SET value = CAST(x'ff' AS TEXT) WHERE seq = 900; \
                   UPDATE private SET value = '\"\"' WHERE seq = 7";
    let report = after(&copy, no_text).await;
    let told = codes(&report);
    assert!(told.contains(&"ledger-unreadable") && told.contains(&"private-changed"), "{told:?}");
    assert!((7..900).contains(&report.entries), "{}", report.entries);
}

#[tokio::test]
async fn what_was_erased_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = tests::open(folder.path()).await;
    tests::story(&ledger).await;
    let first = About::Proposal { proposal_id: ProposalId::parse("p-1").unwrap() };
    let (by, reason) = ("privacy".to_owned(), "a test".to_owned());
    let at = jiff::Timestamp::UNIX_EPOCH;
    let verdict = serde_json::json!({ "outcome": "block", "facts": { "a": "1" }, "findings": [] });
    let of_second = ProposalId::parse("p-2").unwrap();
    let approval = Approval {
        proposal_id: of_second.clone(),
        decision: Decision::Approved,
        decided_by: tests::proposal("p-2").record,
        decided_at: at,
        patch_digest: Digest::of_bytes(b"patch"),
        comments: Some("words".to_owned()),
    };
    let more = [
        Event::ProposalReceived { proposal: tests::proposal("p-2") },
        Event::VerdictReached {
            proposal_id: of_second.clone(),
            stage: Stage::Refused,
            verdict,
            input: Some("now".into()),
        },
        Event::DecisionObserved { approval },
    ];
    tests::append(&ledger, &more).await.unwrap();
    for about in [first, About::Proposal { proposal_id: of_second }] {
        let (by, reason) = (by.clone(), reason.clone());
        let mut tx = ledger.begin("test").await.unwrap();
        tx.erase(Erasure { about, by, reason, at, paths: BTreeMap::new() }).await.unwrap();
        tx.commit().await.unwrap();
    }
    let copy = folder.path().join("copy.db");
    ledger.copy_to(&copy).await.unwrap();
    let report = verify_file(&copy).await.unwrap();
    assert_eq!((report.erasures, report.findings), (2, vec![]));
    assert!(report.private_erased > 8, "{}", report.private_erased);
}

/// What parts columns on the way from the database may stand in a text of an agent.
#[tokio::test]
async fn what_parts_columns_may_stand_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = tests::open(folder.path()).await;
    tests::story(&ledger).await;
    let of = tests::proposal("p-1");
    let notice = |text: &str| Event::NoticeIntended {
        object: of.object.clone(),
        record: of.record.clone(),
        proposal_id: of.id.clone(),
        text: text.to_owned(),
    };
    tests::append(&ledger, &[notice("two\u{1f}parts\u{1f}")]).await.unwrap();
    let copy = folder.path().join("copy.db");
    ledger.copy_to(&copy).await.unwrap();
    assert_eq!(verify_file(&copy).await.unwrap().findings, []);
    let moved = "UPDATE notice SET record = record || char(31) || 'two', text = 'parts' || char(31)";
    assert_eq!(codes(&after(&copy, moved).await), ["projection-differs"]);
    // Nothing is not the same as an empty text, and a place that is none is told as such.
    for (sql, code) in [
        ("UPDATE proposal SET approval = ''", "projection-differs"),
        ("UPDATE proposal SET verdict = char(31)", "projection-differs"),
        ("DROP TRIGGER entry_is_not_changed; UPDATE entry SET proposal = '' WHERE seq = 1", "entry-columns"),
        ("DROP TRIGGER entry_is_not_changed; UPDATE entry SET kind = kind || char(31)", "entry-columns"),
    ] {
        let found = codes(&after(&copy, sql).await);
        assert!(found.contains(&code), "{sql}: {found:?}");
    }
}
