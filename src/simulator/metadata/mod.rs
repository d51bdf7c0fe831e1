//! The deployable package: what the simulated org reads from `salesforce-metadata/`.

use std::{collections::BTreeMap, path::Path, sync::Arc};

mod channels;
#[cfg(test)]
mod defect_cases;
mod deploy;
mod fields;
mod files;
mod kinds;
#[cfg(test)]
mod matrix_cases;
pub(super) mod mdapi;
mod names;
mod permissions;
mod record_types;
mod references;
#[cfg(test)]
mod rule_cases;
mod rules;
mod schema;
mod source;
mod stored;
#[cfg(test)]
mod tests;
mod xml;

pub(super) use fields::STANDARD_SETS;
pub(super) use kinds::kind_facts;
pub use record_types::RecordTypeDef;
pub(super) use stored::{Named, Stored};
pub(super) use xml::Draft;
pub use xml::Element;

use super::{
    flow::FlowDef,
    formula::Formula,
    model::{FieldDef, PicklistValue, Row},
};

/// A package that deployed without a problem.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Package {
    /// Custom fields and rules by object.
    pub objects: BTreeMap<String, PackageObject>,
    /// Global value sets.
    pub value_sets: BTreeMap<String, Vec<PicklistValue>>,
    /// Values of standard picklists, by the set's name.
    pub standard_sets: BTreeMap<String, Vec<PicklistValue>>,
    /// Permission sets.
    pub permission_sets: Vec<PermissionSetDef>,
    /// Custom permissions.
    pub custom_permissions: Vec<String>,
    /// Custom metadata types (`..__mdt`) and custom objects (`..__c`).
    pub metadata_types: BTreeMap<String, PackageObject>,
    /// Their records.
    pub metadata_records: Vec<MetadataRecord>,
    /// Custom change-event channels.
    pub channels: Vec<ChannelDef>,
    /// What they carry.
    pub channel_members: Vec<ChannelMemberDef>,
    /// Flows by name.
    pub flows: BTreeMap<String, Arc<FlowDef>>,
    /// Every component in the order of deployment, those without behaviour as well.
    pub components: Vec<Component>,
}

impl Package {
    /// The components of one kind, such as `Flow`.
    pub fn components<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Component> {
        self.components.iter().filter(move |component| component.kind == kind)
    }
}

/// One component as it was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// For example `Flow`.
    pub kind: &'static str,
    /// For example `AI_Lead_Guard` or `Lead.AI_Decision__c`.
    pub full_name: String,
    /// Path inside the package.
    pub file: String,
    /// The metadata itself.
    pub root: Arc<Element>,
    /// Content files by path: Apex code, schemas of actions.
    pub bodies: BTreeMap<String, String>,
}

/// What the package adds to one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageObject {
    /// Label; only of types and objects that the package makes.
    pub label: Option<String>,
    /// Custom fields, by name.
    pub fields: Vec<FieldDef>,
    /// Validation rules, by name.
    pub rules: Vec<ValidationRule>,
    /// Record types, by name.
    pub record_types: Vec<RecordTypeDef>,
}

/// One validation rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationRule {
    /// API name.
    pub name: String,
    /// Inactive rules are stored and not evaluated.
    pub active: bool,
    /// The text as deployed.
    pub formula: String,
    /// The same, parsed and type-checked.
    pub compiled: Arc<Formula>,
    /// What the user is told when it fires.
    pub message: String,
    /// The field that the message stands at; `None` is the top of the page.
    pub error_field: Option<String>,
}

/// A permission set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PermissionSetDef {
    /// API name.
    pub name: String,
    /// Label.
    pub label: String,
    /// Custom metadata types that it lets users read.
    pub metadata_types: Vec<String>,
    /// Custom permissions that it grants.
    pub custom_permissions: Vec<String>,
    /// Flows that it lets users start.
    pub flows: Vec<String>,
    /// User permissions that it grants, for example `EditTask`.
    pub user_permissions: Vec<String>,
    /// Object permissions by object.
    pub objects: BTreeMap<String, ObjectAccess>,
    /// Field permissions by `Object.Field`.
    pub fields: BTreeMap<String, FieldAccess>,
}

/// Object permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObjectAccess {
    /// Read.
    pub read: bool,
    /// Create.
    pub create: bool,
    /// Edit.
    pub edit: bool,
    /// Delete.
    pub delete: bool,
    /// View all records.
    pub view_all: bool,
    /// Modify all records.
    pub modify_all: bool,
}

/// Field permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldAccess {
    /// Readable.
    pub read: bool,
    /// Editable.
    pub edit: bool,
}

/// A record of a custom metadata type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataRecord {
    /// `AI_Gate_Setting__mdt`
    pub type_name: String,
    /// `Default`
    pub developer_name: String,
    /// Label.
    pub label: String,
    /// Field values.
    pub values: Row,
}

/// A custom channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelDef {
    /// `AI_Proposals__chn`
    pub name: String,
    /// Label.
    pub label: String,
}

/// One entity on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelMemberDef {
    /// `AI_Proposals_chn_LeadChangeEvent`
    pub full_name: String,
    /// `AI_Proposals__chn`
    pub channel: String,
    /// `LeadChangeEvent`
    pub entity: String,
    /// Filter expression.
    pub filter: Option<String>,
    /// Enriched fields.
    pub enriched: Vec<String>,
}

/// Why the package does not deploy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {component}: {message}")]
pub struct Problem {
    /// For example `CustomField Lead.AI_Decision__c`.
    pub component: String,
    /// Path inside the package.
    pub file: String,
    /// Line and column, from 1, where it is one element's fault.
    pub place: Option<(u32, u32)>,
    /// In the words a deploy would use.
    pub message: String,
}

impl Package {
    /// Reads and deploys the package at `root`, the folder with `sfdx-project.json`.
    pub fn load(root: &Path) -> Result<Self, Vec<Problem>> {
        Self::from_files(files::read(root)?)
    }

    /// Deploys the package that was compiled into this binary.
    pub fn embedded() -> Result<Self, Vec<Problem>> {
        Self::from_files(files::embedded())
    }

    /// Deploys files given as path from the folder with `sfdx-project.json`, and text.
    pub fn from_files(files: Vec<(String, String)>) -> Result<Self, Vec<Problem>> {
        let (components, mut problems) = source::components(files);
        let (package, more) = deploy::compile(components);
        problems.extend(more);
        if problems.is_empty() { Ok(package) } else { Err(problems) }
    }
}
