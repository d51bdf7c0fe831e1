//! Writes: what each reply proves about each row, and that nothing unproven is sent again.

use serde_json::{Value, json};

use super::fake::{Answer, Fake, expired, lead, row};
use crate::{
    domain::ObjectName,
    salesforce::{GateRule, RowOutcome, RowWrite, Writer},
};

fn done(number: usize) -> Value {
    json!({ "id": lead(number), "success": true, "errors": [] })
}

fn failed(code: &str, message: &str) -> Value {
    json!({ "success": false, "errors": [{ "statusCode": code, "message": message, "fields": [] }] })
}

async fn one(answer: Answer) -> (RowOutcome, Fake) {
    let fake = Fake::start(vec![answer]).await;
    let outcome = Writer::new(fake.connection()).update(&[row(1)]).await.remove(0);
    (outcome, fake)
}

#[tokio::test]
async fn rows_get_their_own_outcome_in_their_own_order() {
    let rule = "FIELD_CUSTOM_VALIDATION_EXCEPTION";
    let reply = json!([
        done(1),
        failed(rule, "AI_GATE_04: the promotion number has moved"),
        failed(rule, "AI_GATE_07: not approved"),
        failed(rule, "Amount must be positive"),
        failed("ENTITY_IS_DELETED", "entity is deleted"),
        failed("SOMETHING_NEW", "x"),
        failed("UNKNOWN_EXCEPTION", "ErrorId 1"),
    ]);
    let fake = Fake::start(vec![Answer::Json(200, reply)]).await;
    // Sent sorted by id, answered in the caller's order.
    let rows: Vec<RowWrite> = (1..=7).rev().map(row).collect();
    let mut outcomes = Writer::new(fake.connection()).update(&rows).await;
    outcomes.reverse();
    assert_eq!(outcomes[0], RowOutcome::Done);
    assert!(matches!(&outcomes[1], RowOutcome::RaceLost { code, .. } if code == "AI_GATE_04"));
    assert!(
        matches!(&outcomes[2], RowOutcome::Refused { rule: Some(GateRule::ApprovedValue), code, .. } if code == "AI_GATE_07")
    );
    assert!(matches!(&outcomes[3], RowOutcome::Refused { rule: None, .. }));
    assert!(matches!(&outcomes[4], RowOutcome::Gone { .. }));
    assert!(matches!(&outcomes[5], RowOutcome::Refused { code, .. } if code == "SOMETHING_NEW"));
    assert!(matches!(&outcomes[6], RowOutcome::Unknown { .. }));
    let asked = &fake.asked()[0];
    assert_eq!(asked.line, "PATCH /services/data/v67.0/composite/sobjects");
    assert_eq!(asked.headers["sforce-auto-assign"], "FALSE");
    assert_eq!(asked.headers["sforce-call-options"], "client=countersign");
    assert_eq!(asked.body["allOrNone"], false);
    assert_eq!(asked.body["records"][0]["attributes"]["type"], "Lead");
}

#[tokio::test]
async fn a_lost_race_is_seen_among_other_refusals() {
    let rule = "FIELD_CUSTOM_VALIDATION_EXCEPTION";
    let reply = json!([{ "success": false, "errors": [
        { "statusCode": rule, "message": "AI_GATE_07: not approved", "fields": [] },
        { "statusCode": rule, "message": "AI_GATE_05: the value has moved", "fields": [] },
    ]}]);
    assert!(
        matches!(one(Answer::Json(200, reply)).await.0, RowOutcome::RaceLost { code, .. } if code == "AI_GATE_05")
    );
}

#[tokio::test]
async fn what_says_nothing_about_the_effect_is_unknown_and_sent_once() {
    for answer in [
        Answer::Silence,
        Answer::Broken,
        Answer::Html(502, "<html>canary</html>"),
        Answer::Html(503, "maintenance"),
        Answer::Html(200, "<html>a login page</html>"),
        Answer::Json(500, json!([{"errorCode": "UNKNOWN_EXCEPTION", "message": "ErrorId"}])),
        Answer::Json(200, json!([])),
        Answer::Json(200, json!({"success": true})),
        Answer::Json(200, json!([{"id": lead(9), "success": true}])),
        Answer::Json(200, json!([{}])),
    ] {
        let (outcome, fake) = one(answer).await;
        assert!(
            matches!(&outcome, RowOutcome::Unknown { reason } if !reason.contains("canary")),
            "{outcome:?}"
        );
        assert_eq!(fake.asked().len(), 1, "a write without an answer must not be sent again");
    }
}

#[tokio::test]
async fn what_proves_that_nothing_was_applied_is_not_sent() {
    let limit = json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]);
    for answer in [Answer::Json(403, limit), Answer::Html(302, ""), Answer::Html(404, "no such page")] {
        let (outcome, _) = one(answer).await;
        assert!(matches!(outcome, RowOutcome::NotSent { .. }), "{outcome:?}");
    }
    let busy = json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentPerOrgLongTxn Limit exceeded."}]);
    assert!(matches!(one(Answer::Json(403, busy)).await.0, RowOutcome::Retry { .. }));
}

