//! Golden cases: what a case leaves out is ordinary, what it says arrives at the gate.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::world::Case;
use crate::{
    domain::{Approval, FieldName, FieldType, FieldValue, ObjectSchema, Proposal, RecordSnapshot},
    gate::{
        History, Outcome, Rules,
        golden::{GoldenCase, GoldenError},
    },
};

/// What a case gave to the gate, and what the gate said.
struct Seen {
    outcome: Outcome,
    agrees: bool,
    proposal: Proposal,
    record: RecordSnapshot,
    approval: Option<Approval>,
    history: History,
    schema: ObjectSchema,
    now: Timestamp,
}

fn rules(object: &str, limits: Value) -> Rules {
    let case = json!({ "name": "rules", "object": object, "patch": {}, "limits": limits });
    serde_json::from_value::<Case>(case).unwrap().build().rules
}

fn look(case: Value, rules: &Rules) -> Result<Seen, GoldenError> {
    let case: GoldenCase = serde_json::from_value(case).unwrap();
    let (verdict, seen) = case.look(rules, |input, verdict| Seen {
        outcome: verdict.outcome,
        agrees: case.agrees(verdict),
        proposal: input.proposal.clone(),
        record: input.record.clone(),
        approval: input.approval.cloned(),
        history: input.history.clone(),
        schema: input.schema.unwrap().clone(),
        now: input.now,
    })?;
    assert_eq!(case.run(rules).unwrap(), verdict);
    Ok(seen)
}

/// A lead that moves on, with more of the case.
fn lead(more: Value) -> Value {
    let mut case = json!({
        "name": "they answered", "object": "Lead", "expect": "promote",
        "change": { "Status": "Working - Contacted" }, "record": { "Status": "Open - Not Contacted" },
        "confidence": "0.95", "switches": ["Status"]
    });
    case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    case
}

fn seen(case: Value) -> Seen {
    look(case, &rules("Lead", json!({}))).unwrap()
}

fn field(text: &str) -> FieldName {
    FieldName::parse(text).unwrap()
}

#[test]
fn what_a_case_leaves_out_is_ordinary() {
    let seen = seen(lead(json!({})));
    assert_eq!((seen.outcome, seen.agrees), (Outcome::Promote, true));
    assert_eq!(seen.now, "2026-01-15T12:00:00Z".parse().unwrap());
    assert_eq!(seen.proposal.actor.agent, "an-agent");
    assert_eq!(seen.proposal.actor.run, None);
    let five_minutes_ago = seen.now - SignedDuration::from_mins(5);
    assert_eq!(seen.proposal.evaluated_at, Some(five_minutes_ago));
    assert_eq!(seen.proposal.received_at, five_minutes_ago);
    assert_eq!(seen.record.modified_at, seen.now - SignedDuration::from_hours(1));
    assert_eq!(seen.proposal.base[&field("Status")], FieldValue::text("Open - Not Contacted"));
    assert!(seen.approval.is_none() && seen.record.hold.is_none() && seen.history.counts.is_empty());
}

#[test]
fn what_a_case_says_arrives() {
    let seen = seen(lead(json!({
        "agent": "night-shift", "run": "r-7", "looked_minutes_ago": 3, "now": "2026-03-01T00:00:00Z",
        "decision": "approved", "hold_until": "2026-03-05", "record_name": "Example Widgets Ltd",
        "evidence": [{ "kind": "reply", "minutes_ago": 90 }], "expect": "block", "codes": ["manual-override"]
    })));
    assert_eq!((seen.outcome, seen.agrees), (Outcome::Block, true));
    assert_eq!(
        (seen.proposal.actor.agent.as_str(), seen.proposal.actor.run.as_deref()),
        ("night-shift", Some("r-7"))
    );
    assert_eq!(seen.now, "2026-03-01T00:00:00Z".parse().unwrap());
    assert_eq!(seen.proposal.received_at, seen.now - SignedDuration::from_mins(3));
    assert_eq!(seen.proposal.evidence[0].occurred_at, seen.now - SignedDuration::from_mins(90));
    assert_eq!(seen.record.name.as_deref(), Some("Example Widgets Ltd"));
    let approval = seen.approval.unwrap();
    assert_eq!(approval.decided_at, seen.now - SignedDuration::from_mins(1));
    assert_eq!(approval.patch_digest, seen.proposal.patch_digest().unwrap());
}

#[test]
fn a_value_that_the_proposal_saw_is_its_base() {
    let seen =
        seen(lead(json!({ "saw": { "Status": "Parked" }, "expect": "stale", "codes": ["base-moved"] })));
    assert_eq!((seen.outcome, seen.agrees), (Outcome::Stale, true));
}

