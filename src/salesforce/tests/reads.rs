//! Reads: repeated on errors that pass, in order, page by page.

use serde_json::{Value, json};

use super::fake::{Answer, Fake, lead};
use crate::{
    domain::{FieldName, FieldType, RecordState},
    salesforce::{
        Reader,
        names::{LEAD, OPPORTUNITY},
    },
};

fn record(number: usize) -> Value {
    json!({ "attributes": {"type": "Lead"}, "Id": lead(number), "Name": "Example Widgets Ltd",
        "LastModifiedDate": "2026-05-01T07:25:37.000+0000", "Status": "Open - Not Contacted" })
}

#[tokio::test]
async fn a_missing_record_keeps_its_place() {
    let fake = Fake::start(vec![Answer::Json(200, json!([record(1), null, record(3)]))]).await;
    let reader = Reader::new(fake.connection());
    let readings = reader.retrieve(&LEAD, &[lead(1), lead(2), lead(3)]).await.unwrap();
    let states: Vec<RecordState> = readings.iter().map(|reading| reading.snapshot.state).collect();
    assert_eq!(states, [RecordState::Live, RecordState::Missing, RecordState::Live]);
    assert_eq!(readings[1].snapshot.record, lead(2));
    assert_eq!(fake.asked()[0].line, "POST /services/data/v67.0/composite/sobjects/Lead");
}

#[tokio::test]
async fn more_than_two_thousand_ids_make_several_calls() {
    let fake = Fake::start(vec![Answer::Json(200, json!([])), Answer::Json(200, json!([]))]).await;
    let ids: Vec<_> = (0..2001).map(lead).collect();
    let readings = Reader::new(fake.connection()).retrieve(&LEAD, &ids).await.unwrap();
    assert_eq!(readings.len(), 2001);
    assert_eq!(fake.asked()[0].body["ids"].as_array().unwrap().len(), 2000);
}

#[tokio::test]
async fn errors_that_pass_are_asked_again_and_others_are_not() {
    let busy = json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded."}]);
    let fake = Fake::start(vec![
        Answer::Html(502, "<html>canary</html>"),
        Answer::Broken,
        Answer::Json(403, busy),
        Answer::Json(200, json!([])),
    ])
    .await;
    assert!(Reader::new(fake.connection()).retrieve(&LEAD, &[lead(1)]).await.is_ok());
    assert_eq!(fake.asked().len(), 4);

    let daily = json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]);
    let fake = Fake::start(vec![Answer::Json(403, daily)]).await;
    let error = Reader::new(fake.connection()).retrieve(&LEAD, &[lead(1)]).await.unwrap_err();
    assert_eq!((error.salesforce_code(), fake.asked().len()), (Some("REQUEST_LIMIT_EXCEEDED"), 1));
}

#[tokio::test]
async fn pending_records_come_page_by_page() {
    let first = json!({ "done": false, "nextRecordsUrl": "/services/data/v67.0/query/0r8xx0000000001-2000", "records": [record(1)] });
    let second = json!({ "done": true, "records": [record(2)] });
    let fake = Fake::start(vec![Answer::Json(200, first), Answer::Json(200, second)]).await;
    let mut pages = Reader::new(fake.connection()).pending(&LEAD);
    assert_eq!(pages.next().await.unwrap().unwrap()[0].snapshot.record, lead(1));
    assert_eq!(pages.next().await.unwrap().unwrap()[0].snapshot.record, lead(2));
    assert!(pages.next().await.unwrap().is_none());
    assert!(fake.asked()[0].line.contains("AI_Gate_Pending__c"));
}

#[tokio::test]
async fn a_next_page_elsewhere_is_refused() {
    for path in ["https://example.net/x", "/services/data/v67.0/../../secur", "@example.net/"] {
        let page = json!({ "done": false, "nextRecordsUrl": path, "records": [] });
        let fake = Fake::start(vec![Answer::Json(200, page)]).await;
        assert!(Reader::new(fake.connection()).pending(&LEAD).next().await.is_err(), "{path}");
    }
}

#[tokio::test]
async fn a_description_gives_active_values_types_and_switches() {
    let described = json!({ "updateable": true, "fields": [
        {"name": "StageName", "type": "picklist", "length": 255, "nillable": false, "updateable": true, "restrictedPicklist": false,
         "picklistValues": [{"value": "Prospecting", "active": true}, {"value": "Old", "active": false}]},
        {"name": "Amount", "type": "currency", "precision": 18, "scale": 2, "nillable": true, "updateable": false},
    ]});
    let switches = json!({ "done": true, "records": [{"Opportunity_Stage_Auto__c": true, "Opportunity_Amount_Auto__c": false}] });
    let fake = Fake::start(vec![Answer::Json(200, described), Answer::Json(200, switches)]).await;
    let schema = Reader::new(fake.connection()).describe(&OPPORTUNITY).await.unwrap();
    let stage = FieldName::parse("StageName").unwrap();
    assert_eq!(schema.picklist(&stage).unwrap(), ["Prospecting"]);
    let amount = &schema.fields[&FieldName::parse("Amount").unwrap()];
    assert_eq!(amount.field_type, FieldType::Decimal { precision: 18, scale: 2 });
    assert!(!amount.updateable);
    assert_eq!(schema.auto_allowed, [stage]);
    assert!(!schema.fields.contains_key(&FieldName::parse("NextStep").unwrap()), "what is hidden is absent");
}

#[tokio::test]
async fn switches_that_cannot_be_read_are_off() {
    let described = json!({ "updateable": true, "fields": [] });
    let no_type = json!([{"errorCode": "INVALID_TYPE", "message": "sObject type 'AI_Gate_Setting__mdt' is not supported."}]);
    let fake = Fake::start(vec![Answer::Json(200, described), Answer::Json(400, no_type)]).await;
    assert!(Reader::new(fake.connection()).describe(&LEAD).await.unwrap().auto_allowed.is_empty());
}
