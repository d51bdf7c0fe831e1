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
    for most in [1, 2, 3, 7, 100] {
        let (mut after, mut place) = (0, 0);
        while let Some(page) = ledger.verdicts(after, (Depth::Whole, most)).await.unwrap() {
            assert!(page.len() <= most as usize && !page.is_empty());
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
        assert_eq!(place, 7);
    }
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
    let page = ledger.verdicts(0, (Depth::Outcome, 100)).await.unwrap().unwrap();
    for place in 0..5 {
        let found = page.verdict(place).unwrap();
        let outcome: (String, bool) = found.outcome().unwrap();
        assert_eq!(outcome, (["block", "review"][place % 2].to_owned(), place == 4));
        assert_eq!(found.input::<Value>().unwrap(), if place == 4 { None } else { input(place) });
    }
    let last = page.last();
    assert!(ledger.verdicts(last, (Depth::Outcome, 100)).await.unwrap().is_none());
}