#[test]
fn both_the_outcome_and_the_codes_must_agree() {
    let agrees = |more| seen(lead(more)).agrees;
    assert!(agrees(json!({ "codes": ["auto-allowed"] })));
    assert!(!agrees(json!({ "codes": ["auto-allowed", "base-moved"] })));
    assert!(!agrees(json!({ "expect": "review" })));
    assert!(!agrees(json!({ "expect": "review", "codes": ["base-moved"] })));
}

#[test]
fn every_budget_has_counted_what_the_case_says() {
    let budget = json!({ "budgets": [
        { "of": "promotions", "per": "agent", "at_most": "5", "minutes": "60", "then": "review" }
    ] });
    let rules = rules("Lead", budget);
    let outcome = |counted: &str| look(lead(json!({ "counted": counted })), &rules).unwrap().outcome;
    assert_eq!(outcome("4"), Outcome::Promote);
    assert_eq!(outcome("5"), Outcome::Review);
}

#[test]
fn fields_have_the_type_that_policy_name_or_value_tell() {
    let case = json!({
        "name": "types", "object": "Opportunity", "expect": "block",
        "change": {
            "StageName": "Negotiation/Review", "CloseDate": "2026-06-30", "Amount": "12000.50",
            "HasPartner": true, "Score": 7, "NextStep": "call"
        }
    });
    let seen = look(case, &rules("Opportunity", json!({}))).unwrap();
    let of = |name: &str| &seen.schema.fields[&field(name)].field_type;
    let decimal = FieldType::Decimal { precision: 18, scale: 2 };
    assert!(matches!(of("StageName"), FieldType::Picklist { values, .. } if values.len() == 5));
    assert_eq!(of("CloseDate"), &FieldType::Date);
    assert_eq!((of("Amount"), of("Score")), (&decimal, &decimal));
    assert_eq!(of("HasPartner"), &FieldType::Bool);
    assert_eq!(of("NextStep"), &FieldType::LongText { length: 32_000 });
    assert_eq!(seen.proposal.patch[&field("Score")], FieldValue::Decimal(7.into()));
    assert_eq!(seen.record.value(&field("NextStep")), Some(&FieldValue::Null));
}

#[test]
fn a_case_that_cannot_be_run_says_why() {
    let code = |more| look(lead(more), &rules("Lead", json!({}))).err().map(|error| error.code());
    assert_eq!(code(json!({ "object": "no name" })), Some("case-name-malformed"));
    assert_eq!(code(json!({ "switches": ["no name"] })), Some("case-name-malformed"));
    assert_eq!(code(json!({ "change": { "CloseDate": "soon" } })), Some("case-value-malformed"));
    assert_eq!(GoldenError::Inexact(String::new()).code(), "case-inexact");
}

#[test]
fn a_record_to_be_made_has_its_parent_and_the_fields_of_its_rule() {
    let rule = json!({ "name": "call-summary", "min_confidence": "0.60", "fields": ["Subject", "Description"],
        "parents": { "Lead": "WhoId" }, "fixed": { "Status": "Completed" },
        "cancel": { "field": "Status", "value": "Deferred" } });
    let rules = rules("Task", json!({ "create": [rule] }));
    let task = |more: Value| {
        let mut case = json!({ "name": "a call", "object": "Task", "change": { "Subject": "Call" },
            "creates": { "rule": "call-summary", "parent": "Lead" }, "confidence": "0.90",
            "switches": ["Subject"], "expect": "promote" });
        case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        look(case, &rules).unwrap()
    };
    let seen = task(json!({ "record": { "Status": "Open" } }));
    assert!(seen.agrees, "{:?}", seen.outcome);
    assert_eq!((seen.record.object.as_str(), seen.proposal.object.as_str()), ("Lead", "Task"));
    assert_eq!(seen.record.fields.len(), 1, "the record's values are the parent's");
    assert!(seen.proposal.base.is_empty(), "what does not exist has no values");
    let fields: Vec<&str> = seen.schema.fields.keys().map(FieldName::as_str).collect();
    assert_eq!(fields, ["Description", "Status", "Subject", "WhoId"]);
    let of = |rule: &str, parent: &str| json!({ "creates": { "rule": rule, "parent": parent }, "expect": "block" });
    for refused in [
        of("meeting-notes", "Lead"),
        of("call-summary", "Account"),
        json!({ "switches": [], "expect": "block" }),
        json!({ "confidence": "0.59", "expect": "block" }),
        json!({ "change": { "OwnerId": "somebody" }, "expect": "block" }),
    ] {
        let seen = task(refused.clone());
        assert!(seen.agrees, "{refused}: {:?}", seen.outcome);
    }
}
