//! What one read of a record gives: its canonical values and the proposal that stands on it.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    SalesforceError,
    describe::{field_name, object_name},
    names::{self, Lane, LaneKind, ObjectContract},
};
use crate::domain::{
    FieldName, FieldType, FieldValue, Hold, Quiet, RecordId, RecordSnapshot, RecordState, value::parse_moment,
};

/// One record at one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordReading {
    /// Canonical values, number and mark.
    pub snapshot: RecordSnapshot,
    /// The previous value that the record keeps of each canonical field; absent where unreadable.
    pub previous: BTreeMap<FieldName, FieldValue>,
    /// What says how long nothing has happened on the record.
    pub quiet: Quiet,
    /// The proposal fields.
    pub slot: ProposalSlot,
}

/// The proposal fields of a record: one proposal and the decision on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProposalSlot {
    /// `AI_Gate_Pending__c`.
    pub pending: bool,
    /// `AI_Proposal_ID__c`.
    pub proposal_id: Option<String>,
    /// Proposed values by canonical field: those that the proposal lists, or, where it lists
    /// none, every one that is not empty.
    pub patch: BTreeMap<FieldName, FieldValue>,
    /// Confidence, 0 to 1.
    pub confidence: Option<Decimal>,
    /// The model's words; data.
    pub reason: Option<String>,
    /// `AI_Last_Evaluated_At__c`.
    pub evaluated_at: Option<Timestamp>,
    /// `AI_Proposal_Expires_At__c`.
    pub expires_at: Option<Timestamp>,
    /// `AI_Edited_From__c`.
    pub edited_from: Option<String>,
    /// `AI_Requires_Review__c`.
    pub requires_review: bool,
    /// `AI_Decision__c`.
    pub decision: Option<String>,
    /// `AI_Decision_Proposal_ID__c`.
    pub decision_proposal_id: Option<String>,
    /// `AI_Decided_By__c`.
    pub decided_by: Option<RecordId>,
    /// `AI_Decided_At__c`.
    pub decided_at: Option<Timestamp>,
    /// `AI_Decision_Comments__c`; data.
    pub comments: Option<String>,
    /// `AI_Promoted_Proposal_ID__c`.
    pub promoted_proposal_id: Option<String>,
    /// `AI_Gate_Outcome__c`.
    pub outcome: Option<String>,
    /// `AI_Break_Glass_Reason__c`; a person's words, data.
    pub break_glass: Option<String>,
    /// When a person last changed a governed field of the record; `None` when what changed one last
    /// was no person.
    pub changed_by_person_at: Option<Timestamp>,
}

/// Fields that are sent as JSON strings: texts, picklists, ids, dates.
const TEXTS: &[&str] = &[
    names::PROPOSAL_ID,
    names::EVALUATED_AT,
    names::EXPIRES_AT,
    names::EDITED_FROM,
    names::HOLD_UNTIL,
    names::HOLD_REASON,
    names::BREAK_GLASS_REASON,
    names::DECISION,
    names::DECISION_PROPOSAL_ID,
    names::DECIDED_BY,
    names::DECIDED_AT,
    names::DECISION_COMMENTS,
    names::PROMOTED_PROPOSAL_ID,
    names::LAST_PROMOTION_ID,
    names::OUTCOME,
];

/// The fields that one read of a governed record asks for.
pub fn fields_of(contract: &ObjectContract) -> Vec<&'static str> {
    let mut fields = vec!["Id", contract.name_field];
    fields.extend(contract.owner);
    fields.extend(["LastModifiedDate", "LastModifiedById"]);
    fields.extend(contract.converted);
    for lane in contract.lanes {
        fields.extend([lane.field, lane.proposed, lane.previous]);
    }
    fields.extend(contract.signals.iter().flat_map(|signals| [signals.at, signals.decay_eligible]));
    fields.extend(contract.proposed_fields);
    fields.extend([contract.confidence, contract.reason, contract.changed_at, contract.change_source]);
    fields.extend([
        names::PENDING,
        names::OUTCOME,
        names::PROPOSAL_ID,
        names::EVALUATED_AT,
        names::EXPIRES_AT,
        names::EDITED_FROM,
        names::HOLD_UNTIL,
        names::HOLD_REASON,
        names::BREAK_GLASS_REASON,
        names::REQUIRES_REVIEW,
        names::DECISION,
        names::DECISION_PROPOSAL_ID,
        names::DECIDED_BY,
        names::DECIDED_AT,
        names::DECISION_COMMENTS,
        names::PROMOTED_PROPOSAL_ID,
        names::PROMOTION_SEQ,
        names::LAST_PROMOTION_ID,
    ]);
    fields
}

