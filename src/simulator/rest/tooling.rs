//! `/tooling/query`: what the package set up. Types of the Tooling API that this org has nothing
//! of, such as Apex and source tracking, have no rows: clients ask for them at every turn.

use serde_json::{Value, json};

use super::{
    call::{Call, Reply, not_allowed, not_found},
    context::Context,
};
use crate::simulator::{
    schema::tooling,
    soql::{self, QueryOptions, SoqlError},
};

/// Everything below `/tooling`.
pub(super) fn handle(context: &Context, call: &Call, path: &[String]) -> Result<Reply, Reply> {
    let ["query"] = path.iter().map(String::as_str).collect::<Vec<_>>()[..] else { return Err(not_found()) };
    if call.method != "GET" {
        return Err(not_allowed(&call.method, "GET,HEAD"));
    }
    let malformed = |message: &str| Reply::error(400, "MALFORMED_QUERY", message);
    let soql = call.query.get("q").ok_or_else(|| malformed("A query string has to be specified"))?;
    let entity = entity(soql).ok_or_else(|| malformed("unexpected token: '<EOF>'"))?;
    let known = tooling::tooling_objects().into_iter().find(|known| known.name.eq_ignore_ascii_case(entity));
    let refused = |error: SoqlError| Reply::error(400, error.code, error.message);
    if call.flag("columns") {
        let columns = match known {
            Some(_) => soql::tooling_columns(&context.org, &context.user, soql).map_err(refused)?,
            None => json!({ "columnMetadata": [], "entityName": entity, "groupBy": false }),
        };
        return Ok(Reply::ok(columns));
    }
    let Some(known) = known else { return Ok(rows(entity, 0, Vec::new())) };
    let options = QueryOptions::new(call.version.clone());
    let page = soql::execute_tooling(&context.org, &context.user, soql, &options).map_err(refused)?;
    Ok(rows(&known.name, page.total_size, page.records))
}

fn rows(entity: &str, size: usize, records: Vec<Value>) -> Reply {
    Reply::ok(json!({
        "size": size,
        "totalSize": size,
        "done": true,
        "queryLocator": null,
        "entityTypeName": entity,
        "records": records,
    }))
}

/// The type of `SELECT .. FROM Type ..`.
fn entity(soql: &str) -> Option<&str> {
    let mut words = soql.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("from"))?;
    words.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_query_is_found() {
        let soql = "SELECT Id,ValidationName, Active\nfrom ValidationRule WHERE x = 'y'";
        assert_eq!(entity(soql), Some("ValidationRule"));
        assert_eq!(entity("SELECT Id"), None);
        assert_eq!(entity("SELECT Id FROM"), None);
    }
}
