//! The shipped flows, deployed and run in a simulated org.

mod deals;
mod decide;
mod deploy;
mod later;
mod stamps;

use serde_json::{Map, Value as Json, json};

use super::{
    super::{OrgOptions, RowResult, Settings, WriteOp, WriteOptions, WriteRow, metadata::Package, org::Org},
    Answer, LaunchError, Launched, Navigation,
};
use crate::clock::Clock;

/// An org with the shipped package.
pub(super) fn org() -> Org {
    org_with(Settings::default())
}

pub(super) fn org_with(settings: Settings) -> Org {
    let clock = Clock::manual("2026-03-02T09:00:00Z".parse().unwrap());
    let package = Package::embedded().expect("the shipped package deploys");
    Org::new(OrgOptions { settings, ..OrgOptions::new(clock, package) }).unwrap()
}

pub(super) fn map(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        _ => panic!("an object"),
    }
}

pub(super) fn write(org: &Org, role: &str, object: &str, id: Option<&str>, fields: Json) -> RowResult {
    let op = if id.is_some() { WriteOp::Update } else { WriteOp::Create };
    let row = WriteRow { op, object: object.into(), id: id.map(str::to_owned), fields: map(fields) };
    org.write(&org.user(role).unwrap(), &WriteOptions::default(), vec![row]).remove(0)
}

pub(super) fn saved(result: RowResult) -> String {
    assert_eq!(result.errors, []);
    result.id.unwrap()
}

/// A lead of the admin with an open proposal.
pub(super) fn proposed(org: &Org) -> String {
    let fields = json!({"LastName": "Example", "Company": "Example Widgets Ltd"});
    let id = saved(write(org, "admin", "Lead", None, fields));
    propose(org, &id, "p-1");
    id
}

pub(super) fn propose(org: &Org, id: &str, proposal: &str) {
    let fields = json!({
        "AI_Recommended_Status__c": "Working - Contacted", "AI_Status_Confidence__c": 0.92,
        "AI_Proposal_ID__c": proposal, "AI_Decision__c": "Pending", "AI_Gate_Pending__c": true,
        "AI_Status_Reason__c": "Asked for a call.", "AI_Proposal_Evidence__c": "mail of 1 March",
    });
    saved(write(org, "proposer", "Lead", Some(id), fields));
}

/// A deal of the admin with an open proposal.
pub(super) fn proposed_deal(org: &Org, amount: i64) -> String {
    let fields = json!({
        "Name": "Example deal", "StageName": "Prospecting", "CloseDate": "2026-06-01", "Amount": amount,
    });
    let id = saved(write(org, "admin", "Opportunity", None, fields));
    let fields = json!({
        "AI_Recommended_Stage__c": "Qualification", "AI_Proposed_Fields__c": "StageName",
        "AI_Proposal_Confidence__c": 0.9, "AI_Proposal_ID__c": "d-1", "AI_Decision__c": "Pending",
        "AI_Gate_Pending__c": true, "AI_Proposal_Reason__c": "Budget confirmed.",
    });
    saved(write(org, "proposer", "Opportunity", Some(&id), fields));
    id
}

pub(super) fn field(org: &Org, object: &str, id: &str, name: &str) -> String {
    org.row(object, id).unwrap().get(name).map(ToString::to_string).unwrap_or_default()
}

pub(super) fn start(org: &Org, role: &str, flow: &str, inputs: Json) -> Result<Launched, LaunchError> {
    org.start_flow(&org.user(role).unwrap(), &WriteOptions::default(), flow, &map(inputs))
}

/// Answers the screen that waits.
pub(super) fn next(org: &Org, role: &str, at: &Launched, values: Json) -> Launched {
    let answer =
        Answer { interview: at.interview.clone(), navigation: Navigation::Next, values: map(values) };
    org.continue_flow(&org.user(role).unwrap(), &WriteOptions::default(), &answer).unwrap()
}

pub(super) fn screen(at: &Launched) -> &str {
    at.screen.as_ref().expect("a screen waits")["name"].as_str().unwrap()
}

/// The value that a field of the screen shows.
pub(super) fn shown(at: &Launched, field: &str) -> Json {
    let fields = at.screen.as_ref().expect("a screen waits")["fields"].as_array().unwrap();
    fields.iter().find(|it| it["name"] == field).unwrap_or_else(|| panic!("{field} in {fields:?}"))["value"]
        .clone()
}
