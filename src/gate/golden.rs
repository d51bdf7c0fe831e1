//! Golden cases: what a policy must answer, written down by the people who own it.
//!
//! A case says what matters; the rest is ordinary: the record exists, the model looked five
//! minutes ago, nothing else is open. The org is as the policy supposes: a field with a
//! lifecycle is a picklist of its states, and a record to be made has the fields of its rule.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::{FindingCode, History, Input, Outcome, Rules, Verdict, decide};
use crate::domain::{
    Actor, Approval, Creation, Decision, Door, Evidence, FieldName, FieldSchema, FieldType, FieldValue, Hold,
    IdError, ObjectName, ObjectSchema, Proposal, ProposalId, RecordId, RecordSnapshot, RecordState,
    policy::CreateRule, value::ValueError,
};

/// When cases are decided that do not say so.
const NOW: &str = "2026-01-15T12:00:00Z";
const RECORD: &str = "000000000000001";
const PERSON: &str = "005000000000002";

/// One case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenCase {
    /// For people.
    pub name: String,
    /// Object API name.
    pub object: String,
    /// Proposed values.
    pub change: BTreeMap<String, Value>,
    /// The rule that lets the record be made, and its parent's object, where it does not exist yet.
    /// [`GoldenCase::record`] then is the parent's.
    #[serde(default)]
    pub creates: Option<Creation>,
    /// The record's values; a changed field that is not named here is empty.
    #[serde(default)]
    pub record: BTreeMap<String, Value>,
    /// Values that the proposal saw, where they are others than the record's.
    #[serde(default)]
    pub saw: BTreeMap<String, Value>,
    /// The record's name.
    #[serde(default)]
    pub record_name: Option<String>,
    /// A share from 0 to 1, as text.
    #[serde(default)]
    pub confidence: Option<Decimal>,
    /// The org whose own rules are tried, by its 18-character id; without it those of all others.
    #[serde(default)]
    pub org: Option<String>,
    /// Who proposes.
    #[serde(default = "an_agent")]
    pub agent: String,
    /// In which run.
    #[serde(default)]
    pub run: Option<String>,
    /// The proposer asks for a person.
    #[serde(default)]
    pub requires_review: bool,
    /// How long ago the model looked, in minutes.
    #[serde(default = "five")]
    pub looked_minutes_ago: i64,
    /// What a person decided, if anybody did.
    #[serde(default)]
    pub decision: Option<Decision>,
    /// What it rests on.
    #[serde(default)]
    pub evidence: Vec<GoldenEvidence>,
    /// People hold the record up to this day.
    #[serde(default)]
    pub hold_until: Option<Date>,
    /// What every budget has counted already.
    #[serde(default)]
    pub counted: Decimal,
    /// Fields whose switch is on in the org.
    #[serde(default)]
    pub switches: Vec<String>,
    /// When it is decided.
    #[serde(default)]
    pub now: Option<Timestamp>,
    /// The outcome that the policy must give.
    pub expect: Outcome,
    /// Finding codes that must be among the reasons.
    #[serde(default)]
    pub codes: Vec<FindingCode>,
}

/// A piece of evidence.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenEvidence {
    /// Kind.
    pub kind: String,
    /// How long ago it happened, in minutes.
    pub minutes_ago: i64,
}

/// Why a case cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GoldenError {
    /// A name is none.
    #[error("`{0}` is no API name: {1}; use the name as Salesforce spells it")]
    Name(String, IdError),
    /// A value does not fit its field.
    #[error("the value of {0} does not fit: {1}")]
    Value(String, ValueError),
    /// The rules or values have no exact form.
    #[error("{0}")]
    Inexact(String),
}

impl GoldenError {
    /// Stable code in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(..) => "case-name-malformed",
            Self::Value(..) => "case-value-malformed",
            Self::Inexact(_) => "case-inexact",
        }
    }
}

fn an_agent() -> String {
    "an-agent".to_owned()
}

fn five() -> i64 {
    5
}

fn name(text: &str) -> Result<FieldName, GoldenError> {
    FieldName::parse(text).map_err(|error| GoldenError::Name(text.to_owned(), error))
}

fn id(short: &str) -> Result<RecordId, GoldenError> {
    let wrong = |error| GoldenError::Name(short.to_owned(), error);
    RecordId::parse(&RecordId::complete(short).map_err(wrong)?).map_err(wrong)
}

impl GoldenCase {
    /// Asks the gate.
    pub fn run(&self, rules: &Rules) -> Result<Verdict, GoldenError> {
        Ok(self.look(rules, |_, _| ())?.0)
    }

