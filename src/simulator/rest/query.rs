//! `/query`, `/queryAll` and `/query/<locator>`.

use serde_json::{Value, json};

use super::{
    call::{Call, Reply, not_allowed, not_found},
    context::Context,
    tooling,
};
use crate::simulator::{
    schema::tooling::FLOW_VIEW,
    soql::{self, QueryOptions, QueryPage, SoqlError},
};

/// Rows per page when the client does not say; also the most that it can ask for.
const PAGE: usize = 2_000;
const SMALLEST_PAGE: usize = 200;

/// `/query` and `/queryAll`, with or without a locator.
pub(super) fn handle(context: &Context, call: &Call, path: &[String], deleted: bool) -> Result<Reply, Reply> {
    if call.method != "GET" {
        return Err(not_allowed(&call.method, "GET,HEAD"));
    }
    let options =
        QueryOptions { version: call.version.clone(), batch_size: page_size(call), include_deleted: deleted };
    let page = match (path, call.query.get("q")) {
        ([], Some(soql)) if call.flag("columns") => {
            let columns =
                soql::columns(&context.org, &context.user, soql).map_err(|error| refused(&error))?;
            return Ok(Reply::ok(columns));
        }
        // A type of both APIs.
        ([], Some(soql))
            if tooling::entity(soql).is_some_and(|name| name.eq_ignore_ascii_case(FLOW_VIEW)) =>
        {
            soql::execute_tooling(&context.org, &context.user, soql, &options)
        }
        ([], Some(soql)) => soql::execute(&context.org, &context.user, soql, &options),
        ([], None) => return Err(Reply::error(400, "MALFORMED_QUERY", "A query string has to be specified")),
        ([locator], _) => soql::next_page(&context.org, &context.user, locator, &options),
        _ => return Err(not_found()),
    };
    page.map(|page| Reply::ok(rendered(call, page))).map_err(|error| refused(&error))
}

fn rendered(call: &Call, page: QueryPage) -> Value {
    let mut json = json!({ "totalSize": page.total_size, "done": page.done, "records": page.records });
    if let (Some(locator), Some(map)) = (page.next_locator, json.as_object_mut()) {
        let url = format!("{}/query/{locator}", call.base());
        map.insert("nextRecordsUrl".to_owned(), Value::String(url));
    }
    json
}

fn refused(error: &SoqlError) -> Reply {
    Reply::error(400, error.code, error.message.as_str())
}

/// `Sforce-Query-Options: batchSize=200`
fn page_size(call: &Call) -> usize {
    let header = call.header("sforce-query-options").unwrap_or_default();
    let size = header.split([',', ';']).filter_map(|option| option.split_once('='));
    let size = size.filter(|(name, _)| name.trim().eq_ignore_ascii_case("batchSize"));
    let size = size.filter_map(|(_, value)| value.trim().parse::<usize>().ok()).next();
    size.unwrap_or(PAGE).clamp(SMALLEST_PAGE, PAGE)
}
