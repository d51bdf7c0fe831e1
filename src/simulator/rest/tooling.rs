//! `/tooling/query`: what the package set up. Types of the Tooling API that this org has nothing
//! of, such as Apex and source tracking, have no rows: clients ask for them at every turn.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Reply, not_allowed, not_found},
    context::Context,
};
use crate::simulator::{
    ids,
    metadata::Element,
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
    let told = [tooling::VALIDATION_RULE, tooling::FLOW].contains(&known.name.as_str());
    let plain = without_metadata(soql).filter(|_| told);
    let text = plain.as_deref().unwrap_or(soql);
    let mut page = soql::execute_tooling(&context.org, &context.user, text, &options).map_err(refused)?;
    if plain.is_some() {
        if page.total_size > 1 {
            return Err(malformed(&format!(
                "When retrieving results with Metadata or FullName fields, the query qualifications must \
                 specify no more than one row for retrieval. Result size: {}",
                page.total_size
            )));
        }
        for record in &mut page.records {
            record["Metadata"] = match known.name.as_str() {
                tooling::FLOW => flow_metadata(context, record),
                _ => rule_metadata(context, record),
            };
        }
    }
    Ok(rows(&known.name, page.total_size, page.records))
}

/// The query with `Id` in the place of the column `Metadata`, where it asks for that one.
fn without_metadata(soql: &str) -> Option<String> {
    let (head, tail) = soql.split_at(soql.to_ascii_lowercase().find(" from ")?);
    let columns: Vec<&str> = head.trim_start().get("select ".len()..)?.split(',').map(str::trim).collect();
    let asked = columns.iter().any(|column| column.eq_ignore_ascii_case("Metadata"));
    let others = columns.iter().filter(|it| !it.eq_ignore_ascii_case("Metadata") && **it != "Id");
    let others: Vec<&str> = std::iter::once("Id").chain(others.copied()).collect();
    asked.then(|| format!("SELECT {}{tail}", others.join(", ")))
}

/// What was deployed of a rule, as the Metadata API writes it.
fn rule_metadata(context: &Context, record: &Value) -> Value {
    let package = context.org.package();
    let rules = package.objects.values().flat_map(|object| &object.rules);
    // Rows are numbered in the order of the package.
    let mut numbered = (1_u64..).zip(rules);
    let found = numbered.find(|(number, _)| record["Id"] == ids::nth("03d", *number).as_str());
    found.map_or(Value::Null, |(_, rule)| {
        json!({
            "active": rule.active,
            "description": null,
            "errorConditionFormula": rule.formula,
            "errorDisplayField": rule.error_field,
            "errorMessage": rule.message,
            "shouldEvaluateOnClient": null,
            "urls": null,
        })
    })
}

/// What was deployed of a flow.
fn flow_metadata(context: &Context, record: &Value) -> Value {
    let package = context.org.package();
    let mut numbered = (1_u64..).zip(package.components("Flow"));
    let found = numbered
        .find(|(number, flow)| record["Id"] == soql::flow_version(&context.org, *number, flow).as_str());
    found.map_or(Value::Null, |(_, flow)| as_json(&flow.root))
}

/// Parts of which there may be several are lists, also when there is one; their names end with an s.
fn as_json(element: &Element) -> Value {
    if element.children.is_empty() {
        return match element.text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => text.into(),
        };
    }
    let mut parts = Map::new();
    for child in &element.children {
        let value = as_json(child);
        let may_repeat = child.name.ends_with('s') && !child.children.is_empty();
        match parts.get_mut(&child.name) {
            Some(Value::Array(all)) => all.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None if may_repeat => drop(parts.insert(child.name.clone(), Value::Array(vec![value]))),
            None => drop(parts.insert(child.name.clone(), value)),
        }
    }
    Value::Object(parts)
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
pub(super) fn entity(soql: &str) -> Option<&str> {
    let mut words = soql.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("from"))?;
    words.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_asked_for_beside_the_id() {
        let plain = without_metadata("SELECT ValidationName, Metadata FROM ValidationRule WHERE Id = 'x'");
        assert_eq!(plain.as_deref(), Some("SELECT Id, ValidationName FROM ValidationRule WHERE Id = 'x'"));
        assert_eq!(without_metadata("SELECT Id FROM ValidationRule"), None);
    }

    #[test]
    fn the_type_of_a_query_is_found() {
        let soql = "SELECT Id,ValidationName, Active\nfrom ValidationRule WHERE x = 'y'";
        assert_eq!(entity(soql), Some("ValidationRule"));
        assert_eq!(entity("SELECT Id"), None);
        assert_eq!(entity("SELECT Id FROM"), None);
    }
}
