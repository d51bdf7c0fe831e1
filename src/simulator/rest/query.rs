//! `/query`, `/queryAll`, `/query/<locator>` and a minimal `/tooling/query`.

use serde_json::{Value, json};

use super::{
    call::{Call, Reply, not_allowed, not_found},
    context::Context,
};
use crate::simulator::soql::{self, QueryOptions, QueryPage, SoqlError};

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

/// `/tooling/query`: no rows of any type. Clients ask it for Apex and source tracking,
/// neither of which this org has.
pub(super) fn tooling(call: &Call, path: &[String]) -> Result<Reply, Reply> {
    let ["query"] = path.iter().map(String::as_str).collect::<Vec<_>>()[..] else { return Err(not_found()) };
    if call.method != "GET" {
        return Err(not_allowed(&call.method, "GET,HEAD"));
    }
    let Some(soql) = call.query.get("q") else {
        return Err(Reply::error(400, "MALFORMED_QUERY", "A query string has to be specified"));
    };
    let mut words = soql.split_whitespace();
    let entity = words.find(|word| word.eq_ignore_ascii_case("from")).and_then(|_| words.next());
    let Some(entity) = entity else {
        return Err(Reply::error(400, "MALFORMED_QUERY", "unexpected token: '<EOF>'"));
    };
    if call.flag("columns") {
        return Ok(Reply::ok(json!({ "columnMetadata": [], "entityName": entity, "groupBy": false })));
    }
    Ok(Reply::ok(json!({
        "size": 0,
        "totalSize": 0,
        "done": true,
        "queryLocator": null,
        "entityTypeName": entity,
        "records": [],
    })))
}
