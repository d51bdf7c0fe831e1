//! How lanes that only record are measured, and when a lane that acts steps back.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ObjectPolicy;
use crate::domain::{
    condition::{Condition, Truth},
    record::RecordSnapshot,
    shadow::{GENERAL, UNTOLD},
};

/// A part of the records that is counted by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShadowSegment {
    /// Its name in reports.
    pub name: String,
    /// Which records belong to it.
    pub when: Condition,
}

/// Times, sample and bounds of one object's scorecards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShadowRule {
    /// Days for which a field is watched after the verdict.
    pub label_days: Decimal,
    /// Labels of so many days count.
    pub window_days: Decimal,
    /// Least number of decided ones before anything is said.
    pub min_sample: Decimal,
    /// Least lower bound of precision at which a lane may be let act.
    pub promote_from: Decimal,
    /// A lane that acts steps back when the lower bound is below this.
    pub step_back_below: Decimal,
    /// A lane that acts steps back when a larger share of what was written is put back.
    pub max_reversals: Decimal,
    /// Parts of the records; the first that holds counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<ShadowSegment>,
}

impl Default for ShadowRule {
    fn default() -> Self {
        Self {
            label_days: 14.into(),
            window_days: 14.into(),
            min_sample: 50.into(),
            promote_from: Decimal::new(90, 2),
            step_back_below: Decimal::new(80, 2),
            max_reversals: Decimal::new(5, 2),
            segments: Vec::new(),
        }
    }
}

impl ShadowRule {
    /// The part to which a record belongs. One that nobody can tell stops the search.
    pub fn segment(&self, record: &RecordSnapshot, now: Timestamp) -> &str {
        for part in &self.segments {
            match part.when.holds(record, now) {
                Truth::Yes => return &part.name,
                Truth::Unknown => return UNTOLD,
                Truth::No => {}
            }
        }
        GENERAL
    }
}

impl ObjectPolicy {
    /// The object's own rule, or the ordinary one.
    pub fn shadow_rule(&self) -> ShadowRule {
        self.shadow.clone().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::domain::{FieldName, FieldValue, ObjectName, RecordId, record::RecordState};

    fn deal(amount: Option<&str>) -> RecordSnapshot {
        let value = |amount: &str| FieldValue::decimal(amount.parse().unwrap());
        let amount = amount.map(|amount| (FieldName::parse("Amount").unwrap(), value(amount)));
        RecordSnapshot {
            record_type: None,
            object: ObjectName::parse("Opportunity").unwrap(),
            record: RecordId::parse(&RecordId::complete("006Dp0000012345").unwrap()).unwrap(),
            state: RecordState::Live,
            name: None,
            owner: None,
            fields: BTreeMap::from_iter(amount),
            promotion_seq: 0,
            last_promotion: None,
            hold: None,
            modified_at: Timestamp::UNIX_EPOCH,
            modified_by: None,
        }
    }

    #[test]
    fn the_first_part_that_holds_counts_and_one_that_nobody_can_tell_stops_the_search() {
        let below = |name: &str, most: &str| json!({ "name": name, "when": { "test": { "field": "Amount", "operator": { "below": most } } } });
        let parts = json!({ "segments": [below("small", "1000"), below("middle", "50000")] });
        let rule: ShadowRule = serde_json::from_value(parts).unwrap();
        let told = |amount| rule.segment(&deal(amount), Timestamp::UNIX_EPOCH);
        assert_eq!(
            (told(Some("999")), told(Some("1000")), told(Some("50000"))),
            ("small", "middle", GENERAL)
        );
        assert_eq!(told(None), UNTOLD);
        assert_eq!(ShadowRule::default().segment(&deal(None), Timestamp::UNIX_EPOCH), GENERAL);
    }

    #[test]
    fn an_object_without_a_rule_has_the_ordinary_one() {
        let policy = |shadow: serde_json::Value| -> ShadowRule {
            let mut policy = json!({ "name": "p", "object": "Lead", "proposal_max_age_minutes": "1",
                "approval_max_age_minutes": "1", "undecided_max_age_minutes": "1", "fields": {} });
            policy.as_object_mut().unwrap().extend(shadow.as_object().unwrap().clone());
            serde_json::from_value::<ObjectPolicy>(policy).unwrap().shadow_rule()
        };
        assert_eq!(policy(json!({})), ShadowRule::default());
        assert_eq!(policy(json!({ "shadow": { "min_sample": "7" } })).min_sample, 7.into());
    }
}
