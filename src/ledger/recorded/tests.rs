//! Verdicts read back in pages: the same as entry by entry, whatever stands in them.

use serde_json::json;

use super::*;
use crate::{
    domain::{
        Approval, ProposalId, RecordId,
        digest::canonical,
        erasure::{About, Erasure},
    },
    ledger::tests::{open, proposal},
};

/// Every control character, a quote, a backslash and letters of other planes.
fn hard() -> String {
    (0..0x20_u8).map(char::from).chain("\"\\\u{7f}é\u{1f600}".chars()).collect()
}

fn id(place: usize) -> ProposalId {
    ProposalId::parse(&format!("p-{place}")).unwrap()
}

fn verdict(place: usize) -> Value {
    let (outcome, policy) = (["block", "review"][place % 2], Digest::of_bytes(&[1]));
    let mut verdict = json!({
        "outcome": outcome, "gate": "1", "policy": policy, "input": Digest::of_bytes(&[2]), "patch": "",
        "findings": [{ "code": "x", "message": hard() }], "facts": { hard(): hard() },
    });
    match place % 3 {
        0 => verdict["plan"] = json!({ "record": hard() }),
        1 => drop(verdict.as_object_mut().unwrap().remove("findings")),
        _ => {}
    }
    verdict
}

fn input(place: usize) -> Option<Value> {
    (place % 4 != 3).then(|| json!({ "told": [hard(), place.to_string()] }))
}

/// A ledger with so many decided proposals; the third one is approved, the fourth is erased.
async fn decided(folder: &std::path::Path, wanted: usize) -> Ledger {
    let ledger = open(folder).await;
    let mut tx = ledger.begin("test").await.unwrap();
    for place in 0..wanted {
        let proposal = Proposal { id: id(place), reason: Some(hard()), ..proposal("x") };
        tx.append(&Event::ProposalReceived { proposal: proposal.clone() }).await.unwrap();
        if place == 2 {
            let approval = Approval {
                proposal_id: id(place),
                decision: Decision::Approved,
                decided_by: RecordId::parse("005000000000002AAA").unwrap(),
                decided_at: Timestamp::UNIX_EPOCH,
                patch_digest: proposal.patch_digest().unwrap(),
                comments: Some(hard()),
            };
            tx.append(&Event::DecisionObserved { approval }).await.unwrap();
        }
        let (verdict, input) = (verdict(place), input(place));
        let stage = Stage::Refused;
        tx.append(&Event::VerdictReached { proposal_id: id(place), stage, verdict, input }).await.unwrap();
    }
    let asked = Erasure {
        about: About::Proposal { proposal_id: id(4) },
        by: "privacy".to_owned(),
        reason: "a test".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        paths: BTreeMap::new(),
    };
    tx.erase(asked).await.unwrap();
    tx.commit().await.unwrap();
    ledger
}

#[tokio::test]
async fn pages_of_any_size_hold_every_verdict_as_it_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = decided(folder.path(), 7).await;
    for span in [1, 2, 3, 7, 100] {
        let (mut after, mut place) = (0, 0);
        for page in pages(&ledger, 0, (Depth::Whole, span)).await {
            assert!(page.len() <= span as usize && !page.is_empty());
            for row in 0..page.len() {
                let found = page.verdict(row).unwrap();
                assert!(found.seq > after);
                after = found.seq;
                same(&found, place);
                place += 1;
            }
            assert_eq!(page.last(), after);
            assert!(page.verdict(page.len()).is_err(), "there is none after the last");
        }
        assert_eq!(place, 7, "{span}");
    }
}

/// Every page after a place.
async fn pages(ledger: &Ledger, after: u64, how: (Depth, u32)) -> Vec<RecordedPage> {
    let (pages, mut next) = mpsc::channel(100);
    ledger.verdicts(after, how, &pages).await.unwrap();
    drop(pages);
    let mut all = Vec::new();
    while let Some(page) = next.recv().await {
        all.push(page);
    }
    all
}

#[tokio::test]
async fn reading_starts_after_a_place_and_goes_beyond_one_statement() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = decided(folder.path(), 80).await;
    let seqs = |pages: &[RecordedPage]| -> Vec<u64> {
        let rows = pages.iter().flat_map(|page| (0..page.len()).map(|row| page.verdict(row).unwrap().seq));
        rows.collect()
    };
    let all = seqs(&pages(&ledger, 0, (Depth::Outcome, 1_000)).await);
    assert_eq!(all.len(), 80);
    assert!(
        ledger.length().await.unwrap() > 3 * PAGES_IN_ONE,
        "one statement is not enough for pages of three"
    );
    for after in [0, 1, 30, all[20], all[79] - 1, all[79], all[79] + 1] {
        let expected: Vec<u64> = all.iter().copied().filter(|seq| *seq > after).collect();
        for span in [1, 3] {
            assert_eq!(
                seqs(&pages(&ledger, after, (Depth::Outcome, span)).await),
                expected,
                "{after} {span}"
            );
        }
    }
}

#[tokio::test]
async fn reading_ends_when_nobody_wants_more() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = decided(folder.path(), 7).await;
    let (pages, next) = mpsc::channel(1);
    drop(next);
    ledger.verdicts(0, (Depth::Whole, 1), &pages).await.unwrap();
}

fn same(found: &RecordedVerdict<'_>, place: usize) {
    let is_erased = place == 4;
    assert_eq!(found.proposal().unwrap().id, id(place));
    assert_eq!((found.stage, found.decided), (Stage::Refused, (place == 2).then_some(Decision::Approved)));
    let (whole, told) = (found.verdict().unwrap(), found.told().unwrap());
    assert_eq!((whole.1, told.is_erased), (is_erased, is_erased), "{place}");
    assert_eq!(told.text(), canonical(&whole.0).unwrap());
    if is_erased {
        assert_eq!((whole.0.get("facts"), told.part("facts")), (None, None));
        assert_eq!(found.input::<Value>().unwrap(), None);
    } else {
        assert_eq!(whole.0, verdict(place));
        assert_eq!(found.input::<Value>().unwrap(), input(place));
    }
    assert_eq!(told.part("gate"), Some("\"1\""));
}

#[tokio::test]
async fn the_outcome_alone_comes_with_what_it_rested_on() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = decided(folder.path(), 5).await;
    let [page] = &pages(&ledger, 0, (Depth::Outcome, 100)).await[..] else { panic!("one page") };
    for place in 0..5 {
        let found = page.verdict(place).unwrap();
        let outcome: (String, bool) = found.outcome().unwrap();
        assert_eq!(outcome, (["block", "review"][place % 2].to_owned(), place == 4));
        assert_eq!(found.input::<Value>().unwrap(), if place == 4 { None } else { input(place) });
    }
}
