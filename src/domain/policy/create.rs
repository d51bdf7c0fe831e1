//! Records that may be made: only what is named here, and always with no person in front of it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Mode;
use crate::domain::{
    creation::Cancel,
    ids::{FieldName, ObjectName},
    value::FieldValue,
};

/// One kind of record that agents may have made, for example a call summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateRule {
    /// Its name, which proposals give.
    pub name: String,
    /// Whether it acts.
    #[serde(default = "super::live")]
    pub mode: Mode,
    /// Below this confidence nothing is made; absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_confidence: Option<Decimal>,
    /// Fields that an agent may fill.
    pub fields: Vec<FieldName>,
    /// Objects below which it may be made, each with the field that holds the parent's id.
    pub parents: BTreeMap<ObjectName, FieldName>,
    /// Values that every such record gets; texts and picklist values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<FieldName, String>,
    /// What a rollback writes.
    pub cancel: Cancel,
}

impl CreateRule {
    /// Whether an agent may fill the field.
    pub fn lets_fill(&self, field: &FieldName) -> bool {
        self.fields.contains(field)
    }

    /// The fixed values as fields hold them.
    pub fn fixed_values(&self) -> impl Iterator<Item = (&FieldName, FieldValue)> {
        self.fixed.iter().map(|(field, text)| (field, FieldValue::text(text.clone())))
    }

    /// Every field that the rule speaks of.
    pub fn named_fields(&self) -> impl Iterator<Item = &FieldName> {
        let links = self.parents.values();
        self.fields.iter().chain(links).chain(self.fixed.keys()).chain(std::iter::once(&self.cancel.field))
    }
}
