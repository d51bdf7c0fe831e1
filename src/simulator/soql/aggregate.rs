//! Queries with functions: `COUNT(Id)`, `GROUP BY` and the rest of the aggregates.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    ast::{Aggregate, Function, Path, Query, Selected},
    column::{Column, Family, Source},
    error::SoqlError,
    execute::{self, Rank, Reach, compare, rank},
    predicate::folded,
    tables::Tables,
};
use crate::{domain::FieldValue, simulator::model::Row};

/// True when a query gives groups instead of records.
pub(super) fn is_grouped(query: &Query) -> bool {
    let aggregate = query.select.iter().any(|selected| matches!(selected, Selected::Aggregate(_)));
    aggregate || !query.group_by.is_empty()
}

/// One column of the result.
pub(super) struct Output {
    /// The name in the result.
    pub name: String,
    /// `None` for a field of GROUP BY.
    pub function: Option<Function>,
    column: Column,
}

struct Group {
    first: Arc<Row>,
    rows: Vec<Arc<Row>>,
}

/// Runs a grouped query: one JSON object for each group.
pub(super) fn groups(
    tables: &dyn Tables,
    soql: &str,
    query: &Query,
    include_deleted: bool,
) -> Result<Vec<Value>, SoqlError> {
    let source = execute::source(tables, soql, query)?;
    let keys = keys(tables, soql, query, &source)?;
    let outputs = outputs(tables, soql, query, &source)?;
    let offset = execute::offset(soql, query)?;
    let reach = Reach { include_deleted, enough: usize::MAX };
    let rows = execute::filtered(tables, soql, query, &source, reach)?;
    let mut groups = grouped(tables, &keys, rows);
    sort(tables, soql, query, &source, &mut groups)?;
    let limit = query.limit.unwrap_or(usize::MAX);
    let chosen = groups.iter().skip(offset).take(limit);
    Ok(chosen.map(|group| record(tables, &outputs, group)).collect())
}

/// The columns of a grouped query.
pub(super) fn outputs(
    tables: &dyn Tables,
    soql: &str,
    query: &Query,
    source: &Source,
) -> Result<Vec<Output>, SoqlError> {
    let keys: BTreeSet<String> = keys(tables, soql, query, source)?.iter().map(Column::name).collect();
    let mut outputs = Vec::new();
    let mut unnamed = 0;
    for selected in &query.select {
        match selected {
            Selected::Field(path) => {
                let column = source.column(tables, soql, path)?;
                if !keys.contains(&column.name()) {
                    let message = format!("Field must be grouped or aggregated: {}", column.name());
                    return Err(SoqlError::malformed(soql, path.at, message));
                }
                // A related field of a group has its own name only.
                outputs.push(Output { name: column.field.name.clone(), function: None, column });
            }
            Selected::Aggregate(Aggregate { function, path, alias }) => {
                let column = aggregated(tables, soql, source, *function, path)?;
                let name = alias.clone().unwrap_or_else(|| {
                    unnamed += 1;
                    format!("expr{}", unnamed - 1)
                });
                outputs.push(Output { name, function: Some(*function), column });
            }
            Selected::CountRows | Selected::Fields(..) => {
                let message = "COUNT() and FIELDS() do not go with grouped queries";
                return Err(SoqlError::malformed(soql, query.object.at, message));
            }
        }
    }
    Ok(outputs)
}

fn keys(tables: &dyn Tables, soql: &str, query: &Query, source: &Source) -> Result<Vec<Column>, SoqlError> {
    let mut keys = Vec::new();
    for path in &query.group_by {
        let column = source.column(tables, soql, path)?;
        if column.is_opaque() || column.family() == Family::MultiPicklist {
            let message = format!("field '{}' can not be grouped in a query call", column.field.name);
            return Err(SoqlError::malformed(soql, path.at, message));
        }
        keys.push(column);
    }
    Ok(keys)
}

