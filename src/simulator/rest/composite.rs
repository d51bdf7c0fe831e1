//! `/composite`: up to 25 calls in one, with references between them, all or none on demand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Reply, Target, not_allowed, not_found, parameters, parser_error, target},
    context::Context,
    references::{ReferenceError, Results, resolve, resolve_text},
};

const MAX_SUBREQUESTS: usize = 25;
/// Of these, queries and collections.
const MAX_HEAVY: usize = 5;
/// Headers that a subrequest must not set.
const RESERVED: [&str; 3] = ["accept", "authorization", "content-type"];
const HALTED: &str =
    "The transaction was rolled back since another operation in the same transaction failed.";
const ROLLED_BACK: &str =
    "Record rolled back because not all records were valid and the request was using AllOrNone header";

/// A subrequest as the client sent it.
struct Part {
    reference: String,
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

/// `POST /composite`. Subrequests run in the order given: `collateSubrequests` is accepted
/// and changes nothing, since every order that it allows includes this one.
pub(super) fn handle(context: &Context, call: &Call) -> Result<Reply, Reply> {
    if call.method != "POST" {
        return Err(not_allowed(&call.method, "POST"));
    }
    let body = call.object_body()?;
    let Some(Value::Array(list)) = body.get("compositeRequest") else {
        return Err(parser_error("compositeRequest: expected a list of subrequests"));
    };
    let parts = list.iter().map(part).collect::<Result<Vec<_>, Reply>>()?;
    check(&parts)?;
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
    let replies =
        if all_or_none { together(context, call, &parts) } else { run(context, call, &parts, false) };
    let entries = parts.iter().zip(replies).map(|(part, reply)| {
        let headers: Map<String, Value> =
            reply.headers.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
        json!({
            "body": reply.body,
            "httpHeaders": headers,
            "httpStatusCode": reply.status,
            "referenceId": part.reference,
        })
    });
    Ok(Reply::ok(json!({ "compositeResponse": entries.collect::<Vec<_>>() })))
}

fn part(json: &Value) -> Result<Part, Reply> {
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    let required = |name: &str| text(name).ok_or_else(|| parser_error(format!("subrequest without {name}")));
    let reference = required("referenceId")?;
    let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if reference.is_empty() || !reference.chars().all(word) {
        let message = format!("referenceId {reference}: only letters, digits and underscores are allowed");
        return Err(Reply::error(400, "INVALID_INPUT", message));
    }
    let mut headers = BTreeMap::new();
    for (name, value) in json.get("httpHeaders").and_then(Value::as_object).into_iter().flatten() {
        let name = name.to_ascii_lowercase();
        if RESERVED.contains(&name.as_str()) {
            let message = format!("The header {name} is not allowed in a subrequest");
            return Err(Reply::error(400, "INVALID_INPUT", message));
        }
        headers.insert(name, value.as_str().unwrap_or_default().to_owned());
    }
    let body = json.get("body").filter(|body| !body.is_null()).cloned();
    Ok(Part { reference, method: required("method")?.to_uppercase(), url: required("url")?, headers, body })
}

fn check(parts: &[Part]) -> Result<(), Reply> {
    if parts.len() > MAX_SUBREQUESTS {
        let message = format!("Limit exceeded. At most {MAX_SUBREQUESTS} subrequests are allowed");
        return Err(Reply::error(400, "LIMIT_EXCEEDED", message));
    }
    let heavy = |part: &&Part| ["/query", "/composite/sobjects"].iter().any(|name| part.url.contains(name));
    if parts.iter().filter(heavy).count() > MAX_HEAVY {
        let message =
            format!("Limit exceeded. At most {MAX_HEAVY} query and collections subrequests are allowed");
        return Err(Reply::error(400, "LIMIT_EXCEEDED", message));
    }
    let mut seen: Vec<&str> = parts.iter().map(|part| part.reference.as_str()).collect();
    seen.sort_unstable();
    match seen.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => {
            let message = format!("Duplicate referenceId {}", pair[0]);
            Err(Reply::error(400, "INVALID_INPUT", message))
        }
        None => Ok(()),
    }
}

