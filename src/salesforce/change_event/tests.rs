//! Headers, selections and values of a made-up event in Salesforce's shape.

use super::*;
use crate::{
    domain::FieldValue,
    salesforce::avro::{put_long, put_string},
};

const SCHEMA: &str = r#"{
    "type": "record", "name": "LeadChangeEvent", "namespace": "com.sforce.eventbus", "fields": [
        {"name": "ChangeEventHeader", "doc": "Data:ComplexValueType", "type":
            {"type": "record", "name": "ChangeEventHeader", "fields": [
                {"name": "entityName", "type": "string"},
                {"name": "recordIds", "type": {"type": "array", "items": "string"}},
                {"name": "changeType", "type":
                    {"type": "enum", "name": "ChangeType", "symbols": ["CREATE", "UPDATE", "GAP_UPDATE"]}},
                {"name": "changeOrigin", "type": "string"},
                {"name": "transactionKey", "type": "string"},
                {"name": "sequenceNumber", "type": "int"},
                {"name": "commitTimestamp", "type": "long"},
                {"name": "commitNumber", "type": "long"},
                {"name": "commitUser", "type": "string"},
                {"name": "nulledFields", "type": {"type": "array", "items": "string"}},
                {"name": "diffFields", "type": {"type": "array", "items": "string"}},
                {"name": "changedFields", "type": {"type": "array", "items": "string"}}]}},
        {"name": "Status", "doc": "Data:DynamicEnum", "type": ["null", "string"], "default": null},
        {"name": "Score__c", "doc": "Data:Double:00N000000000001", "type": ["null", "double"], "default": null},
        {"name": "LastModifiedDate", "doc": "Data:DateTime", "type": ["null", "long"], "default": null},
        {"name": "Due__c", "doc": "Data:DateOnly:00N000000000002", "type": ["null", "long"], "default": null},
        {"name": "Rating", "doc": "Data:DynamicEnum", "type": ["null", "string"], "default": null}
    ]
}"#;

fn payload() -> Vec<u8> {
    let mut out = Vec::new();
    let list = |out: &mut Vec<u8>, items: &[&str]| {
        if !items.is_empty() {
            put_long(out, items.len() as i64);
            items.iter().for_each(|item| put_string(out, item));
        }
        put_long(out, 0);
    };
    put_string(&mut out, "Lead");
    list(&mut out, &["00Q000000000001AAA"]);
    put_long(&mut out, 1);
    put_string(&mut out, "com/salesforce/api/rest/67.0;client=countersign");
    put_string(&mut out, "00000000-0000-0000-0000-000000000001");
    put_long(&mut out, 1);
    put_long(&mut out, 1_771_300_995_000);
    put_long(&mut out, 1_771_300_995_000_000_123);
    put_string(&mut out, "005000000000001AAA");
    list(&mut out, &["0x20"]);
    list(&mut out, &[]);
    list(&mut out, &["0x3E"]);
    put_long(&mut out, 1);
    put_string(&mut out, "Working");
    put_long(&mut out, 1);
    out.extend_from_slice(&0.1_f64.to_bits().to_le_bytes());
    put_long(&mut out, 1);
    put_long(&mut out, 1_771_300_995_000);
    put_long(&mut out, 1);
    put_long(&mut out, 1_771_286_400_000);
    put_long(&mut out, 0);
    out
}

#[test]
fn a_change_has_its_values_in_the_domain_s_words() {
    let decoder = EventDecoder::parse(SCHEMA).unwrap();
    let change = decoder.change(&payload()).unwrap();
    assert_eq!(change.object, "Lead");
    assert_eq!(change.change_type, ChangeType::Update);
    assert_eq!(change.client.as_deref(), Some("countersign"));
    assert_eq!(change.commit_number, 1_771_300_995_000_000_123, "above 2^53 and still exact");
    assert_eq!(change.changed_fields, ["Status", "Score__c", "LastModifiedDate", "Due__c", "Rating"]);
    assert_eq!(change.nulled_fields, ["Rating"]);
    assert_eq!(change.values["Status"], FieldValue::text("Working"));
    assert_eq!(change.values["Score__c"].to_string(), "0.1");
    assert_eq!(change.values["LastModifiedDate"].to_string(), "2026-02-17T04:03:15.000+0000");
    assert_eq!(change.values["Due__c"].to_string(), "2026-02-17");
    assert_eq!(change.values["Rating"], FieldValue::Null);
}

#[test]
fn a_selection_reads_less_and_checks_as_much() {
    let decoder = EventDecoder::parse(SCHEMA).unwrap();
    let selection = decoder.select(&["Status", "Unknown__c"]);
    let payload = payload();
    let event = decoder.decode_selected(&payload, &selection).unwrap();
    assert_eq!(event.values.len(), 1);
    for end in 0..payload.len() {
        assert!(decoder.decode_selected(&payload[..end], &selection).is_err(), "cut to {end} bytes");
    }
}

#[test]
fn the_header_is_readable_alone() {
    let decoder = EventDecoder::parse(SCHEMA).unwrap();
    let payload = payload();
    let header = decoder.header(&payload[..payload.len() - 9]).unwrap();
    assert_eq!(header.record_ids, ["00Q000000000001AAA"]);
    assert!(!header.change_type.is_gap());
}

#[test]
fn other_schemas_are_refused() {
    let code = |schema: &str| EventDecoder::parse(schema).unwrap_err().code();
    assert_eq!(code("\"string\""), "event-schema-foreign");
    assert_eq!(code(&SCHEMA.replace("commitNumber", "somethingElse")), "event-schema-foreign");
    assert_eq!(
        code(&SCHEMA.replace(r#""commitNumber", "type": "long""#, r#""commitNumber", "type": "int""#)),
        "event-schema-foreign"
    );
    assert_eq!(code("{"), "avro-schema-not-json");
}
