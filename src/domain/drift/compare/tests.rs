//! Each kind of change, and the lanes that it touches.

use std::collections::BTreeMap;

use super::*;
use crate::domain::{drift::AutomationKind, ids::ObjectName, schema::FieldType};

fn name(text: &str) -> FieldName {
    FieldName::parse(text).unwrap()
}

fn facts(field_type: FieldType) -> FieldSchema {
    FieldSchema { field_type, updateable: true, nillable: true }
}

fn list(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// An object with a lifecycle, a text, a number and a flow.
pub(in crate::domain::drift) fn ground() -> Ground {
    let status = FieldType::Picklist { values: list(&["Open", "Working", "Odd"]), restricted: false };
    Ground {
        object: ObjectName::parse("Lead").unwrap(),
        updateable: true,
        fields: BTreeMap::from([
            (name("Status"), facts(status)),
            (name("NextStep"), facts(FieldType::Text { length: 255 })),
            (name("Amount"), facts(FieldType::Decimal { precision: 18, scale: 2 })),
        ]),
        record_types: BTreeMap::new(),
        required: list(&["LastName"]),
        automations: None,
    }
}

fn rules() -> ObjectPolicy {
    serde_json::from_value(serde_json::json!({
        "name": "p", "object": "Lead", "proposal_max_age_minutes": "1", "approval_max_age_minutes": "1",
        "undecided_max_age_minutes": "1",
        "fields": { "Status": { "tier": "reviewed", "lifecycle": ["Open", "Working"], "never_target": ["Won"] } }
    }))
    .unwrap()
}

fn changed(change: impl FnOnce(&mut Ground)) -> Vec<Change> {
    let mut after = ground();
    change(&mut after);
    compare(&ground(), &after, Some(&rules()))
}

fn codes(changes: &[Change]) -> Vec<&'static str> {
    changes.iter().map(|change| change.kind.as_str()).collect()
}

fn retype(ground: &mut Ground, field: &str, field_type: FieldType) {
    ground.fields.get_mut(&name(field)).unwrap().field_type = field_type;
}

fn offer(ground: &mut Ground, values: &[&str]) {
    retype(ground, "Status", FieldType::Picklist { values: list(values), restricted: false });
}

#[test]
fn the_same_ground_and_another_order_of_values_say_nothing() {
    assert_eq!(changed(|_| {}), []);
    assert_eq!(changed(|after| offer(after, &["Odd", "Working", "Open"])), []);
}

#[test]
fn values_freeze_where_a_rule_names_them() {
    assert_eq!(codes(&changed(|after| offer(after, &["Open", "Odd"]))), ["value-gone"]);
    assert_eq!(codes(&changed(|after| offer(after, &["Open", "Working"]))), ["value-gone-unnamed"]);
    assert_eq!(codes(&changed(|after| offer(after, &["Open", "Working", "Odd", "New"]))), ["value-new"]);
    assert_eq!(
        codes(&changed(|after| offer(after, &["Open", "Working", "Odd", "Won"]))),
        ["value-new-named"]
    );
    let mut after = ground();
    offer(&mut after, &["Open", "Working"]);
    let free = compare(&ground(), &after, None);
    assert_eq!(codes(&free), ["value-gone"], "without rules any value may be proposed");
}

#[test]
fn a_renamed_value_is_one_gone_and_one_new() {
    let changes = changed(|after| offer(after, &["Open", "In Work", "Odd"]));
    assert_eq!(codes(&changes), ["value-gone", "value-new"]);
    assert_eq!(changes[0].words(), "Status: a value is not offered any more: Working");
    assert!(changes[0].touches(&name("Status")) && !changes[0].touches(&name("Amount")));
}

#[test]
fn types_lengths_and_digits_freeze_when_they_get_narrower() {
    type Case = (&'static str, FieldType, &'static str);
    let cases: [Case; 7] = [
        ("NextStep", FieldType::Text { length: 80 }, "length-shorter"),
        ("NextStep", FieldType::Text { length: 300 }, "length-longer"),
        ("NextStep", FieldType::LongText { length: 255 }, "type-changed"),
        ("Amount", FieldType::Decimal { precision: 17, scale: 1 }, "fewer-digits"),
        ("Amount", FieldType::Decimal { precision: 17, scale: 2 }, "fewer-digits"),
        ("Amount", FieldType::Decimal { precision: 19, scale: 3 }, "more-digits"),
        ("Amount", FieldType::Date, "type-changed"),
    ];
    for (field, field_type, code) in cases {
        let changes = changed(|after| retype(after, field, field_type.clone()));
        assert_eq!(codes(&changes), [code], "{field_type:?}");
        assert!(changes[0].touches(&name(field)) && !changes[0].touches(&name("Status")));
    }
    let moved = changed(|after| retype(after, "Amount", FieldType::Decimal { precision: 18, scale: 4 }));
    assert_eq!(codes(&moved), ["fewer-digits", "more-digits"], "digits moved behind the point");
}

