//! The plan that cancels a record which was made, and spares one that anybody has changed.
//!
//! A made record is never deleted: a field that the policy named tells that it does not count. Anybody's
//! edit since, of whatever field we filled, leaves the record alone.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::rollback::{Obstacle, RollbackPlan, Spared};
use crate::domain::{
    Basis, Cancel, Change, FieldName, FieldValue, Making, Plan, Promotion, RecordId, Settlement, Stamps,
};

/// The made record as it was read just now.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Its id.
    pub record: &'a RecordId,
    /// It is in the recycle bin.
    pub deleted: bool,
    /// Values of the fields that we filled, and of the one that tells a cancellation.
    pub fields: &'a BTreeMap<FieldName, FieldValue>,
    /// It was last changed by somebody else than the promoter.
    pub by_other: bool,
}

/// Plans the cancelling of what a promotion made.
pub fn plan_cancel(
    promotion: &Promotion,
    cancel: &Cancel,
    found: Option<Found<'_>>,
    now: Timestamp,
) -> RollbackPlan {
    let mut rollback = RollbackPlan {
        restore: Vec::new(),
        spared: Vec::new(),
        already: Vec::new(),
        obstacle: None,
        plan: None,
    };
    let found = match (promotion.settlement == Settlement::Done, found) {
        (false, _) => return RollbackPlan { obstacle: Some(Obstacle::NotPromoted), ..rollback },
        (true, None) => return RollbackPlan { obstacle: Some(Obstacle::RecordMissing), ..rollback },
        (true, Some(found)) if found.deleted => {
            return RollbackPlan { obstacle: Some(Obstacle::RecordDeleted), ..rollback };
        }
        (true, Some(found)) => found,
    };
    let standing = found.fields.get(&cancel.field);
    if standing == Some(&cancel.field_value()) {
        rollback.already.push(cancel.field.clone());
        return rollback;
    }
    rollback.spared = promotion
        .plan
        .changes
        .iter()
        .filter(|change| found.fields.get(&change.field) != Some(&change.after))
        .map(|change| spared(change, found))
        .collect();
    let ours = promotion.plan.changes.iter().find(|change| change.field == cancel.field);
    let ours = ours.map(|change| change.after.clone()).or_else(|| standing.cloned()).unwrap_or_default();
    let change = Change { field: cancel.field.clone(), before: ours, after: cancel.field_value() };
    if rollback.spared.is_empty() && (found.by_other || standing.is_none()) {
        let told = Change { before: FieldValue::Null, after: change.before.clone(), ..change.clone() };
        rollback.spared.push(spared(&told, found));
    }
    if !rollback.spared.is_empty() {
        return rollback;
    }
    rollback.restore.push(change);
    rollback.plan = Some(Plan {
        object: promotion.plan.object.clone(),
        record: found.record.clone(),
        making: Some(Making::Cancel),
        proposal_id: promotion.plan.proposal_id.clone(),
        basis: Basis::Rollback,
        changes: rollback.restore.clone(),
        expected_seq: 0,
        stamps: Stamps::default(),
        planned_at: now,
    });
    rollback
}

fn spared(change: &Change, found: Found<'_>) -> Spared {
    Spared {
        field: change.field.clone(),
        ours: change.after.clone(),
        found: found.fields.get(&change.field).cloned(),
        before: change.before.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ObjectName, PromotionId, ProposalId};

    fn name(text: &str) -> FieldName {
        FieldName::parse(text).unwrap()
    }

    fn cancel() -> Cancel {
        Cancel { field: name("Status"), value: "Deferred".to_owned() }
    }

    fn made() -> Promotion {
        let parent = RecordId::complete("00QDp0000000042").unwrap();
        let new = |field: &str, after: &str| Change {
            field: name(field),
            before: FieldValue::Null,
            after: FieldValue::text(after),
        };
        Promotion {
            id: PromotionId::new("m-1"),
            plan: Plan {
                object: ObjectName::parse("Task").unwrap(),
                record: RecordId::parse(&parent).unwrap(),
                making: None,
                proposal_id: ProposalId::parse("p-1").unwrap(),
                basis: Basis::Auto,
                changes: vec![new("Status", "Completed"), new("Subject", "Call")],
                expected_seq: 0,
                stamps: Stamps::default(),
                planned_at: Timestamp::UNIX_EPOCH,
            },
            attempts: 1,
            settlement: Settlement::Done,
            undoes: None,
            rollback: None,
            proof: BTreeMap::new(),
        }
    }

    fn planned(fields: &[(&str, &str)], by_other: bool, deleted: bool) -> RollbackPlan {
        let record = RecordId::complete("00TDp0000000001").unwrap();
        let record = RecordId::parse(&record).unwrap();
        let fields: BTreeMap<_, _> =
            fields.iter().map(|(field, value)| (name(field), FieldValue::text(*value))).collect();
        let found = Found { record: &record, deleted, fields: &fields, by_other };
        plan_cancel(&made(), &cancel(), Some(found), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_nobody_touched_is_cancelled_and_nothing_else_is_written() {
        let plan = planned(&[("Status", "Completed"), ("Subject", "Call")], false, false).plan.unwrap();
        assert_eq!((plan.making, plan.basis), (Some(Making::Cancel), Basis::Rollback));
        assert!(plan.record.as_str().starts_with("00T"), "the made record, not its parent");
        assert_eq!(plan.changes.len(), 1);
        assert_eq!(plan.changes[0].before, FieldValue::text("Completed"));
        assert_eq!(plan.changes[0].after, FieldValue::text("Deferred"));
    }

    #[test]
    fn a_record_that_anybody_changed_is_spared() {
        for (fields, by_other) in [
            (&[("Status", "Completed"), ("Subject", "Call back")][..], false),
            (&[("Status", "In Progress"), ("Subject", "Call")][..], false),
            (&[("Status", "Completed"), ("Subject", "Call")][..], true),
            (&[("Subject", "Call")][..], false),
        ] {
            let rollback = planned(fields, by_other, false);
            assert_eq!((rollback.plan, rollback.restore.len()), (None, 0), "{fields:?}");
            assert!(!rollback.spared.is_empty(), "{fields:?}");
        }
        // What somebody else touched without another value: the field that would be set is named.
        let touched = planned(&[("Status", "Completed"), ("Subject", "Call")], true, false);
        let told = &touched.spared[0];
        assert_eq!((told.field.as_str(), touched.spared.len()), ("Status", 1));
        assert_eq!((&told.before, &told.ours), (&FieldValue::Null, &FieldValue::text("Completed")));
    }

    #[test]
    fn what_is_cancelled_or_gone_is_left_as_it_is() {
        let rollback = planned(&[("Status", "Deferred"), ("Subject", "Call")], true, false);
        assert_eq!((rollback.already.len(), rollback.plan), (1, None));
        let gone = planned(&[], false, true);
        assert_eq!(gone.obstacle, Some(Obstacle::RecordDeleted));
        let none = plan_cancel(&made(), &cancel(), None, Timestamp::UNIX_EPOCH);
        assert_eq!(none.obstacle, Some(Obstacle::RecordMissing));
        let open = Promotion { settlement: Settlement::Sent, ..made() };
        let open = plan_cancel(&open, &cancel(), None, Timestamp::UNIX_EPOCH);
        assert_eq!(open.obstacle, Some(Obstacle::NotPromoted));
    }
}
