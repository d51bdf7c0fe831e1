//! What reconciliation asks the ledger, and what becomes of its lists.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::{
    tests::{append, open, over_both, promotion, proposal, verified},
    *,
};
use crate::domain::{
    Digest, Discrepancy, DiscrepancyKind, FieldName, FieldValue, ObjectName, PromotionId, ProposalId,
    Reconciliation, RecordId, Settlement, Stage,
    erasure::{About, Erasure},
    event::Event,
    reconciliation::Count,
};

fn discrepancy(proposal: &str) -> Discrepancy {
    Discrepancy {
        kind: DiscrepancyKind::Overridden,
        object: ObjectName::parse("Lead").unwrap(),
        record: tests::proposal(proposal).record,
        field: Some(FieldName::parse("Status").unwrap()),
        proposal: Some(proposal.to_owned()),
        promotion: Some(PromotionId::new(format!("of-{proposal}"))),
        code: "changed-by-hand".to_owned(),
        at: Some(Timestamp::UNIX_EPOCH),
        by: None,
        before: Some(FieldValue::text("Working - Contacted")),
        after: Some(FieldValue::text("Canary")),
        words: "words".to_owned(),
        repaired: false,
    }
}

fn run(name: &str, found: Vec<Discrepancy>) -> Reconciliation {
    let count = Count { found: found.len() as u64, repaired: 0 };
    Reconciliation {
        id: Digest::of_bytes(name.as_bytes()),
        at: Timestamp::UNIX_EPOCH,
        ended_at: Timestamp::UNIX_EPOCH,
        reads: Default::default(),
        counts: [(DiscrepancyKind::Overridden, count)].into(),
        rates: Vec::new(),
        rates_days: 90,
        facts: Vec::new(),
        settled: Vec::new(),
        list: Digest::of(&found).unwrap(),
        left_out: 0,
        found,
    }
}

fn reconciled(name: &str, proposal: &str) -> Event {
    Event::Reconciled { run: run(name, vec![discrepancy(proposal)]) }
}

async fn runs_are_read_back_with_and_without_their_lists() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).await;
    assert!(ledger.reconciliations().await.unwrap().is_empty() && ledger.began().await.unwrap().is_none());
    // A proposer may choose the story's name for an id.
    let trap = Event::ProposalReceived { proposal: proposal("reconciliations") };
    append(&ledger, &[trap, reconciled("one", "p-1"), reconciled("two", "p-2")]).await.unwrap();
    let began = ledger.began().await.unwrap().unwrap();
    assert_eq!(began, "2026-05-01T08:00:00Z".parse().unwrap());
    let known = ledger.reconciliations().await.unwrap();
    assert_eq!(known.iter().map(|run| run.found.len()).collect::<Vec<_>>(), [0, 0], "without lists");
    let whole = ledger.reconciliation(&known[1].id).await.unwrap().unwrap();
    assert_eq!(whole, run("two", vec![discrepancy("p-2")]));
    assert_eq!(ledger.reconciliation(&Digest::of_bytes(b"none")).await.unwrap(), None);
    let all = [discrepancy("p-1"), discrepancy("p-2")];
    assert_eq!(ledger.overrides_since(began).await.unwrap(), all, "in the order of the runs");
    let later = began + jiff::SignedDuration::from_secs(1);
    assert!(ledger.overrides_since(later).await.unwrap().is_empty(), "older lists do not count");
    assert_eq!(verified(folder.path()).await.findings, []);
}