/// A record that is not visible.
pub(super) fn missing(contract: &ObjectContract, record: RecordId) -> Result<RecordReading, SalesforceError> {
    let snapshot = RecordSnapshot {
        record_type: None,
        object: object_name(contract)?,
        record,
        state: RecordState::Missing,
        name: None,
        owner: None,
        fields: BTreeMap::new(),
        promotion_seq: 0,
        last_promotion: None,
        hold: None,
        modified_at: Timestamp::UNIX_EPOCH,
        modified_by: None,
    };
    let (quiet, slot) = (Quiet::default(), ProposalSlot::default());
    Ok(RecordReading { snapshot, previous: BTreeMap::new(), quiet, slot })
}

/// Reads one row of a reply.
pub(super) fn read(contract: &ObjectContract, row: &Value) -> Result<RecordReading, SalesforceError> {
    let row = Row(row);
    row.check(contract)?;
    let wrong = |field: &str| SalesforceError::Unreadable {
        status: 200,
        detail: format!("a row of {} has no usable `{field}`", contract.object),
    };
    let (mut fields, mut previous) = (BTreeMap::new(), BTreeMap::new());
    for lane in contract.lanes {
        if let Some(value) = row.value(lane.previous, &lane_type(lane)) {
            previous.insert(field_name(lane.field)?, value);
        }
        // A value that does not fit its type counts as not read, and the gate refuses.
        if let Some(value) = row.value(lane.field, &lane_type(lane)) {
            fields.insert(field_name(lane.field)?, value);
        }
    }
    let converted = contract.converted.is_some_and(|flag| row.flag(flag));
    let snapshot = RecordSnapshot {
        record_type: row.id("RecordTypeId"),
        object: object_name(contract)?,
        record: row.id("Id").ok_or_else(|| wrong("Id"))?,
        state: if converted { RecordState::Converted } else { RecordState::Live },
        name: row.text(contract.name_field),
        owner: contract.owner.and_then(|owner| row.id(owner)),
        fields,
        promotion_seq: row.number(names::PROMOTION_SEQ)?,
        last_promotion: row.text(names::LAST_PROMOTION_ID),
        hold: row.day(names::HOLD_UNTIL).map(|until| Hold { until, reason: row.text(names::HOLD_REASON) }),
        modified_at: row.moment("LastModifiedDate").ok_or_else(|| wrong("LastModifiedDate"))?,
        modified_by: row.id("LastModifiedById"),
    };
    let quiet = Quiet {
        eligible_on: contract.signals.and_then(|signals| row.day(signals.decay_eligible)),
        changed_at: row.moment(contract.changed_at),
        last_signal_at: contract.signals.and_then(|signals| row.moment(signals.at)),
    };
    Ok(RecordReading { snapshot, previous, quiet, slot: slot(contract, &row)? })
}

fn slot(contract: &ObjectContract, row: &Row<'_>) -> Result<ProposalSlot, SalesforceError> {
    Ok(ProposalSlot {
        pending: row.flag(names::PENDING),
        proposal_id: row.text(names::PROPOSAL_ID),
        patch: patch(contract, row)?,
        confidence: row.decimal(contract.confidence),
        reason: row.text(contract.reason),
        evaluated_at: row.moment(names::EVALUATED_AT),
        expires_at: row.moment(names::EXPIRES_AT),
        edited_from: row.text(names::EDITED_FROM),
        requires_review: row.flag(names::REQUIRES_REVIEW),
        decision: row.text(names::DECISION),
        decision_proposal_id: row.text(names::DECISION_PROPOSAL_ID),
        decided_by: row.id(names::DECIDED_BY),
        decided_at: row.moment(names::DECIDED_AT),
        comments: row.text(names::DECISION_COMMENTS),
        promoted_proposal_id: row.text(names::PROMOTED_PROPOSAL_ID),
        outcome: row.text(names::OUTCOME),
        break_glass: row.text(names::BREAK_GLASS_REASON),
        changed_by_person_at: row
            .moment(contract.changed_at)
            .filter(|_| row.text(contract.change_source).as_deref() == Some(names::source::HUMAN)),
    })
}

