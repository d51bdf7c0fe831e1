//! Which governed fields a flow sets, from its metadata.
//!
//! Source: Metadata API reference (`Flow`). A flow sets a field where it creates or updates records with
//! an assignment to it, or assigns to the field of a record that it holds: the one that started it, a
//! variable, a record that it looked up, or one of a loop. A record that is held and not saved counts too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Lanes;
use crate::domain::{FieldName, ObjectName};

/// The governed fields that it sets.
pub(super) fn sets(metadata: &Value, lanes: &Lanes) -> BTreeSet<(ObjectName, FieldName)> {
    let held = held(metadata);
    let mut named: Vec<(&str, &str)> = Vec::new();
    for part in ["recordCreates", "recordUpdates"] {
        for element in each(metadata, part) {
            let object = match word(element, "object") {
                "" => held.get(word(element, "inputReference")).copied().unwrap_or_default(),
                object => object,
            };
            named.extend(each(element, "inputAssignments").map(|one| (object, word(one, "field"))));
        }
    }
    for item in each(metadata, "assignments").flat_map(|one| each(one, "assignmentItems")) {
        if let Some((record, field)) = word(item, "assignToReference").split_once('.')
            && let Some(object) = held.get(record)
        {
            named.push((object, field));
        }
    }
    let is = |(object, field): &(&str, &str), lane: (&ObjectName, &FieldName)| {
        object.eq_ignore_ascii_case(lane.0.as_str()) && field.eq_ignore_ascii_case(lane.1.as_str())
    };
    let all = lanes.iter().flat_map(|(object, fields)| fields.iter().map(move |field| (object, field)));
    let set = all.filter(|lane| named.iter().any(|one| is(one, *lane)));
    set.map(|(object, field)| (object.clone(), field.clone())).collect()
}

/// The object of each record that the flow holds, by the name that it goes by.
fn held(metadata: &Value) -> BTreeMap<&str, &str> {
    let mut held = BTreeMap::new();
    if let Some(start) = metadata.get("start") {
        held.insert("$Record", word(start, "object"));
    }
    held.extend(each(metadata, "variables").map(|one| (word(one, "name"), word(one, "objectType"))));
    held.extend(each(metadata, "recordLookups").map(|one| (word(one, "name"), word(one, "object"))));
    // A loop may go over what a loop before it holds; they come in the order of their names.
    let loops: Vec<&Value> = each(metadata, "loops").collect();
    for _ in &loops {
        for one in &loops {
            if let Some(object) = held.get(word(one, "collectionReference")).copied() {
                held.insert(word(one, "name"), object);
            }
        }
    }
    held.retain(|_, object| !object.is_empty());
    held
}

/// The parts of a name; one alone may stand without a list.
fn each<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let part = value.get(name);
    let list = part.and_then(Value::as_array);
    list.into_iter().flatten().chain(part.filter(|part| part.is_object()))
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::salesforce::inventory::tests::{lanes, shown};

    fn found(metadata: &Value) -> Vec<String> {
        shown(sets(metadata, &lanes()))
    }

    #[test]
    fn records_that_are_created_and_updated_by_assignment() {
        let update = json!({ "name": "Update", "object": "Lead",
            "inputAssignments": [{ "field": "Status" }, { "field": "Rating" }] });
        assert_eq!(found(&json!({ "recordUpdates": [update.clone()] })), ["Lead.Status"]);
        assert_eq!(found(&json!({ "recordCreates": [update.clone()] })), ["Lead.Status"]);
        assert_eq!(found(&json!({ "recordUpdates": update })), ["Lead.Status"], "one without a list");
        let other = json!({ "object": "Task", "inputAssignments": [{ "field": "Status" }] });
        assert_eq!(found(&json!({ "recordUpdates": [other] })), [""; 0], "another object");
        let read =
            json!({ "object": "Lead", "filters": [{ "field": "Status" }], "queriedFields": ["Status"] });
        assert_eq!(found(&json!({ "recordLookups": [read] })), [""; 0], "it only reads");
    }

    #[test]
    fn fields_of_records_that_it_holds() {
        let assigns = |to: &str| json!([{ "assignmentItems": [{ "assignToReference": to }] }]);
        let started =
            json!({ "start": { "object": "Opportunity" }, "assignments": assigns("$Record.StageName") });
        assert_eq!(found(&started), ["Opportunity.StageName"]);
        let variable = |kind: &str| json!({ "variables": [{ "name": "deal", "objectType": kind }], "assignments": assigns("deal.Amount") });
        assert_eq!(found(&variable("Opportunity")), ["Opportunity.Amount"]);
        assert_eq!(found(&variable("Quote")), [""; 0]);
        let looped = json!({
            "recordLookups": [{ "name": "Leads", "object": "Lead" }],
            "loops": [{ "name": "Again", "collectionReference": "Each" },
                { "name": "Each", "collectionReference": "Leads" }],
            "assignments": assigns("Again.Status"),
        });
        assert_eq!(found(&looped), ["Lead.Status"]);
        assert_eq!(found(&json!({ "assignments": assigns("Status") })), [""; 0], "a variable of that name");
    }

    #[test]
    fn a_record_that_is_held_is_updated_by_assignment() {
        let metadata = json!({ "start": { "object": "Lead" }, "recordUpdates": [
            { "inputReference": "$Record", "inputAssignments": [{ "field": "Status" }] }] });
        assert_eq!(found(&metadata), ["Lead.Status"]);
    }
}
