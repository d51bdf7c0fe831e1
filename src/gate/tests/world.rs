//! Inputs from compact descriptions: what a case does not say is ordinary.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    domain::{
        Actor, Approval, Creation, Decision, Digest, Door, Evidence, FieldName, FieldSchema, FieldType,
        FieldValue, Hold, ObjectName, ObjectPolicy, ObjectSchema, Policy, Proposal, ProposalId, RecordId,
        RecordSnapshot, RecordState, RecordTypeSchema,
    },
    gate::{History, Input, Rules},
};

/// The time at which every case is decided.
pub const NOW: &str = "2026-05-20T12:00:00Z";
const WORLD: &str = include_str!("../../../tests/corpus/gate/world.json");

/// One case. Times are minutes before now.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    #[serde(default = "lead")]
    pub object: String,
    pub patch: BTreeMap<String, Value>,
    /// What is to be made, where a record is; `record` is then its parent.
    #[serde(default)]
    pub creates: Option<Creation>,
    /// What the record's type offers, by field.
    #[serde(default)]
    pub record_type: Option<BTreeMap<String, Vec<String>>>,
    /// Values of the record now, over the ordinary ones.
    #[serde(default)]
    pub record: BTreeMap<String, Value>,
    /// Fields of the record that could not be read.
    #[serde(default)]
    pub unreadable: Vec<String>,
    /// Base values, over the record's of now.
    #[serde(default)]
    pub base: BTreeMap<String, Value>,
    #[serde(default = "live")]
    pub state: RecordState,
    #[serde(default)]
    pub other_record: bool,
    #[serde(default = "sure")]
    pub confidence: Option<Decimal>,
    #[serde(default = "ten")]
    pub evaluated: Option<i64>,
    #[serde(default = "five")]
    pub received: i64,
    /// When the proposer's own end was.
    #[serde(default)]
    pub expires: Option<i64>,
    /// What people hold the record with.
    #[serde(default)]
    pub hold: Option<Hold>,
    #[serde(default)]
    pub requires_review: bool,
    /// A reviewer edited it, so that it is the reviewer's own.
    #[serde(default)]
    pub edited: bool,
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    #[serde(default)]
    pub decision: Option<DecisionCase>,
    #[serde(default)]
    pub history: Value,
    /// The schedule proposes it.
    #[serde(default)]
    pub scheduled: bool,
    /// Overrides of field rules, by field.
    #[serde(default)]
    pub rules: BTreeMap<String, Value>,
    /// Overrides of the object policy's own keys.
    #[serde(default)]
    pub limits: BTreeMap<String, Value>,
    #[serde(default)]
    pub auto_switch: Vec<String>,
    #[serde(default)]
    pub undescribed: bool,
    #[serde(default)]
    pub outcome: String,
    #[serde(default)]
    pub codes: Vec<String>,
}

/// A decision on the record.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionCase {
    #[serde(default = "approved")]
    pub decision: Decision,
    #[serde(default = "five")]
    pub at: i64,
    #[serde(default)]
    pub machine: bool,
    #[serde(default)]
    pub other_proposal: bool,
    #[serde(default)]
    pub other_patch: bool,
}

fn lead() -> String {
    "Lead".into()
}
fn live() -> RecordState {
    RecordState::Live
}
fn approved() -> Decision {
    Decision::Approved
}
fn sure() -> Option<Decimal> {
    Some(Decimal::new(95, 2))
}
fn ten() -> Option<i64> {
    Some(10)
}
fn five() -> i64 {
    5
}

/// Everything that an [`Input`] borrows.
#[derive(Debug, Clone)]
pub struct Owned {
    pub proposal: Proposal,
    pub record: RecordSnapshot,
    pub approval: Option<Approval>,
    pub history: History,
    pub schema: Option<ObjectSchema>,
    pub rules: Rules,
    pub now: Timestamp,
}

impl Owned {
    pub fn input(&self) -> Input<'_> {
        Input {
            proposal: &self.proposal,
            record: &self.record,
            approval: self.approval.as_ref(),
            history: &self.history,
            schema: self.schema.as_ref(),
            rules: &self.rules,
            now: self.now,
        }
    }
}

impl Case {
    /// An ordinary case with one proposed value.
    pub fn simple(object: &str, field: &str, value: &str) -> Self {
        let text = serde_json::json!({ "name": "simple", "object": object, "patch": { field: value } });
        serde_json::from_value(text).unwrap()
    }

    pub fn build(&self) -> Owned {
        let world: Value = serde_json::from_str(WORLD).unwrap();
        let here = world.get(&self.object).unwrap_or(&world["Lead"]);
        let schema = self.schema(&here["schema"]);
        let mut fields = values(&here["record"], &schema);
        fields.extend(typed(&self.record, &schema));
        let patch = typed(&self.patch, &schema);
        let mut base: BTreeMap<_, _> =
            patch.keys().filter_map(|field| Some((field.clone(), fields.get(field)?.clone()))).collect();
        base.extend(typed(&self.base, &schema));
        fields.retain(|field, _| !self.unreadable.iter().any(|name| name == field.as_str()));
        let proposal = self.proposal(patch, base);
        let parent = self.creates.as_ref().map(|creates| creates.parent.clone());
        let record = RecordSnapshot {
            record_type: self.record_type.as_ref().map(|_| id("012Dp0000000001")),
            object: parent.unwrap_or_else(|| proposal.object.clone()),
            record: if self.other_record { id("00QDp0000099999") } else { proposal.record.clone() },
            state: self.state,
            name: Some("Example Widgets Ltd".into()),
            owner: Some(id("005Dp0000000001")),
            fields,
            promotion_seq: 3,
            last_promotion: None,
            hold: self.hold.clone(),
            modified_at: before(60),
            modified_by: None,
        };
        Owned {
            approval: self.decision.as_ref().map(|decision| decision.build(&proposal)),
            history: self.history(),
            schema: (!self.undescribed).then_some(schema),
            rules: Rules::new(self.policy(&here["policy"])).unwrap(),
            now: NOW.parse().unwrap(),
            proposal,
            record,
        }
    }

