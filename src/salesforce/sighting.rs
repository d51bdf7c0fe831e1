//! A governed record as reconciliation sees it: what is compared with the ledger, and nothing by which
//! anything could be decided. For that the record is read again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    SalesforceError,
    csv::Table,
    names::{self, ObjectContract},
    reading::{Row, lane_type},
};
use crate::domain::{FieldName, FieldValue, RecordId};

/// A record that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Record.
    pub record: RecordId,
    /// Governed values that were readable.
    pub values: BTreeMap<FieldName, FieldValue>,
    /// `AI_Gate_Pending__c`.
    pub pending: bool,
    /// `AI_Proposal_ID__c`.
    pub proposal_id: Option<String>,
    /// `AI_Last_Evaluated_At__c`.
    pub evaluated_at: Option<Timestamp>,
    /// `AI_Decision__c`.
    pub decision: Option<String>,
    /// `AI_Decision_Proposal_ID__c`.
    pub decision_proposal_id: Option<String>,
    /// `AI_Last_Promotion_ID__c`.
    pub last_promotion: Option<String>,
    /// `AI_Promotion_Seq__c`.
    pub promotion_seq: u64,
    /// The stamp of the last change: its source, for example `Human`.
    pub change_source: Option<String>,
    /// The stamp of the last change: when.
    pub changed_at: Option<Timestamp>,
    /// When the record was last saved.
    pub modified_at: Timestamp,
    /// By whom.
    pub modified_by: Option<RecordId>,
}

/// The fields that are asked for.
pub(super) fn fields_of(contract: &ObjectContract) -> Vec<&'static str> {
    let mut fields = vec!["Id", "LastModifiedDate", "LastModifiedById"];
    fields.extend(contract.lanes.iter().map(|lane| lane.field));
    fields.extend([contract.changed_at, contract.change_source]);
    fields.extend([
        names::PENDING,
        names::PROPOSAL_ID,
        names::EVALUATED_AT,
        names::DECISION,
        names::DECISION_PROPOSAL_ID,
        names::PROMOTION_SEQ,
        names::LAST_PROMOTION_ID,
    ]);
    fields
}

/// Reads one row of a reply.
pub(super) fn read(contract: &ObjectContract, row: &Value) -> Result<Sighting, SalesforceError> {
    let row = Row(row);
    row.check(contract)?;
    let wrong = |field: &str| SalesforceError::Unreadable {
        status: 200,
        detail: format!("a row of {} has no usable `{field}`", contract.object),
    };
    let mut values = BTreeMap::new();
    for lane in contract.lanes {
        let Ok(field) = FieldName::parse(lane.field) else { continue };
        values.extend(row.value_or_null(lane.field, &lane_type(lane)).map(|value| (field, value)));
    }
    Ok(Sighting {
        record: row.id("Id").ok_or_else(|| wrong("Id"))?,
        values,
        pending: row.flag(names::PENDING),
        proposal_id: row.text(names::PROPOSAL_ID),
        evaluated_at: row.moment(names::EVALUATED_AT),
        decision: row.text(names::DECISION),
        decision_proposal_id: row.text(names::DECISION_PROPOSAL_ID),
        last_promotion: row.text(names::LAST_PROMOTION_ID),
        promotion_seq: row.number(names::PROMOTION_SEQ)?,
        change_source: row.text(contract.change_source),
        changed_at: row.moment(contract.changed_at),
        modified_at: row.moment("LastModifiedDate").ok_or_else(|| wrong("LastModifiedDate"))?,
        modified_by: row.id("LastModifiedById"),
    })
}

/// Reads the next rows of a bulk query's table, at most so many. No rows: the table is at its end.
pub(super) fn read_table(
    contract: &ObjectContract,
    table: &mut Table,
    most: usize,
) -> Result<Vec<Sighting>, SalesforceError> {
    let mut found = Vec::new();
    while found.len() < most {
        let Some(cells) = table.row()? else { break };
        let typed = table.columns().iter().zip(cells).map(|(name, cell)| (name.clone(), value(name, cell)));
        found.push(read(contract, &Value::Object(typed.collect::<Map<_, _>>()))?);
    }
    Ok(found)
}

/// A cell as JSON in the form that REST has. An empty cell is no value.
fn value(column: &str, cell: String) -> Value {
    match (column, cell.as_str()) {
        (_, "") => Value::Null,
        (names::PENDING, "true") => Value::Bool(true),
        (names::PENDING, "false") => Value::Bool(false),
        (names::PROMOTION_SEQ, number) => serde_json::from_str(number).unwrap_or(Value::String(cell)),
        _ => Value::String(cell),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::salesforce::names::OPPORTUNITY;

    #[test]
    fn a_row_of_a_table_is_what_the_row_of_a_page_is() {
        let id = RecordId::complete("006Dp00000JJkkH").unwrap();
        let page = json!({ "Id": id, "LastModifiedDate": "2026-05-01T07:25:37.000+0000", "StageName": "Prospecting",
            "CloseDate": "2026-12-31", "Amount": 15000.5, "NextStep": null, "AI_Gate_Pending__c": true,
            "AI_Promotion_Seq__c": 3.0, "AI_Proposal_ID__c": "p-1" });
        let table = format!(
            "\"Id\",\"LastModifiedDate\",\"StageName\",\"CloseDate\",\"Amount\",\"NextStep\",\
             \"AI_Gate_Pending__c\",\"AI_Promotion_Seq__c\",\"AI_Proposal_ID__c\"\n\
             \"{id}\",\"2026-05-01T07:25:37.000Z\",\"Prospecting\",\"2026-12-31\",\"15000.50\",\"\",\"true\",\"3.0\",\"p-1\"\n"
        );
        let mut table = Table::new(table.into_bytes()).unwrap();
        let rows = read_table(&OPPORTUNITY, &mut table, 10).unwrap();
        assert_eq!(rows, [read(&OPPORTUNITY, &page).unwrap()]);
        assert!(rows[0].pending && rows[0].promotion_seq == 3 && rows[0].values.len() == 4);
        assert!(read_table(&OPPORTUNITY, &mut table, 10).unwrap().is_empty());
    }
}
