//! Finds, sorts and cuts the rows of a query.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    ast::{Order, Query},
    column::{Column, Source},
    compile::Compiler,
    error::SoqlError,
    predicate::{Predicate, folded},
    tables::Tables,
};
use crate::{
    domain::FieldValue,
    simulator::model::{FieldKind, ObjectDef, Row},
};

/// Largest OFFSET that Salesforce takes.
const MAX_OFFSET: usize = 2000;

/// Looks up the object of a query.
pub(super) fn source(tables: &dyn Tables, soql: &str, query: &Query) -> Result<Source, SoqlError> {
    let name = query.object.text();
    let object = tables.object(&name).ok_or_else(|| SoqlError::no_object(soql, query.object.at, &name))?;
    Ok(Source { object, alias: query.alias.clone() })
}

/// The rows of a query in its order, after OFFSET and LIMIT.
pub(super) fn matching(
    tables: &dyn Tables,
    soql: &str,
    query: &Query,
    include_deleted: bool,
) -> Result<(Source, Vec<Arc<Row>>), SoqlError> {
    let source = source(tables, soql, query)?;
    let offset = offset(soql, query)?;
    let limit = query.limit.unwrap_or(usize::MAX);
    let sorters = sorters(tables, soql, query, &source)?;
    // Without a sort order the first rows found are the rows asked for.
    let enough = if sorters.is_empty() { offset.saturating_add(limit) } else { usize::MAX };
    let mut rows = filtered(tables, soql, query, &source, Reach { include_deleted, enough })?;
    sort(tables, &sorters, &mut rows);
    rows.drain(..offset.min(rows.len()));
    rows.truncate(limit);
    Ok((source, rows))
}

/// How far a search for rows goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// Deleted rows count too.
    pub include_deleted: bool,
    /// Stop after so many.
    pub enough: usize,
}

/// The rows that meet the WHERE condition, ordered by id.
pub(super) fn filtered(
    tables: &dyn Tables,
    soql: &str,
    query: &Query,
    source: &Source,
    reach: Reach,
) -> Result<Vec<Arc<Row>>, SoqlError> {
    let compiler = Compiler { tables, soql, source };
    let Some(condition) = &query.condition else {
        let mut rows = tables.rows(&source.object, reach.include_deleted);
        rows.truncate(reach.enough);
        return Ok(rows);
    };
    let predicate = compiler.predicate(condition)?;
    let mut rows = candidates(tables, &source.object, &predicate, reach.include_deleted);
    let mut left = reach.enough;
    rows.retain(|row| {
        let keep = left > 0 && predicate.holds(tables, row);
        left -= usize::from(keep);
        keep
    });
    Ok(rows)
}

/// A superset of the rows that meet the predicate, ordered by id; small where an index helps.
fn candidates(
    tables: &dyn Tables,
    object: &ObjectDef,
    predicate: &Predicate,
    include_deleted: bool,
) -> Vec<Arc<Row>> {
    let required = predicate.required();
    if let Some((_, ids)) = required.iter().find(|(column, _)| matches!(column.field.kind, FieldKind::Id)) {
        let ids = ids.iter().filter_map(FieldValue::as_text);
        return ids.filter_map(|id| tables.row(object, id, include_deleted)).collect();
    }
    // Indexes know live rows only.
    let indexed = required
        .iter()
        .filter(|_| !include_deleted)
        .find_map(|(column, values)| by_index(tables, object, &column.field.name, values));
    indexed.unwrap_or_else(|| tables.rows(object, include_deleted))
}

fn by_index(
    tables: &dyn Tables,
    object: &ObjectDef,
    field: &str,
    values: &BTreeSet<FieldValue>,
) -> Option<Vec<Arc<Row>>> {
    let mut found = BTreeMap::new();
    for value in values {
        for row in tables.find(object, field, value)? {
            let id = row.get("Id").and_then(FieldValue::as_text).unwrap_or_default().to_owned();
            found.insert(id, row);
        }
    }
    Some(found.into_values().collect())
}

/// The OFFSET of a query, checked.
pub(super) fn offset(soql: &str, query: &Query) -> Result<usize, SoqlError> {
    match query.offset {
        Some((offset, at)) if offset > MAX_OFFSET => Err(SoqlError::placed(
            "NUMBER_OUTSIDE_VALID_RANGE",
            soql,
            at,
            "Maximum SOQL offset allowed is 2000",
        )),
        Some((offset, _)) => Ok(offset),
        None => Ok(0),
    }
}

/// One ORDER BY entry, looked up.
pub(super) struct Sorter {
    column: Column,
    descending: bool,
    nulls_last: bool,
}

fn sorters(
    tables: &dyn Tables,
    soql: &str,
    query: &Query,
    source: &Source,
) -> Result<Vec<Sorter>, SoqlError> {
    query.order_by.iter().map(|order| sorter(tables, soql, source, order)).collect()
}

fn sorter(tables: &dyn Tables, soql: &str, source: &Source, order: &Order) -> Result<Sorter, SoqlError> {
    if order.function.is_some() {
        let message = "an aggregate function needs a grouped query";
        return Err(SoqlError::malformed(soql, order.path.at, message));
    }
    let column = source.column(tables, soql, &order.path)?;
    if column.is_opaque() || matches!(column.field.kind, FieldKind::MultiPicklist(_)) {
        let message = format!("field '{}' can not be sorted in a query call", column.field.name);
        return Err(SoqlError::malformed(soql, order.path.at, message));
    }
    Ok(Sorter { column, descending: order.descending, nulls_last: order.nulls_last })
}

/// Sorts rows; equal ones stay in the order of their ids.
fn sort(tables: &dyn Tables, sorters: &[Sorter], rows: &mut [Arc<Row>]) {
    if sorters.is_empty() {
        return;
    }
    let key = |row: &Arc<Row>| -> Vec<Rank> {
        sorters.iter().map(|sorter| rank(&sorter.column, &sorter.column.value(tables, row))).collect()
    };
    let mut keyed: Vec<(Vec<Rank>, Arc<Row>)> = rows.iter().map(|row| (key(row), Arc::clone(row))).collect();
    keyed.sort_by(|(left, _), (right, _)| {
        let pairs = sorters.iter().zip(left.iter().zip(right));
        pairs
            .map(|(sorter, (left, right))| compare(left, right, sorter.descending, sorter.nulls_last))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    for (place, (_, row)) in rows.iter_mut().zip(keyed) {
        *place = row;
    }
}

/// What a value sorts by: its place in a picklist, then the value without letter case.
pub(super) type Rank = (usize, FieldValue);

/// The rank of a value.
pub(super) fn rank(column: &Column, value: &FieldValue) -> Rank {
    let place = match (&column.field.kind, value) {
        (FieldKind::Picklist(values, _), FieldValue::Text(text)) => {
            values.iter().position(|one| one.value == *text).unwrap_or(values.len())
        }
        _ => 0,
    };
    (place, folded(value, column.family().folds()).into_owned())
}

/// Compares two ranks. Nulls come first unless told otherwise, in either direction.
pub(super) fn compare(left: &Rank, right: &Rank, descending: bool, nulls_last: bool) -> Ordering {
    match (left.1.is_null(), right.1.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) if nulls_last => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, true) if nulls_last => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) if descending => right.cmp(left),
        (false, false) => left.cmp(right),
    }
}