    fn proposal(
        &self,
        patch: BTreeMap<FieldName, FieldValue>,
        base: BTreeMap<FieldName, FieldValue>,
    ) -> Proposal {
        let prefix = if self.object == "Opportunity" { "006" } else { "00Q" };
        Proposal {
            creates: self.creates.clone(),
            id: ProposalId::parse("p-1").unwrap(),
            object: ObjectName::parse(&self.object).unwrap(),
            record: id(&format!("{prefix}Dp0000000042")),
            patch,
            base,
            confidence: self.confidence,
            reason: Some("they answered".into()),
            evaluated_at: self.evaluated.map(before),
            expires_at: self.expires.map(before),
            edited_from: self.edited.then(|| ProposalId::parse("p-0").unwrap()),
            requires_review: self.requires_review,
            actor: Actor::named("nightly-enricher"),
            door: if self.scheduled { Door::Schedule } else { Door::Record },
            evidence: self.evidence.clone(),
            received_at: before(self.received),
        }
    }

    /// What the org asks of a new record.
    fn required(&self) -> Vec<FieldName> {
        let needed = if self.creates.is_some() { &["Subject"][..] } else { &[] };
        needed.iter().map(|name| FieldName::parse(name).unwrap()).collect()
    }

    fn history(&self) -> History {
        let mut json = serde_json::to_value(History::default()).unwrap();
        if let (Some(json), Some(given)) = (json.as_object_mut(), self.history.as_object()) {
            json.extend(given.clone());
        }
        let history: History = serde_json::from_value(json).unwrap();
        History { machine_users: vec![id("005Dp0000000009")], ..history }
    }

    fn policy(&self, object: &Value) -> Policy {
        let mut object = object.clone();
        for (key, value) in &self.limits {
            object[key] = value.clone();
        }
        for (field, overrides) in &self.rules {
            for (key, value) in overrides.as_object().unwrap() {
                object["fields"][field][key] = value.clone();
            }
        }
        let object: ObjectPolicy = serde_json::from_value(object).unwrap();
        Policy { objects: BTreeMap::from([(object.object.clone(), object)]) }
    }

    fn schema(&self, fields: &Value) -> ObjectSchema {
        let field = |(name, facts): (&String, &Value)| {
            let flag = |key| facts.get(key).and_then(Value::as_bool).unwrap_or(true);
            let schema = FieldSchema {
                field_type: serde_json::from_value::<FieldType>(facts.clone()).unwrap(),
                updateable: flag("updateable"),
                nillable: flag("nillable"),
            };
            (FieldName::parse(name).unwrap(), schema)
        };
        let types = |values: &BTreeMap<String, Vec<String>>| {
            let named =
                |(name, values): (&String, &Vec<String>)| (FieldName::parse(name).unwrap(), values.clone());
            let values = values.iter().map(named).collect();
            (id("012Dp0000000001"), RecordTypeSchema { name: "Partner".into(), values })
        };
        ObjectSchema {
            required: self.required(),
            record_types: self.record_type.iter().map(types).collect(),
            object: ObjectName::parse(&self.object).unwrap(),
            fields: fields.as_object().unwrap().iter().map(field).collect(),
            auto_allowed: self.auto_switch.iter().map(|name| FieldName::parse(name).unwrap()).collect(),
        }
    }
}

impl DecisionCase {
    fn build(&self, proposal: &Proposal) -> Approval {
        let other = ProposalId::parse("p-0").unwrap();
        Approval {
            proposal_id: if self.other_proposal { other } else { proposal.id.clone() },
            decision: self.decision,
            decided_by: id(if self.machine { "005Dp0000000009" } else { "005Dp0000000002" }),
            decided_at: before(self.at),
            patch_digest: if self.other_patch {
                Digest::of_bytes(b"another patch")
            } else {
                proposal.patch_digest().unwrap()
            },
            comments: None,
        }
    }
}

fn typed(given: &BTreeMap<String, Value>, schema: &ObjectSchema) -> BTreeMap<FieldName, FieldValue> {
    given.iter().map(|(name, value)| (FieldName::parse(name).unwrap(), one(name, value, schema))).collect()
}

fn values(given: &Value, schema: &ObjectSchema) -> BTreeMap<FieldName, FieldValue> {
    let given: BTreeMap<String, Value> = serde_json::from_value(given.clone()).unwrap();
    typed(&given, schema)
}

/// A value in the field's own type, or any `{"type": .., "value": ..}`.
fn one(name: &str, value: &Value, schema: &ObjectSchema) -> FieldValue {
    if value.is_object() {
        return serde_json::from_value(value.clone()).unwrap();
    }
    let text = FieldType::Text { length: 255 };
    let field = schema.fields.get(&FieldName::parse(name).unwrap());
    FieldValue::from_json(value, field.map_or(&text, |facts| &facts.field_type)).unwrap()
}

fn before(minutes: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap() - SignedDuration::from_mins(minutes)
}

fn id(short: &str) -> RecordId {
    RecordId::parse(&RecordId::complete(short).unwrap()).unwrap()
}
