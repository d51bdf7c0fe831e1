//! The plan that undoes a promotion and spares what somebody changed since.
//!
//! Three values decide for each field: what stood there before the promotion, what the
//! promotion wrote, what stands there now. A field goes back only while it still holds what
//! the promotion wrote. A field that was changed and changed back counts as untouched.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Basis, Change, FieldName, FieldValue, Plan, RecordSnapshot, RecordState, Settlement, Stamps,
    promotion::Promotion,
};

/// What undoing a promotion would do, field by field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackPlan {
    /// Fields that go back: `before` is what the promotion wrote, `after` what stood there
    /// before it.
    pub restore: Vec<Change>,
    /// Fields that stay, because somebody changed them after the promotion.
    pub spared: Vec<Spared>,
    /// Fields that already hold the value from before the promotion.
    pub already: Vec<FieldName>,
    /// Why nothing can be undone at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<Obstacle>,
    /// What to write; `None` when there is nothing to restore or an obstacle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
}

/// A field that a rollback leaves alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spared {
    /// Canonical field.
    pub field: FieldName,
    /// What the promotion wrote.
    pub ours: FieldValue,
    /// What stands there now; `None` when it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<FieldValue>,
    /// What stood there before the promotion.
    pub before: FieldValue,
}

/// Why a promotion cannot be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// The promotion has not landed, so there is nothing to undo.
    #[error("the promotion has not landed: nothing to undo")]
    NotPromoted,
    /// The record that was read is another one.
    #[error("the record that was read is not the promotion's")]
    RecordMismatch,
    /// The record does not exist or is not shared with the promoter.
    #[error("the record does not exist or is not shared with the promoter")]
    RecordMissing,
    /// The record is in the recycle bin.
    #[error("the record is in the recycle bin: restore it first")]
    RecordDeleted,
    /// The lead was converted and is read-only.
    #[error("the lead was converted and is read-only")]
    RecordConverted,
}

impl Obstacle {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotPromoted => "not-promoted",
            Self::RecordMismatch => "record-mismatch",
            Self::RecordMissing => "record-missing",
            Self::RecordDeleted => "record-deleted",
            Self::RecordConverted => "record-converted",
        }
    }
}

/// Plans the undoing of a promotion against the record as it was read just now.
pub fn plan_rollback(promotion: &Promotion, record: &RecordSnapshot, now: Timestamp) -> RollbackPlan {
    let mut rollback = RollbackPlan {
        restore: Vec::new(),
        spared: Vec::new(),
        already: Vec::new(),
        obstacle: obstacle(promotion, record),
        plan: None,
    };
    if rollback.obstacle.is_some() {
        return rollback;
    }
    for change in &promotion.plan.changes {
        match record.value(&change.field) {
            Some(found) if *found == change.after => rollback.restore.push(Change {
                field: change.field.clone(),
                before: change.after.clone(),
                after: change.before.clone(),
            }),
            Some(found) if *found == change.before => rollback.already.push(change.field.clone()),
            found => rollback.spared.push(Spared {
                field: change.field.clone(),
                ours: change.after.clone(),
                found: found.cloned(),
                before: change.before.clone(),
            }),
        }
    }
    if !rollback.restore.is_empty() {
        rollback.plan = Some(Plan {
            making: None,
            object: promotion.plan.object.clone(),
            record: promotion.plan.record.clone(),
            proposal_id: promotion.plan.proposal_id.clone(),
            basis: Basis::Rollback,
            changes: rollback.restore.clone(),
            expected_seq: record.promotion_seq,
            stamps: Stamps::default(),
            planned_at: now,
        });
    }
    rollback
}

