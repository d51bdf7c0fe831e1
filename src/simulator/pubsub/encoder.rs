//! Committed changes to payloads. Everything that depends on the object alone is worked
//! out once.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::{
    domain::FieldValue,
    salesforce::avro::{Schema, SchemaError, put_long, put_string},
    simulator::model::{ChangeKind, ChangeRecord, ObjectDef},
};

use super::{
    bitmap::Bitmap,
    schema::{Leaf, Shape, Wire, event_name, shape},
};

/// Writes the events of one object.
#[derive(Debug)]
pub(super) struct Encoder {
    pub object: String,
    pub event_name: String,
    pub schema_id: String,
    pub schema_json: String,
    shape: Shape,
    by_field: BTreeMap<String, usize>,
}

/// One event to write.
pub(super) struct Delivery<'a> {
    pub record: &'a ChangeRecord,
    /// Several when equal changes were merged.
    pub record_ids: &'a [&'a str],
    /// Leaf and value of what enrichment adds.
    pub enriched: &'a [(usize, FieldValue)],
    /// By leaf: whether the subscriber may see the field.
    pub visible: &'a [bool],
    /// Unconfirmed: bits of hidden fields stay.
    pub hidden_bits: bool,
    /// Unconfirmed: emptied fields are listed as changed too.
    pub nulled_also_changed: bool,
}

impl Encoder {
    pub(super) fn new(object: &ObjectDef) -> Result<Self, SchemaError> {
        let shape = shape(object);
        let schema = Schema::parse(&shape.json)?;
        let leaves = || shape.leaves.iter().enumerate();
        let paths = leaves().map(|(index, leaf)| (leaf.path.clone(), index));
        let by_field = paths.chain(leaves().map(|(index, leaf)| (leaf.field.clone(), index))).collect();
        Ok(Self {
            object: object.name.clone(),
            event_name: event_name(&object.name),
            schema_id: schema.id().to_owned(),
            schema_json: shape.json.clone(),
            by_field,
            shape,
        })
    }

    pub(super) fn leaves(&self) -> &[Leaf] {
        &self.shape.leaves
    }

    /// The leaf of a field, named as over REST or as `Compound.Component`.
    pub(super) fn leaf(&self, field: &str) -> Option<usize> {
        self.by_field.get(field).copied()
    }

    /// The leaves of a whole compound, or the one of a field.
    pub(super) fn leaves_of(&self, name: &str) -> Vec<usize> {
        let of_compound = |leaf: &Leaf| leaf.path.split_once('.').is_some_and(|(parent, _)| parent == name);
        let matching = |(index, leaf): (usize, &Leaf)| of_compound(leaf).then_some(index);
        match self.leaf(name) {
            Some(leaf) => vec![leaf],
            None => self.shape.leaves.iter().enumerate().filter_map(matching).collect(),
        }
    }

    pub(super) fn encode(&self, delivery: &Delivery<'_>) -> Vec<u8> {
        let record = delivery.record;
        let mut values: Vec<Option<&FieldValue>> = vec![None; self.shape.leaves.len()];
        let (mut changed, mut nulled) = (Bitmap::default(), Bitmap::default());
        for (field, value) in &record.changed {
            let Some(index) = self.leaf(field) else { continue };
            let visible = delivery.visible.get(index).copied().unwrap_or(true);
            if visible {
                values[index] = Some(value);
            }
            if record.kind == ChangeKind::Update && (visible || delivery.hidden_bits) {
                let leaf = &self.shape.leaves[index];
                if value.is_null() {
                    mark(&mut nulled, leaf);
                }
                if !value.is_null() || delivery.nulled_also_changed {
                    mark(&mut changed, leaf);
                }
            }
        }
        for (index, value) in delivery.enriched {
            values[*index].get_or_insert(value);
        }
        let mut out = Vec::with_capacity(512);
        self.put_header(delivery, &changed, &nulled, &mut out);
        for (leaves, compound) in &self.shape.slots {
            self.put_slot(&values, leaves.clone(), *compound, &mut out);
        }
        out
    }