/// A listed field without a value is a proposal to empty it; without a list, empty means no opinion.
fn patch(
    contract: &ObjectContract,
    row: &Row<'_>,
) -> Result<BTreeMap<FieldName, FieldValue>, SalesforceError> {
    let listed = contract.proposed_fields.and_then(|field| row.text(field));
    let listed: Option<Vec<&str>> = listed.as_deref().map(|list| list.split(';').map(str::trim).collect());
    let mut patch = BTreeMap::new();
    for lane in contract.lanes {
        // What cannot be read is no opinion: as an empty value it would propose to empty the field.
        let Some(value) = row.value_or_null(lane.proposed, &lane_type(lane)) else { continue };
        let speaks = listed.as_ref().map_or(!value.is_null(), |listed| listed.contains(&lane.field));
        if speaks {
            patch.insert(field_name(lane.field)?, value);
        }
    }
    Ok(patch)
}

pub(super) fn lane_type(lane: &Lane) -> FieldType {
    match lane.kind {
        LaneKind::Text => FieldType::Text { length: 255 },
        LaneKind::Number(scale) => FieldType::Decimal { precision: 18, scale },
        LaneKind::Date => FieldType::Date,
        LaneKind::DateTime => FieldType::DateTime,
    }
}

/// A row of a reply, field by field.
pub(super) struct Row<'a>(pub(super) &'a Value);