fn aggregated(
    tables: &dyn Tables,
    soql: &str,
    source: &Source,
    function: Function,
    path: &Path,
) -> Result<Column, SoqlError> {
    let column = source.column(tables, soql, path)?;
    let numeric = matches!(function, Function::Sum | Function::Avg);
    let ordered = matches!(function, Function::Min | Function::Max);
    let family = column.family();
    if numeric && family != Family::Number
        || ordered && matches!(family, Family::Bool | Family::MultiPicklist)
        || column.is_opaque()
    {
        let message = format!("field {} does not support this aggregate operator", column.field.name);
        return Err(SoqlError::malformed(soql, path.at, message));
    }
    Ok(column)
}

fn grouped(tables: &dyn Tables, keys: &[Column], rows: Vec<Arc<Row>>) -> Vec<Group> {
    if keys.is_empty() {
        let first = rows.first().cloned().unwrap_or_default();
        return vec![Group { first, rows }];
    }
    let mut groups: BTreeMap<Vec<FieldValue>, Group> = BTreeMap::new();
    for row in rows {
        let key = keys
            .iter()
            .map(|column| folded(&column.value(tables, &row), column.family().folds()).into_owned())
            .collect();
        let group = groups.entry(key).or_insert_with(|| Group { first: Arc::clone(&row), rows: Vec::new() });
        group.rows.push(row);
    }
    groups.into_values().collect()
}

fn sort(
    tables: &dyn Tables,
    soql: &str,
    query: &Query,
    source: &Source,
    groups: &mut [Group],
) -> Result<(), SoqlError> {
    // The last entry first: a stable sort by each then gives the whole order.
    for order in query.order_by.iter().rev() {
        let column = match order.function {
            Some(function) => aggregated(tables, soql, source, function, &order.path)?,
            None => source.column(tables, soql, &order.path)?,
        };
        let key = |group: &Group| -> Rank {
            match order.function {
                Some(function) => (0, fold(tables, function, &column, &group.rows)),
                None => rank(&column, &column.value(tables, &group.first)),
            }
        };
        groups.sort_by(|left, right| compare(&key(left), &key(right), order.descending, order.nulls_last));
    }
    Ok(())
}

fn record(tables: &dyn Tables, outputs: &[Output], group: &Group) -> Value {
    let mut record = Map::new();
    record.insert("attributes".to_owned(), json!({"type": "AggregateResult"}));
    for output in outputs {
        let value = match output.function {
            Some(function) => fold(tables, function, &output.column, &group.rows),
            None => output.column.value(tables, &group.first).into_owned(),
        };
        record.insert(output.name.clone(), value.to_json());
    }
    Value::Object(record)
}

fn fold(tables: &dyn Tables, function: Function, column: &Column, rows: &[Arc<Row>]) -> FieldValue {
    let values = rows.iter().map(|row| column.value(tables, row)).filter(|value| !value.is_null());
    match function {
        Function::Count => FieldValue::decimal(Decimal::from(values.count())),
        Function::CountDistinct => {
            let folds = column.family().folds();
            let different: BTreeSet<_> = values.map(|value| folded(&value, folds).into_owned()).collect();
            FieldValue::decimal(Decimal::from(different.len()))
        }
        Function::Min => values.min().map(std::borrow::Cow::into_owned).unwrap_or_default(),
        Function::Max => values.max().map(std::borrow::Cow::into_owned).unwrap_or_default(),
        Function::Sum | Function::Avg => {
            let numbers: Vec<Decimal> = values.filter_map(|value| value.as_decimal()).collect();
            let sum = numbers.iter().try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number));
            let divisor = if function == Function::Avg { numbers.len() } else { 1 };
            let result = sum.filter(|_| !numbers.is_empty()).and_then(|sum| sum.checked_div(divisor.into()));
            result.map_or(FieldValue::Null, FieldValue::decimal)
        }
    }
}