fn obstacle(promotion: &Promotion, record: &RecordSnapshot) -> Option<Obstacle> {
    if promotion.settlement != Settlement::Done {
        return Some(Obstacle::NotPromoted);
    }
    if (&promotion.plan.object, &promotion.plan.record) != (&record.object, &record.record) {
        return Some(Obstacle::RecordMismatch);
    }
    match record.state {
        RecordState::Live => None,
        RecordState::Missing => Some(Obstacle::RecordMissing),
        RecordState::Deleted => Some(Obstacle::RecordDeleted),
        RecordState::Converted => Some(Obstacle::RecordConverted),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{ObjectName, PromotionId, ProposalId, RecordId};

    fn name(text: &str) -> FieldName {
        FieldName::parse(text).unwrap()
    }

    fn promotion() -> Promotion {
        let change = |field, before: &str, after: &str| Change {
            field: name(field),
            before: FieldValue::text(before),
            after: FieldValue::text(after),
        };
        let plan = Plan {
            making: None,
            object: ObjectName::parse("Opportunity").unwrap(),
            record: RecordId::parse(&RecordId::complete("006Dp0000012345").unwrap()).unwrap(),
            proposal_id: ProposalId::parse("p-1").unwrap(),
            basis: Basis::Approved,
            changes: vec![
                change("NextStep", "call", "send quote"),
                change("StageName", "Prospecting", "Qualification"),
            ],
            expected_seq: 3,
            stamps: Stamps::default(),
            planned_at: Timestamp::UNIX_EPOCH,
        };
        Promotion {
            id: PromotionId::new("m-1"),
            plan,
            attempts: 1,
            settlement: Settlement::Done,
            undoes: None,
            rollback: None,
            proof: BTreeMap::new(),
        }
    }

    fn record(next_step: &str, stage: &str) -> RecordSnapshot {
        let plan = promotion().plan;
        RecordSnapshot {
            record_type: None,
            object: plan.object,
            record: plan.record,
            state: RecordState::Live,
            name: None,
            owner: None,
            fields: BTreeMap::from([
                (name("NextStep"), FieldValue::text(next_step)),
                (name("StageName"), FieldValue::text(stage)),
            ]),
            promotion_seq: 7,
            last_promotion: None,
            hold: None,
            modified_at: Timestamp::UNIX_EPOCH,
            modified_by: None,
        }
    }

    #[test]
    fn restores_ours_and_spares_newer_edits() {
        let now = Timestamp::UNIX_EPOCH;
        let rollback = plan_rollback(&promotion(), &record("wait for signature", "Qualification"), now);
        let plan = rollback.plan.unwrap();
        assert_eq!(plan.expected_seq, 7, "the number that stands now, not the promotion's");
        assert_eq!(plan.basis, Basis::Rollback);
        assert_eq!(plan.changes.len(), 1);
        assert_eq!(plan.changes[0].before, FieldValue::text("Qualification"));
        assert_eq!(plan.changes[0].after, FieldValue::text("Prospecting"));
        assert_eq!(rollback.spared[0].found, Some(FieldValue::text("wait for signature")));
    }

    #[test]
    fn nothing_to_restore_gives_no_plan() {
        let rollback = plan_rollback(&promotion(), &record("call", "Prospecting"), Timestamp::UNIX_EPOCH);
        assert_eq!(rollback.plan, None);
        assert_eq!(rollback.already.len(), 2);
    }

    #[test]
    fn an_unreadable_field_is_spared() {
        let mut record = record("send quote", "Qualification");
        record.fields.remove(&name("NextStep"));
        let rollback = plan_rollback(&promotion(), &record, Timestamp::UNIX_EPOCH);
        assert_eq!(rollback.spared[0].found, None);
        assert_eq!(rollback.restore.len(), 1);
    }

    #[test]
    fn obstacles_leave_everything_alone() {
        let now = Timestamp::UNIX_EPOCH;
        let open = Promotion { settlement: Settlement::Sent, ..promotion() };
        let record = record("send quote", "Qualification");
        assert_eq!(plan_rollback(&open, &record, now).obstacle, Some(Obstacle::NotPromoted));
        for (state, code) in [
            (RecordState::Missing, "record-missing"),
            (RecordState::Deleted, "record-deleted"),
            (RecordState::Converted, "record-converted"),
        ] {
            let rollback = plan_rollback(&promotion(), &RecordSnapshot { state, ..record.clone() }, now);
            assert_eq!(rollback.obstacle.map(Obstacle::code), Some(code));
            assert_eq!(rollback.plan, None);
        }
    }
}
