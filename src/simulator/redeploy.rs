//! A deploy into the running org: it recompiles the whole package, brings the rows along
//! and swaps everything at once. Writers wait for it; readers keep what they hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::discriminant,
    sync::{Arc, PoisonError},
};

use jiff::Timestamp;

use super::{
    metadata::{Component, Named, Package, Problem},
    model::{FieldDef, FieldKind, ObjectDef, Row},
    org::{Deployed, Org},
    state::{ComponentChange, State},
};
use crate::domain::FieldValue;

/// What a deploy adds, replaces and removes.
#[derive(Debug, Clone, Default)]
pub(super) struct Change {
    pub(super) added: Vec<Component>,
    pub(super) removed: BTreeSet<Named>,
}

impl Org {
    /// Deploys a change, or only checks it. With problems nothing is changed.
    pub(super) fn deploy(&self, change: &Change, check_only: bool) -> Result<(), Vec<Problem>> {
        let _turn = self.0.gate.enter();
        let before = self.deployed();
        let (package, mut problems) = before.package.changed(&change.added, &change.removed);
        problems.extend(changed_types(&before.package, &package));
        if !problems.is_empty() {
            return Err(problems);
        }
        if check_only {
            return Ok(());
        }
        let mut state = self.write_state();
        state.deployed = Some(package.to_stored());
        forget(&mut state, change, &package);
        note_changes(&mut state, (change, &before.package), self.now_seconds());
        let after = Deployed::new(package, &mut state, self.now_seconds()).map_err(|error| {
            vec![Problem {
                component: "Package".into(),
                file: "package.xml".into(),
                place: None,
                message: error.to_string(),
            }]
        })?;
        carry_rows(&mut state, &before, &after);
        *self.0.deployed.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
        drop(state);
        self.changed();
        // Open streams look at what they carry again.
        self.0.tip.send_modify(|_| {});
        Ok(())
    }
}

/// Fields whose type a deploy may not change. Which changes a real org allows is a long
/// list; the simulated org allows none.
fn changed_types(before: &Package, after: &Package) -> Vec<Problem> {
    let mut problems = Vec::new();
    let both = [(&before.objects, &after.objects), (&before.metadata_types, &after.metadata_types)];
    for (object, new) in both
        .iter()
        .flat_map(|(old, new)| new.iter().filter_map(|(name, new)| Some(((name, old.get(name)?), new))))
    {
        let (name, old) = object;
        for field in &new.fields {
            let was = old.fields.iter().find(|was| was.name == field.name);
            if was.is_some_and(|was| discriminant(&was.kind) != discriminant(&field.kind)) {
                let full_name = format!("{name}.{}", field.name);
                let file = after.components("CustomField").find(|known| known.full_name == full_name);
                problems.push(Problem {
                    component: format!("CustomField {full_name}"),
                    file: file.map(|known| known.file.clone()).unwrap_or_default(),
                    place: None,
                    message: "Cannot change the type of a field that is deployed".into(),
                });
            }
        }
    }
    problems
}

/// Notes what is new or says something else than before. A component that is deployed again as it was
/// keeps its time; whether Salesforce does so too is unconfirmed.
fn note_changes(state: &mut State, (change, before): (&Change, &Package), now: Timestamp) {
    for (kind, name) in &change.removed {
        state.component_changes.remove(&format!("{kind} {name}"));
    }
    for component in &change.added {
        let old = before.components(component.kind).find(|known| known.full_name == component.full_name);
        let same = |old: &Component| {
            old.root.says_same(&component.root) && old.bodies.values().eq(component.bodies.values())
        };
        if old.is_some_and(same) {
            continue;
        }
        let key = format!("{} {}", component.kind, component.full_name);
        let version = state.component_changes.get(&key).map_or(0, |known| known.version);
        let version = version + u64::from(old.is_some());
        state.component_changes.insert(key, ComponentChange { at: now, version });
    }
}

/// Takes away the setup rows of what is removed, and of records that are deployed anew.
fn forget(state: &mut State, change: &Change, after: &Package) {
    let again = change.added.iter().filter(|component| component.kind == "CustomMetadata");
    let again: BTreeSet<Named> = again.map(Component::named).collect();
    for (kind, name) in change.removed.iter().chain(&again) {
        match kind.as_str() {
            "PermissionSet" => {
                for id in drop_rows(state, "PermissionSet", "Name", name) {
                    drop_rows(state, "PermissionSetAssignment", "PermissionSetId", &id);
                }
            }
            "CustomMetadata" => {
                if let Some((table, record)) = name.split_once('.') {
                    drop_rows(state, &format!("{table}__mdt"), "DeveloperName", record);
                }
            }
            "CustomObject" if !after.metadata_types.contains_key(name) => {
                state.tables.remove(name);
            }
            _ => {}
        }
    }
}

fn drop_rows(state: &mut State, table: &str, field: &str, value: &str) -> Vec<String> {
    let Some(table) = state.tables.get_mut(table) else { return Vec::new() };
    let rows = table.rows(false);
    let matching = rows.iter().filter(|row| row.get(field).and_then(FieldValue::as_text) == Some(value));
    let ids = matching.filter_map(|row| row.get("Id").and_then(FieldValue::as_text).map(str::to_owned));
    let ids: Vec<String> = ids.collect();
    for id in &ids {
        table.put(id, None, None);
    }
    ids
}

/// Rows keep their data. Values of removed fields go; new checkboxes get their default.
fn carry_rows(state: &mut State, before: &Deployed, after: &Deployed) {
    for object in after.objects() {
        let Some(old) = before.object(&object.name) else { continue };
        let gone: Vec<&str> = names_only_in(old, object);
        let fresh: BTreeMap<&str, bool> = object
            .fields
            .iter()
            .filter(|field| old.field(&field.name).is_none())
            .filter_map(|field| Some((field.name.as_str(), default(field)?)))
            .collect();
        if gone.is_empty() && fresh.is_empty() {
            continue;
        }
        let table = state.table_mut(object);
        for row in table.rows(true) {
            let Some(id) = row.get("Id").and_then(FieldValue::as_text).map(str::to_owned) else { continue };
            let mut changed: Row = (*row).clone();
            changed.retain(|name, _| !gone.contains(&name.as_str()));
            for (name, value) in &fresh {
                changed.insert((*name).to_owned(), FieldValue::Bool(*value));
            }
            let changed = Some(Arc::new(changed));
            match table.live(&id).is_some() {
                true => table.put(&id, changed, None),
                false => table.put(&id, None, changed),
            }
        }
    }
}

fn names_only_in<'a>(old: &'a ObjectDef, new: &ObjectDef) -> Vec<&'a str> {
    let gone = old.fields.iter().filter(|field| new.field(&field.name).is_none());
    gone.map(|field| field.name.as_str()).collect()
}

fn default(field: &FieldDef) -> Option<bool> {
    match field.kind {
        FieldKind::Checkbox(default) => Some(default),
        _ => None,
    }
}

#[cfg(test)]
#[path = "redeploy_tests.rs"]
mod tests;
