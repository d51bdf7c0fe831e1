//! Field history, where the org tracks it: who changed a field, when, from what to what.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Reader, SalesforceError,
    names::ObjectContract,
    reading::{Row, lane_type},
    soql_text::literal,
};
use crate::domain::{FieldName, FieldValue, RecordId};

/// Records in one query; with more the URL would be too long.
const MOST_IDS: usize = 200;

/// One tracked change of a governed field.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackedChange {
    /// Record.
    pub record: RecordId,
    /// Field.
    pub field: FieldName,
    /// Value before.
    pub before: FieldValue,
    /// Value after.
    pub after: FieldValue,
    /// Who.
    pub by: Option<RecordId>,
    /// When.
    pub at: Timestamp,
}

impl Reader {
    /// The tracked changes of the governed fields of these records, newest first. None where the org
    /// has no history for the object, or this identity does not see it; which fields are tracked is
    /// the org's setting.
    pub async fn history(
        &self,
        contract: &ObjectContract,
        records: &[RecordId],
    ) -> Result<Vec<TrackedChange>, SalesforceError> {
        let (table, parent) = table_of(contract.object);
        let fields: Vec<String> = contract.lanes.iter().map(|lane| literal(lane.field)).collect();
        let fields = fields.join(", ");
        let mut found = Vec::new();
        for chunk in records.chunks(MOST_IDS) {
            let ids: Vec<String> = chunk.iter().map(|id| literal(id.as_str())).collect();
            let soql = format!(
                "SELECT {parent}, Field, OldValue, NewValue, CreatedById, CreatedDate FROM {table} \
                 WHERE {parent} IN ({}) AND Field IN ({fields}) ORDER BY CreatedDate DESC",
                ids.join(", "),
            );
            match self.query(&soql).await {
                Ok(rows) => {
                    found.extend(rows.iter().filter_map(|row| change(contract, parent_of(row, &parent), row)))
                }
                Err(error) if matches!(error.salesforce_code(), Some("INVALID_TYPE" | "INVALID_FIELD")) => {
                    return Ok(Vec::new());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

/// The history of an object and the field that names the record.
fn table_of(object: &str) -> (String, String) {
    match object.strip_suffix("__c") {
        Some(custom) => (format!("{custom}__History"), "ParentId".to_owned()),
        None if object == "Opportunity" => ("OpportunityFieldHistory".to_owned(), "OpportunityId".to_owned()),
        None => (format!("{object}History"), format!("{object}Id")),
    }
}

fn parent_of(row: &Value, parent: &str) -> Option<RecordId> {
    Row(row).id(parent)
}

/// A row that cannot be read explains nothing.
fn change(contract: &ObjectContract, record: Option<RecordId>, row: &Value) -> Option<TrackedChange> {
    let cells = Row(row);
    let lane = contract.lane(&cells.text("Field")?)?;
    Some(TrackedChange {
        record: record?,
        field: FieldName::parse(lane.field).ok()?,
        before: cells.value_or_null("OldValue", &lane_type(lane))?,
        after: cells.value_or_null("NewValue", &lane_type(lane))?,
        by: cells.id("CreatedById"),
        at: cells.moment("CreatedDate")?,
    })
}

#[cfg(test)]
mod tests {
    use super::table_of;

    #[test]
    fn each_object_has_its_history() {
        for (object, table, parent) in [
            ("Lead", "LeadHistory", "LeadId"),
            ("Opportunity", "OpportunityFieldHistory", "OpportunityId"),
            ("Contact", "ContactHistory", "ContactId"),
            ("Site_Visit__c", "Site_Visit__History", "ParentId"),
        ] {
            assert_eq!(table_of(object), (table.to_owned(), parent.to_owned()));
        }
    }
}