#[test]
fn a_field_of_any_type_that_stays_says_nothing_and_one_that_changes_names_both_types() {
    let of = |field_type: &FieldType| {
        let mut ground = ground();
        retype(&mut ground, "Amount", field_type.clone());
        ground
    };
    let types = [
        (FieldType::Text { length: 9 }, "text"),
        (FieldType::LongText { length: 9 }, "long text"),
        (FieldType::Picklist { values: list(&["a"]), restricted: true }, "picklist"),
        (FieldType::MultiPicklist { values: list(&["a"]) }, "multi-select picklist"),
        (FieldType::Decimal { precision: 9, scale: 0 }, "number"),
        (FieldType::Date, "date"),
        (FieldType::DateTime, "date-time"),
        (FieldType::Bool, "checkbox"),
        (FieldType::Reference, "lookup"),
    ];
    for (was, was_called) in &types {
        assert_eq!(compare(&of(was), &of(was), None), []);
        for (is, is_called) in types.iter().filter(|(is, _)| is != was) {
            let changes = compare(&of(was), &of(is), None);
            assert_eq!(codes(&changes), ["type-changed"]);
            let sides = (changes[0].before.as_deref(), changes[0].after.as_deref());
            assert_eq!(sides, (Some(*was_called), Some(*is_called)));
        }
    }
    let several = |values: &[&str]| of(&FieldType::MultiPicklist { values: list(values) });
    assert_eq!(codes(&compare(&several(&["a", "b"]), &several(&["a"]), None)), ["value-gone"]);
}

#[test]
fn fields_that_come_go_and_are_closed() {
    let status = name("Status");
    assert_eq!(codes(&changed(|after| drop(after.fields.remove(&status)))), ["field-gone"]);
    assert_eq!(
        codes(&changed(|after| after.fields.get_mut(&status).unwrap().updateable = false)),
        ["field-not-writable"]
    );
    assert_eq!(
        codes(&changed(|after| after.fields.get_mut(&status).unwrap().nillable = false)),
        ["now-required"]
    );
    let mut poorer = ground();
    poorer.fields.remove(&status);
    poorer.updateable = false;
    assert_eq!(codes(&compare(&poorer, &ground(), None)), ["field-back", "object-writable"]);
}

#[test]
fn what_touches_the_object_touches_every_lane() {
    let changes = changed(|after| after.required = list(&["LastName", "Region__c"]));
    assert_eq!(codes(&changes), ["required-new"]);
    assert!(changes[0].touches(&name("Status")) && changes[0].touches(&name("Amount")));
    assert_eq!(changes[0].words(), "the org saves no record without another field Region__c");
    assert_eq!(codes(&changed(|after| after.required.clear())), ["required-gone"]);
    assert_eq!(codes(&changed(|after| after.updateable = false)), ["object-not-writable"]);
}

#[test]
fn record_types_freeze_when_they_offer_less() {
    let typed = |values: &[&str]| {
        let id = crate::domain::RecordId::parse("012Cs0000000001IAA").unwrap();
        let values = BTreeMap::from([(name("Status"), list(values))]);
        Ground {
            record_types: BTreeMap::from([(id, RecordTypeSchema { name: "Partner".into(), values })]),
            ..ground()
        }
    };
    let (wide, narrow) = (typed(&["Open", "Working"]), typed(&["Open"]));
    let told = |before: &Ground, after: &Ground| codes(&compare(before, after, None));
    assert_eq!(told(&wide, &narrow), ["type-value-gone"]);
    assert_eq!(told(&narrow, &wide), ["type-value-new"]);
    assert_eq!(told(&ground(), &narrow), ["record-type-new"]);
    assert_eq!(told(&narrow, &ground()), ["record-type-gone"]);
    let mut gone = narrow.clone();
    offer(&mut gone, &["Open", "Odd"]);
    assert_eq!(told(&wide, &gone), ["value-gone"], "what the field lost is told one time");
}

fn flow(active: bool, ours: bool, version: &str) -> Automation {
    let (name, version) = ("A_Flow".to_owned(), version.to_owned());
    Automation { kind: AutomationKind::Flow, name, active, ours, version }
}

#[test]
fn what_runs_on_save_freezes_when_it_starts_or_changes_and_ours_when_it_stops() {
    let with = |flow: Option<Automation>| Ground {
        automations: Some(flow.into_iter().map(|flow| (flow.key(), flow)).collect()),
        ..ground()
    };
    let cases = [
        (None, Some(flow(true, false, "1")), &["automation-new"][..]),
        (None, Some(flow(false, false, "1")), &["automation-draft"]),
        (Some(flow(false, false, "1")), Some(flow(true, false, "1")), &["automation-new"]),
        (Some(flow(true, false, "1")), Some(flow(true, false, "2")), &["automation-changed"]),
        (Some(flow(true, false, "1")), Some(flow(false, false, "1")), &["automation-off"]),
        (Some(flow(true, false, "1")), None, &["automation-off"]),
        (Some(flow(true, true, "1")), Some(flow(false, true, "1")), &["guard-off"]),
        (Some(flow(true, true, "1")), None, &["guard-off"]),
        (Some(flow(false, false, "1")), None, &[]),
        (Some(flow(false, false, "1")), Some(flow(false, false, "2")), &["automation-draft"]),
    ];
    for (was, is, expected) in cases {
        let changes = compare(&with(was.clone()), &with(is.clone()), None);
        assert_eq!(codes(&changes), expected, "{was:?} {is:?}");
    }
    // What was ours and is another's now, under the same name.
    let replaced = compare(&with(Some(flow(true, true, "1"))), &with(Some(flow(false, false, "1"))), None);
    assert_eq!(codes(&replaced), ["guard-off"]);
    let versions = compare(&with(Some(flow(true, false, "1"))), &with(Some(flow(true, false, "2"))), None);
    assert_eq!((versions[0].before.as_deref(), versions[0].after.as_deref()), (Some("1"), Some("2")));
    let started = compare(&with(Some(flow(false, false, "1"))), &with(Some(flow(true, false, "2"))), None);
    assert_eq!((started[0].before.as_deref(), started[0].after.as_deref()), (None, None));
    let hidden = compare(&with(Some(flow(true, false, "1"))), &ground(), None);
    assert_eq!(hidden, [], "what cannot be seen says nothing");
}