/// All subrequests in one transaction: it is committed when none failed.
fn together(context: &Context, call: &Call, parts: &[Part]) -> Vec<Reply> {
    let open = Arc::new(Mutex::new(context.org.begin()));
    let inside = Context { transaction: Some(Arc::clone(&open)), ..context.clone() };
    let mut replies = run(&inside, call, parts, true);
    drop(inside);
    let transaction =
        Arc::into_inner(open).map(|open| open.into_inner().unwrap_or_else(PoisonError::into_inner));
    if !replies.iter().any(failed) {
        if let Some(transaction) = transaction {
            transaction.commit();
        }
        return replies;
    }
    drop(transaction);
    for reply in &mut replies {
        roll_back(reply);
    }
    replies
}

/// Runs the subrequests in order; with `stop` nothing runs after the first failure.
fn run(context: &Context, call: &Call, parts: &[Part], stop: bool) -> Vec<Reply> {
    let mut results = Results::new();
    let mut replies: Vec<Reply> = Vec::with_capacity(parts.len());
    for part in parts {
        let halted = stop && replies.iter().any(failed);
        let reply = if halted { halted_reply(HALTED) } else { run_part(context, call, part, &results) };
        let seen = if reply.succeeded() { Some(reply.body.clone().unwrap_or(Value::Null)) } else { None };
        results.insert(part.reference.clone(), seen);
        replies.push(reply);
    }
    replies
}

fn run_part(context: &Context, call: &Call, part: &Part, results: &Results) -> Reply {
    let resolved = resolve_text(&part.url, results).and_then(|url| {
        let body = part.body.as_ref().map(|body| resolve(body, results)).transpose()?;
        Ok((url, body))
    });
    let (url, body) = match resolved {
        Ok(resolved) => resolved,
        Err(ReferenceError::Halted(name)) => {
            return halted_reply(&format!("The operation depends on {name}, which failed."));
        }
        Err(ReferenceError::Unresolved(path)) => {
            return halted_reply(&format!("Invalid reference specified. No value for {path} found"));
        }
    };
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let Target::Resource { version, path } = target(path) else { return not_found() };
    // A composite call inside a composite call is refused.
    if path.first().is_some_and(|name| name == "composite")
        && path.get(1).is_none_or(|name| name != "sobjects")
    {
        return not_found();
    }
    let mut headers = part.headers.clone();
    for name in ["sforce-call-options", "sforce-auto-assign"] {
        if let Some(value) = call.header(name) {
            headers.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    let inner = Call {
        method: part.method.clone(),
        version,
        path,
        query: parameters(query),
        headers,
        body,
        nested: true,
    };
    super::dispatch(context, &inner)
}

/// Failed as a whole, or a collections reply with a failed row.
fn failed(reply: &Reply) -> bool {
    let row_failed =
        |rows: &Vec<Value>| rows.iter().any(|row| row.get("success") == Some(&Value::Bool(false)));
    !reply.succeeded() || reply.body.as_ref().and_then(Value::as_array).is_some_and(row_failed)
}

/// The reply of a subrequest whose work was undone. Failures keep their own words, and
/// collections keep 200 with an error in each row.
fn roll_back(reply: &mut Reply) {
    if !reply.succeeded() {
        return;
    }
    let is_rows = |rows: &&mut Vec<Value>| rows.iter().any(|row| row.get("success").is_some());
    if let Some(rows) = reply.body.as_mut().and_then(Value::as_array_mut).filter(is_rows) {
        for row in rows.iter_mut().filter(|row| row.get("success") == Some(&Value::Bool(true))) {
            let error = json!({
                "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "message": ROLLED_BACK,
                "fields": [],
            });
            *row = json!({ "success": false, "errors": [error] });
        }
        return;
    }
    *reply = halted_reply(HALTED);
}

fn halted_reply(message: &str) -> Reply {
    Reply::error(400, "PROCESSING_HALTED", message)
}
