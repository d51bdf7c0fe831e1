//! The corpus of gate cases: `tests/corpus/gate/*.json`, one file per group of checks.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Case, Owned};
use crate::{
    domain::{Basis, FieldName, FieldValue, RecordId, schema::RecordTypeSchema},
    gate::{FindingCode, Outcome, Verdict, decide, input::DISPUTED_FACT},
};

const FILES: &[(&str, &str)] = &[
    ("lane", include_str!("../../../tests/corpus/gate/lane.json")),
    ("schema", include_str!("../../../tests/corpus/gate/schema.json")),
    ("record", include_str!("../../../tests/corpus/gate/record.json")),
    ("time", include_str!("../../../tests/corpus/gate/time.json")),
    ("lifecycle", include_str!("../../../tests/corpus/gate/lifecycle.json")),
    ("decay", include_str!("../../../tests/corpus/gate/decay.json")),
    ("approval", include_str!("../../../tests/corpus/gate/approval.json")),
    ("autonomy", include_str!("../../../tests/corpus/gate/autonomy.json")),
    ("brakes", include_str!("../../../tests/corpus/gate/brakes.json")),
    ("drift", include_str!("../../../tests/corpus/gate/drift.json")),
    ("shadow", include_str!("../../../tests/corpus/gate/shadow.json")),
    ("narrowing", include_str!("../../../tests/corpus/gate/narrowing.json")),
    ("making", include_str!("../../../tests/corpus/gate/making.json")),
    ("precedence", include_str!("../../../tests/corpus/gate/precedence.json")),
];

pub fn cases() -> impl Iterator<Item = (String, Case)> {
    FILES.iter().flat_map(|(file, text)| {
        let cases: Vec<Case> = serde_json::from_str(text).unwrap_or_else(|e| panic!("{file}: {e}"));
        cases.into_iter().map(move |case| (format!("{file}: {}", case.name), case))
    })
}

pub fn judge(case: &Case) -> (Owned, Verdict) {
    let owned = case.build();
    let verdict = decide(&owned.input());
    (owned, verdict)
}

