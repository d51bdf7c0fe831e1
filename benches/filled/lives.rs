//! A ledger of whole lives: proposals that were received, approved, decided, promoted and proven, through
//! the same appends as the daemon's.

use std::{collections::BTreeMap, path::Path};

use countersign::{
    domain::{Promotion, PromotionId, Settlement, Stage, event::Event},
    gate::Rules,
};

use crate::filled::{Made, cases, made, new};

/// Promotions that one request carries.
const PER_REQUEST: usize = 200;
const REQUESTS: usize = 5;

/// A new ledger with so many lives. Each is six entries, and each request is one more.
pub async fn fill(path: &Path, rules: &Rules, wanted: u64) {
    let ledger = new(path).await;
    let cases = cases(rules);
    let (mut place, mut lived) = (0_u64, 0);
    while lived < wanted {
        let mut tx = ledger.begin("filled").await.expect("a transaction");
        tx.keep_policy(rules.digest(), rules.policy()).await.expect("kept");
        let mut sent = Vec::new();
        while sent.len() < PER_REQUEST * REQUESTS && lived < wanted {
            let of = made(&mut tx, &cases[(place % cases.len() as u64) as usize], (rules, place)).await;
            place += 1;
            let Some((id, events)) = begun(of, place) else { continue };
            tx.append_all(&events).await.expect("appended");
            sent.push(id);
            lived += 1;
        }
        for promotions in sent.chunks(PER_REQUEST) {
            let promotions = promotions.to_vec();
            let mut events = vec![Event::PromotionsSent { promotions: promotions.clone() }];
            events.extend(promotions.iter().map(|id| settled(id.clone())));
            events.extend(promotions.into_iter().map(proven));
            tx.append_all(&events).await.expect("appended");
        }
        tx.commit().await.expect("committed");
    }
    ledger.close().await.expect("closed");
}

/// What comes before the first request; `None` where nobody approved, or nothing follows.
fn begun(of: Made, place: u64) -> Option<(PromotionId, [Event; 4])> {
    let Made { proposal, recorded, verdict } = of;
    let (approval, plan) = (recorded.approval.clone()?, verdict.plan.clone()?);
    let id = PromotionId::new(format!("01a2047a-0c48-775b-b554-{place:012x}"));
    let promotion = Promotion {
        id: id.clone(),
        plan,
        attempts: 0,
        settlement: Settlement::Intended,
        undoes: None,
        rollback: None,
        proof: BTreeMap::new(),
    };
    let verdict = Event::VerdictReached {
        proposal_id: proposal.id.clone(),
        stage: Stage::Approved,
        verdict: serde_json::to_value(&verdict).expect("JSON"),
        input: Some(serde_json::to_value(&recorded).expect("JSON")),
    };
    let received = Event::ProposalReceived { proposal };
    let observed = Event::DecisionObserved { approval };
    Some((id, [received, observed, verdict, Event::PromotionIntended { promotion }]))
}

fn settled(promotion: PromotionId) -> Event {
    Event::PromotionSettled { promotion, settlement: Settlement::Done }
}

fn proven(promotion: PromotionId) -> Event {
    let proof = [("by", "echo"), ("commit_number", "1795371468000000000")];
    let proof = proof.map(|(key, text)| (key.to_owned(), text.to_owned()));
    Event::PromotionConfirmed { promotion, proof: BTreeMap::from(proof) }
}
