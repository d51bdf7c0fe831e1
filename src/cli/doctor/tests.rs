//! What the doctor says about permissions, versions and limits.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    objects::{judge, wanted_of_promoter, wanted_of_proposer},
    report::{Report, State},
};
use crate::salesforce::{
    DescribedField, ObjectDescription,
    names::{LEAD, OPPORTUNITY, ObjectContract},
};

/// An object on which exactly `edits` can be edited and everything else be read.
fn seen(contract: &ObjectContract, edits: &[&str]) -> ObjectDescription {
    let both = [wanted_of_promoter(contract), wanted_of_proposer(contract)];
    let all = both.iter().flat_map(|wanted| {
        wanted.reads.iter().chain(&wanted.edits).chain(&wanted.never).chain(&wanted.better_not)
    });
    let fields: BTreeMap<String, DescribedField> = all
        .map(|name| {
            let field = json!({ "name": name, "type": "string", "updateable": edits.contains(name) });
            ((*name).to_owned(), serde_json::from_value(field).unwrap())
        })
        .collect();
    let (createable, updateable, deletable) = (true, true, false);
    ObjectDescription { createable, updateable, deletable, fields, record_types: Vec::new() }
}

fn codes(report: &Report) -> Vec<(String, State)> {
    report.checks.iter().map(|check| (check.code.clone(), check.state)).collect()
}

#[test]
fn the_right_permissions_pass() {
    for contract in [&LEAD, &OPPORTUNITY] {
        for wanted in [wanted_of_promoter(contract), wanted_of_proposer(contract)] {
            let mut report = Report::default();
            judge("x", contract.object, &seen(contract, &wanted.edits), (&wanted, &mut report));
            assert_eq!(codes(&report), [("fields".to_owned(), State::Ok)], "{report}");
        }
    }
}

#[test]
fn a_missing_field_is_named_with_its_place_in_setup() {
    let wanted = wanted_of_promoter(&LEAD);
    let mut description = seen(&LEAD, &wanted.edits);
    description.fields.remove("AI_Promotion_Seq__c");
    let mut report = Report::default();
    judge("promoter Lead", "Lead", &description, (&wanted, &mut report));
    assert_eq!(codes(&report), [("field-missing".to_owned(), State::Failed)]);
    let told = report.to_string();
    assert!(told.contains("Lead.AI_Promotion_Seq__c") && told.contains("Setup > "), "{told}");
}

#[test]
fn too_much_permission_fails_too() {
    let wanted = wanted_of_proposer(&OPPORTUNITY);
    let mut edits = wanted.edits.clone();
    edits.extend(["Previous_Amount__c", "AI_Last_Promotion_ID__c", "Amount"]);
    let mut report = Report::default();
    judge("proposer Opportunity", "Opportunity", &seen(&OPPORTUNITY, &edits), (&wanted, &mut report));
    let failed = report.checks.iter().filter(|check| check.state == State::Failed).count();
    assert_eq!((failed, report.checks.len()), (2, 3), "two stamps fail, Amount warns: {report}");
    assert!(!report.is_good());

    let wanted = wanted_of_promoter(&LEAD);
    let mut edits = wanted.edits.clone();
    edits.push("AI_Decision__c");
    let mut report = Report::default();
    judge("promoter Lead", "Lead", &seen(&LEAD, &edits), (&wanted, &mut report));
    assert_eq!(codes(&report), [("field-too-open".to_owned(), State::Failed)], "a promoter must not decide");
}

#[test]
fn too_little_permission_names_the_field() {
    let wanted = wanted_of_promoter(&LEAD);
    let edits: Vec<&str> = wanted.edits.iter().copied().filter(|field| *field != "Status").collect();
    let mut report = Report::default();
    judge("promoter Lead", "Lead", &seen(&LEAD, &edits), (&wanted, &mut report));
    assert_eq!(codes(&report), [("field-not-editable".to_owned(), State::Failed)]);
}

#[test]
fn text_from_the_org_cannot_forge_a_line() {
    let mut report = Report::default();
    report.failed("org", "x", "bad\nok      forged", "");
    assert_eq!(report.to_string().lines().count(), 2);
}
