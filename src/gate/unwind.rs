//! The plan that undoes many promotions: for each record from the newest to the oldest.
//!
//! Each promotion is undone by a compensating one of its own, not by one write to the oldest
//! value: the org keeps one previous value for each field and lets a rollback put back only that.
//! So the newest change of a field can be undone, and an older one of the same field only where
//! the value that it wants is the one that the org keeps. What is out of reach is named, for a
//! person to put back by hand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rollback::{Obstacle, RollbackPlan, Spared};
use crate::domain::{
    Basis, CanonicalError, Change, Digest, FieldName, FieldValue, Making, ObjectName, Plan, Promotion,
    PromotionId, ProposalId, RecordId, RecordSnapshot, RecordState, Settlement, Stamps,
    promotion::number_as_text,
};

/// One promotion that goes back, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The promotion that is undone.
    pub promotion: PromotionId,
    /// The proposal that it carried out.
    pub proposal: ProposalId,
    /// Fields that go back: `before` is what stands there, `after` what stood there before.
    pub restore: Vec<Change>,
}

/// A field that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The promotion that would have been undone.
    pub promotion: PromotionId,
    /// The proposal that it carried out.
    pub proposal: ProposalId,
    /// Canonical field.
    pub field: FieldName,
    /// What the promotion wrote.
    pub ours: FieldValue,
    /// What stood there before it.
    pub before: FieldValue,
    /// Why it stays.
    pub why: Why,
}

/// Why a field stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Why {
    /// Somebody changed it after the promotion.
    NewerEdit {
        /// What stands there, or would once newer promotions are undone; `None` when unreadable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<FieldValue>,
    },
    /// A later promotion that was not chosen changed it.
    LaterPromotion {
        /// Which one.
        promotion: PromotionId,
        /// The proposal that it carried out.
        proposal: ProposalId,
    },
    /// The org keeps another previous value, and a rollback may put back no other.
    OutOfReach {
        /// The value that the org would let through.
        kept: FieldValue,
    },
}

impl Why {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NewerEdit { .. } => "newer-edit",
            Self::LaterPromotion { .. } => "later-promotion",
            Self::OutOfReach { .. } => "out-of-reach",
        }
    }
}

/// What undoing does to one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordUndo {
    /// Object.
    pub object: ObjectName,
    /// Record.
    pub record: RecordId,
    /// The record's promotion number, on which the first step rests.
    #[serde(with = "number_as_text")]
    pub seq: u64,
    /// What goes back, newest promotion first.
    pub steps: Vec<Step>,
    /// What stays.
    pub kept: Vec<Kept>,
    /// Promotions and fields that already hold the value from before.
    pub already: Vec<(PromotionId, FieldName)>,
    /// Why nothing of the record can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<Obstacle>,
    /// A promotion of the record that has not ended; nothing is undone before it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<PromotionId>,
    /// The record was made, and is cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancels: bool,
}

/// What a rollback of many promotions would do. The same state gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The org.
    pub org: String,
    /// Record by record, in order.
    pub records: Vec<RecordUndo>,
}

impl Manifest {
    /// What names it: the SHA-256 of its canonical form.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of(self)
    }
}

impl RecordUndo {
    /// The write of a step, when those before it have landed.
    pub fn plan(&self, place: usize, now: Timestamp) -> Option<Plan> {
        let step = self.steps.get(place)?;
        Some(Plan {
            making: self.cancels.then_some(Making::Cancel),
            object: self.object.clone(),
            record: self.record.clone(),
            proposal_id: step.proposal.clone(),
            basis: Basis::Rollback,
            changes: step.restore.clone(),
            expected_seq: self.seq + u64::try_from(place).unwrap_or(0),
            stamps: Stamps::default(),
            planned_at: now,
        })
    }
}

/// Whether a landed rollback that was not undone itself covers this field of a promotion.
pub fn is_undone(promotion: &PromotionId, field: &FieldName, all: &[Promotion]) -> bool {
    all.iter().any(|later| {
        later.undoes.as_ref() == Some(promotion)
            && later.settlement == Settlement::Done
            && later.plan.changes.iter().any(|change| change.field == *field)
            && !is_undone(&later.id, field, all)
    })
}

/// Whether the record that a promotion made was cancelled.
pub fn is_cancelled(promotion: &PromotionId, all: &[Promotion]) -> bool {
    all.iter().any(|later| {
        later.undoes.as_ref() == Some(promotion)
            && later.settlement == Settlement::Done
            && later.plan.making == Some(Making::Cancel)
    })
}

/// One record as it was read: its values and the previous values that it keeps.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Canonical values and number.
    pub record: &'a RecordSnapshot,
    /// The previous value that the org keeps for each field; absent where it could not be read.
    pub previous: &'a BTreeMap<FieldName, FieldValue>,
}

/// A field while the promotions on it are taken back one after the other.
struct Cursor {
    value: Option<FieldValue>,
    previous: Option<FieldValue>,
    /// Nothing older can be undone any more.
    stop: Option<Why>,
}

