//! A record as it was read: the base of every decision.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    ids::{FieldName, ObjectName, RecordId},
    value::FieldValue,
};

/// Whether the record can take a change at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// An ordinary record.
    Live,
    /// In the recycle bin.
    Deleted,
    /// A converted lead: read-only for ever.
    Converted,
    /// Not visible to the promoter: never existed, hard-deleted or not shared.
    Missing,
}

/// A manual override with an end, set by people on the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// `AI_Hold_Until__c`: the last day of it.
    pub until: Date,
    /// `AI_Hold_Reason__c`; a person's words, data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The record's own dates that say how long nothing has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Quiet {
    /// `Decay_Eligible_Date__c`: not before this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eligible_on: Option<Date>,
    /// When a governed field of the record last changed, by whomever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// `Last_Signal_Date__c`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_signal_at: Option<Timestamp>,
}

/// The governed part of one record at one read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSnapshot {
    /// Object API name.
    pub object: ObjectName,
    /// Record id.
    pub record: RecordId,
    /// Whether it can be changed.
    pub state: RecordState,
    /// `Name`, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The record type, where the object has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_type: Option<RecordId>,
    /// The owner (a user or a queue).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<RecordId>,
    /// Canonical values of the governed fields. A field that is absent could not be read.
    pub fields: BTreeMap<FieldName, FieldValue>,
    /// `AI_Promotion_Seq__c`, 0 when empty: the number that each promotion advances by one.
    #[serde(with = "super::promotion::number_as_text")]
    pub promotion_seq: u64,
    /// `AI_Last_Promotion_ID__c`: the mark of the last promotion or void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_promotion: Option<String>,
    /// People hold the record: nothing is promoted meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// `LastModifiedDate`.
    pub modified_at: Timestamp,
    /// `LastModifiedById`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_by: Option<RecordId>,
}

impl RecordSnapshot {
    /// The value of a field; `None` when it could not be read.
    pub fn value(&self, field: &FieldName) -> Option<&FieldValue> {
        self.fields.get(field)
    }
}
