//! What an entry holds of each event, and what of it can be erased.

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
        (
            json!({ "kind": "job_begun", "run": { "job": "decay", "slot": AT, "attempt": "1",
                "by": "the schedule", "at": AT } }),
            &[],
        ),
        (
            json!({ "kind": "job_ended", "job": "decay", "slot": AT, "attempt": "1",
                "end": { "at": AT, "result": "done", "counts": { "announced": "3" } } }),
            &[],
        ),
        (json!({ "kind": "anchor_intended", "anchor": { "size": "3", "root": "r", "at": AT } }), &[]),
        (
            json!({ "kind": "anchor_settled", "anchor": { "size": "3", "root": "r", "at": AT }, "result": "done" }),
            &[],
        ),
        (
            json!({ "kind": "totals_intended", "totals": { "source": "decay", "run": "00", "ended_at": AT,
                "rows": [{ "part": "Lead: B > A (general)", "outcome": "moved", "count": "3", "of": "4", "note": "n" }] } }),
            &[],
        ),
        (json!({ "kind": "totals_settled", "source": "precision", "run": "00", "result": "done" }), &[]),
        (json!({ "kind": "stream_reset", "topic": "t", "code": "c", "at": AT }), &[]),
    ]
}

/// What is watched: what became of proposals, who writes, and whether the daemon is at work.
fn of_watching() -> Vec<Told> {
    vec![
        (
            json!({ "kind": "outcome_watched", "watch": { "proposal_id": "p-1", "object": "Lead", "record": RECORD,
                "fields": ["Status"], "agent": "a", "segment": "s", "live": false, "since": AT, "due": AT } }),
            &[],
        ),
        (
            json!({ "kind": "outcome_labelled", "labelled": { "proposal_id": "p-1", "field": "Status", "by": "u",
                "label": "other", "at": AT, "last": false, "value": { "type": "null" }, "reason": "r" } }),
            &["/labelled/value", "/labelled/reason"],
        ),
        (json!({ "kind": "heartbeat_intended", "at": AT }), &[]),
        (json!({ "kind": "heartbeat_settled", "at": AT, "result": "done" }), &[]),
        (
            json!({ "kind": "writers_counted", "at": AT, "map": { "beyond": "0", "rows": [{ "object": "Lead",
                "field": "Status", "user": "u", "client": "rest", "ours": false, "writes": "2", "first": AT,
                "last": AT }] } }),
            &[],
        ),
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
    let ground = json!({ "object": "Lead", "updateable": true, "fields": {} });
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
        (
            json!({ "kind": "ground_accepted", "ground": ground, "acceptance": words }),
            &["/acceptance/reason"],
        ),
        (
            json!({ "kind": "drift_seen", "ground": ground, "drift": { "object": "Lead", "since": AT,
                "ground": "00", "changes": [{ "kind": "value-gone", "field": "Status", "before": "Open" }] } }),
            &[],
        ),
        (
            json!({ "kind": "lane_moved", "act": with(json!({ "object": "Lead", "field": "Status",
                "agent": "night-shift", "until": AT, "numbers": { "right": "48" } })) }),
            &["/act/reason"],
        ),
    ]
}

fn events() -> Vec<Told> {
    [of_proposals(), of_the_rest(), of_watching(), of_people()].concat()
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
    assert_eq!(kinds.len(), 41);
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
