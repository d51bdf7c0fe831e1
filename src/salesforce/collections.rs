//! Bodies of collections and composite requests, and what their replies prove about each row.

use serde_json::{Map, Value, json};

use super::{Class, GateRule, NewRow, RowOutcome, RowWrite, SalesforceError, classify, errors::shorten};
use crate::domain::RecordId;

/// Most rows in one collections request.
pub(super) const MOST_ROWS: usize = 200;
/// Most collections requests in one composite call.
pub(super) const MOST_BATCHES: usize = 5;

/// The body of a collections request.
pub(super) fn body(rows: &[&RowWrite]) -> Value {
    let records: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut record: Map<String, Value> = row.fields.clone().into_iter().collect();
            record.insert("attributes".to_owned(), json!({ "type": row.object }));
            record.insert("id".to_owned(), json!(row.record));
            Value::Object(record)
        })
        .collect();
    json!({ "allOrNone": false, "records": records })
}

/// The body of a collections request that makes records.
pub(super) fn new_body(rows: &[NewRow]) -> Value {
    let record = |row: &NewRow| {
        let mut record: Map<String, Value> = row.fields.clone().into_iter().collect();
        record.insert("attributes".to_owned(), json!({ "type": row.object }));
        Value::Object(record)
    };
    json!({ "allOrNone": false, "records": rows.iter().map(record).collect::<Vec<_>>() })
}

/// Outcomes from the reply to it, each with the new record's id.
pub(super) fn new_outcomes(count: usize, reply: &Value) -> Vec<(RowOutcome, Option<RecordId>)> {
    let one = |result: &Value| match result.get("success").and_then(Value::as_bool) {
        Some(true) => {
            let id = result.get("id").and_then(Value::as_str).and_then(|id| RecordId::complete(id).ok());
            match id.and_then(|id| RecordId::parse(&id).ok()) {
                Some(id) => (RowOutcome::Done, Some(id)),
                None => (unknown("the answer names no record"), None),
            }
        }
        Some(false) => {
            let errors = result.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            (refusal(errors), None)
        }
        None => (unknown("the answer to a row says neither yes nor no"), None),
    };
    match reply {
        Value::Array(results) if results.len() == count => results.iter().map(one).collect(),
        _ => vec![(unknown("the reply has another number of rows"), None); count],
    }
}

/// The body of a composite call with one collections request for each batch.
pub(super) fn composite(url: &str, batches: &[Vec<&RowWrite>]) -> Value {
    let requests: Vec<Value> = batches
        .iter()
        .enumerate()
        .map(|(place, batch)| {
            json!({ "method": "PATCH", "url": url, "referenceId": reference(place), "body": body(batch) })
        })
        .collect();
    json!({ "allOrNone": false, "collateSubrequests": false, "compositeRequest": requests })
}

fn reference(place: usize) -> String {
    format!("batch{place}")
}

/// Outcomes from the reply to a collections request.
pub(super) fn outcomes(rows: &[&RowWrite], reply: &Value) -> Vec<RowOutcome> {
    match reply {
        Value::Array(results) if results.len() == rows.len() => {
            rows.iter().zip(results).map(|(row, result)| outcome(row, result)).collect()
        }
        Value::Array(_) => same(rows.len(), &unknown("the reply has another number of rows")),
        _ => same(rows.len(), &unknown("the reply is no list of rows")),
    }
}

/// Of what a refusal speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Of each row.
    Rows,
    /// Of a batch as a whole: one of its rows may be to blame.
    Batch,
    /// Of the call as a whole.
    Call,
}

/// Outcomes of a batch, and of what they speak.
pub(super) struct Answer {
    pub outcomes: Vec<RowOutcome>,
    pub scope: Scope,
}

impl Answer {
    fn rows(outcomes: Vec<RowOutcome>) -> Self {
        Self { outcomes, scope: Scope::Rows }
    }

    /// One refusal for all rows of a batch.
    pub fn whole(count: usize, outcome: &RowOutcome, scope: Scope) -> Self {
        // Only what was refused for good, or for another row's sake, can be one row's fault.
        let by_a_row = match outcome {
            RowOutcome::Refused { .. } => true,
            RowOutcome::Retry { code } => {
                matches!(classify(None, code, ""), Class::Innocent | Class::Bisect)
            }
            _ => false,
        };
        Self { outcomes: same(count, outcome), scope: if by_a_row { scope } else { Scope::Rows } }
    }
}

/// The answer to a single collections request.
pub(super) fn single(rows: &[&RowWrite], reply: &Value) -> Answer {
    Answer::rows(outcomes(rows, reply))
}

