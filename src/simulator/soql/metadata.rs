//! `columns=true`: what the columns of a query are, as the Salesforce CLI asks before it prints.

use serde_json::{Value, json};

use super::{
    aggregate,
    ast::{Function, Query, Selected},
    column::{Column, Family},
    error::SoqlError,
    execute,
    output::Shape,
    tables::Tables,
};
use crate::simulator::model::FieldKind;

/// The column metadata of a query.
pub(super) fn columns(tables: &dyn Tables, soql: &str, query: &Query) -> Result<Value, SoqlError> {
    let source = execute::source(tables, soql, query)?;
    let grouped = aggregate::is_grouped(query);
    let columns: Vec<Value> = if query.select == [Selected::CountRows] {
        Vec::new()
    } else if grouped {
        let outputs = aggregate::outputs(tables, soql, query, &source)?;
        outputs.iter().map(|output| grouped_column(&output.name, output.function)).collect()
    } else {
        let shape = Shape::new(tables, soql, query, &source)?;
        shape.columns.iter().map(|column| nested(column, 0)).collect()
    };
    let selects_id = query.select.iter().any(|selected| {
        matches!(selected, Selected::Field(path) if path.parts.len() == 1 && path.parts[0].eq_ignore_ascii_case("Id"))
    });
    Ok(json!({
        "columnMetadata": columns,
        "entityName": source.object.name,
        "groupBy": !query.group_by.is_empty(),
        "idSelected": selects_id,
        "keyPrefix": source.object.key_prefix,
    }))
}

/// A related field is a column of its relationship, with the field joined to it.
fn nested(column: &Column, depth: usize) -> Value {
    match column.hops.get(depth) {
        Some(hop) => {
            let joined = vec![nested(column, depth + 1)];
            entry(&hop.name, &Kind { type_name: "Id", family: Family::Id, custom: false }, joined)
        }
        None => {
            let kind = Kind {
                type_name: type_name(&column.field.kind),
                family: column.family(),
                custom: column.field.custom_id.is_some(),
            };
            entry(&column.field.name, &kind, Vec::new())
        }
    }
}

struct Kind {
    type_name: &'static str,
    family: Family,
    custom: bool,
}

fn entry(name: &str, kind: &Kind, joined: Vec<Value>) -> Value {
    json!({
        "aggregate": false,
        "apexType": kind.type_name,
        "booleanType": kind.family == Family::Bool,
        "columnName": name,
        "custom": kind.custom,
        "displayName": name,
        "foreignKeyName": null,
        "insertable": false,
        "joinColumns": joined,
        "numberType": kind.family == Family::Number,
        "textType": kind.family.folds() || kind.family == Family::Id,
        "updatable": false,
    })
}

fn grouped_column(name: &str, function: Option<Function>) -> Value {
    let shown = match function {
        Some(Function::Count) => "count",
        Some(Function::CountDistinct) => "count_distinct",
        Some(Function::Min) => "min",
        Some(Function::Max) => "max",
        Some(Function::Sum) => "sum",
        Some(Function::Avg) => "avg",
        None => name,
    };
    let kind = Kind { type_name: "Any", family: Family::Number, custom: false };
    let mut column = entry(name, &kind, Vec::new());
    column["aggregate"] = json!(function.is_some());
    column["displayName"] = json!(if name.starts_with("expr") { shown } else { name });
    column
}

fn type_name(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Id | FieldKind::Reference(..) => "Id",
        FieldKind::Number("int", ..) => "Integer",
        FieldKind::Number(..) => "Double",
        FieldKind::Date => "Date",
        FieldKind::DateTime => "Datetime",
        FieldKind::Checkbox(_) => "Boolean",
        _ => "String",
    }
}