async fn a_list_goes_with_what_it_speaks_of() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).await;
    for id in ["p-1", "p-2"] {
        let ended = Event::StageChanged {
            proposal_id: ProposalId::parse(id).unwrap(),
            stage: Stage::Refused,
            code: "test".to_owned(),
            successor: None,
        };
        append(&ledger, &[Event::ProposalReceived { proposal: proposal(id) }, ended]).await.unwrap();
    }
    append(&ledger, &[reconciled("one", "p-1"), reconciled("two", "p-2")]).await.unwrap();
    let erase = async |about: About| {
        let (by, reason) = ("privacy".to_owned(), "they asked".to_owned());
        let asked = Erasure { about, by, reason, at: Timestamp::UNIX_EPOCH, paths: Default::default() };
        let mut tx = ledger.begin("test").await.unwrap();
        tx.erase(asked).await.unwrap();
        tx.commit().await.unwrap();
        let mut left = Vec::new();
        for run in ledger.reconciliations().await.unwrap() {
            left.push(ledger.reconciliation(&run.id).await.unwrap().unwrap().found.len());
        }
        left
    };
    let first = About::Proposal { proposal_id: ProposalId::parse("p-1").unwrap() };
    assert_eq!(erase(first).await, [0, 1], "only the list that speaks of it");
    let record = proposal("p-2").record;
    let other = RecordId::parse(&RecordId::complete("00Q000000000099").unwrap()).unwrap();
    let object = ObjectName::parse("Lead").unwrap();
    assert_eq!(erase(About::Record { object: object.clone(), record: other }).await, [0, 1]);
    assert_eq!(erase(About::Record { object, record }).await, [0, 0]);
    assert!(ledger.reconciliations().await.unwrap().iter().all(Reconciliation::is_erased), "the counts stay");
    append(&ledger, &[reconciled("three", "p-3")]).await.unwrap();
    assert_eq!(erase(About::Before { before: "2027-01-01T00:00:00Z".parse().unwrap() }).await, [0, 0, 0]);
    assert_eq!(verified(folder.path()).await.findings, []);
}

async fn proposals_are_found_by_id_by_stage_and_by_what_was_found_first() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).await;
    let verdict = |id: &str, code: &str| Event::VerdictReached {
        proposal_id: ProposalId::parse(id).unwrap(),
        stage: Stage::AwaitingApproval,
        verdict: json!({ "outcome": "review", "findings": [code], "facts": {} }),
        input: None,
    };
    let refused = Event::SubmissionRefused {
        proposal_id: "p-9".to_owned(),
        code: "proposal-empty".to_owned(),
        fingerprint: None,
    };
    for id in ["p-1", "p-2", "p-3"] {
        append(&ledger, &[Event::ProposalReceived { proposal: proposal(id) }]).await.unwrap();
    }
    append(&ledger, &[verdict("p-1", "first"), verdict("p-1", "second"), refused]).await.unwrap();
    let intended = Event::PromotionIntended { promotion: promotion("m-2", "p-2") };
    let done = Event::PromotionSettled { promotion: PromotionId::new("m-2"), settlement: Settlement::Done };
    append(&ledger, &[intended, done]).await.unwrap();

    let ids = BTreeSet::from(["p-1", "p-2", "p-9", "it's \"none\""]);
    let known = ledger.proposals_by_id(&ids).await.unwrap();
    let stages: Vec<_> = known.iter().map(|(id, known)| (id.as_str(), known.stage)).collect();
    assert_eq!(stages, [("p-1", Stage::AwaitingApproval), ("p-2", Stage::Promoted)]);
    assert_eq!(ledger.refused_ids(&ids).await.unwrap(), BTreeSet::from(["p-9".to_owned()]));
    let first = ledger.first_findings(&["p-1", "p-2"]).await.unwrap();
    assert_eq!(first, [("p-1".to_owned(), json!(["first"]))].into());

    let page = ledger.open_proposals(0, 1).await.unwrap();
    assert_eq!(page[0].proposal.id.as_str(), "p-1");
    let rest = ledger.open_proposals(page[0].received_seq, 9).await.unwrap();
    assert_eq!(rest.iter().map(|known| known.proposal.id.as_str()).collect::<Vec<_>>(), ["p-3"]);
    assert_eq!(ledger.proposals_after(0, 9).await.unwrap().len(), 3, "also those that ended");
}

over_both!(
    runs_are_read_back_with_and_without_their_lists,
    a_list_goes_with_what_it_speaks_of,
    proposals_are_found_by_id_by_stage_and_by_what_was_found_first,
);