/// Outcomes from the reply to a composite call, batch by batch.
pub(super) fn composite_outcomes(batches: &[Vec<&RowWrite>], reply: &Value) -> Vec<Answer> {
    let parts = reply.get("compositeResponse").and_then(Value::as_array);
    let part_of = |place: usize| {
        let name = reference(place);
        parts?.iter().find(|part| part.get("referenceId").and_then(Value::as_str) == Some(&name))
    };
    let of_batch = |(place, batch): (usize, &Vec<&RowWrite>)| {
        let Some(part) = part_of(place) else {
            return Answer::rows(same(batch.len(), &unknown("the reply has no part for this batch")));
        };
        let body = part.get("body").unwrap_or(&Value::Null);
        match part.get("httpStatusCode").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok())
        {
            Some(200..300) => single(batch, body),
            Some(status) => {
                let first = body.get(0).unwrap_or(&Value::Null);
                let code = text(first, "errorCode").unwrap_or_else(|| format!("HTTP_{status}"));
                let message = text(first, "message").unwrap_or_default();
                let outcome = of_call(&SalesforceError::Refused { status, code, message });
                Answer::whole(batch.len(), &outcome, Scope::Batch)
            }
            None => Answer::rows(same(batch.len(), &unknown("the reply has a part without status"))),
        }
    };
    batches.iter().enumerate().map(of_batch).collect()
}

/// What a failed call proves about each of its rows.
pub(super) fn of_call(error: &SalesforceError) -> RowOutcome {
    let code = error.salesforce_code().unwrap_or(error.code()).to_owned();
    match (error, error.class()) {
        (SalesforceError::NotSent { .. }, _) | (_, Class::Pause | Class::Login) => {
            RowOutcome::NotSent { code }
        }
        (_, Class::Unknown) => unknown(&format!("{} {code}", error.code())),
        (_, Class::Retry | Class::Bisect | Class::Innocent) => RowOutcome::Retry { code },
        // Said of the whole call: the path or something on the way is wrong, not the rows.
        (_, Class::Gone | Class::Reread) => RowOutcome::NotSent { code },
        _ if code.starts_with("HTTP_") => RowOutcome::NotSent { code },
        (SalesforceError::Refused { message, .. }, Class::Drop) => {
            RowOutcome::Refused { code, message: message.clone(), rule: None }
        }
        (_, Class::Park) => RowOutcome::Retry { code },
        (_, Class::Drop) => RowOutcome::NotSent { code },
    }
}

/// The same outcome for each of `count` rows.
pub(super) fn same(count: usize, outcome: &RowOutcome) -> Vec<RowOutcome> {
    vec![outcome.clone(); count]
}

fn unknown(reason: &str) -> RowOutcome {
    RowOutcome::Unknown { reason: reason.to_owned() }
}

fn outcome(row: &RowWrite, result: &Value) -> RowOutcome {
    match result.get("success").and_then(Value::as_bool) {
        Some(true) => match result.get("id").and_then(Value::as_str) {
            Some(id) if id.get(..15) != row.record.as_str().get(..15) => {
                unknown("the answer names another record")
            }
            _ => RowOutcome::Done,
        },
        Some(false) => {
            let errors = result.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            refusal(errors)
        }
        None => unknown("the answer to a row says neither yes nor no"),
    }
}

/// One outcome from all errors of a row: a lost race first, then our own rules, then the first error.
fn refusal(errors: &[Value]) -> RowOutcome {
    let by_rule = errors
        .iter()
        .filter(|error| text(error, "statusCode").as_deref() == Some("FIELD_CUSTOM_VALIDATION_EXCEPTION"))
        .filter_map(|error| {
            let message = text(error, "message")?;
            Some((GateRule::of_message(&message)?, message))
        });
    let mut rules: Vec<(GateRule, String)> = by_rule.collect();
    rules.sort();
    if let Some((rule, message)) = rules.iter().find(|(rule, _)| rule.is_lost_race()) {
        return RowOutcome::RaceLost { code: rule.to_string(), message: message.clone() };
    }
    let Some(error) = errors.first() else {
        return RowOutcome::Refused { code: "NO_REASON".to_owned(), message: String::new(), rule: None };
    };
    let code = text(error, "statusCode").unwrap_or_else(|| "NO_CODE".to_owned());
    let message = text(error, "message").unwrap_or_default();
    if let Some((rule, message)) = rules.into_iter().next() {
        return RowOutcome::Refused { code: rule.to_string(), message, rule: Some(rule) };
    }
    let names_a_field =
        error.get("fields").and_then(Value::as_array).is_some_and(|fields| !fields.is_empty());
    match classify(None, &code, &message) {
        // With a field named it is a lookup value that is unknown, not the record.
        Class::Gone if code == "INVALID_CROSS_REFERENCE_KEY" && names_a_field => {
            RowOutcome::Refused { code, message, rule: None }
        }
        Class::Gone => RowOutcome::Gone { code },
        Class::Retry | Class::Bisect | Class::Innocent => RowOutcome::Retry { code },
        Class::Pause | Class::Login => RowOutcome::NotSent { code },
        Class::Unknown => unknown(&code),
        Class::Reread => RowOutcome::RaceLost { code, message },
        // Locked for hours or days: it passes, and the caller waits longer each time.
        Class::Park => RowOutcome::Retry { code },
        Class::Drop => RowOutcome::Refused { code, message, rule: None },
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(shorten)
}