/// Takes the chosen promotions of one record back, newest first. `written` is every promotion of the
/// record that landed or is open, oldest first.
pub fn unwind(found: Found<'_>, written: &[Promotion], chosen: &BTreeSet<PromotionId>) -> RecordUndo {
    let record = found.record;
    let open = written.iter().find(|promotion| !promotion.settlement.is_final());
    let mut undo = RecordUndo {
        object: record.object.clone(),
        record: record.record.clone(),
        seq: record.promotion_seq,
        steps: Vec::new(),
        kept: Vec::new(),
        already: Vec::new(),
        obstacle: obstacle(record.state),
        open: open.map(|promotion| promotion.id.clone()),
        cancels: false,
    };
    if undo.obstacle.is_some() || undo.open.is_some() {
        return undo;
    }
    let mut cursors: BTreeMap<FieldName, Cursor> = BTreeMap::new();
    for promotion in written.iter().rev().filter(|promotion| promotion.undoes.is_none()) {
        let mut restore = Vec::new();
        let changes = promotion.plan.changes.iter();
        for change in changes.filter(|change| !is_undone(&promotion.id, &change.field, written)) {
            let cursor = cursors.entry(change.field.clone()).or_insert_with(|| Cursor {
                value: record.value(&change.field).cloned(),
                previous: found.previous.get(&change.field).cloned(),
                stop: None,
            });
            if !chosen.contains(&promotion.id) {
                cursor.stop.get_or_insert_with(|| Why::LaterPromotion {
                    promotion: promotion.id.clone(),
                    proposal: promotion.plan.proposal_id.clone(),
                });
                continue;
            }
            match cursor.take_back(change) {
                Taken::Back(back) => restore.push(back),
                Taken::Already => undo.already.push((promotion.id.clone(), change.field.clone())),
                Taken::Not(why) => undo.kept.push(kept(promotion, change, why)),
            }
        }
        if !restore.is_empty() {
            let (id, proposal) = (promotion.id.clone(), promotion.plan.proposal_id.clone());
            undo.steps.push(Step { promotion: id, proposal, restore });
        }
    }
    undo
}

/// The same for a record that was made: cancelled, or spared with what somebody changed. `record` is
/// the made record, where it was found.
pub fn cancelling(
    promotion: &Promotion,
    record: Option<&RecordId>,
    (plan, open): (&RollbackPlan, Option<PromotionId>),
) -> RecordUndo {
    let (id, proposal) = (promotion.id.clone(), promotion.plan.proposal_id.clone());
    let kept = |spared: &Spared| Kept {
        promotion: id.clone(),
        proposal: proposal.clone(),
        field: spared.field.clone(),
        ours: spared.ours.clone(),
        before: spared.before.clone(),
        why: Why::NewerEdit { found: spared.found.clone() },
    };
    let step = Step { promotion: id.clone(), proposal: proposal.clone(), restore: plan.restore.clone() };
    let free = open.is_none() && !plan.restore.is_empty();
    RecordUndo {
        object: promotion.plan.object.clone(),
        record: record.unwrap_or(&promotion.plan.record).clone(),
        seq: 0,
        steps: if free { vec![step] } else { Vec::new() },
        kept: plan.spared.iter().map(kept).collect(),
        already: plan.already.iter().map(|field| (id.clone(), field.clone())).collect(),
        obstacle: plan.obstacle,
        open,
        cancels: true,
    }
}

enum Taken {
    Back(Change),
    Already,
    Not(Why),
}

impl Cursor {
    fn take_back(&mut self, change: &Change) -> Taken {
        if let Some(why) = &self.stop {
            return Taken::Not(why.clone());
        }
        match &self.value {
            Some(value) if *value == change.after => {
                if let Some(kept) = self.previous.as_ref().filter(|kept| **kept != change.before) {
                    let why = Why::OutOfReach { kept: kept.clone() };
                    self.stop = Some(why.clone());
                    return Taken::Not(why);
                }
                // A rollback keeps, as every promotion, the value that it found.
                self.previous = Some(change.after.clone());
                self.value = Some(change.before.clone());
                let (before, after) = (change.after.clone(), change.before.clone());
                Taken::Back(Change { field: change.field.clone(), before, after })
            }
            Some(value) if *value == change.before => Taken::Already,
            value => Taken::Not(Why::NewerEdit { found: value.clone() }),
        }
    }
}

fn kept(promotion: &Promotion, change: &Change, why: Why) -> Kept {
    Kept {
        promotion: promotion.id.clone(),
        proposal: promotion.plan.proposal_id.clone(),
        field: change.field.clone(),
        ours: change.after.clone(),
        before: change.before.clone(),
        why,
    }
}

fn obstacle(state: RecordState) -> Option<Obstacle> {
    match state {
        RecordState::Live => None,
        RecordState::Missing => Some(Obstacle::RecordMissing),
        RecordState::Deleted => Some(Obstacle::RecordDeleted),
        RecordState::Converted => Some(Obstacle::RecordConverted),
    }
}

#[cfg(test)]
#[path = "unwind_tests.rs"]
mod unwind_tests;
