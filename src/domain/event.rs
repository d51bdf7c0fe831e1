//! The events that the ledger is made of. Every stage, queue and report is a fold over them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    anchor::Anchor,
    approval::Approval,
    break_glass::BreakGlassUse,
    decay::DecayRun,
    digest::Digest,
    erasure::Erasure,
    evidence::Evidence,
    freeze::{Freeze, Scope},
    ids::{ObjectName, PromotionId, ProposalId, RecordId},
    policy::Policy,
    promotion::{Promotion, Settlement},
    proposal::{Proposal, Stage},
    reconciliation::Reconciliation,
    restore::Restore,
    rollback::Rollback,
    schema::ObjectSchema,
};

/// One fact. Its JSON holds no numbers; values of records and words of people sit only
/// at the paths that [`Event::private_paths`] names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A process became the ledger's writer.
    Started {
        /// Version of countersign.
        version: String,
        /// Digest of the policy in force.
        policy: Digest,
    },
    /// A proposal came in, with the base that it was first seen against.
    ProposalReceived {
        /// The proposal.
        proposal: Proposal,
    },
    /// A submission was refused at the door (a reused id with another body, for example).
    SubmissionRefused {
        /// The id that was given.
        proposal_id: String,
        /// Stable code.
        code: String,
        /// Fingerprint of what was sent, when it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fingerprint: Option<Digest>,
    },
    /// How a submission by command landed on the record: `done`, or the error's code.
    SubmissionSettled {
        /// Which proposal.
        proposal_id: ProposalId,
        /// `done`, or a code.
        result: String,
    },
    /// The gate decided. `verdict` is [`crate::gate::Verdict`] as JSON, kept as it was.
    VerdictReached {
        /// Which proposal.
        proposal_id: ProposalId,
        /// The stage that follows.
        stage: Stage,
        /// The whole verdict.
        verdict: Value,
        /// What it rested on besides proposal, policy and schema: [`crate::gate::Recorded`] as JSON.
        /// Absent in entries of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<Value>,
    },
    /// Rules that verdicts rest on, once for each digest.
    PolicyRecorded {
        /// The rules.
        policy: Policy,
    },
    /// What the org says about an object, once for each digest that verdicts rest on.
    SchemaRecorded {
        /// The object as it was described.
        schema: ObjectSchema,
    },
    /// A person's decision was read from the platform.
    DecisionObserved {
        /// The decision.
        approval: Approval,
    },
    /// A proposal moved without a verdict of its own (superseded, expired, stale).
    StageChanged {
        /// Which proposal.
        proposal_id: ProposalId,
        /// The new stage.
        stage: Stage,
        /// Stable code of the reason.
        code: String,
        /// The proposal that took its place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        successor: Option<ProposalId>,
    },
    /// A write is about to be made: the before-image and the whole plan.
    PromotionIntended {
        /// The promotion in state `intended`.
        promotion: Promotion,
    },
    /// A send of these promotions starts now. Committed before the request leaves.
    PromotionsSent {
        /// Which promotions.
        promotions: Vec<PromotionId>,
    },
    /// What is known about a promotion after a reply or a read.
    PromotionSettled {
        /// Which promotion.
        promotion: PromotionId,
        /// How it stands.
        settlement: Settlement,
    },
    /// Proof that it landed, from the echo event or a later read.
    PromotionConfirmed {
        /// Which promotion.
        promotion: PromotionId,
        /// For example `by`, `transaction_key`, `commit_number`.
        proof: BTreeMap<String, String>,
    },
    /// A notice (pending flag off, outcome in words) is about to be written to a record.
    NoticeIntended {
        /// Object.
        object: ObjectName,
        /// Record.
        record: RecordId,
        /// The proposal that it speaks of.
        proposal_id: ProposalId,
        /// The outcome in words, starting with a stable code.
        text: String,
    },
    /// How a notice ended: `done`, or the error's code.
    NoticeSettled {
        /// The proposal that it spoke of.
        proposal_id: ProposalId,
        /// `done`, or a code.
        result: String,
    },
    /// Somebody used break-glass.
    BreakGlassUsed {
        /// Who, when, where and why.
        used: BreakGlassUse,
    },
    /// A system told what happened on a record.
    SignalReceived {
        /// Object.
        object: ObjectName,
        /// Record.
        record: RecordId,
        /// What happened.
        signal: Evidence,
        /// Which system, as told on the command line.
        by: String,
    },
    /// People stopped something.
    Frozen {
        /// What, since when, by whom and why.
        freeze: Freeze,
    },
    /// People let it go on.
    Unfrozen {
        /// What.
        scope: Scope,
        /// Who, as told on the command line.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// People accepted a ledger that is not the one its checkpoints speak of.
    RestoreAccepted {
        /// What they accepted.
        restore: Restore,
    },
    /// A checkpoint is about to be written into the org.
    AnchorIntended {
        /// What it says.
        anchor: Anchor,
    },
    /// How that ended: `done`, or the error's code.
    AnchorSettled {
        /// What it says.
        anchor: Anchor,
        /// `done`, or a code.
        result: String,
    },
    /// People erased private parts of earlier entries.
    Erased {
        /// What, why and by whom.
        erasure: Erasure,
    },
    /// People put back what was promoted.
    RollbackBegun {
        /// Who, why, and what was shown.
        rollback: Rollback,
    },
    /// A rollback came to its end.
    RollbackEnded {
        /// Which one.
        rollback: Digest,
        /// How many promotions ended how: `restored`, `conflicted`, `failed`.
        counts: BTreeMap<String, String>,
    },
    /// Stale states are about to move back; their proposals follow.
    DecayAnnounced {
        /// What, by whom and from when on.
        run: DecayRun,
    },
    /// A decay run came to its end.
    DecayEnded {
        /// Which one.
        run: Digest,
        /// How many records ended how: `moved`, `spared`, `held`, `conflicted`, `failed`.
        counts: BTreeMap<String, String>,
    },
    /// Org and ledger were compared.
    Reconciled {
        /// What was read, found and repaired.
        run: Reconciliation,
    },
    /// The event stream could not be resumed; everything pending was read again.
    StreamReset {
        /// Topic.
        topic: String,
        /// Stable code of the reason.
        code: String,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// The kind's name as it is stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::ProposalReceived { .. } => "proposal_received",
            Self::SubmissionRefused { .. } => "submission_refused",
            Self::SubmissionSettled { .. } => "submission_settled",
            Self::VerdictReached { .. } => "verdict_reached",
            Self::PolicyRecorded { .. } => "policy_recorded",
            Self::SchemaRecorded { .. } => "schema_recorded",
            Self::DecisionObserved { .. } => "decision_observed",
            Self::StageChanged { .. } => "stage_changed",
            Self::PromotionIntended { .. } => "promotion_intended",
            Self::PromotionsSent { .. } => "promotions_sent",
            Self::PromotionSettled { .. } => "promotion_settled",
            Self::PromotionConfirmed { .. } => "promotion_confirmed",
            Self::NoticeIntended { .. } => "notice_intended",
            Self::NoticeSettled { .. } => "notice_settled",
            Self::BreakGlassUsed { .. } => "break_glass_used",
            Self::SignalReceived { .. } => "signal_received",
            Self::Frozen { .. } => "frozen",
            Self::Unfrozen { .. } => "unfrozen",
            Self::RestoreAccepted { .. } => "restore_accepted",
            Self::AnchorIntended { .. } => "anchor_intended",
            Self::AnchorSettled { .. } => "anchor_settled",
            Self::Erased { .. } => "erased",
            Self::RollbackBegun { .. } => "rollback_begun",
            Self::RollbackEnded { .. } => "rollback_ended",
            Self::DecayAnnounced { .. } => "decay_announced",
            Self::DecayEnded { .. } => "decay_ended",
            Self::Reconciled { .. } => "reconciled",
            Self::StreamReset { .. } => "stream_reset",
        }
    }

    /// JSON pointers to the parts that hold record values or people's words. The ledger
    /// keeps them beside the chain, as salted commitments, so that they can be erased.
    pub fn private_paths(&self) -> &'static [&'static str] {
        match self {
            Self::ProposalReceived { .. } => {
                &["/proposal/patch", "/proposal/base", "/proposal/reason", "/proposal/evidence"]
            }
            Self::VerdictReached { .. } => {
                &["/verdict/findings", "/verdict/facts", "/verdict/plan", "/input"]
            }
            Self::DecisionObserved { .. } => &["/approval/comments"],
            Self::PromotionIntended { .. } => &["/promotion/plan/changes", "/promotion/plan/stamps"],
            Self::PromotionSettled { .. } => &["/settlement/message", "/settlement/reason"],
            Self::NoticeIntended { .. } => &["/text"],
            Self::BreakGlassUsed { .. } => &["/used/reason"],
            Self::SignalReceived { .. } => &["/signal"],
            Self::Frozen { .. } => &["/freeze/reason"],
            Self::RestoreAccepted { .. } => &["/restore/reason"],
            Self::Erased { .. } => &["/erasure/reason"],
            Self::RollbackBegun { .. } => &["/rollback/reason"],
            Self::Reconciled { .. } => &["/run/found"],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const AT: &str = "2026-05-20T12:00:00Z";
    const RECORD: &str = "00QCs0000000001MAA";

    /// An event as JSON with all its parts, and the parts that can be erased.
    type Told = (Value, &'static [&'static str]);

    /// What a proposal goes through.
    fn of_proposals() -> Vec<Told> {
        let proposal = json!({
            "id": "p-1", "object": "Lead", "record": RECORD, "patch": { "Status": { "type": "text", "value": "Won" } },
            "base": { "Status": { "type": "null" } }, "reason": "they answered", "requires_review": false,
            "actor": { "agent": "night-shift" }, "door": "record", "received_at": AT,
            "evidence": [{ "kind": "reply", "source": "mailbox", "occurred_at": AT }]
        });
        vec![
            (json!({ "kind": "started", "version": "1", "policy": "00" }), &[]),
            (
                json!({ "kind": "proposal_received", "proposal": proposal }),
                &["/proposal/patch", "/proposal/base", "/proposal/reason", "/proposal/evidence"],
            ),
            (
                json!({ "kind": "submission_refused", "proposal_id": "p-1", "code": "c", "fingerprint": "00" }),
                &[],
            ),
            (json!({ "kind": "submission_settled", "proposal_id": "p-1", "result": "done" }), &[]),
            (
                json!({ "kind": "verdict_reached", "proposal_id": "p-1", "stage": "refused", "input": {},
                    "verdict": { "outcome": "block", "findings": [], "facts": {}, "plan": {} } }),
                &["/verdict/findings", "/verdict/facts", "/verdict/plan", "/input"],
            ),
            (json!({ "kind": "policy_recorded", "policy": { "objects": {} } }), &[]),
            (
                json!({ "kind": "schema_recorded", "schema": { "object": "Lead", "fields": {}, "auto_allowed": [] } }),
                &[],
            ),
            (
                json!({ "kind": "decision_observed", "approval": { "proposal_id": "p-1", "decision": "approved",
                    "decided_by": RECORD, "decided_at": AT, "patch_digest": "00", "comments": "fine" } }),
                &["/approval/comments"],
            ),
            (
                json!({ "kind": "stage_changed", "proposal_id": "p-1", "stage": "stale", "code": "c", "successor": "p-2" }),
                &[],
            ),
        ]
    }

    /// What promotions, records, people and the stream do.
    fn of_the_rest() -> Vec<Told> {
        let plan = json!({
            "object": "Lead", "record": RECORD, "proposal_id": "p-1", "basis": "auto", "changes": [],
            "expected_seq": "3", "stamps": { "last_signal_source": "mailbox" }, "planned_at": AT
        });
        let freeze = json!({ "scope": "org", "since": AT, "by": "somebody", "reason": "odd values" });
        vec![
            (
                json!({ "kind": "promotion_intended", "promotion": { "id": "m-1", "plan": plan, "attempts": "0",
                    "settlement": { "state": "intended" } } }),
                &["/promotion/plan/changes", "/promotion/plan/stamps"],
            ),
            (json!({ "kind": "promotions_sent", "promotions": ["m-1"] }), &[]),
            (
                json!({ "kind": "promotion_settled", "promotion": "m-1",
                    "settlement": { "state": "refused", "code": "c", "message": "words of the org" } }),
                &["/settlement/message"],
            ),
            (
                json!({ "kind": "promotion_settled", "promotion": "m-1",
                    "settlement": { "state": "stale", "reason": "a value" } }),
                &["/settlement/reason"],
            ),
            (json!({ "kind": "promotion_confirmed", "promotion": "m-1", "proof": { "by": "u" } }), &[]),
            (
                json!({ "kind": "notice_intended", "object": "Lead", "record": RECORD, "proposal_id": "p-1", "text": "t" }),
                &["/text"],
            ),
            (json!({ "kind": "notice_settled", "proposal_id": "p-1", "result": "done" }), &[]),
            (
                json!({ "kind": "break_glass_used",
                    "used": { "object": "Lead", "record": RECORD, "at": AT, "reason": "r", "seen": "event" } }),
                &["/used/reason"],
            ),
            (
                json!({ "kind": "signal_received", "object": "Lead", "record": RECORD, "by": "phone",
                    "signal": { "kind": "call", "source": "phone", "occurred_at": AT } }),
                &["/signal"],
            ),
            (json!({ "kind": "frozen", "freeze": freeze }), &["/freeze/reason"]),
            (json!({ "kind": "unfrozen", "scope": "org", "by": "somebody", "at": AT }), &[]),
            (
                json!({ "kind": "decay_announced", "run": { "id": "00", "at": AT, "by": "the schedule",
                    "runs_from": AT, "policy": "00", "totals": { "Lead: B > A (general)": "1" } } }),
                &[],
            ),
            (json!({ "kind": "decay_ended", "run": "00", "counts": { "moved": "1" } }), &[]),
            (reconciled(), &["/run/found"]),
            (json!({ "kind": "anchor_intended", "anchor": { "size": "3", "root": "r", "at": AT } }), &[]),
            (
                json!({ "kind": "anchor_settled", "anchor": { "size": "3", "root": "r", "at": AT }, "result": "done" }),
                &[],
            ),
            (json!({ "kind": "stream_reset", "topic": "t", "code": "c", "at": AT }), &[]),
        ]
    }

    fn reconciled() -> Value {
        let tally = json!({ "by": "agent", "name": "night-shift", "stands": "1", "edited": "0", "rejected": "0",
            "overtaken": "0", "overridden": "1", "undone": "0" });
        json!({ "kind": "reconciled", "run": { "id": "00", "at": AT, "ended_at": AT, "rates": [tally], "rates_days": "90",
            "reads": { "Lead": { "since": AT, "at": AT, "way": "bulk", "records": "7" } },
            "counts": { "overridden": { "found": "1", "repaired": "0" } }, "list": "00", "left_out": "0",
            "found": [{ "kind": "overridden", "object": "Lead", "record": RECORD, "field": "Status", "proposal": "p-1",
                "promotion": "m-1", "code": "changed-by-hand", "at": AT, "by": RECORD,
                "before": { "type": "text", "value": "Won" }, "after": { "type": "null" }, "words": "w",
                "repaired": false }] } })
    }

    /// What people do with the ledger, and with many promotions.
    fn of_people() -> Vec<Told> {
        let words = json!({ "by": "somebody", "reason": "they asked for it", "at": AT });
        let with = |more: Value| {
            let mut all = words.clone();
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        vec![
            (
                json!({ "kind": "restore_accepted",
                    "restore": with(json!({ "agreed": "3", "lost": "5", "root": "r" })) }),
                &["/restore/reason"],
            ),
            (
                json!({ "kind": "erased", "erasure": with(json!({ "paths": { "3": ["/text"] },
                    "about": { "what": "proposal", "proposal_id": "p-1" } })) }),
                &["/erasure/reason"],
            ),
            (
                json!({ "kind": "rollback_begun", "rollback": with(json!({ "id": "00",
                    "chosen": { "agent": "night-shift" }, "steps": [{ "promotion": "m-1", "fields": ["Status"] }] })) }),
                &["/rollback/reason"],
            ),
            (json!({ "kind": "rollback_ended", "rollback": "00", "counts": { "restored": "1" } }), &[]),
        ]
    }

    fn events() -> Vec<Told> {
        [of_proposals(), of_the_rest(), of_people()].concat()
    }

    #[test]
    fn the_kind_is_the_one_that_stands_in_the_entry() {
        let mut kinds = std::collections::BTreeSet::new();
        for (json, _) in events() {
            let event: Event = serde_json::from_value(json.clone()).unwrap_or_else(|e| panic!("{json}: {e}"));
            assert_eq!(json["kind"], event.kind());
            assert_eq!(serde_json::to_value(&event).unwrap(), json, "nothing is lost");
            kinds.insert(event.kind());
        }
        assert_eq!(kinds.len(), 29);
    }

    #[test]
    fn an_event_can_be_read_when_its_private_parts_are_gone() {
        for (mut json, private) in events() {
            for path in private {
                let (parent, key) = path.rsplit_once('/').unwrap();
                let parent = json.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
                parent.remove(key);
                parent.extend(crate::domain::erasure::placeholder(path).map(|value| (key.to_owned(), value)));
            }
            let read = serde_json::from_value::<Event>(json.clone());
            assert!(read.is_ok(), "{json}: {}", read.unwrap_err());
        }
    }

    #[test]
    fn what_people_wrote_and_what_records_hold_can_be_erased() {
        for (json, private) in events() {
            let event: Event = serde_json::from_value(json.clone()).unwrap();
            let there = |path: &&&str| json.pointer(path).is_some();
            let paths: Vec<&str> = event.private_paths().iter().filter(there).copied().collect();
            assert_eq!(paths, private, "{json}");
        }
    }
}