impl Row<'_> {
    pub(super) fn value(&self, field: &str, kind: &FieldType) -> Option<FieldValue> {
        FieldValue::from_json(self.0.get(field)?, kind).ok()
    }

    /// The value, null where there is none; nothing where it cannot be read.
    pub(super) fn value_or_null(&self, field: &str, kind: &FieldType) -> Option<FieldValue> {
        match self.0.get(field) {
            None | Some(Value::Null) => Some(FieldValue::Null),
            Some(_) => self.value(field, kind),
        }
    }

    /// Whether every field that is there has the kind of JSON that its type is sent as. A field of
    /// another type must not be taken for an empty one.
    pub(super) fn check(&self, contract: &ObjectContract) -> Result<(), SalesforceError> {
        let is = |field: &str, fits: fn(&Value) -> bool, expected: &'static str| {
            if self.0.get(field).is_none_or(|value| value.is_null() || fits(value)) {
                return Ok(());
            }
            let (object, field) = (contract.object.to_owned(), field.to_owned());
            Err(SalesforceError::FieldType { object, field, expected })
        };
        for field in TEXTS.iter().copied().chain([contract.reason, contract.changed_at]) {
            is(field, Value::is_string, "a text")?;
        }
        for field in [names::PENDING, names::REQUIRES_REVIEW] {
            is(field, Value::is_boolean, "a checkbox")?;
        }
        is(contract.confidence, Value::is_number, "a number")?;
        is(names::PROMOTION_SEQ, Value::is_number, "a number")?;
        for lane in contract.lanes {
            match lane.kind {
                LaneKind::Number(_) => is(lane.proposed, Value::is_number, "a number")?,
                _ => is(lane.proposed, Value::is_string, "a text or date")?,
            }
        }
        Ok(())
    }

    pub(super) fn text(&self, field: &str) -> Option<String> {
        self.0.get(field)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    pub(super) fn flag(&self, field: &str) -> bool {
        self.0.get(field).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn id(&self, field: &str) -> Option<RecordId> {
        RecordId::parse(&RecordId::complete(self.0.get(field)?.as_str()?).ok()?).ok()
    }

    pub(super) fn moment(&self, field: &str) -> Option<Timestamp> {
        parse_moment(self.0.get(field)?.as_str()?)
    }

    pub(super) fn day(&self, field: &str) -> Option<Date> {
        match self.value(field, &FieldType::Date)? {
            FieldValue::Date(day) => Some(day),
            _ => None,
        }
    }

    pub(super) fn decimal(&self, field: &str) -> Option<Decimal> {
        self.value(field, &FieldType::Decimal { precision: 18, scale: 9 })?.as_decimal()
    }

    /// Empty is 0. Anything but a whole number is an error: a guess could repeat a number.
    pub(super) fn number(&self, field: &str) -> Result<u64, SalesforceError> {
        if self.0.get(field).is_none_or(Value::is_null) {
            return Ok(0);
        }
        let whole = self.decimal(field).filter(|number| number.fract().is_zero());
        whole.and_then(|number| u64::try_from(number).ok()).ok_or_else(|| SalesforceError::Unreadable {
            status: 200,
            detail: format!("`{field}` is not a whole number"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::salesforce::names::{LEAD, OPPORTUNITY};

    fn opportunity(list: Value) -> RecordReading {
        let row = json!({
            "attributes": {"type": "Opportunity"},
            "Id": "006Dp00000JJkkHIAT", "LastModifiedDate": "2026-05-01T07:25:37.000+0000",
            "StageName": "Prospecting", "CloseDate": "2026-12-31", "Amount": 15000.5, "NextStep": null,
            "AI_Recommended_Stage__c": "Qualification", "AI_Recommended_Amount__c": null,
            "AI_Proposed_Fields__c": list, "AI_Promotion_Seq__c": 3.0, "AI_Proposal_Confidence__c": 0.875,
        });
        let id = RecordId::complete("006Dp00000JJkkH").unwrap();
        let row = {
            let mut row = row;
            row["Id"] = json!(id);
            row
        };
        read(&OPPORTUNITY, &row).unwrap()
    }

    #[test]
    fn a_list_tells_clearing_from_no_opinion() {
        let amount = FieldName::parse("Amount").unwrap();
        let listed = opportunity(json!("StageName;Amount"));
        assert_eq!(listed.slot.patch.get(&amount), Some(&FieldValue::Null));
        let unlisted = opportunity(Value::Null);
        assert!(!unlisted.slot.patch.contains_key(&amount));
        assert_eq!(unlisted.slot.patch.len(), 1);
    }

    #[test]
    fn values_are_typed_and_numbers_keep_their_digits() {
        let snapshot = opportunity(Value::Null).snapshot;
        let value = |name: &str| snapshot.value(&FieldName::parse(name).unwrap()).unwrap().clone();
        assert_eq!(value("CloseDate"), FieldValue::Date("2026-12-31".parse().unwrap()));
        assert_eq!(value("Amount"), FieldValue::decimal("15000.5".parse().unwrap()));
        assert_eq!(value("NextStep"), FieldValue::Null);
        assert_eq!(snapshot.promotion_seq, 3);
    }

    #[test]
    fn a_number_that_is_no_promotion_number_is_an_error() {
        for (bad, code) in [
            (json!(-1), "salesforce-unreadable"),
            (json!(1.5), "salesforce-unreadable"),
            (json!("x"), "salesforce-field-type"),
        ] {
            let id = RecordId::complete("00QDp00000JJkkH").unwrap();
            let row = json!({"Id": id, "LastModifiedDate": "2026-05-01T07:25:37.000+0000", "AI_Promotion_Seq__c": bad});
            assert_eq!(read(&LEAD, &row).unwrap_err().code(), code, "{bad}");
        }
    }

    /// A naive reader takes what is not of the expected type for empty, and a listed field that is
    /// empty is a proposal to empty it.
    #[test]
    fn a_field_of_another_type_is_an_error_and_never_empty() {
        let id = RecordId::complete("006Dp00000JJkkH").unwrap();
        let base = json!({"Id": id, "LastModifiedDate": "2026-05-01T07:25:37.000+0000",
            "AI_Proposed_Fields__c": "Amount;CloseDate"});
        for (field, other) in [
            ("AI_Proposal_ID__c", json!(7)),
            ("AI_Decision__c", json!(true)),
            ("AI_Gate_Pending__c", json!("true")),
            ("AI_Recommended_Amount__c", json!("15000")),
            ("AI_Recommended_Close_Date__c", json!(20_261_231)),
            ("AI_Proposal_Confidence__c", json!("high")),
        ] {
            let mut row = base.clone();
            row[field] = other;
            let error = read(&OPPORTUNITY, &row).unwrap_err();
            assert_eq!(error.code(), "salesforce-field-type", "{field}: {error}");
        }
        let mut row = base;
        row["AI_Recommended_Close_Date__c"] = json!("some day");
        let patch = read(&OPPORTUNITY, &row).unwrap().slot.patch;
        let name = |name: &str| FieldName::parse(name).unwrap();
        assert!(!patch.contains_key(&name("CloseDate")), "what cannot be read proposes nothing");
        assert_eq!(patch.get(&name("Amount")), Some(&FieldValue::Null), "what is empty does");
    }

    #[test]
    fn a_converted_lead_says_so() {
        let id = RecordId::complete("00QDp00000JJkkH").unwrap();
        let row = json!({"Id": id, "LastModifiedDate": "2026-05-01T07:25:37.000+0000", "IsConverted": true});
        assert_eq!(read(&LEAD, &row).unwrap().snapshot.state, RecordState::Converted);
    }
}
