//! Checkpoints of the ledger as records of the org: added, never changed, and read back.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Reader, SalesforceError, Writer,
    connection::Call,
    names::checkpoint::{KEY, NOTE, OBJECT, ORIGIN, ROOT, SIGNED_AT, SIZE},
    soql_text::literal,
};

/// A checkpoint as it is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnchor {
    /// Size and head in one; no two records share it.
    pub key: String,
    /// Which ledger.
    pub origin: String,
    /// Entries that it covers.
    pub size: u64,
    /// Head of the tree over them, base64.
    pub root: String,
    /// When it was signed, RFC 3339.
    pub at: String,
    /// The signed text.
    pub note: String,
}

/// A checkpoint as it stands in the org. All texts are data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnchorRow {
    /// Id of the record.
    pub id: String,
    /// Who made it.
    pub created_by: String,
    /// The signed text.
    pub note: String,
    /// Size, as the field has it; empty where it is no whole number.
    pub size: String,
    /// Head of the tree.
    pub root: String,
}

impl Reader {
    /// The largest checkpoints of this ledger, at most so many; `None` where the org has no place
    /// for them, or this identity does not see it.
    pub async fn anchors(
        &self,
        origin: &str,
        most: usize,
    ) -> Result<Option<Vec<AnchorRow>>, SalesforceError> {
        let of = literal(origin);
        self.anchor_rows(&format!("WHERE {ORIGIN} = {of} ORDER BY {SIZE} DESC NULLS FIRST LIMIT {most}"))
            .await
    }

    /// The checkpoint with this key, where it is there.
    pub async fn anchor(&self, key: &str) -> Result<Option<AnchorRow>, SalesforceError> {
        let rows = self.anchor_rows(&format!("WHERE {KEY} = {} LIMIT 1", literal(key))).await?;
        Ok(rows.and_then(|rows| rows.into_iter().next()))
    }

    async fn anchor_rows(&self, which: &str) -> Result<Option<Vec<AnchorRow>>, SalesforceError> {
        let soql = format!("SELECT Id, CreatedById, {NOTE}, {SIZE}, {ROOT} FROM {OBJECT} {which}");
        match self.query(&soql).await {
            Ok(rows) => Ok(Some(rows.iter().map(row).collect())),
            Err(error) if matches!(error.salesforce_code(), Some("INVALID_TYPE" | "INVALID_FIELD")) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Writer {
    /// Adds a checkpoint. An error may leave open whether it arrived: [`Reader::anchor`] tells.
    pub async fn add_anchor(&self, anchor: &NewAnchor) -> Result<(), SalesforceError> {
        let path = self.connection().data(&format!("sobjects/{OBJECT}"));
        let body = json!({
            "Name": anchor.size.to_string(), KEY: anchor.key, ORIGIN: anchor.origin, SIZE: anchor.size,
            ROOT: anchor.root, SIGNED_AT: anchor.at, NOTE: anchor.note,
        });
        self.connection().send(&Call::with_body(Method::POST, &path, &body)).await?.json()?;
        Ok(())
    }
}

fn row(row: &Value) -> AnchorRow {
    let text = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let size = match row.get(SIZE) {
        Some(Value::Number(size)) => size.to_string(),
        _ => String::new(),
    };
    AnchorRow {
        id: text("Id"),
        created_by: text("CreatedById"),
        note: text(NOTE),
        // A number field comes with or without its point.
        size: size.strip_suffix(".0").unwrap_or(&size).to_owned(),
        root: text(ROOT),
    }
}
