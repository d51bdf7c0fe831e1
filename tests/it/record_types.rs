//! A value that a record's type does not offer is refused by the gate, before anything is sent.

use std::fs;

use countersign::package::SHIPPED;
use serde_json::{Value, json};

use crate::processes::{OrgProcess, countersign};

/// A record type of leads that knows no "Working - Contacted".
const PARTNER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<RecordType xmlns="http://soap.sforce.com/2006/04/metadata">
    <fullName>Partner</fullName>
    <active>true</active>
    <label>Partner</label>
    <picklistValues>
        <picklist>Status</picklist>
        <values><fullName>Open - Not Contacted</fullName><default>true</default></values>
        <values><fullName>Closed - Not Converted</fullName><default>false</default></values>
    </picklistValues>
</RecordType>
"#;

async fn lead(org: &OrgProcess, fields: Value) -> (u16, Value) {
    let mut lead = json!({ "LastName": "Sample", "Company": "Example Widgets Ltd" });
    lead.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    org.call("admin", "POST", "/sobjects/Lead", Some(lead)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_record_type_lacks_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let metadata = folder.path().join("metadata");
    let own = ("force-app/main/default/objects/Lead/recordTypes/Partner.recordType-meta.xml", PARTNER);
    for (file, text) in SHIPPED.iter().chain([&own]) {
        let file = metadata.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let org = OrgProcess::start(&["--metadata", metadata.to_str().unwrap()]);
    let config = org.write_config(folder.path());
    let config = config.to_str().unwrap();
    let types = org.query("SELECT Id FROM RecordType WHERE SobjectType = 'Lead'").await;
    assert_eq!(types.len(), 1, "{types:?}");
    let partner = types[0]["Id"].clone();
    let (status, typed) = lead(&org, json!({ "RecordTypeId": partner })).await;
    assert_eq!(status, 201, "{typed}");
    let (status, plain) = lead(&org, json!({})).await;
    assert_eq!(status, 201, "{plain}");
    let (status, wrong) =
        lead(&org, json!({ "RecordTypeId": partner, "Status": "Working - Contacted" })).await;
    assert_eq!(status, 400, "the org refuses it too: {wrong}");

    let propose = |id: &str, lead: &Value, status: &str| {
        let body = json!({ "proposal_id": id, "object": "Lead", "record_id": lead["id"],
            "patch": { "Status": status }, "confidence": 0.95 });
        let (code, out, err) = countersign(&["propose", "--config", config], Some(&body.to_string()));
        (code, format!("{out}{err}"))
    };
    let (code, said) = propose("type:1", &typed, "Working - Contacted");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("picklist-value-not-in-record-type") && said.contains("\"Partner\""), "{said}");
    assert!(said.contains("Open - Not Contacted, Closed - Not Converted"), "{said}");
    let row =
        org.call("admin", "GET", &format!("/sobjects/Lead/{}", typed["id"].as_str().unwrap()), None).await.1;
    assert_eq!(row["AI_Proposal_ID__c"], Value::Null, "nothing was sent: {row}");
    let (code, said) = propose("type:2", &typed, "Closed - Not Converted");
    assert_eq!(code, 4, "{said}");
    let (code, said) = propose("type:3", &plain, "Working - Contacted");
    assert_eq!(code, 4, "a record without a type is not narrowed: {said}");
}
