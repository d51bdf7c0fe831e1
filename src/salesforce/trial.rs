//! A write that cannot land, sent to see whether the org refuses it.
//!
//! One composite call with `allOrNone`, not collated, holds the write and, after it, a part that must fail: it
//! names a field that no org has. Salesforce runs the parts in order and undoes all of them when
//! one failed, so the write is undone even where it was let through, and its own answer tells
//! which: an error of its own, or that it was rolled back.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Connection, GateRule, RowWrite, SalesforceError, connection::Call};

/// Never created by anybody; the part that names it fails.
const NO_SUCH_FIELD: &str = "Countersign_No_Such_Field__c";
/// What Salesforce answers for a part that was fine by itself.
const UNDONE: &str = "PROCESSING_HALTED";

/// What the org made of the write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// It refused the write: the code and, where it was one of ours, the rule.
    Refused {
        /// Salesforce's code.
        code: String,
        /// The rule of the shipped package that spoke.
        rule: Option<GateRule>,
    },
    /// It would have saved it. Nothing was saved.
    LetThrough,
}

/// Sends the write in the rights of this connection's user. Nothing is changed by it.
pub async fn try_write(connection: &Connection, row: &RowWrite) -> Result<Trial, SalesforceError> {
    let url = connection.data(&format!("sobjects/{}/{}", row.object, row.record));
    let path = connection.data("composite");
    let body = body(&url, row);
    let reply: Value = connection.send(&Call::with_body(Method::POST, &path, &body)).await?.json()?;
    read(&reply)
}

/// Collated parts may run in any order, and two of one record may meet in one batch.
fn body(url: &str, row: &RowWrite) -> Value {
    let part = |reference: &str, body: Value| json!({ "method": "PATCH", "url": url, "referenceId": reference, "body": body });
    json!({
        "allOrNone": true,
        "collateSubrequests": false,
        "compositeRequest": [part("trial", json!(row.fields)), part("undo", json!({ NO_SUCH_FIELD: true }))],
    })
}

fn read(reply: &Value) -> Result<Trial, SalesforceError> {
    let unreadable = |detail: &str| SalesforceError::Unreadable { status: 200, detail: detail.to_owned() };
    let parts = reply.get("compositeResponse").and_then(Value::as_array);
    let part = |name: &str| {
        let named = |part: &&Value| part.get("referenceId").and_then(Value::as_str) == Some(name);
        parts.and_then(|parts| parts.iter().find(named))
    };
    let failed =
        |part: &Value| part.get("httpStatusCode").and_then(Value::as_u64).is_some_and(|it| it >= 400);
    let (Some(trial), Some(undo)) = (part("trial"), part("undo")) else {
        return Err(unreadable("the reply to a composite call lacks a part"));
    };
    if !failed(trial) || !failed(undo) {
        return Err(unreadable("a composite call with allOrNone saved a part although another failed"));
    }
    let errors = trial.pointer("/body").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let text =
        |error: &Value, name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let own = errors.iter().find(|error| text(error, "errorCode") != UNDONE);
    let Some(own) = own else {
        return if errors.is_empty() {
            Err(unreadable("a failed part tells no error"))
        } else {
            Ok(Trial::LetThrough)
        };
    };
    let rule = errors.iter().find_map(|error| GateRule::of_message(&text(error, "message")));
    Ok(Trial::Refused { code: text(own, "errorCode"), rule })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(trial: (u16, &str, &str), undo: u16) -> Value {
        let part = |name: &str, status: u16, code: &str, message: &str| {
            json!({ "referenceId": name,
            "httpStatusCode": status, "body": [{ "errorCode": code, "message": message }] })
        };
        json!({ "compositeResponse": [
            part("trial", trial.0, trial.1, trial.2),
            part("undo", undo, "INVALID_FIELD", "No such column"),
        ] })
    }

    #[test]
    fn the_part_that_undoes_comes_last_and_nothing_is_collated() {
        let row = RowWrite {
            object: crate::domain::ObjectName::parse("Lead").unwrap(),
            record: crate::domain::RecordId::parse("00QCs0000000001MAA").unwrap(),
            fields: [("Title".to_owned(), json!("x"))].into(),
        };
        let body = body("/services/data/v67.0/sobjects/Lead/00QCs0000000001MAA", &row);
        assert_eq!((&body["allOrNone"], &body["collateSubrequests"]), (&json!(true), &json!(false)));
        let parts = body["compositeRequest"].as_array().unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!((&parts[0]["body"], &parts[1]["referenceId"]), (&json!({ "Title": "x" }), &json!("undo")));
        assert!(parts[1]["body"][NO_SUCH_FIELD].as_bool().unwrap());
    }

    #[test]
    fn a_rule_that_spoke_is_named() {
        let told = reply((400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "AI_GATE_04 lost the race"), 400);
        let code = "FIELD_CUSTOM_VALIDATION_EXCEPTION".to_owned();
        assert_eq!(read(&told).unwrap(), Trial::Refused { code, rule: GateRule::of_code("AI_GATE_04") });
        let told = reply((403, "INSUFFICIENT_ACCESS_OR_READONLY", "no"), 400);
        assert!(matches!(read(&told).unwrap(), Trial::Refused { rule: None, .. }));
    }

    #[test]
    fn a_part_that_was_only_undone_was_let_through() {
        assert_eq!(read(&reply((400, UNDONE, "rolled back"), 400)).unwrap(), Trial::LetThrough);
    }

    #[test]
    fn a_reply_that_saved_something_is_no_verdict() {
        assert!(read(&reply((204, "", ""), 400)).is_err());
        assert!(read(&reply((400, "X", "AI_GATE_04"), 204)).is_err());
        assert!(read(&json!([])).is_err());
    }
}