#[test]
fn every_case_has_its_outcome_and_codes() {
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        let (_, verdict) = judge(&case);
        let codes: Vec<&str> = verdict.findings.iter().map(|finding| finding.code.as_str()).collect();
        if verdict.outcome.name() != case.outcome || codes != case.codes {
            wrong.push(format!(
                "{name}\n  expected {} {:?}\n  found    {} {codes:?}",
                case.outcome,
                case.codes,
                verdict.outcome.name()
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_code_is_reached_by_a_case() {
    let reached: BTreeSet<FindingCode> =
        cases().flat_map(|(_, case)| judge(&case).1.findings).map(|finding| finding.code).collect();
    let missing: Vec<&FindingCode> = FindingCode::ALL.iter().filter(|code| !reached.contains(code)).collect();
    assert!(missing.is_empty(), "no case reaches {missing:?}");
}

#[test]
fn every_outcome_is_reached_and_only_promote_has_a_plan() {
    let mut reached = BTreeSet::new();
    for (name, case) in cases() {
        let (owned, verdict) = judge(&case);
        reached.insert(verdict.outcome);
        assert_eq!(verdict.plan.is_some(), verdict.outcome == Outcome::Promote, "{name}");
        let Some(plan) = verdict.plan else { continue };
        assert!(!plan.changes.is_empty(), "{name}: a promotion changes something");
        if plan.making.is_some() {
            assert_eq!(plan.expected_seq, 0, "{name}: a new record has no number");
            assert!(plan.changes.iter().all(|change| change.before == FieldValue::Null), "{name}");
            continue;
        }
        assert_eq!(plan.expected_seq, owned.record.promotion_seq);
        for change in &plan.changes {
            assert_eq!(Some(&change.before), owned.record.value(&change.field), "{name}: expected value");
            assert_eq!(Some(&change.after), owned.proposal.patch.get(&change.field), "{name}: new value");
        }
    }
    assert_eq!(reached.len(), 10, "{reached:?}");
}

#[test]
fn every_finding_says_what_it_found_and_what_would_change_it() {
    for (name, case) in cases() {
        for finding in judge(&case).1.findings {
            assert!(!finding.message.is_empty() && !finding.would_change.is_empty(), "{name}");
        }
    }
}

#[test]
fn a_wrong_picklist_value_lists_the_allowed_ones() {
    let (_, verdict) = judge(&Case::simple("Lead", "Status", "working - contacted"));
    let finding = verdict.deciding().unwrap();
    assert_eq!(finding.code, FindingCode::PicklistValueUnknown);
    assert_eq!(
        finding.message,
        "\"working - contacted\" is not an active value of Status (did you mean \"Working - Contacted\"?); \
         allowed: Open - Not Contacted, Working - Contacted, Closed - Converted, Closed - Not Converted, Parked"
    );
}

#[test]
fn the_plan_carries_provenance() {
    let mut case = Case::simple("Lead", "Status", "Working - Contacted");
    case.auto_switch = vec!["Status".into()];
    let signal = |kind: &str, source: &str, at: &str| {
        serde_json::from_value(serde_json::json!({ "kind": kind, "source": source, "occurred_at": at }))
            .unwrap()
    };
    case.evidence = vec![
        signal("reply", "mailbox", "2026-05-20T09:00:00Z"),
        signal("reply", "mailbox", "2026-05-19T09:00:00Z"),
        signal("meeting", "calendar", "2026-05-18T09:00:00Z"),
        signal("rumour", "hallway", "2026-05-01T09:00:00Z"),
        signal("call", "dreams", "2027-05-01T09:00:00Z"),
    ];
    let plan = judge(&case).1.plan.unwrap();
    assert_eq!(plan.basis, Basis::Auto);
    assert_eq!(plan.changes[0].before, FieldValue::text("Open - Not Contacted"));
    let stamps = plan.stamps;
    assert_eq!(stamps.last_signal_source.as_deref(), Some("mailbox"));
    assert_eq!(stamps.last_signal_at, "2026-05-20T09:00:00Z".parse().ok());
    assert_eq!(stamps.signal_score, Some(55.into()), "a kind counts once, an unknown kind not at all");
    assert_eq!(stamps.decay_eligible_on, "2026-06-19".parse().ok());
}

#[test]
fn a_source_of_any_length_leaves_a_stamp_that_fits() {
    let mut case = Case::simple("Lead", "Status", "Working - Contacted");
    case.auto_switch = vec!["Status".into()];
    let json = serde_json::json!({ "kind": "reply", "source": " \u{1F4EC}".repeat(200), "occurred_at": "2026-05-20T09:00:00Z" });
    case.evidence = vec![serde_json::from_value(json).unwrap()];
    let source = judge(&case).1.plan.unwrap().stamps.last_signal_source.unwrap();
    assert!(source.encode_utf16().count() <= 255 && source.trim() == source);
}

#[test]
fn an_approved_change_of_several_fields_is_planned_by_name() {
    let text = serde_json::json!({
        "name": "bundle", "object": "Opportunity",
        "patch": { "StageName": "Negotiation/Review", "Amount": "18000.50", "NextStep": "call Example Widgets Ltd" },
        "decision": {}
    });
    let plan = judge(&serde_json::from_value(text).unwrap()).1.plan.unwrap();
    assert_eq!(plan.basis, Basis::Approved);
    let fields: Vec<&str> = plan.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["Amount", "StageName"], "sorted, and without the field that is so already");
}

#[test]
fn a_shadow_verdict_says_what_it_would_have_been() {
    let would_be = |extra: serde_json::Value| {
        let mut case = serde_json::json!({
            "name": "shadow", "patch": { "Status": "Working - Contacted" },
            "rules": { "Status": { "mode": "shadow" } }
        });
        case.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        judge(&serde_json::from_value(case).unwrap()).1.facts["would_be"].clone()
    };
    assert_eq!(would_be(serde_json::json!({ "auto_switch": ["Status"] })), "promote");
    assert_eq!(would_be(serde_json::json!({})), "review");
    assert_eq!(would_be(serde_json::json!({ "history": { "open_promotion": "m-1" } })), "hold");
}

#[test]
fn agents_that_disagree_stand_among_the_facts_as_a_list() {
    let disputed = |by: serde_json::Value| {
        let mut case = Case::simple("Lead", "Status", "Working - Contacted");
        case.history = serde_json::json!({ "disputed_by": by });
        judge(&case).1.facts.get(DISPUTED_FACT).cloned()
    };
    assert_eq!(disputed(serde_json::json!([])), None);
    assert_eq!(disputed(serde_json::json!(["b", "a, c"])).as_deref(), Some(r#"["b","a, c"]"#));
}

#[test]
fn what_a_record_is_made_of_is_bound_and_the_type_of_its_parent_is_not() {
    let name = |text: &str| FieldName::parse(text).unwrap();
    let case = serde_json::json!({ "name": "made", "object": "Task", "auto_switch": ["Subject"],
        "creates": { "rule": "call-summary", "parent": "Lead" }, "patch": { "Subject": "Call" } });
    let (mut owned, verdict) = judge(&serde_json::from_value(case).unwrap());
    let digest = |owned: &Owned| decide(&owned.input()).input;
    assert_eq!(digest(&owned), verdict.input);
    // A field that the rule fills, and one that only the org asks for.
    owned.schema.as_mut().unwrap().fields.get_mut(&name("Status")).unwrap().nillable ^= true;
    let other = digest(&owned);
    assert_ne!(other, verdict.input, "the rule fills it");
    owned.schema.as_mut().unwrap().required.push(name("Priority"));
    assert_ne!(digest(&owned), other, "the org asks for it");
    let id = RecordId::parse(&RecordId::complete("012Dp0000000001").unwrap()).unwrap();
    owned.record.record_type = Some(id.clone());
    let with_type = digest(&owned);
    let facts = RecordTypeSchema { name: "Inbound".to_owned(), values: BTreeMap::new() };
    owned.schema.as_mut().unwrap().record_types.insert(id, facts);
    assert_eq!(digest(&owned), with_type, "a type of the object that is made is not the parent's");
}

#[test]
fn facts_that_cannot_matter_do_not_change_the_digest() {
    let case = Case::simple("Lead", "Status", "Working - Contacted");
    let (mut owned, verdict) = judge(&case);
    let schema = owned.schema.as_mut().unwrap();
    schema.fields.remove(&crate::domain::FieldName::parse("Rating").unwrap());
    assert_eq!(decide(&owned.input()).input, verdict.input);
    owned.history.open_promotion = Some("m-1".into());
    assert_ne!(decide(&owned.input()).input, verdict.input);
}
