//! Which lanes and proposals a drift holds back, and what automations are called.

use serde_json::json;

use super::*;

fn proposal(object: &str, fields: &[&str], creates: bool) -> Proposal {
    let patch: BTreeMap<&str, _> = fields.iter().map(|field| (*field, json!({ "type": "null" }))).collect();
    let mut whole = json!({
        "id": "p-1", "object": object, "record": "00QCs0000000001MAA", "patch": patch, "base": {},
        "requires_review": false, "actor": { "agent": "a" }, "door": "record",
        "received_at": "2026-05-20T12:00:00Z"
    });
    if creates {
        whole["creates"] = json!({ "rule": "call-summary", "parent": "Lead" });
    }
    serde_json::from_value(whole).unwrap()
}

/// Status is gone, which freezes; a label of NextStep changed nothing that counts.
fn drift() -> Drift {
    let change = |kind, field: &str| Change {
        kind,
        field: Some(FieldName::parse(field).unwrap()),
        subject: None,
        before: None,
        after: None,
    };
    Drift {
        object: ObjectName::parse("Lead").unwrap(),
        since: Timestamp::UNIX_EPOCH,
        ground: Digest::of_bytes(b"ground"),
        changes: vec![change(ChangeKind::FieldGone, "Status"), change(ChangeKind::FieldBack, "NextStep")],
    }
}

#[test]
fn a_change_that_freezes_stops_the_lane_that_it_touches_and_no_other() {
    let drift = drift();
    let effects: Vec<Effect> = drift.changes.iter().map(|change| change.kind.effect()).collect();
    assert_eq!(effects[0], Effect::Freezes);
    assert_ne!(effects[1], Effect::Freezes);
    let lane = |field: &str| drift.freezes(&FieldName::parse(field).unwrap());
    assert_eq!([lane("Status"), lane("NextStep"), lane("Amount")], [true, false, false]);
    assert!(drift.stops(&proposal("Lead", &["Amount", "Status"], false)));
    assert!(!drift.stops(&proposal("Lead", &["Amount", "NextStep"], false)), "told only");
    assert!(!drift.stops(&proposal("Opportunity", &["Status"], false)), "another object");
    assert!(!drift.stops(&proposal("Lead", &["Status"], true)), "what is made rests on another ground");
}

#[test]
fn automations_of_one_name_are_told_apart_by_their_kind() {
    let key = |kind| {
        let (name, version) = ("Example".to_owned(), "1".to_owned());
        Automation { kind, name, active: true, ours: false, version }.key()
    };
    assert_eq!(key(AutomationKind::Rule), "validation rule Example");
    assert_eq!(key(AutomationKind::Flow), "flow Example");
    assert_eq!(key(AutomationKind::Trigger), "trigger Example");
}
