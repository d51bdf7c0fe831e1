//! The data elements: get, create, update and delete records, as the user or as the system.

use std::sync::Arc;

use serde_json::Map;

use super::{
    super::{
        ids,
        model::{ObjectDef, Row},
        save,
        write::{RowError, WriteOp, WriteOptions, WriteRow},
    },
    def::{Filter, Logic, Lookup, Operand, Operator, Rows},
    interview::{Record, Value},
    run::{Failure, Machine},
};
use crate::domain::FieldValue;

/// The words of a fault, with the errors that caused it.
fn fault(doing: &str, errors: &[RowError]) -> Failure {
    let causes: Vec<String> =
        errors.iter().map(|error| format!("{}: {}", error.code, error.message)).collect();
    Failure::Fault(format!(
        "This error occurred when the flow tried to {doing}: {}. You can look up ExceptionCode values in the SOAP API Developer Guide.",
        causes.join("; ")
    ))
}

impl Machine<'_> {
    pub(super) fn look_up(&mut self, element: &str, lookup: &Lookup) -> Result<(), Failure> {
        let object = self.readable(lookup)?;
        let mut rows = self.matching(&object, &lookup.filter);
        if let Some((field, descending)) = &lookup.sort {
            // Nulls come first, as in a query without a word about them.
            rows.sort_by(|left, right| {
                left.get(field)
                    .cloned()
                    .unwrap_or_default()
                    .cmp(&right.get(field).cloned().unwrap_or_default())
            });
            if *descending {
                rows.reverse();
            }
        }
        let record = |row: &Arc<Row>| {
            let read =
                |name: &String| lookup.fields.is_empty() || name == "Id" || lookup.fields.contains(name);
            let visible =
                |name: &String| self.context.system || self.context.user.can_read_field(&object.name, name);
            let fields = row.iter().filter(|(name, _)| read(name) && visible(name));
            Value::Record(Record {
                object: object.name.clone(),
                row: fields.map(|(name, value)| (name.clone(), value.clone())).collect(),
            })
        };
        let value = if lookup.first_only {
            rows.first().map_or(Value::NULL, record)
        } else {
            Value::List(rows.iter().map(record).collect())
        };
        self.interview.values.insert(element.to_owned(), value);
        Ok(())
    }

    /// The object of a lookup, whose fields the user must see. That a field hidden from the
    /// user is a fault, and not just empty, is not confirmed.
    fn readable(&self, lookup: &Lookup) -> Result<Arc<ObjectDef>, Failure> {
        let (org, user) = (self.context.org, self.context.user);
        let doing = "look up records";
        let seen = org
            .object(&lookup.object)
            .filter(|object| self.context.system || user.can_read_object(&object.name));
        let Some(object) = seen else {
            let message = format!("sObject type '{}' is not supported.", lookup.object);
            return Err(fault(doing, &[RowError::new("INVALID_TYPE", message)]));
        };
        let named = lookup.fields.iter().chain(lookup.filter.conditions.iter().map(|it| &it.left));
        let hidden = named
            .chain(lookup.sort.iter().map(|(field, _)| field))
            .find(|field| !self.context.system && !user.can_read_field(&object.name, field));
        match hidden {
            Some(field) => {
                let message = format!("No such column '{field}' on entity '{}'", object.name);
                Err(fault(doing, &[RowError::new("INVALID_FIELD", message)]))
            }
            None => Ok(object),
        }
    }

    /// Rows that meet a filter, in the order of their ids.
    fn matching(&self, object: &ObjectDef, filter: &Filter) -> Vec<Arc<Row>> {
        let view = self.view();
        let Some(table) = self.state.table(&object.name) else { return Vec::new() };
        let by_id = filter.conditions.iter().find(|condition| {
            condition.left == "Id"
                && condition.operator == Operator::EqualTo
                && matches!(filter.logic, Logic::And(_))
        });
        let candidates = match by_id.map(|condition| view.operand(&condition.right).one()) {
            Some(FieldValue::Text(id)) => {
                ids::complete(&id).and_then(|id| table.live(&id).cloned()).into_iter().collect()
            }
            Some(_) => Vec::new(),
            None => table.rows(false),
        };
        let meets = |row: &Arc<Row>| {
            let record = Record { object: object.name.clone(), row: (**row).clone() };
            view.meets(&record, filter)
        };
        candidates.into_iter().filter(meets).collect()
    }

    pub(super) fn create(
        &mut self,
        element: &str,
        (object, held): (&str, Option<&str>),
        values: &[(String, Operand)],
    ) -> Result<(), Failure> {
        let records = match held {
            Some(reference) => self.held_records(reference),
            None => {
                let row = self.inputs(values).into_iter().map(|(name, value)| (name, value.one()));
                vec![Record { object: object.to_owned(), row: row.collect() }]
            }
        };
        let rows = records.into_iter().map(|record| WriteRow {
            op: WriteOp::Create,
            id: None,
            fields: json(&record.row),
            object: record.object,
        });
        let made = self.save(rows.collect()).map_err(|errors| fault("create records", &errors))?;
        let id = made.into_iter().next().flatten().map_or(FieldValue::Null, FieldValue::text);
        match held {
            Some(reference) if matches!(self.view().value(reference), Value::Record(_)) => {
                self.interview.set(&format!("{reference}.Id"), Value::One(id));
            }
            Some(_) => {}
            None => drop(self.interview.values.insert(element.to_owned(), Value::One(id))),
        }
        Ok(())
    }

    pub(super) fn update(&mut self, rows: &Rows, values: &[(String, Operand)]) -> Result<(), Failure> {
        let given: Row = self.inputs(values).into_iter().map(|(name, value)| (name, value.one())).collect();
        let mut updates = Vec::new();
        for (object, id, row) in self.chosen(rows) {
            let fields = if given.is_empty() { self.own_values(&object, &row) } else { json(&given) };
            updates.push(WriteRow { op: WriteOp::Update, object, id: Some(id), fields });
        }
        self.save(updates).map_err(|errors| fault("update records", &errors))?;
        if let Rows::Held(reference) = rows
            && matches!(self.view().value(reference), Value::Record(_))
        {
            for (field, value) in given {
                self.interview.set(&format!("{reference}.{field}"), Value::One(value));
            }
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, rows: &Rows) -> Result<(), Failure> {
        let chosen = self.chosen(rows).into_iter();
        let rows = chosen.map(|(object, id, _)| WriteRow {
            op: WriteOp::Delete,
            object,
            id: Some(id),
            fields: Map::new(),
        });
        self.save(rows.collect()).map_err(|errors| fault("delete records", &errors))?;
        Ok(())
    }

    /// What a record variable would write: everything that can be written.
    fn own_values(&self, object: &str, row: &Row) -> Map<String, serde_json::Value> {
        let object = self.context.org.object(object);
        let open = |name: &&String| {
            object.as_ref().and_then(|object| object.field(name)).is_some_and(|field| field.updateable)
        };
        let names: Vec<&String> = row.keys().filter(open).collect();
        names.into_iter().filter_map(|name| Some((name.clone(), row.get(name)?.to_json()))).collect()
    }

    /// Object, id and values of the rows that a data element names.
    fn chosen(&self, rows: &Rows) -> Vec<(String, String, Row)> {
        let id_of = |row: &Row| row.get("Id").and_then(FieldValue::as_text).map(str::to_owned);
        match rows {
            Rows::Where(object, filter) => {
                let Some(object) = self.context.org.object(object) else { return Vec::new() };
                let rows = self.matching(&object, filter).into_iter();
                rows.filter_map(|row| Some((object.name.clone(), id_of(&row)?, (*row).clone()))).collect()
            }
            Rows::Held(reference) => {
                let records = self.held_records(reference).into_iter();
                records.filter_map(|record| Some((record.object, id_of(&record.row)?, record.row))).collect()
            }
        }
    }

    fn held_records(&self, reference: &str) -> Vec<Record> {
        let members = self.view().value(reference).list().into_iter();
        members
            .filter_map(|member| match member {
                Value::Record(record) => Some(record),
                _ => None,
            })
            .collect()
    }

    /// Saves rows, all or none of them. Flows start no assignment rules.
    fn save(&mut self, rows: Vec<WriteRow>) -> Result<Vec<Option<String>>, Vec<RowError>> {
        let options =
            WriteOptions { auto_assign: false, if_unmodified_since: None, ..self.context.options.clone() };
        let context = save::Context { options: &options, depth: self.context.depth + 1, ..*self.context };
        let mark = self.journal.mark();
        let mut made = Vec::new();
        for row in rows {
            match save::row(&context, self.state, self.journal, &row) {
                Ok(result) => made.push(result.id),
                Err(errors) => {
                    self.state.undo(self.journal, mark);
                    return Err(errors);
                }
            }
        }
        Ok(made)
    }
}

fn json(row: &Row) -> Map<String, serde_json::Value> {
    row.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
}
