//! Erasure: private parts of entries that are gone for good, and what stands in their place, so that
//! the rest can still be read.
//!
//! The entries stay as they are. What is deleted is the value and the salt of a commitment; without
//! the salt nobody can try values against it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    approval::Approval,
    ids::{ObjectName, ProposalId, RecordId},
    promotion::{Promotion, Settlement, Stamps},
    proposal::Proposal,
};

/// The word for a text that was erased.
pub const ERASED: &str = "(erased)";

/// What was asked to be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum About {
    /// Everything about a record.
    Record {
        /// Object.
        object: ObjectName,
        /// Record.
        record: RecordId,
    },
    /// Everything about a proposal.
    Proposal {
        /// Which.
        proposal_id: ProposalId,
    },
    /// Everything that ended before a time.
    Before {
        /// When.
        before: Timestamp,
    },
}

/// What was erased, why and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// What was asked for.
    pub about: About,
    /// Who erased it, as told on the command line.
    pub by: String,
    /// On what ground, in words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Number of an entry to the JSON pointers of its parts that are gone.
    pub paths: BTreeMap<String, Vec<String>>,
}

/// What stands at a path of an event whose private part is gone; `None` where nothing has to.
pub fn placeholder(path: &str) -> Option<Value> {
    match path {
        "/proposal/patch" | "/proposal/base" | "/promotion/plan/stamps" => Some(json!({})),
        "/promotion/plan/changes" | "/run/found" => Some(json!([])),
        "/settlement/message"
        | "/settlement/reason"
        | "/text"
        | "/freeze/reason"
        | "/restore/reason"
        | "/rollback/reason"
        | "/act/reason"
        | "/erasure/reason" => Some(ERASED.into()),
        "/signal" => Some(json!({ "kind": ERASED, "source": ERASED, "occurred_at": "1970-01-01T00:00:00Z" })),
        _ => None,
    }
}

/// A proposal without what is private in it.
pub fn mask_proposal(proposal: &mut Proposal) {
    proposal.patch.clear();
    proposal.base.clear();
    proposal.reason = None;
    proposal.evidence.clear();
}

/// A verdict without what is private in it.
pub fn mask_verdict(verdict: &mut Value) {
    if let Some(parts) = verdict.as_object_mut() {
        for part in ["findings", "facts", "plan"] {
            parts.remove(part);
        }
    }
}

/// A decision without what is private in it.
pub fn mask_approval(approval: &mut Approval) {
    approval.comments = None;
}

/// A promotion without what is private in it.
pub fn mask_promotion(promotion: &mut Promotion) {
    promotion.plan.changes.clear();
    promotion.plan.stamps = Stamps::default();
    match &mut promotion.settlement {
        Settlement::Unknown { reason: words }
        | Settlement::Stale { reason: words }
        | Settlement::Voiding { reason: words }
        | Settlement::Refused { message: words, .. } => ERASED.clone_into(words),
        Settlement::Intended
        | Settlement::Sent
        | Settlement::Done
        | Settlement::Gone
        | Settlement::Conflict { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;

    const AT: &str = "2026-05-20T12:00:00Z";
    const RECORD: &str = "00QCs0000000001MAA";

    /// What must be gone from each part stands in quotes that nothing else has.
    fn holds_nothing_private(masked: &impl serde::Serialize) {
        let text = serde_json::to_string(masked).unwrap();
        assert!(!text.contains("PRIVATE"), "{text}");
    }

    fn proposal() -> Proposal {
        let value = json!({ "Status": { "type": "text", "value": "PRIVATE" } });
        serde_json::from_value(json!({
            "id": "p-1", "object": "Lead", "record": RECORD, "patch": value, "base": value,
            "reason": "PRIVATE", "requires_review": false, "actor": { "agent": "night-shift" },
            "door": "record", "received_at": AT,
            "evidence": [{ "kind": "PRIVATE", "source": "mailbox", "occurred_at": AT }]
        }))
        .unwrap()
    }

    #[test]
    fn a_masked_proposal_keeps_who_and_where_and_no_value() {
        let mut masked = proposal();
        mask_proposal(&mut masked);
        holds_nothing_private(&masked);
        let whole = proposal();
        assert_eq!((&masked.id, &masked.record, &masked.actor), (&whole.id, &whole.record, &whole.actor));
        let entry = Event::ProposalReceived { proposal: whole };
        let mut read = serde_json::to_value(&entry).unwrap();
        for path in entry.private_paths() {
            let (parent, key) = path.rsplit_once('/').unwrap();
            let part = read.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
            part.remove(key);
            part.extend(placeholder(path).map(|value| (key.to_owned(), value)));
        }
        let of_entry: Proposal = serde_json::from_value(read["proposal"].take()).unwrap();
        assert_eq!(masked, of_entry, "the projection and the erased entry say the same");
    }

    #[test]
    fn a_masked_verdict_keeps_its_outcome_alone() {
        let mut verdict = json!({ "outcome": "block", "gate": "1", "findings": ["PRIVATE"], "facts": { "a": "PRIVATE" },
            "plan": { "changes": ["PRIVATE"] } });
        mask_verdict(&mut verdict);
        assert_eq!(verdict, json!({ "outcome": "block", "gate": "1" }));
    }

    #[test]
    fn a_masked_decision_keeps_no_words() {
        let mut approval: Approval =
            serde_json::from_value(json!({ "proposal_id": "p-1", "decision": "approved",
            "decided_by": RECORD, "decided_at": AT, "patch_digest": "00", "comments": "PRIVATE" }))
            .unwrap();
        mask_approval(&mut approval);
        holds_nothing_private(&approval);
    }

    #[test]
    fn a_masked_promotion_keeps_its_state_and_no_value() {
        let value = json!({ "type": "text", "value": "PRIVATE" });
        let plan = json!({ "object": "Lead", "record": RECORD, "proposal_id": "p-1", "basis": "auto",
            "changes": [{ "field": "Status", "before": value, "after": value }], "expected_seq": "3",
            "stamps": { "last_signal_source": "PRIVATE" }, "planned_at": AT });
        for settlement in [
            json!({ "state": "unknown", "reason": "PRIVATE" }),
            json!({ "state": "stale", "reason": "PRIVATE" }),
            json!({ "state": "voiding", "reason": "PRIVATE" }),
            json!({ "state": "refused", "code": "c", "message": "PRIVATE" }),
            json!({ "state": "done" }),
        ] {
            let whole = json!({ "id": "m-1", "plan": plan, "attempts": "1", "settlement": settlement });
            let mut masked: Promotion = serde_json::from_value(whole).unwrap();
            mask_promotion(&mut masked);
            holds_nothing_private(&masked);
            assert_eq!(serde_json::to_value(&masked).unwrap()["settlement"]["state"], settlement["state"]);
        }
    }
}
