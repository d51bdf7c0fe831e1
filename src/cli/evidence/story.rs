//! One promotion as an auditor asks about it, gathered from the story of its proposal.

use serde_json::Value;

use crate::{
    domain::{Basis, Promotion, erasure::ERASED},
    ledger::{ProposalRecord, StoredEntry},
};

/// One field's change, in words.
pub struct Moved {
    pub field: String,
    pub before: String,
    pub after: String,
}

/// A promotion and all that stands behind it.
pub struct Told {
    pub promotion: String,
    pub proposal: String,
    pub object: String,
    pub record: String,
    /// When it was intended; its entry and that entry's hash.
    pub at: String,
    pub seq: String,
    pub hash: String,
    pub basis: &'static str,
    pub state: &'static str,
    pub undoes: String,
    /// Who proposed, through which door, and in which words.
    pub agent: String,
    pub door: String,
    pub reason: String,
    pub evidence: Vec<String>,
    pub moved: Vec<Moved>,
    /// Codes of what the gate found, and the rules that it judged by.
    pub findings: Vec<String>,
    pub policy: String,
    pub approved_by: String,
    pub approved_at: String,
    pub comments: String,
    /// How it is known that it landed.
    pub proof: String,
}

/// Gathers it. The verdict and the decision are the last ones before the intent.
pub fn tell(promotion: &Promotion, record: Option<ProposalRecord>, entries: &[StoredEntry]) -> Told {
    let id = promotion.id.to_string();
    let is_intent = |one: &&StoredEntry| {
        one.entry.kind == "promotion_intended" && text(&one.event, "/promotion/id") == id
    };
    let intent = entries.iter().find(is_intent);
    let place = intent.and_then(|one| one.entry.seq.parse::<u64>().ok()).unwrap_or(u64::MAX);
    let before = |kind: &str| {
        let earlier = |one: &&StoredEntry| {
            one.entry.kind == kind && one.entry.seq.parse::<u64>().is_ok_and(|seq| seq < place)
        };
        entries.iter().rev().find(earlier).map(|one| one.event.clone()).unwrap_or_default()
    };
    let (verdict, decision) = (before("verdict_reached"), before("decision_observed"));
    let is_approved = promotion.plan.basis == Basis::Approved;
    let of_decision = |pointer: &str| if is_approved { text(&decision, pointer) } else { String::new() };
    let proposal = record.map(|record| record.proposal);
    let evidence = proposal.iter().flat_map(|proposal| &proposal.evidence);
    let moved = promotion.plan.changes.iter().map(|change| Moved {
        field: change.field.to_string(),
        before: change.before.to_string(),
        after: change.after.to_string(),
    });
    let mut moved: Vec<Moved> = moved.collect();
    if moved.is_empty() {
        let erased = || ERASED.to_owned();
        moved.push(Moved { field: erased(), before: erased(), after: erased() });
    }
    let proof = promotion.proof.iter().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>();
    Told {
        promotion: id,
        proposal: promotion.plan.proposal_id.to_string(),
        object: promotion.plan.object.to_string(),
        record: promotion.plan.record.to_string(),
        at: intent.map_or_else(String::new, |one| one.entry.at.clone()),
        seq: intent.map_or_else(String::new, |one| one.entry.seq.clone()),
        hash: intent.map_or_else(String::new, |one| one.hash.to_string()),
        basis: match promotion.plan.basis {
            Basis::Approved => "approved by a person",
            Basis::Auto => "allowed by the rules alone",
            Basis::Rollback => "undoes an earlier one",
            Basis::Decay => "decayed by the schedule",
        },
        state: promotion.settlement.name(),
        undoes: promotion.undoes.as_ref().map_or_else(String::new, ToString::to_string),
        agent: proposal.as_ref().map_or_else(String::new, |proposal| proposal.actor.agent.clone()),
        door: text(&before("proposal_received"), "/proposal/door"),
        reason: proposal.as_ref().and_then(|proposal| proposal.reason.clone()).unwrap_or_default(),
        evidence: evidence
            .map(|one| format!("{} from {} at {}", one.kind, one.source, one.occurred_at))
            .collect(),
        moved,
        findings: codes(&verdict),
        policy: text(&verdict, "/verdict/policy"),
        approved_by: of_decision("/approval/decided_by"),
        approved_at: of_decision("/approval/decided_at"),
        comments: of_decision("/approval/comments"),
        proof: proof.join(", "),
    }
}

fn text(event: &Value, pointer: &str) -> String {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn codes(verdict: &Value) -> Vec<String> {
    let findings = verdict.pointer("/verdict/findings").and_then(Value::as_array);
    findings.into_iter().flatten().map(|finding| text(finding, "/code")).collect()
}
