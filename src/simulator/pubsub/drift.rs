//! Changes of an object's event schema while streams are open: what an admin's new field, a removed
//! field or another field type does to events. Rows and REST stay as they are.

use serde::Deserialize;

use crate::simulator::{
    Org,
    model::{FieldDef, FieldKind, ObjectDef},
};

/// One change of one object's event schema.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaDrift {
    /// Object API name.
    pub object: String,
    /// Field API name.
    pub field: String,
    /// What becomes of the field.
    pub change: DriftKind,
    /// Position up to which events have the earlier schema; set by the org.
    #[serde(skip)]
    pub(super) after: u64,
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// A text field is put before the object's last field, so that bit positions move.
    Added,
    /// It is gone from the schema.
    Removed,
    /// It is a number from now on; a text that is none goes out as null.
    Number,
    /// It is a text from now on.
    Text,
}

impl SchemaDrift {
    /// A change that events see from the next commit on.
    pub fn new(object: &str, field: &str, change: DriftKind) -> Self {
        Self { object: object.to_owned(), field: field.to_owned(), change, after: 0 }
    }
}

impl Org {
    /// Changes an object's event schema for everything that is committed from now on.
    pub fn drift_schema(&self, drift: SchemaDrift) {
        let drift = SchemaDrift { after: self.tip(), ..drift };
        self.0.drifts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(drift);
        // Open streams look at what they carry again.
        self.0.tip.send_modify(|_| {});
    }

    pub(in crate::simulator) fn schema_drifts(&self) -> Vec<SchemaDrift> {
        self.0.drifts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// The object as its events describe it.
pub(super) fn apply(object: &ObjectDef, drifts: &[SchemaDrift]) -> ObjectDef {
    let mut object = object.clone();
    for drift in drifts.iter().filter(|drift| drift.object == object.name) {
        let place = object.fields.iter().position(|field| field.name == drift.field);
        match (drift.change, place) {
            (DriftKind::Added, None) => {
                let before_last = object.fields.len().saturating_sub(1);
                object.fields.insert(before_last, text_field(&drift.field));
            }
            (DriftKind::Removed, Some(place)) => {
                object.fields.remove(place);
            }
            (DriftKind::Number, Some(place)) => {
                object.fields[place].kind = FieldKind::Number("double", 18, 2);
            }
            (DriftKind::Text, Some(place)) => object.fields[place].kind = FieldKind::Text(255),
            _ => {}
        }
    }
    object
}

fn text_field(name: &str) -> FieldDef {
    FieldDef {
        name: name.to_owned(),
        label: name.to_owned(),
        kind: FieldKind::Text(255),
        custom_id: None,
        nillable: true,
        createable: true,
        updateable: true,
        has_fls: false,
        external_id: false,
        unique: false,
        in_change_events: true,
    }
}