    fn put_header(&self, delivery: &Delivery<'_>, changed: &Bitmap, nulled: &Bitmap, out: &mut Vec<u8>) {
        let (record, commit) = (delivery.record, &delivery.record.commit);
        put_string(out, &self.object);
        put_list(out, delivery.record_ids);
        put_long(out, symbol(record.kind));
        put_string(out, &commit.origin);
        put_string(out, &commit.transaction_key);
        put_long(out, i64::from(record.sequence));
        put_long(out, commit.committed_at_ms);
        put_long(out, commit.commit_number);
        put_string(out, &commit.user_id);
        put_list(out, &nulled.elements());
        put_list::<&str>(out, &[]);
        put_list(out, &changed.elements());
    }

    fn put_slot(
        &self,
        values: &[Option<&FieldValue>],
        leaves: std::ops::Range<usize>,
        compound: bool,
        out: &mut Vec<u8>,
    ) {
        if compound {
            if leaves.clone().all(|index| values[index].is_none_or(FieldValue::is_null)) {
                put_long(out, 0);
                return;
            }
            put_long(out, 1);
        }
        for index in leaves {
            match values[index] {
                Some(value) if !value.is_null() => put_value(self.shape.leaves[index].wire, value, out),
                _ => put_long(out, 0),
            }
        }
    }
}

fn mark(bitmap: &mut Bitmap, leaf: &Leaf) {
    match leaf.component {
        None => bitmap.field(leaf.position),
        Some(component) => bitmap.component(leaf.position, component),
    }
}

fn symbol(kind: ChangeKind) -> i64 {
    match kind {
        ChangeKind::Create => 0,
        ChangeKind::Update => 1,
        ChangeKind::Delete => 2,
        ChangeKind::Undelete => 3,
        ChangeKind::GapCreate => 4,
        ChangeKind::GapUpdate => 5,
        ChangeKind::GapDelete => 6,
        ChangeKind::GapUndelete => 7,
        ChangeKind::GapOverflow => 8,
    }
}

fn put_list<S: AsRef<str>>(out: &mut Vec<u8>, items: &[S]) {
    if !items.is_empty() {
        put_long(out, i64::try_from(items.len()).unwrap_or(i64::MAX));
        items.iter().for_each(|item| put_string(out, item.as_ref()));
    }
    put_long(out, 0);
}

/// A value in branch 1 of its union; null when it does not fit the wire type.
fn put_value(wire: Wire, value: &FieldValue, out: &mut Vec<u8>) {
    match (wire, value) {
        (Wire::Text, FieldValue::Text(text)) => {
            put_long(out, 1);
            put_string(out, text);
        }
        (Wire::Text, other) => {
            put_long(out, 1);
            put_string(out, &other.to_string());
        }
        (Wire::Double, FieldValue::Decimal(number)) => {
            // Through text, which is the nearest double and the same on every machine.
            let double: f64 = number.to_string().parse().unwrap_or_default();
            put_long(out, 1);
            out.extend_from_slice(&double.to_bits().to_le_bytes());
        }
        (Wire::Int, FieldValue::Decimal(number)) => match i32::try_from(*number) {
            Ok(number) => {
                put_long(out, 1);
                put_long(out, i64::from(number));
            }
            Err(_) => put_long(out, 0),
        },
        (Wire::Boolean, FieldValue::Bool(flag)) => {
            put_long(out, 1);
            out.push(u8::from(*flag));
        }
        (Wire::Millis, FieldValue::DateTime(moment)) => {
            put_long(out, 1);
            put_long(out, moment.as_millisecond());
        }
        (Wire::Millis, FieldValue::Date(day)) => match day.to_zoned(TimeZone::UTC) {
            Ok(midnight) => {
                put_long(out, 1);
                put_long(out, midnight.timestamp().as_millisecond());
            }
            Err(_) => put_long(out, 0),
        },
        _ => put_long(out, 0),
    }
}
