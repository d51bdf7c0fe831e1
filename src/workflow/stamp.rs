//! A plan in Salesforce's own field names: what one promotion write carries.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    domain::{Basis, Change, FieldValue, Plan, Promotion},
    salesforce::{
        Contracts, RecordReading, RowWrite,
        names::{self, ObjectContract, source},
    },
};

/// The row that carries out a promotion. `None` when the plan names an object without a contract
/// or a field without a lane, which is refused before it can become a plan.
pub fn promotion_row(contracts: &Contracts, promotion: &Promotion) -> Option<RowWrite> {
    let plan = &promotion.plan;
    let contract = contracts.find(plan.object.as_str())?;
    let mut fields = BTreeMap::new();
    for change in &plan.changes {
        let lane = contract.lane(change.field.as_str())?;
        set(&mut fields, lane.field, &change.after);
        set(&mut fields, lane.previous, &change.before);
    }
    mark(&mut fields, plan, promotion.id.as_str());
    set(&mut fields, contract.changed_at, &FieldValue::DateTime(plan.planned_at));
    fields.insert(contract.change_source.to_owned(), json!(source_of(plan.basis)));
    if matches!(plan.basis, Basis::Approved | Basis::Auto) {
        fields.insert(names::PROMOTED_PROPOSAL_ID.to_owned(), json!(plan.proposal_id.as_str()));
        fields.insert(names::PENDING.to_owned(), Value::Bool(false));
    }
    fields.insert(names::OUTCOME.to_owned(), json!(outcome_text(promotion)));
    signals(&mut fields, contract, plan);
    Some(row(plan, fields))
}

/// The row that closes a promotion: it advances the number and changes no value, so that no
/// late copy of the promotion can land any more.
pub fn void_row(promotion: &Promotion) -> RowWrite {
    let mut fields = BTreeMap::new();
    mark(&mut fields, &promotion.plan, &promotion.id.void_mark());
    row(&promotion.plan, fields)
}

/// The row that tells a record how a proposal ended. It states which proposal was
/// read there, so that the org refuses it once another one stands there (`AI_GATE_22`).
pub fn notice_row(reading: &RecordReading, text: &str) -> RowWrite {
    let RecordReading { snapshot, slot, .. } = reading;
    let mut fields = BTreeMap::new();
    fields.insert(names::PENDING.to_owned(), Value::Bool(false));
    fields.insert(names::OUTCOME.to_owned(), json!(fit(text)));
    fields.insert(names::OUTCOME_OF.to_owned(), json!(slot.proposal_id));
    RowWrite { object: snapshot.object.clone(), record: snapshot.record.clone(), fields }
}

/// Cuts a text to the length of the outcome field.
pub fn fit(text: &str) -> String {
    if text.chars().count() <= 255 {
        return text.to_owned();
    }
    text.chars().take(254).chain(std::iter::once('…')).collect()
}

fn row(plan: &Plan, fields: BTreeMap<String, Value>) -> RowWrite {
    RowWrite { object: plan.object.clone(), record: plan.record.clone(), fields }
}

fn mark(fields: &mut BTreeMap<String, Value>, plan: &Plan, mark: &str) {
    fields.insert(names::PROMOTION_SEQ.to_owned(), json!(plan.expected_seq + 1));
    fields.insert(names::LAST_PROMOTION_ID.to_owned(), json!(mark));
}

fn signals(fields: &mut BTreeMap<String, Value>, contract: &ObjectContract, plan: &Plan) {
    let Some(signal) = contract.signals else { return };
    let stamps = &plan.stamps;
    if let Some(at) = stamps.last_signal_at {
        set(fields, signal.at, &FieldValue::DateTime(at));
    }
    if let Some(from) = &stamps.last_signal_source {
        set(fields, signal.source, &FieldValue::text(from.clone()));
    }
    if let Some(score) = stamps.signal_score {
        set(fields, signal.score, &FieldValue::decimal(score));
    }
    if let Some(day) = stamps.decay_eligible_on {
        set(fields, signal.decay_eligible, &FieldValue::Date(day));
    } else if stamps.decay_ends {
        set(fields, signal.decay_eligible, &FieldValue::Null);
    }
}

fn set(fields: &mut BTreeMap<String, Value>, field: &str, value: &FieldValue) {
    fields.insert(field.to_owned(), value.to_json());
}

fn source_of(basis: Basis) -> &'static str {
    match basis {
        Basis::Approved => source::APPROVED,
        Basis::Auto => source::AUTO,
        Basis::Rollback => source::ROLLBACK,
        Basis::Decay => source::DECAY,
    }
}

fn outcome_text(promotion: &Promotion) -> String {
    let what = match promotion.plan.basis {
        Basis::Approved => "promoted: approved by a person",
        Basis::Auto => "promoted: allowed by policy and by the org's switch",
        Basis::Rollback => "rolled-back: the previous value was put back",
        Basis::Decay => "decayed: nothing happened for longer than the policy gives the state",
    };
    let fields: Vec<&str> =
        promotion.plan.changes.iter().map(|Change { field, .. }| field.as_str()).collect();
    fit(&format!("{what} ({}; proposal {})", fields.join(", "), promotion.plan.proposal_id))
}
