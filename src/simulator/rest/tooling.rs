//! A minimal `/tooling/query`: the validation rules of the package. Every other type has no
//! rows: clients ask for Apex and source tracking, neither of which this org has.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Reply, not_allowed, not_found},
    context::Context,
};
use crate::simulator::{ids, metadata::ValidationRule};

/// The type whose rows are known here.
const RULE: &str = "ValidationRule";
/// Key prefix of validation rules.
const RULE_PREFIX: &str = "03d";

/// Everything below `/tooling`.
pub(super) fn handle(context: &Context, call: &Call, path: &[String]) -> Result<Reply, Reply> {
    let ["query"] = path.iter().map(String::as_str).collect::<Vec<_>>()[..] else { return Err(not_found()) };
    if call.method != "GET" {
        return Err(not_allowed(&call.method, "GET,HEAD"));
    }
    let malformed = |message: &str| Reply::error(400, "MALFORMED_QUERY", message);
    let soql = call.query.get("q").ok_or_else(|| malformed("A query string has to be specified"))?;
    let (fields, entity) = read(soql).ok_or_else(|| malformed("unexpected token: '<EOF>'"))?;
    if call.flag("columns") {
        return Ok(Reply::ok(json!({ "columnMetadata": [], "entityName": entity, "groupBy": false })));
    }
    // Rules are seen with View Setup and Configuration, which here only the administrator has.
    let records = match entity.eq_ignore_ascii_case(RULE) && context.user.role == "admin" {
        true => rules(context, call, soql, &fields),
        false => Vec::new(),
    };
    Ok(Reply::ok(json!({
        "size": records.len(),
        "totalSize": records.len(),
        "done": true,
        "queryLocator": null,
        "entityTypeName": entity,
        "records": records,
    })))
}

/// The selected fields and the type of `SELECT a, b FROM Type ..`.
fn read(soql: &str) -> Option<(Vec<&str>, &str)> {
    let words: Vec<&str> = soql.split_whitespace().collect();
    let from = words.iter().position(|word| word.eq_ignore_ascii_case("from"))?;
    let fields = words.get(1..from)?.iter().flat_map(|word| word.split(',')).filter(|name| !name.is_empty());
    Some((fields.collect(), words.get(from + 1)?))
}

/// Rules of the objects that the query quotes, or of all. Of WHERE only that is understood.
fn rules(context: &Context, call: &Call, soql: &str, fields: &[&str]) -> Vec<Value> {
    let objects = &context.org.package().objects;
    let quoted = |name: &str| soql.contains(&format!("'{name}'"));
    let narrowed = objects.keys().any(|name| quoted(name)) || soql.contains('\'');
    let rules = objects.iter().flat_map(|(name, object)| object.rules.iter().map(move |rule| (name, rule)));
    let numbered = (1_u64..).zip(rules);
    let wanted = numbered.filter(|(_, (object, _))| !narrowed || quoted(object));
    wanted
        .map(|(number, (object, rule))| record(call, &ids::nth(RULE_PREFIX, number), (object, rule), fields))
        .collect()
}

fn record(call: &Call, id: &str, (object, rule): (&str, &ValidationRule), fields: &[&str]) -> Value {
    let mut record = Map::new();
    let url = format!("{}/tooling/sobjects/{RULE}/{id}", call.base());
    record.insert("attributes".to_owned(), json!({ "type": RULE, "url": url }));
    let known = json!({
        "Id": id,
        "ValidationName": rule.name,
        "Active": rule.active,
        "ErrorMessage": rule.message,
        "ErrorDisplayField": rule.error_field,
        "EntityDefinitionId": object,
    });
    for field in fields {
        if let Some(value) = known.get(*field) {
            record.insert((*field).to_owned(), value.clone());
        }
    }
    Value::Object(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_query_are_read() {
        let (fields, entity) =
            read("SELECT Id,ValidationName, Active FROM ValidationRule WHERE x = 'y'").unwrap();
        assert_eq!((fields, entity), (vec!["Id", "ValidationName", "Active"], "ValidationRule"));
        assert_eq!(read("SELECT Id"), None);
    }
}
