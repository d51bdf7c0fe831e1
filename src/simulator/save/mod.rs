//! Saves one row in Salesforce's order: load, overlay, system checks, before-save flows,
//! required fields and validation rules, then the row itself, its history, its change on
//! the bus and after-save flows.

pub(super) mod convert;
mod effects;
mod flows;
mod history;
pub(super) mod lookups;
mod own_user;
#[cfg(test)]
mod package_tests;
mod rules;
#[cfg(test)]
mod tests;
mod values;

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    bus::PendingChange,
    faults::{FaultAction, FaultPoint, FaultSite},
    ids,
    model::{ChangeKind, FieldDef, FieldKind, ObjectDef, Row},
    org::Org,
    state::{Before, Journal, State},
    transaction::{modified_after, stale},
    users::UserContext,
    write::{RowError, RowResult, WriteOp, WriteOptions, WriteRow},
};
use crate::domain::FieldValue;

/// Code of a row that another transaction holds.
pub(super) const UNABLE_TO_LOCK_ROW: &str = "UNABLE_TO_LOCK_ROW";

type Outcome<T> = Result<T, Vec<RowError>>;

/// Who writes, how and when.
pub(super) struct Context<'a> {
    pub(super) org: &'a Org,
    pub(super) user: &'a UserContext,
    pub(super) options: &'a WriteOptions,
    pub(super) now: Timestamp,
    /// Flows that a record starts write without the user's object and field permissions;
    /// `user` is the saver all the same.
    pub(super) system: bool,
    /// Saves that stand around this one: a flow's save inside a save.
    pub(super) depth: u32,
}

impl Context<'_> {
    /// Whether the writer may: with the system's access always.
    fn may(&self, right: impl FnOnce(&UserContext) -> bool) -> bool {
        self.system || right(self.user)
    }
}

/// One row on its way.
struct Save<'a> {
    context: &'a Context<'a>,
    state: &'a mut State,
    journal: &'a mut Journal,
    object: Arc<ObjectDef>,
}

/// Saves one row. On an error the caller undoes what the journal holds since.
pub(super) fn row(
    context: &Context<'_>,
    state: &mut State,
    journal: &mut Journal,
    row: &WriteRow,
) -> Outcome<RowResult> {
    let object = context.org.object(&row.object);
    let object = object.filter(|object| context.may(|user| user.can_read_object(&object.name)));
    let Some(object) = object else {
        return fail("INVALID_TYPE", format!("sObject type '{}' is not supported.", row.object));
    };
    if !object.dml && !own_user::may(context, &object, row) {
        return fail(
            "INVALID_TYPE_FOR_OPERATION",
            format!("entity type {} does not support this operation", object.name),
        );
    }
    strike(context, &object, row)?;
    lock_parent(context, state, &object, row)?;
    let mut save = Save { context, state, journal, object };
    match &row.op {
        WriteOp::Create => save.create(&row.fields),
        WriteOp::Update => save.update(&save.target(row)?, &row.fields),
        WriteOp::Delete => save.delete(&save.target(row)?),
        WriteOp::Undelete => save.undelete(&save.target(row)?),
        WriteOp::Upsert { ext_field, ext_value } => save.upsert(ext_field, ext_value, row),
    }
}

fn fail<T>(code: &str, message: impl Into<String>) -> Outcome<T> {
    Err(vec![RowError::new(code, message)])
}

fn strike(context: &Context<'_>, object: &ObjectDef, row: &WriteRow) -> Outcome<()> {
    let id = row.id.as_deref().and_then(ids::complete).unwrap_or_default();
    let site = FaultSite {
        object: &object.name,
        record_id: &id,
        username: &context.user.username,
        fields: Some(&row.fields),
        ..FaultSite::default()
    };
    match context.org.faults().take_matching(FaultPoint::Row, &site).map(|fault| fault.action) {
        Some(FaultAction::LockRow) => fail(
            UNABLE_TO_LOCK_ROW,
            format!("unable to obtain exclusive access to this record or 1 records: {id}"),
        ),
        Some(FaultAction::Error { code, message, .. }) => fail(&code, message),
        _ => Ok(()),
    }
}