    /// Asks the gate and looks at the input and its verdict.
    pub fn look<T>(
        &self,
        rules: &Rules,
        look: impl FnOnce(&Input<'_>, &Verdict) -> T,
    ) -> Result<(Verdict, T), GoldenError> {
        let now: Timestamp = match self.now {
            Some(now) => now,
            None => NOW.parse().map_err(|error: jiff::Error| GoldenError::Inexact(error.to_string()))?,
        };
        let object =
            ObjectName::parse(&self.object).map_err(|error| GoldenError::Name(self.object.clone(), error))?;
        let schema = self.schema(rules, &object)?;
        let record = self.record(&object, &schema, now)?;
        let proposal = self.proposal(&object, (&schema, &record), now)?;
        let approval = self.approval(&proposal, now)?;
        let budgets = rules.policy().objects.get(&object).map(|policy| policy.budgets.as_slice());
        let keys = budgets.unwrap_or_default().iter().flat_map(|budget| budget.keys(&proposal));
        let counts = keys.map(|key| (key.name(), self.counted)).collect();
        let history = History { counts, ..History::default() };
        let input = Input {
            proposal: &proposal,
            record: &record,
            approval: approval.as_ref(),
            history: &history,
            schema: Some(&schema),
            rules,
            now,
        };
        let verdict = decide(&input);
        let seen = look(&input, &verdict);
        Ok((verdict, seen))
    }

    /// Whether the verdict is the one that is written down.
    pub fn agrees(&self, verdict: &Verdict) -> bool {
        verdict.outcome == self.expect && self.codes.iter().all(|code| verdict.has(*code))
    }

    fn schema(&self, rules: &Rules, object: &ObjectName) -> Result<ObjectSchema, GoldenError> {
        let policy = rules.policy().objects.get(object);
        let mut fields = BTreeMap::new();
        for (field, value) in self.record.iter().chain(&self.saw).chain(&self.change) {
            let field = name(field)?;
            let states = policy.and_then(|policy| policy.fields.get(&field)).map(|rules| &rules.lifecycle);
            let field_type = match (field.as_str(), states.filter(|states| !states.is_empty()), value) {
                (_, Some(states), _) => FieldType::Picklist { values: states.clone(), restricted: false },
                ("CloseDate", ..) => FieldType::Date,
                ("Amount", ..) | (_, _, Value::Number(_)) => FieldType::Decimal { precision: 18, scale: 2 },
                (_, _, Value::Bool(_)) => FieldType::Bool,
                _ => FieldType::LongText { length: 32_000 },
            };
            fields.insert(field, FieldSchema { field_type, updateable: true, nillable: true });
        }
        let creates = self.creates.as_ref();
        let rule = creates.and_then(|creates| policy.and_then(|policy| policy.create_rule(&creates.rule)));
        for field in rule.into_iter().flat_map(CreateRule::named_fields) {
            let field_type = FieldType::LongText { length: 32_000 };
            let facts = FieldSchema { field_type, updateable: true, nillable: true };
            fields.entry(field.clone()).or_insert(facts);
        }
        let auto_allowed = self.switches.iter().map(|field| name(field)).collect::<Result<_, _>>()?;
        Ok(ObjectSchema {
            object: object.clone(),
            fields,
            auto_allowed,
            required: Vec::new(),
            record_types: BTreeMap::new(),
        })
    }

    fn record(
        &self,
        object: &ObjectName,
        schema: &ObjectSchema,
        now: Timestamp,
    ) -> Result<RecordSnapshot, GoldenError> {
        let mut fields: BTreeMap<_, _> =
            schema.fields.keys().map(|field| (field.clone(), FieldValue::Null)).collect();
        let mut object = object;
        if let Some(creates) = &self.creates {
            object = &creates.parent;
            fields.clear();
        }
        fields.extend(typed(&self.record, schema)?);
        Ok(RecordSnapshot {
            record_type: None,
            object: object.clone(),
            record: id(RECORD)?,
            state: RecordState::Live,
            name: self.record_name.clone(),
            owner: Some(id(PERSON)?),
            fields,
            promotion_seq: 0,
            last_promotion: None,
            hold: self.hold_until.map(|until| Hold { until, reason: None }),
            modified_at: now - SignedDuration::from_hours(1),
            modified_by: None,
        })
    }

    fn proposal(
        &self,
        object: &ObjectName,
        (schema, record): (&ObjectSchema, &RecordSnapshot),
        now: Timestamp,
    ) -> Result<Proposal, GoldenError> {
        let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
        let patch = typed(&self.change, schema)?;
        let mut base: BTreeMap<_, _> =
            patch.keys().filter_map(|field| Some((field.clone(), record.value(field)?.clone()))).collect();
        base.extend(typed(&self.saw, schema)?);
        let evidence = |piece: &GoldenEvidence| Evidence {
            kind: piece.kind.clone(),
            source: "golden case".to_owned(),
            occurred_at: ago(piece.minutes_ago),
            link: None,
            digest: None,
        };
        let wrong = |error| GoldenError::Name("golden".to_owned(), error);
        Ok(Proposal {
            creates: self.creates.clone(),
            id: ProposalId::parse("golden").map_err(wrong)?,
            object: object.clone(),
            record: record.record.clone(),
            patch,
            base,
            confidence: self.confidence,
            reason: None,
            evaluated_at: Some(ago(self.looked_minutes_ago)),
            expires_at: None,
            edited_from: None,
            requires_review: self.requires_review,
            actor: Actor { run: self.run.clone(), ..Actor::named(self.agent.clone()) },
            door: Door::Cli,
            evidence: self.evidence.iter().map(evidence).collect(),
            received_at: ago(self.looked_minutes_ago.min(5)),
        })
    }

    fn approval(&self, proposal: &Proposal, now: Timestamp) -> Result<Option<Approval>, GoldenError> {
        let Some(decision) = self.decision else { return Ok(None) };
        let patch_digest =
            proposal.patch_digest().map_err(|error| GoldenError::Inexact(error.to_string()))?;
        Ok(Some(Approval {
            proposal_id: proposal.id.clone(),
            decision,
            decided_by: id(PERSON)?,
            decided_at: now - SignedDuration::from_mins(1),
            patch_digest,
            comments: None,
        }))
    }
}

fn typed(
    given: &BTreeMap<String, Value>,
    schema: &ObjectSchema,
) -> Result<BTreeMap<FieldName, FieldValue>, GoldenError> {
    let one = |(field, value): (&String, &Value)| {
        let name = name(field)?;
        let text = FieldType::LongText { length: 32_000 };
        let kind = schema.fields.get(&name).map_or(&text, |facts| &facts.field_type);
        let value =
            FieldValue::from_json(value, kind).map_err(|error| GoldenError::Value(field.clone(), error))?;
        Ok((name, value))
    };
    given.iter().map(one).collect()
}
