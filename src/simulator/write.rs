//! What a write asks for and what it answers, row by row.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// Code of a row whose `If-Unmodified-Since` no longer holds. The real body of a 412 is
/// not known; the HTTP side answers 412 for this code.
pub const PRECONDITION_FAILED: &str = "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE";

/// How a call writes.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// Value of `Sforce-Call-Options: client=`, when it is honoured.
    pub origin_client: Option<String>,
    /// `rest`, `soap`, `bulkapi`; part of the change origin.
    pub api: &'static str,
    /// `67.0`
    pub version: String,
    /// All rows or none.
    pub all_or_none: bool,
    /// Refuse rows modified after this moment.
    pub if_unmodified_since: Option<Timestamp>,
    /// Whether an active assignment rule may change the owner. Salesforce's default is yes.
    pub auto_assign: bool,
    /// An upsert that finds nothing is refused.
    pub update_only: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            origin_client: None,
            api: "rest",
            version: "67.0".to_owned(),
            all_or_none: false,
            if_unmodified_since: None,
            auto_assign: true,
            update_only: false,
        }
    }
}

impl WriteOptions {
    /// `com/salesforce/api/rest/67.0;client=countersign`
    pub fn origin(&self) -> String {
        let base = format!("com/salesforce/api/{}/{}", self.api, self.version);
        match &self.origin_client {
            Some(client) => format!("{base};client={client}"),
            None => base,
        }
    }
}

/// What to do with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOp {
    /// Insert.
    Create,
    /// Change the row with [`WriteRow::id`].
    Update,
    /// Move it to the recycle bin.
    Delete,
    /// Bring it back.
    Undelete,
    /// Change the row with this external id, or insert one.
    Upsert {
        /// An external-id field, or `Id`.
        ext_field: String,
        /// Its value.
        ext_value: String,
    },
}

/// One row of a write.
#[derive(Debug, Clone)]
pub struct WriteRow {
    /// What to do.
    pub op: WriteOp,
    /// Object API name.
    pub object: String,
    /// 15 or 18 characters; not for create and upsert.
    pub id: Option<String>,
    /// Values in REST form, without `attributes` and `Id`.
    pub fields: Map<String, Value>,
}

/// One error of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// Salesforce's code.
    pub code: String,
    /// Message.
    pub message: String,
    /// Fields at fault, often empty.
    pub fields: Vec<String>,
}

impl RowError {
    /// An error about no field in particular.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), fields: Vec::new() }
    }

    /// An error about one field.
    pub fn on(code: &str, message: impl Into<String>, field: &str) -> Self {
        Self { code: code.to_owned(), message: message.into(), fields: vec![field.to_owned()] }
    }
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowResult {
    /// The row's id; absent when a create failed.
    pub id: Option<String>,
    /// Whether the row is new.
    pub created: bool,
    /// Empty when the row was saved.
    pub errors: Vec<RowError>,
}

impl RowResult {
    /// Whether the row was saved.
    pub fn success(&self) -> bool {
        self.errors.is_empty()
    }
}