fn lock_parent(context: &Context<'_>, state: &State, object: &ObjectDef, row: &WriteRow) -> Outcome<()> {
    let id = row.id.as_deref().and_then(ids::complete).unwrap_or_default();
    let Some(stored) = state.table(&object.name).and_then(|table| table.live(&id)) else { return Ok(()) };
    let mut locks = context.org.0.parent_locks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if locks.take(stored, context.org.settings()) {
        return Ok(());
    }
    let message = format!("unable to obtain exclusive access to this record or 1 records: {id}");
    fail(UNABLE_TO_LOCK_ROW, message)
}

impl Save<'_> {
    fn target(&self, row: &WriteRow) -> Outcome<String> {
        let Some(given) = row.id.as_deref() else {
            return fail("MISSING_ARGUMENT", "Id not specified in an update call");
        };
        let wrong = || {
            let message = format!("{} ID: id value of incorrect type: {given}", self.object.label);
            Err(vec![RowError::on("MALFORMED_ID", message, "Id")])
        };
        match ids::complete(given) {
            Some(id) if id.starts_with(&self.object.key_prefix) => Ok(id),
            _ => wrong(),
        }
    }

    /// The live row that this call may change.
    fn writable(&self, id: &str) -> Outcome<Arc<Row>> {
        let table = self.state.table(&self.object.name);
        let Some(row) = table.and_then(|table| table.live(id)).cloned() else {
            return match table.and_then(|table| table.deleted(id)) {
                Some(_) => fail("ENTITY_IS_DELETED", "entity is deleted"),
                None => fail("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
            };
        };
        let user = self.context.user;
        let may = |user: &UserContext| user.can_edit_object(&self.object.name) || !self.object.dml;
        if !self.context.may(may) {
            return fail("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id");
        }
        if self.context.options.if_unmodified_since.is_some_and(|limit| modified_after(&row, limit)) {
            return Err(vec![stale()]);
        }
        if self.state.locked.contains(id) && user.role != "admin" {
            return fail("ENTITY_IS_LOCKED", "the entity is locked for editing");
        }
        let converted = row.get("IsConverted").is_some_and(FieldValue::as_bool);
        if converted && !self.context.org.settings().converted_leads_editable {
            return fail("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead");
        }
        Ok(row)
    }

    fn create(&mut self, fields: &serde_json::Map<String, serde_json::Value>) -> Outcome<RowResult> {
        if !self.context.may(|user| user.can_create(&self.object.name)) {
            return fail("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id");
        }
        let given = self.read_values(fields, true)?;
        let mut row = self.defaults();
        row.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.derive(None, &given, &mut row);
        self.before_flows(None, given, &mut row)?;
        self.require(&row)?;
        self.offered_by_type(None, &row)?;
        self.run_rules(None, &row)?;
        let id = self.state.ids.next(&self.object.key_prefix);
        row.insert("Id".to_owned(), FieldValue::text(id.clone()));
        self.unique(&id, &row)?;
        self.assign_owner(&mut row);
        let user = FieldValue::text(self.context.user.user_id.clone());
        self.put_if_field(&mut row, "CreatedDate", FieldValue::DateTime(self.context.now));
        self.put_if_field(&mut row, "CreatedById", user);
        self.stamp(&mut row);
        row.retain(|_, value| !value.is_null());
        self.history(&id, None, &row);
        let changed = self.event_fields(&row);
        let row = Arc::new(row);
        self.put(&id, Some(Arc::clone(&row)), None);
        self.publish(&id, ChangeKind::Create, changed);
        self.after_flows(None, &row)?;
        Ok(RowResult { id: Some(id), created: true, errors: Vec::new() })
    }

    fn update(
        &mut self,
        id: &str,
        fields: &serde_json::Map<String, serde_json::Value>,
    ) -> Outcome<RowResult> {
        let old = self.writable(id)?;
        let given = self.read_values(fields, false)?;
        let mut row = (*old).clone();
        row.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.derive(Some(&old), &given, &mut row);
        self.before_flows(Some(&old), given, &mut row)?;
        self.require(&row)?;
        self.offered_by_type(Some(&old), &row)?;
        self.run_rules(Some(&old), &row)?;
        self.unique(id, &row)?;
        self.assign_owner(&mut row);
        row.retain(|_, value| !value.is_null());
        let result = RowResult { id: Some(id.to_owned()), created: false, errors: Vec::new() };
        let settings = self.context.org.settings();
        let no_op = row == *old;
        if no_op && !settings.no_op_updates_touch {
            return Ok(result);
        }
        self.stamp(&mut row);
        self.history(id, Some(&old), &row);
        let mut changed = self.difference(&old, &row);
        // Recorded update events carry LastModifiedDate even when two updates share a second.
        if let Some(stamp) = row.get("LastModifiedDate") {
            changed.insert("LastModifiedDate".to_owned(), stamp.clone());
        }
        let row = Arc::new(row);
        self.put(id, Some(Arc::clone(&row)), None);
        if !no_op || settings.no_op_updates_publish {
            self.publish(id, ChangeKind::Update, changed);
        }
        self.after_flows(Some(&old), &row)?;
        Ok(result)
    }

    fn delete(&mut self, id: &str) -> Outcome<RowResult> {
        if !self.context.may(|user| user.can_delete(&self.object.name)) {
            return fail("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id");
        }
        let mut row = (*self.writable(id)?).clone();
        row.insert("IsDeleted".to_owned(), FieldValue::Bool(true));
        self.stamp(&mut row);
        self.put(id, None, Some(Arc::new(row)));
        self.publish(id, ChangeKind::Delete, Row::new());
        Ok(RowResult { id: Some(id.to_owned()), created: false, errors: Vec::new() })
    }

    fn undelete(&mut self, id: &str) -> Outcome<RowResult> {
        let table = self.state.table(&self.object.name);
        let Some(deleted) = table.and_then(|table| table.deleted(id)).cloned() else {
            return fail("UNDELETE_FAILED", "Entity is not in the recycle bin");
        };
        let mut row = (*deleted).clone();
        row.insert("IsDeleted".to_owned(), FieldValue::Bool(false));
        self.stamp(&mut row);
        let changed = self.event_fields(&row);
        self.put(id, Some(Arc::new(row)), None);
        self.publish(id, ChangeKind::Undelete, changed);
        Ok(RowResult { id: Some(id.to_owned()), created: false, errors: Vec::new() })
    }

    fn upsert(&mut self, ext_field: &str, ext_value: &str, row: &WriteRow) -> Outcome<RowResult> {
        if ext_field.eq_ignore_ascii_case("Id") {
            let by_id = WriteRow { id: Some(ext_value.to_owned()), ..row.clone() };
            let id = self.target(&by_id)?;
            return self.update(&id, &row.fields);
        }
        let user = self.context.user;
        let field = self.object.field(ext_field).filter(|field| {
            (field.external_id || field.unique) && user.can_read_field(&self.object.name, &field.name)
        });
        let Some(name) = field.map(|field| field.name.clone()) else {
            let message =
                format!("Provided external ID field does not exist or is not accessible: {ext_field}");
            return fail("NOT_FOUND", message);
        };
        let value = FieldValue::text(ext_value);
        let found = self.state.table(&self.object.name).and_then(|table| table.find(&name, &value));
        let ids: Vec<String> = found
            .unwrap_or_default()
            .iter()
            .filter_map(|row| row.get("Id").and_then(FieldValue::as_text).map(str::to_owned))
            .collect();
        match ids.as_slice() {
            [] if self.context.options.update_only => {
                fail("NOT_FOUND", "The requested resource does not exist")
            }
            [] => {
                let mut fields = row.fields.clone();
                fields.insert(name, serde_json::Value::String(ext_value.to_owned()));
                self.create(&fields)
            }
            [id] => self.update(id, &row.fields),
            several => fail(
                "DUPLICATE_EXTERNAL_ID",
                format!("{name}: more than one record found for external id field: {several:?}"),
            ),
        }
    }

    fn defaults(&self) -> Row {
        let mut row = Row::new();
        for field in &self.object.fields {
            let value = match &field.kind {
                FieldKind::Checkbox(on) => FieldValue::Bool(*on),
                FieldKind::Picklist(values, _) => match values.iter().find(|value| value.default) {
                    Some(value) => FieldValue::text(value.value.clone()),
                    None => continue,
                },
                _ => continue,
            };
            row.insert(field.name.clone(), value);
        }
        self.put_if_field(&mut row, "OwnerId", FieldValue::text(self.context.user.user_id.clone()));
        row
    }

    fn put_if_field(&self, row: &mut Row, field: &str, value: FieldValue) {
        if self.object.field(field).is_some() {
            row.insert(field.to_owned(), value);
        }
    }

    fn stamp(&self, row: &mut Row) {
        let now = FieldValue::DateTime(self.context.now);
        let user = FieldValue::text(self.context.user.user_id.clone());
        self.put_if_field(row, "LastModifiedDate", now.clone());
        self.put_if_field(row, "LastModifiedById", user);
        self.put_if_field(row, "SystemModstamp", now);
    }

    fn require(&self, row: &Row) -> Outcome<()> {
        let missing: Vec<String> = self
            .object
            .fields
            .iter()
            .filter(|field| is_required(field) && row.get(&field.name).is_none_or(FieldValue::is_null))
            .map(|field| field.name.clone())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!("Required fields are missing: [{}]", missing.join(", "));
        Err(vec![RowError { code: "REQUIRED_FIELD_MISSING".to_owned(), message, fields: missing }])
    }

    fn unique(&self, id: &str, row: &Row) -> Outcome<()> {
        let Some(table) = self.state.table(&self.object.name) else { return Ok(()) };
        for field in self.object.fields.iter().filter(|field| field.unique) {
            let Some(value) = row.get(&field.name).filter(|value| !value.is_null()) else { continue };
            let others = table.find(&field.name, value).unwrap_or_default();
            let other = others
                .iter()
                .filter_map(|row| row.get("Id").and_then(FieldValue::as_text))
                .find(|other| *other != id);
            if let Some(other) = other {
                let message = format!(
                    "duplicate value found: {} duplicates value on record with id: {other}",
                    field.name
                );
                return fail("DUPLICATE_VALUE", message);
            }
        }
        Ok(())
    }

    fn event_fields(&self, row: &Row) -> Row {
        let carried = self.object.fields.iter().filter(|field| field.in_change_events);
        carried.filter_map(|field| row.get_key_value(&field.name)).map(own).collect()
    }

    /// What an update changed, with null for what it emptied.
    fn difference(&self, old: &Row, new: &Row) -> Row {
        let mut changed = Row::new();
        for field in self.object.fields.iter().filter(|field| field.in_change_events) {
            let (before, after) = (old.get(&field.name), new.get(&field.name));
            if before != after {
                changed.insert(field.name.clone(), after.cloned().unwrap_or_default());
            }
        }
        changed
    }

    fn put(&mut self, id: &str, live: Option<Arc<Row>>, deleted: Option<Arc<Row>>) {
        let object = Arc::clone(&self.object);
        self.put_in(&object, id, live, deleted);
    }

    fn put_in(&mut self, object: &ObjectDef, id: &str, live: Option<Arc<Row>>, deleted: Option<Arc<Row>>) {
        let table = self.state.table_mut(object);
        self.journal.undo.push(Before {
            object: object.name.clone(),
            id: id.to_owned(),
            live: table.live(id).cloned(),
            deleted: table.deleted(id).cloned(),
        });
        table.put(id, live, deleted);
    }

    /// Several changes of one record in one transaction become one event: the first
    /// operation's kind with the final values.
    fn publish(&mut self, id: &str, kind: ChangeKind, changed: Row) {
        if !self.object.dml {
            return;
        }
        let earlier = self.journal.changes.iter_mut().find(|change| change.record_id == id);
        match earlier {
            Some(earlier) if kind == ChangeKind::Update => earlier.changed.extend(changed),
            _ => self.journal.changes.push(PendingChange {
                object: self.object.name.clone(),
                record_id: id.to_owned(),
                kind,
                changed,
            }),
        }
    }
}

/// Required on every save: always-required fields that a caller gives.
fn is_required(field: &FieldDef) -> bool {
    !field.nillable
        && (field.createable || field.updateable)
        && !matches!(field.kind, FieldKind::Checkbox(_) | FieldKind::Id)
}

fn own((name, value): (&String, &FieldValue)) -> (String, FieldValue) {
    (name.clone(), value.clone())
}
