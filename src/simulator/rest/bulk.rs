//! `/jobs/query`: Bulk API 2.0 queries. Ingest jobs are not built.
//!
//! A job is complete after as many looks as the setting `bulk_query_looks` says. Its result is the
//! one of the moment when it was made; whether a real org reads later is not documented.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    call::{Call, Reply, not_allowed, not_found},
    context::Context,
};
use crate::{
    domain::value::moment_text,
    simulator::{
        bulk::{Job, State},
        soql::Selection,
    },
};

/// Rows of a part when the client does not say.
const PART: usize = 50_000;

/// Everything below `/jobs`.
pub(super) fn handle(context: &Context, call: &Call, path: &[String]) -> Result<Reply, Reply> {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    match (parts.as_slice(), call.method.as_str()) {
        (["query"], "POST") => make(context, call),
        (["query"], method) => Err(not_allowed(method, "POST")),
        (["query", id], "GET") => {
            let job = job(context, id)?;
            context.org.bulk_jobs().look(&job.id);
            Ok(Reply::ok(told(context, call, &job)))
        }
        (["query", id], "PATCH") => abort(context, call, id),
        (["query", id], "DELETE") => remove(context, id),
        (["query", _], method) => Err(not_allowed(method, "DELETE,GET,HEAD,PATCH")),
        (["query", id, "results"], "GET") => results(context, call, id),
        (["query", _, "results"], method) => Err(not_allowed(method, "GET,HEAD")),
        _ => Err(not_found()),
    }
}

fn job(context: &Context, id: &str) -> Result<Job, Reply> {
    context.org.bulk_jobs().get(id, &context.user.user_id).ok_or_else(not_found)
}

fn make(context: &Context, call: &Call) -> Result<Reply, Reply> {
    let body = call.object_body()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let operation = text("operation");
    if !["query", "queryAll"].contains(&operation.as_str()) {
        return Err(Reply::error(400, "INVALIDJOB", format!("Unknown operation: {operation}")));
    }
    for (name, only) in [("contentType", "CSV"), ("columnDelimiter", "COMMA"), ("lineEnding", "LF")] {
        if body.get(name).is_some_and(|given| given != only) {
            return Err(Reply::error(
                400,
                "INVALIDJOB",
                format!("the simulated org knows {name} {only} only"),
            ));
        }
    }
    let run = Selection::run(&context.org, &context.user, &text("query"), operation == "queryAll");
    let result = run.map_err(|error| Reply::error(400, error.code, error.message))?;
    let (user_id, made_at) = (context.user.user_id.clone(), context.org.now_seconds());
    let state = State::Working(context.org.settings().bulk_query_looks);
    let made = context.org.bulk_jobs().add(|id| Job {
        id,
        user_id,
        operation,
        made_at,
        state,
        result: Arc::new(result),
    });
    Ok(Reply::ok(told(context, call, &made)))
}

fn told(context: &Context, call: &Call, job: &Job) -> Value {
    let state = job.state.name(context.org.settings().bulk_query_looks);
    let at = moment_text(job.made_at);
    let mut told = json!({
        "id": job.id, "operation": job.operation, "object": job.result.object(), "createdById": job.user_id,
        "createdDate": at, "systemModstamp": at, "state": state, "concurrencyMode": "Parallel", "contentType": "CSV",
        "apiVersion": call.version.parse::<Value>().unwrap_or_default(), "jobType": "V2Query", "lineEnding": "LF",
        "columnDelimiter": "COMMA", "retries": 0, "totalProcessingTime": 0,
    });
    if job.state == State::Complete {
        told["numberRecordsProcessed"] = job.result.count().into();
    }
    told
}

fn abort(context: &Context, call: &Call, id: &str) -> Result<Reply, Reply> {
    let job = job(context, id)?;
    if call.object_body()?.get("state") != Some(&json!("Aborted")) {
        return Err(Reply::error(400, "INVALIDJOBSTATE", "A query job can only be set to Aborted"));
    }
    if job.state == State::Complete {
        return Err(Reply::error(400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed"));
    }
    context.org.bulk_jobs().abort(&job.id);
    let job = Job { state: State::Aborted, ..job };
    Ok(Reply::ok(told(context, call, &job)))
}

fn remove(context: &Context, id: &str) -> Result<Reply, Reply> {
    let job = job(context, id)?;
    if matches!(job.state, State::Working(_)) {
        return Err(Reply::error(
            400,
            "INVALIDJOBSTATE",
            "Deletion of a job that is not complete is not allowed",
        ));
    }
    context.org.bulk_jobs().remove(&job.id);
    Ok(Reply::empty(204))
}

/// A locator is the place of its first row in hex: opaque to clients.
fn results(context: &Context, call: &Call, id: &str) -> Result<Reply, Reply> {
    let job = job(context, id)?;
    if job.state != State::Complete {
        return Err(Reply::error(400, "INVALIDJOBSTATE", "The job is not complete"));
    }
    let number = |name: &str| call.query.get(name).map(|text| text.parse::<usize>());
    let most = match number("maxRecords") {
        Some(Ok(most)) if most > 0 => most,
        Some(_) => return Err(Reply::error(400, "INVALIDQUERY", "maxRecords must be a positive number")),
        None => PART,
    };
    let from = match call.query.get("locator") {
        Some(place) => usize::from_str_radix(place, 16).ok().filter(|from| *from < job.result.count()),
        None => Some(0),
    };
    let Some(from) = from else {
        return Err(Reply::error(400, "INVALIDQUERYLOCATOR", "invalid query locator"));
    };
    let end = job.result.count().min(from.saturating_add(most));
    let next = if end < job.result.count() { format!("{end:x}") } else { "null".to_owned() };
    Ok(Reply::csv(job.result.table(&context.org, &context.user, (from, most)))
        .header("Sforce-Locator", next)
        .header("Sforce-NumberOfRecords", (end - from).to_string()))
}
