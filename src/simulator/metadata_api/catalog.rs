//! Which kinds the org has, which components of them, and their ids.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    super::{
        metadata::{Component, kind_facts},
        org::Org,
    },
    report::date,
};
use crate::domain::FieldValue;

/// Id prefixes by kind. Other kinds take the one of components that have no known prefix.
const PREFIXES: &[(&str, &str)] = &[
    ("ApexClass", "01p"),
    ("CompactLayout", "0AH"),
    ("CustomField", "00N"),
    ("CustomMetadata", "m00"),
    ("CustomNotificationType", "0ML"),
    ("CustomObject", "01I"),
    ("CustomPermission", "0CP"),
    ("Dashboard", "01Z"),
    ("DashboardFolder", "00l"),
    ("FieldSet", "0IX"),
    ("FlexiPage", "0M0"),
    ("Flow", "301"),
    ("GlobalValueSet", "0Nt"),
    ("Group", "00G"),
    ("ListView", "00B"),
    ("PermissionSet", "0PS"),
    ("PlatformEventChannel", "0YL"),
    ("PlatformEventChannelMember", "0v8"),
    ("Queue", "00G"),
    ("QuickAction", "09D"),
    ("Report", "00O"),
    ("ReportFolder", "00l"),
    ("ReportType", "070"),
    ("ValidationRule", "03d"),
    ("WebLink", "00b"),
];

/// The id of a component: of its row where it has one, else made at first sight.
pub(super) fn id(org: &Org, kind: &str, full_name: &str) -> String {
    let row = match kind {
        "PermissionSet" => row_id(org, "PermissionSet", "Name", full_name),
        "CustomMetadata" => full_name
            .split_once('.')
            .and_then(|(table, record)| row_id(org, &format!("{table}__mdt"), "DeveloperName", record)),
        _ => None,
    };
    let prefix = PREFIXES.iter().find(|(known, _)| *known == kind).map_or("0Rx", |(_, prefix)| prefix);
    row.unwrap_or_else(|| org.write_state().component_id(kind, prefix, full_name))
}

fn row_id(org: &Org, table: &str, field: &str, value: &str) -> Option<String> {
    let rows = org.rows(table, false);
    let row = rows.iter().find(|row| row.get(field).and_then(FieldValue::as_text) == Some(value))?;
    row.get("Id").and_then(FieldValue::as_text).map(str::to_owned)
}

/// `describeMetadata`
pub(super) fn describe() -> Value {
    let kinds = kind_facts();
    let top = kinds.iter().filter(|kind| !kind.child && !kind.name.ends_with("Folder"));
    let objects = top.map(|kind| {
        let children = kinds.iter().filter(|child| child.child && child.folder == kind.folder);
        json!({
            "childXmlNames": children.map(|child| child.name).collect::<Vec<_>>(),
            "directoryName": kind.folder,
            "inFolder": kind.in_folder,
            "metaFile": kind.meta_file,
            "suffix": kind.suffix,
            "xmlName": kind.name,
        })
    });
    json!({
        "metadataObjects": objects.collect::<Vec<_>>(),
        "organizationNamespace": "",
        "partialSaveAllowed": true,
        "testRequired": false,
    })
}

/// `listMetadata` of one kind: what was deployed. Standard objects are listed as well.
pub(super) fn list(org: &Org, kind: &str) -> Vec<Value> {
    let deployed = org.deployed();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut listed: Vec<(String, String)> = Vec::new();
    let of_kind = |component: &&Component| component.kind == kind;
    for component in deployed.package.components.iter().filter(of_kind) {
        if seen.insert(component.full_name.clone()) {
            listed.push((component.full_name.clone(), component.file.clone()));
        }
    }
    if kind == "CustomObject" {
        for object in org.objects().iter().filter(|object| object.dml && !seen.contains(&object.name)) {
            listed.push((object.name.clone(), format!("objects/{}.object", object.name)));
        }
    }
    let admin = org.user("admin");
    let by = admin.as_ref().map(|admin| admin.user_id.clone()).unwrap_or_default();
    let by_name = org.users().into_iter().find(|user| user.user_id == by).map(|user| user.name);
    let at = date(deployed.at);
    listed
        .into_iter()
        .map(|(full_name, file)| {
            json!({
                "createdById": by, "createdByName": by_name, "createdDate": at,
                "fileName": short(&file), "fullName": full_name, "id": id(org, kind, &full_name),
                "lastModifiedById": by, "lastModifiedByName": by_name, "lastModifiedDate": at,
                "manageableState": "unmanaged", "type": kind,
            })
        })
        .collect()
}

/// `flows/A.flow` of `force-app/main/default/flows/A.flow-meta.xml`. Files of an object
/// are one file in the metadata format.
fn short(file: &str) -> String {
    let parts: Vec<&str> = file.trim_end_matches("-meta.xml").split('/').collect();
    let folders: BTreeSet<&str> = kind_facts().iter().map(|kind| kind.folder).collect();
    let Some(start) = parts.iter().rposition(|part| folders.contains(part)) else { return file.to_owned() };
    match parts.get(start..) {
        Some(["objects", object, _, ..]) => format!("objects/{object}.object"),
        Some(rest) => rest.join("/"),
        None => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_those_of_the_metadata_format() {
        for (file, expected) in [
            ("force-app/main/default/flows/A.flow-meta.xml", "flows/A.flow"),
            ("force-app/main/default/objects/Lead/fields/A__c.field-meta.xml", "objects/Lead.object"),
            ("objects/Lead.object", "objects/Lead.object"),
            ("force-app/main/default/classes/X.cls-meta.xml", "classes/X.cls"),
        ] {
            assert_eq!(short(file), expected);
        }
    }

    #[test]
    fn children_are_described_with_their_object() {
        let described = describe();
        let objects = described["metadataObjects"].as_array().unwrap();
        let object = objects.iter().find(|it| it["xmlName"] == "CustomObject").unwrap();
        assert!(object["childXmlNames"].as_array().unwrap().contains(&json!("ValidationRule")));
        assert!(objects.iter().all(|it| it["xmlName"] != "CustomField"));
    }
}
