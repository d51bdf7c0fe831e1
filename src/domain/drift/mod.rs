//! Schema drift: what an org's admins change below the feet of a lane, and what that stops.
//!
//! A [`Ground`] is what promotions to an object rest on, as the promoter sees it. The first one is
//! accepted at the start of service, later ones by people. What differs from the accepted one is a
//! [`Change`]; the table in [`ChangeKind`] says which changes freeze the lanes that they touch.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    digest::{CanonicalError, Digest},
    ids::{FieldName, ObjectName, RecordId},
    proposal::Proposal,
    schema::{FieldSchema, FieldType, RecordTypeSchema},
};
pub use compare::compare;
pub use kind::{ChangeKind, Effect, Family};
pub use story::{Acceptance, Known, START_OF_SERVICE, advance};

mod compare;
mod kind;
mod story;
#[cfg(test)]
mod tests;

/// What promotions to the lanes of one object rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// Object API name.
    pub object: ObjectName,
    /// Whether the promoter may change its records.
    pub updateable: bool,
    /// The governed fields; one that is absent does not exist or is hidden from the promoter.
    pub fields: BTreeMap<FieldName, FieldSchema>,
    /// Record types by id, where they narrow a governed picklist.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub record_types: BTreeMap<RecordId, RecordTypeSchema>,
    /// Other fields without which the org saves no record, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// What runs when a record is saved, by [`Automation::key`]; `None` where the promoter may not
    /// look into Setup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automations: Option<BTreeMap<String, Automation>>,
}

impl Ground {
    /// SHA-256 of the canonical form.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of(self)
    }

    /// The active values of a picklist; none for another field.
    pub fn values(&self, field: &FieldName) -> &[String] {
        match self.fields.get(field).map(|facts| &facts.field_type) {
            Some(FieldType::Picklist { values, .. } | FieldType::MultiPicklist { values }) => values,
            _ => &[],
        }
    }
}

/// What kind of automation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutomationKind {
    /// A validation rule.
    Rule,
    /// A record-triggered flow.
    Flow,
    /// An Apex trigger.
    Trigger,
}

impl AutomationKind {
    /// The kind in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rule => "validation rule",
            Self::Flow => "flow",
            Self::Trigger => "trigger",
        }
    }
}

/// Something that runs when a record of the object is saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Automation {
    /// What it is.
    pub kind: AutomationKind,
    /// API name.
    pub name: String,
    /// Whether it runs.
    pub active: bool,
    /// Whether it is part of our own package.
    pub ours: bool,
    /// What changes with its content: the id of the version that runs, or the time of the last change.
    pub version: String,
}

impl Automation {
    /// Kind and name: no two of an object have the same.
    pub fn key(&self) -> String {
        format!("{} {}", self.kind.name(), self.name)
    }
}

/// One difference between two grounds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The governed field; absent where every lane of the object is touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldName>,
    /// A record type, another field, a rule, flow or trigger, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What is there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Change {
    /// Whether the lanes that it touches wait until a person has accepted it.
    pub fn freezes(&self) -> bool {
        self.kind.effect() == Effect::Freezes
    }

    /// Whether it touches the lane of this field.
    pub fn touches(&self, field: &FieldName) -> bool {
        self.field.as_ref().is_none_or(|own| own == field)
    }

    /// In words, without the object. Names and values in it are data.
    pub fn words(&self) -> String {
        let subject = self.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
        let field = self.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
        let sides = match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!(": {before} → {after}"),
            (Some(one), None) | (None, Some(one)) => format!(": {one}"),
            (None, None) => String::new(),
        };
        format!("{field}{}{subject}{sides}", self.kind.words())
    }
}

/// Everything that differs from what was accepted for an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Object.
    pub object: ObjectName,
    /// When the first difference was seen.
    pub since: Timestamp,
    /// Digest of the ground that is there now.
    pub ground: Digest,
    /// The differences, those that freeze first; none when the org went back by itself.
    pub changes: Vec<Change>,
}

impl Drift {
    /// The changes that hold this proposal back. What makes a new record rests on another object,
    /// and is not held by the ground of its parent.
    pub fn stopping<'a>(&'a self, proposal: &'a Proposal) -> impl Iterator<Item = &'a Change> {
        let of_object = proposal.creates.is_none() && self.object == proposal.object;
        self.changes.iter().filter(move |change| {
            of_object && change.freezes() && proposal.patch.keys().any(|field| change.touches(field))
        })
    }

    /// Whether it holds this proposal back.
    pub fn stops(&self, proposal: &Proposal) -> bool {
        self.stopping(proposal).next().is_some()
    }

    /// Whether it freezes the lane of this field.
    pub fn freezes(&self, field: &FieldName) -> bool {
        self.changes.iter().any(|change| change.freezes() && change.touches(field))
    }
}