#[tokio::test]
async fn nobody_there_is_not_sent() {
    let fake = Fake::start(vec![]).await;
    let mut gone = fake.clone();
    gone.url = "http://127.0.0.1:1".to_owned();
    let token = crate::salesforce::Credentials::AccessToken { access_token: "t".into() };
    let outcome = Writer::new(gone.connection_as(token)).update(&[row(1)]).await.remove(0);
    assert_eq!(outcome, RowOutcome::NotSent { code: "salesforce-unreachable".to_owned() });
}

#[tokio::test]
async fn a_login_without_an_answer_is_not_an_unknown_write() {
    let busy = || (503, json!("busy"));
    let fake = Fake::start(vec![]).await.tokens((0..6).map(|_| busy()).collect());
    let outcome = Writer::new(fake.connection()).update(&[row(1)]).await.remove(0);
    assert!(matches!(outcome, RowOutcome::NotSent { .. }), "{outcome:?}");
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn an_expired_token_is_renewed_and_the_write_repeated_once() {
    let fake = Fake::start(vec![expired(), Answer::Json(200, json!([done(1)])), expired(), expired()]).await;
    let writer = Writer::new(fake.connection());
    assert_eq!(writer.update(&[row(1)]).await, [RowOutcome::Done]);
    let outcome = writer.update(&[row(1)]).await.remove(0);
    assert_eq!(outcome, RowOutcome::NotSent { code: "INVALID_SESSION_ID".to_owned() });
    assert_eq!(fake.asked().len(), 4);
}

#[tokio::test]
async fn many_rows_go_in_one_composite_call_and_more_in_several() {
    let part = |place: usize, rows: usize| {
        let body: Vec<Value> = (0..rows).map(|_| json!({ "success": true, "errors": [] })).collect();
        json!({ "referenceId": format!("batch{place}"), "httpStatusCode": 200, "body": body, "httpHeaders": {} })
    };
    // Parts out of order on purpose.
    let first: Vec<Value> = [4, 1, 0, 3, 2].into_iter().map(|place| part(place, 200)).collect();
    let fake = Fake::start(vec![
        Answer::Json(200, json!({ "compositeResponse": first })),
        Answer::Json(200, json!([{ "success": true, "errors": [] }])),
    ])
    .await;
    let rows: Vec<RowWrite> = (0..1001).map(row).collect();
    let outcomes = Writer::new(fake.connection()).update(&rows).await;
    assert!(outcomes.iter().all(|outcome| *outcome == RowOutcome::Done));
    let asked = fake.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].line, "POST /services/data/v67.0/composite");
    assert_eq!(asked[0].body["compositeRequest"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_failed_part_of_a_composite_speaks_for_its_rows_only() {
    let reply = json!({ "compositeResponse": [
        { "referenceId": "batch0", "httpStatusCode": 200, "body": [{ "success": true, "errors": [] }] },
        { "referenceId": "batch1", "httpStatusCode": 400, "body": [{ "errorCode": "PROCESSING_HALTED", "message": "" }] },
    ]});
    let fake = Fake::start(vec![Answer::Json(200, reply)]).await;
    let mut other = row(1);
    other.object = ObjectName::parse("Opportunity").unwrap();
    let outcomes = Writer::new(fake.connection()).update(&[other, row(2)]).await;
    assert_eq!(outcomes, [RowOutcome::Retry { code: "PROCESSING_HALTED".to_owned() }, RowOutcome::Done]);
}

#[tokio::test]
async fn one_locked_row_does_not_hold_the_others_back() {
    let locked = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|_| failed("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"))
            .collect()
    };
    let saved = |count: usize| -> Vec<Value> {
        (0..count).map(|_| json!({ "success": true, "errors": [] })).collect()
    };
    let part = |place: usize, body: Vec<Value>| json!({ "referenceId": format!("batch{place}"), "httpStatusCode": 200, "body": body });
    let fake = Fake::start(vec![
        Answer::Json(200, json!(locked(10))),
        Answer::Json(200, json!({ "compositeResponse": [
            part(0, locked(2)), part(1, saved(2)), part(2, saved(2)), part(3, saved(2)), part(4, saved(2)),
        ]})),
        Answer::Json(200, json!({ "compositeResponse": [part(0, locked(1)), part(1, saved(1))] })),
        Answer::Json(200, json!(locked(1))),
    ])
    .await;
    let rows: Vec<RowWrite> = (0..10).map(row).collect();
    let outcomes = Writer::new(fake.connection()).with_batches(10, 5).update(&rows).await;
    assert_eq!(outcomes[0], RowOutcome::Retry { code: "UNABLE_TO_LOCK_ROW".to_owned() });
    assert!(outcomes[1..].iter().all(|outcome| *outcome == RowOutcome::Done), "{outcomes:?}");
    assert_eq!(fake.asked().len(), 4);
}

#[tokio::test]
async fn two_rows_of_one_record_go_in_two_calls() {
    let fake =
        Fake::start(vec![Answer::Json(200, json!([done(1)])), Answer::Json(200, json!([done(1)]))]).await;
    let outcomes = Writer::new(fake.connection()).update(&[row(1), row(1)]).await;
    assert_eq!(outcomes, [RowOutcome::Done, RowOutcome::Done]);
    assert_eq!(fake.asked().len(), 2);
}
