//! Rows as REST gives them: the fields asked for, related records nested, `attributes` in each.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value, json};

use super::{
    ast::{FieldSet, Path, Query, Selected},
    column::{Column, Hop, Source, empty},
    error::SoqlError,
    tables::Tables,
};
use crate::{
    domain::FieldValue,
    simulator::model::{FieldDef, FieldKind, ObjectDef, Row},
};

/// Most rows that `FIELDS(ALL)` and `FIELDS(CUSTOM)` give.
const FIELDS_LIMIT: usize = 200;

/// What a query gives of each row.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    /// The query's object.
    pub object: Arc<ObjectDef>,
    /// The columns in their order.
    pub columns: Vec<Column>,
    tree: Node,
}

/// The fields of one record and the related records below it.
#[derive(Debug, Clone, Default)]
struct Node {
    fields: Vec<FieldDef>,
    related: Vec<(Hop, Node)>,
}

impl Shape {
    /// Looks up the SELECT list of a query without functions.
    pub fn new(tables: &dyn Tables, soql: &str, query: &Query, source: &Source) -> Result<Self, SoqlError> {
        let mut columns = Vec::new();
        let mut seen = BTreeSet::new();
        for selected in &query.select {
            match selected {
                Selected::Field(path) => {
                    let column = source.column(tables, soql, path)?;
                    if !seen.insert(column.name()) {
                        let message = format!("duplicate field selected: {}", column.name());
                        return Err(SoqlError::field(soql, path.at, message));
                    }
                    columns.push(column);
                }
                Selected::Fields(set, at) => {
                    for column in field_set(tables, soql, query, source, (*set, *at))? {
                        if seen.insert(column.name()) {
                            columns.push(column);
                        }
                    }
                }
                Selected::CountRows => {
                    let message = "COUNT() must be the only element of the SELECT list";
                    return Err(SoqlError::malformed(soql, query.object.at, message));
                }
                Selected::Aggregate(one) => {
                    return Err(SoqlError::malformed(soql, one.path.at, "unexpected aggregate function"));
                }
            }
        }
        let mut tree = Node::default();
        for column in &columns {
            tree.add(&column.hops, &column.field);
        }
        Ok(Self { object: Arc::clone(&source.object), columns, tree })
    }

    /// One row as JSON; `version` is the API version of the call, for example `67.0`.
    pub fn record(&self, tables: &dyn Tables, version: &str, row: &Row) -> Value {
        self.tree.record(tables, version, (&self.object.name, &self.object.name), row)
    }
}

impl Node {
    fn add(&mut self, hops: &[Hop], field: &FieldDef) {
        let Some((hop, rest)) = hops.split_first() else {
            self.fields.push(field.clone());
            return;
        };
        let at = self.related.iter().position(|(known, _)| known.name == hop.name).unwrap_or_else(|| {
            self.related.push((hop.clone(), Self::default()));
            self.related.len() - 1
        });
        self.related[at].1.add(rest, field);
    }

    /// `types` are the type shown and the type in the address.
    fn record(&self, tables: &dyn Tables, version: &str, types: (&str, &str), row: &Row) -> Value {
        // Entity definitions are addressed by their durable id: they share one id.
        let id = row.get("DurableId").or_else(|| row.get("Id"));
        let id = id.and_then(FieldValue::as_text).unwrap_or_default();
        let url = format!("/services/data/v{version}/{}/{}/{id}", tables.home(), types.1);
        let mut record = Map::new();
        record.insert("attributes".to_owned(), json!({"type": types.0, "url": url}));
        for field in &self.fields {
            record.insert(field.name.clone(), value(row, field));
        }
        for (hop, node) in &self.related {
            let related = hop.follow(tables, row).map(|(target, related)| {
                // Where the reference may point to several objects, its type prints as `Name`.
                let shown = if hop.targets.len() > 1 { "Name" } else { &target.name };
                node.record(tables, version, (shown, &target.name), &related)
            });
            record.insert(hop.name.clone(), related.unwrap_or(Value::Null));
        }
        Value::Object(record)
    }
}

/// A field in REST form.
fn value(row: &Row, field: &FieldDef) -> Value {
    if matches!(field.kind, FieldKind::Formatted("address", _)) {
        return address(row, field.name.trim_end_matches("Address"));
    }
    row.get(&field.name).cloned().unwrap_or_else(|| empty(field)).to_json()
}

/// A compound address from its parts; null when none has a value.
fn address(row: &Row, prefix: &str) -> Value {
    const PARTS: &[(&str, &str)] = &[
        ("city", "City"),
        ("country", "Country"),
        ("geocodeAccuracy", "GeocodeAccuracy"),
        ("latitude", "Latitude"),
        ("longitude", "Longitude"),
        ("postalCode", "PostalCode"),
        ("state", "State"),
        ("street", "Street"),
    ];
    let part = |field: &str| row.get(&format!("{prefix}{field}")).map_or(Value::Null, FieldValue::to_json);
    let parts: Map<String, Value> =
        PARTS.iter().map(|(name, field)| ((*name).to_owned(), part(field))).collect();
    if parts.values().all(Value::is_null) { Value::Null } else { Value::Object(parts) }
}

fn field_set(
    tables: &dyn Tables,
    soql: &str,
    query: &Query,
    source: &Source,
    (set, at): (FieldSet, usize),
) -> Result<Vec<Column>, SoqlError> {
    let bounded = query.limit.is_some_and(|limit| limit <= FIELDS_LIMIT);
    if set != FieldSet::Standard && !bounded {
        let message = "The SOQL FIELDS function must have a LIMIT of at most 200";
        return Err(SoqlError::malformed(soql, at, message));
    }
    let fields = source.object.fields.iter().filter(|field| match set {
        FieldSet::All => true,
        FieldSet::Standard => field.custom_id.is_none(),
        FieldSet::Custom => field.custom_id.is_some(),
    });
    fields
        .filter(|field| tables.can_read(&source.object, &field.name))
        .map(|field| source.column(tables, soql, &Path { at, parts: vec![field.name.clone()] }))
        .collect()
}
