//! One run of a flow: what its resources hold at this moment.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{
    super::model::Row,
    def::{FlowDef, Kind},
};
use crate::{clock, domain::FieldValue};

/// What a resource holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) enum Value {
    One(FieldValue),
    Record(Record),
    List(Vec<Value>),
}

impl Value {
    pub(super) const NULL: Self = Self::One(FieldValue::Null);

    /// Null, or a collection without members.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::One(value) => value.is_null(),
            Self::Record(_) => false,
            Self::List(list) => list.is_empty(),
        }
    }

    /// The single value; null for records and collections.
    pub(super) fn one(&self) -> FieldValue {
        match self {
            Self::One(value) => value.clone(),
            _ => FieldValue::Null,
        }
    }

    pub(super) fn list(self) -> Vec<Value> {
        match self {
            Self::List(list) => list,
            one if one.is_empty() => Vec::new(),
            one => vec![one],
        }
    }
}

/// A record in a flow: the fields that were read or set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) struct Record {
    pub(super) object: String,
    pub(super) row: Row,
}

/// A run.
#[derive(Debug, Clone)]
pub(in crate::simulator) struct Interview {
    pub(super) flow: Arc<FlowDef>,
    pub(super) guid: String,
    pub(super) started: Timestamp,
    /// Variables, outputs of elements, answers of screens, the current item of loops.
    pub(super) values: BTreeMap<String, Value>,
    /// Outputs of subflows by element.
    pub(super) outputs: BTreeMap<String, BTreeMap<String, Value>>,
    /// What is left of running loops, the next one last.
    pub(super) loops: BTreeMap<String, Vec<Value>>,
    /// `$Record`.
    pub(super) record: Option<Record>,
    /// `$Record__Prior`; none on create.
    pub(super) prior: Option<Record>,
    /// `$Flow.FaultMessage`.
    pub(super) fault: FieldValue,
    /// Elements executed.
    pub(super) executed: u32,
}

impl Interview {
    pub(super) fn new(flow: Arc<FlowDef>, now: Timestamp) -> Self {
        Self {
            flow,
            guid: clock::random_id(),
            started: now,
            values: BTreeMap::new(),
            outputs: BTreeMap::new(),
            loops: BTreeMap::new(),
            record: None,
            prior: None,
            fault: FieldValue::Null,
            executed: 0,
        }
    }

    /// A variable's or element's value; what was never set is null or empty.
    pub(super) fn held(&self, name: &str) -> Value {
        if let Some(value) = self.values.get(name) {
            return value.clone();
        }
        match self.flow.variables.get(name).map(|variable| &variable.kind) {
            Some(Kind::List(_)) => Value::List(Vec::new()),
            _ => Value::NULL,
        }
    }

    /// Puts a value into a variable or a field of a record, as its type wants it.
    pub(super) fn set(&mut self, target: &str, value: Value) {
        let (head, field) = match target.split_once('.') {
            Some((head, field)) => (head, field),
            None => {
                self.values.insert(target.to_owned(), value);
                return;
            }
        };
        if head == "$Record" {
            if let Some(record) = &mut self.record {
                record.row.insert(field.to_owned(), value.one());
            }
            return;
        }
        let object = match self.flow.variables.get(head).map(|variable| &variable.kind) {
            Some(Kind::Record(object)) => object.clone(),
            _ => return,
        };
        let mut record = match self.values.remove(head) {
            Some(Value::Record(record)) => record,
            _ => Record { object, row: Row::new() },
        };
        record.row.insert(field.to_owned(), value.one());
        self.values.insert(head.to_owned(), Value::Record(record));
    }
}
