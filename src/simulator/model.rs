//! The simulated org's data: object definitions, rows and committed changes.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::domain::FieldValue;

/// A row: field API name to value. `Id` and the audit fields are ordinary entries.
pub type Row = BTreeMap<String, FieldValue>;

/// What a field is, beyond its REST type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// `id`
    Id,
    /// `string` with its length.
    Text(u32),
    /// `textarea` with its length; above 255 it is long text.
    LongText(u32),
    /// `email`, `phone`, `url`: text with a format of its own.
    Formatted(&'static str, u32),
    /// `picklist`
    Picklist(Vec<PicklistValue>, Restricted),
    /// `multipicklist`
    MultiPicklist(Vec<PicklistValue>),
    /// `double`, `currency`, `percent` or `int`: REST type, precision, scale.
    Number(&'static str, u32, u32),
    /// `date`
    Date,
    /// `datetime`
    DateTime,
    /// `boolean` with its default.
    Checkbox(bool),
    /// `reference` to these objects.
    Reference(Vec<String>, Option<String>),
}

/// Whether the org refuses values outside the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restricted {
    /// Refused with `INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST`.
    Yes,
    /// Any text is stored (Lead.Status and Opportunity.StageName behave so).
    No,
}

/// One picklist value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicklistValue {
    /// API value.
    pub value: String,
    /// Label.
    pub label: String,
    /// Inactive values are kept for old rows.
    pub active: bool,
    /// Taken when a create names none.
    pub default: bool,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDef {
    /// API name.
    pub name: String,
    /// Label.
    pub label: String,
    /// Type and limits.
    pub kind: FieldKind,
    /// Custom fields end in `__c` and have a `00N` id.
    pub custom_id: Option<String>,
    /// May be empty.
    pub nillable: bool,
    /// May be given on create.
    pub createable: bool,
    /// May be changed.
    pub updateable: bool,
    /// Always-required and system fields take no field-level security.
    pub has_fls: bool,
    /// May be used to upsert.
    pub external_id: bool,
    /// No two rows share a value.
    pub unique: bool,
    /// Whether change events carry it.
    pub in_change_events: bool,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectDef {
    /// API name.
    pub name: String,
    /// Label.
    pub label: String,
    /// First three characters of its record ids.
    pub key_prefix: String,
    /// Fields in the org's own order: `Id` first, custom fields last.
    pub fields: Vec<FieldDef>,
    /// Whether rows can be created, changed and deleted over REST.
    pub dml: bool,
}

impl ObjectDef {
    /// Finds a field by name, letter case ignored, as Salesforce does.
    pub fn field(&self, name: &str) -> Option<&FieldDef> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// Insert.
    Create,
    /// Update.
    Update,
    /// Delete into the recycle bin.
    Delete,
    /// Back from the recycle bin.
    Undelete,
    /// Inserted, but no event could be built: a header without values.
    GapCreate,
    /// Updated, the same.
    GapUpdate,
    /// Deleted, the same.
    GapDelete,
    /// Brought back, the same.
    GapUndelete,
    /// More changes in one transaction than events are built for; the record id is a dummy.
    GapOverflow,
}

impl ChangeKind {
    /// Salesforce's symbol.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Undelete => "UNDELETE",
            Self::GapCreate => "GAP_CREATE",
            Self::GapUpdate => "GAP_UPDATE",
            Self::GapDelete => "GAP_DELETE",
            Self::GapUndelete => "GAP_UNDELETE",
            Self::GapOverflow => "GAP_OVERFLOW",
        }
    }

    /// By Salesforce's symbol.
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        let all = [
            Self::Create,
            Self::Update,
            Self::Delete,
            Self::Undelete,
            Self::GapCreate,
            Self::GapUpdate,
            Self::GapDelete,
            Self::GapUndelete,
            Self::GapOverflow,
        ];
        all.into_iter().find(|kind| kind.symbol() == symbol)
    }

    /// A header without values.
    pub fn is_gap(self) -> bool {
        matches!(
            self,
            Self::GapCreate | Self::GapUpdate | Self::GapDelete | Self::GapUndelete | Self::GapOverflow
        )
    }
}

/// One transaction's facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// 36 characters, shared by all changes of the transaction.
    pub transaction_key: String,
    /// Grows with each transaction; above 2^53 on purpose.
    pub commit_number: i64,
    /// Epoch milliseconds, whole seconds.
    pub committed_at_ms: i64,
    /// 18-character id of the committing user.
    pub user_id: String,
    /// `com/salesforce/api/rest/67.0;client=..`, or empty.
    pub origin: String,
}

/// One row's change in one transaction, as the event bus keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// Position on the org-wide bus; grows, with gaps.
    pub position: u64,
    /// The transaction.
    pub commit: Arc<Commit>,
    /// From 1 within the transaction.
    pub sequence: i32,
    /// Object API name.
    pub object: String,
    /// 18-character id.
    pub record_id: String,
    /// What happened.
    pub kind: ChangeKind,
    /// Create and undelete: all non-null fields. Update: changed fields, null where emptied.
    pub changed: Row,
}
