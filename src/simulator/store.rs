//! The org's rows: live and deleted, with the indexes that upserts and sweeps need.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::model::{FieldKind, ObjectDef, Row};
use crate::domain::FieldValue;

/// One object's rows. A row holds no nulls: an absent field is empty.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Table {
    live: BTreeMap<String, Arc<Row>>,
    deleted: BTreeMap<String, Arc<Row>>,
    /// Indexed fields; values in lower case, since external ids ignore letter case.
    #[serde(skip)]
    indexes: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Table {
    /// Declares the indexes that an object needs and fills them from the rows.
    pub(super) fn index(&mut self, object: &ObjectDef) {
        self.indexes = object
            .fields
            .iter()
            .filter(|field| field.external_id || field.unique || is_flag(&field.name, &field.kind))
            .map(|field| (field.name.clone(), BTreeMap::new()))
            .collect();
        let rows: Vec<Arc<Row>> = self.live.values().cloned().collect();
        for row in rows {
            self.enter(&row);
        }
    }

    pub(super) fn live(&self, id: &str) -> Option<&Arc<Row>> {
        self.live.get(id)
    }

    pub(super) fn deleted(&self, id: &str) -> Option<&Arc<Row>> {
        self.deleted.get(id)
    }

    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    /// All rows in order of their ids.
    pub(super) fn rows(&self, include_deleted: bool) -> Vec<Arc<Row>> {
        if !include_deleted || self.deleted.is_empty() {
            return self.live.values().cloned().collect();
        }
        let mut all: BTreeMap<&String, &Arc<Row>> = self.live.iter().collect();
        all.extend(&self.deleted);
        all.into_values().cloned().collect()
    }

    /// Live rows with this value in an indexed field; `None` when the field has no index.
    pub(super) fn find(&self, field: &str, value: &FieldValue) -> Option<Vec<Arc<Row>>> {
        let index = self.indexes.get(field)?;
        let ids = index_key(value).and_then(|key| index.get(&key));
        Some(ids.into_iter().flatten().filter_map(|id| self.live.get(id)).cloned().collect())
    }

    /// Sets both states of a row: the only way in, so that indexes stay right.
    pub(super) fn put(&mut self, id: &str, live: Option<Arc<Row>>, deleted: Option<Arc<Row>>) {
        if let Some(old) = self.live.remove(id) {
            self.leave(&old);
        }
        if let Some(row) = live {
            self.enter(&row);
            self.live.insert(id.to_owned(), row);
        }
        match deleted {
            Some(row) => self.deleted.insert(id.to_owned(), row),
            None => self.deleted.remove(id),
        };
    }

    fn enter(&mut self, row: &Row) {
        let Some(id) = row.get("Id").and_then(FieldValue::as_text) else { return };
        for (field, index) in &mut self.indexes {
            if let Some(key) = row.get(field).and_then(index_key) {
                index.entry(key).or_default().insert(id.to_owned());
            }
        }
    }

    fn leave(&mut self, row: &Row) {
        let Some(id) = row.get("Id").and_then(FieldValue::as_text) else { return };
        for (field, index) in &mut self.indexes {
            let Some(key) = row.get(field).and_then(index_key) else { continue };
            if let Some(ids) = index.get_mut(&key) {
                ids.remove(id);
                if ids.is_empty() {
                    index.remove(&key);
                }
            }
        }
    }
}

/// Custom checkboxes are indexed: sweeps ask for the few rows where they are set.
fn is_flag(name: &str, kind: &FieldKind) -> bool {
    name.ends_with("__c") && matches!(kind, FieldKind::Checkbox(false))
}

fn index_key(value: &FieldValue) -> Option<String> {
    match value {
        FieldValue::Null | FieldValue::Bool(false) => None,
        FieldValue::Bool(true) => Some("true".to_owned()),
        other => Some(other.to_string().to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, proposal: &str) -> Arc<Row> {
        Arc::new(Row::from([
            ("Id".to_owned(), FieldValue::text(id)),
            ("Key__c".to_owned(), FieldValue::text(proposal)),
        ]))
    }

    #[test]
    fn indexes_follow_every_change() {
        let mut table = Table::default();
        table.indexes.insert("Key__c".to_owned(), BTreeMap::new());
        let find = |table: &Table, value: &str| table.find("Key__c", &FieldValue::text(value)).unwrap().len();
        table.put("a", Some(row("a", "P-1")), None);
        table.put("b", Some(row("b", "p-1")), None);
        assert_eq!(find(&table, "P-1"), 2, "letter case is ignored");
        table.put("a", Some(row("a", "P-2")), None);
        assert_eq!((find(&table, "p-1"), find(&table, "p-2")), (1, 1));
        table.put("b", None, Some(row("b", "p-1")));
        assert_eq!(find(&table, "p-1"), 0, "deleted rows are not found");
        assert_eq!((table.rows(false).len(), table.rows(true).len()), (1, 2));
        assert!(table.find("Other", &FieldValue::Null).is_none());
    }
}
