//! A proposal as a proposer sends it: read strictly, every problem named at once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use super::strict_json;
use crate::{
    domain::{
        Actor, Creation, Door, Evidence, FieldName, FieldType, FieldValue, ObjectName, ObjectSchema,
        Proposal, ProposalId, RecordId, value::parse_moment,
    },
    salesforce::names,
};

/// Most bytes of one proposal.
pub const MOST_BYTES: usize = 256 * 1024;
/// Most characters of the reason (the length of the reason field).
const MOST_REASON: usize = 4000;

/// One thing that is wrong with a proposal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{code}: `{field}`: {message}; {fix}")]
pub struct Problem {
    /// Stable code.
    pub code: &'static str,
    /// The key of the proposal, for example `patch.Status`.
    pub field: String,
    /// What was expected and what was found.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl Problem {
    fn new(code: &'static str, field: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code, field: field.to_owned(), message: message.into(), fix: fix.into() }
    }
}

/// A proposal with its shape checked, before the org is asked about types.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The proposer's id.
    pub id: ProposalId,
    /// Object.
    pub object: ObjectName,
    /// Record; of a record that is to be made, its parent's.
    pub record: RecordId,
    /// Set where a new record is asked for.
    pub creates: Option<Creation>,
    patch: BTreeMap<FieldName, Value>,
    base: BTreeMap<FieldName, Value>,
    confidence: Option<Decimal>,
    reason: Option<String>,
    evaluated_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    requires_review: bool,
    actor: Actor,
    evidence: Vec<Evidence>,
}

const KEYS: &[&str] = &[
    "proposal_id",
    "operation",
    "object",
    "record_id",
    "rule",
    "parent",
    "patch",
    "base",
    "confidence",
    "reason",
    "evaluated_at",
    "expires_at",
    "requires_review",
    "actor",
    "evidence",
];

impl Submission {
    /// Reads the JSON text of one proposal. Two forms are taken: the full one, and the short
    /// Lead payload `{recommendedStatus, confidence, reason, proposalId, leadId}`.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        if text.len() > MOST_BYTES {
            let found = format!("{} bytes, at most {MOST_BYTES}", text.len());
            return Err(vec![Problem::new("proposal-too-large", "", found, "send one proposal at a time")]);
        }
        let mut keys = strict_json::object(text).map_err(|error| {
            let fix = "send one JSON object; see `countersign propose --help` for an example";
            vec![Problem::new("proposal-not-json", "", error.to_string(), fix)]
        })?;
        expand_short_form(&mut keys);
        Reader { keys, problems: Vec::new() }.read()
    }

    /// Joins the submission with what the org says: types, lengths and the current base.
    pub fn resolve(
        &self,
        schema: &ObjectSchema,
        current: &BTreeMap<FieldName, FieldValue>,
        now: Timestamp,
    ) -> Result<Proposal, Vec<Problem>> {
        let mut problems = Vec::new();
        let patch = typed("patch", &self.patch, schema, &mut problems);
        let told = typed("base", &self.base, schema, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        // A told base wins over what is read now: the gate then sees that it moved.
        let base = patch
            .keys()
            .map(|field| {
                let value = told.get(field).or_else(|| current.get(field)).cloned();
                (field.clone(), value.unwrap_or(FieldValue::Null))
            })
            .collect();
        Ok(Proposal {
            id: self.id.clone(),
            object: self.object.clone(),
            record: self.record.clone(),
            creates: self.creates.clone(),
            patch,
            base,
            confidence: self.confidence,
            reason: self.reason.clone(),
            evaluated_at: self.evaluated_at.or(Some(now)),
            expires_at: self.expires_at,
            edited_from: None,
            requires_review: self.requires_review,
            actor: self.actor.clone(),
            door: Door::Cli,
            evidence: self.evidence.clone(),
            received_at: now,
        })
    }
}

fn typed(
    key: &str,
    values: &BTreeMap<FieldName, Value>,
    schema: &ObjectSchema,
    problems: &mut Vec<Problem>,
) -> BTreeMap<FieldName, FieldValue> {
    let mut typed = BTreeMap::new();
    for (field, json) in values {
        let place = format!("{key}.{field}");
        let Some(known) = schema.fields.get(field) else {
            let lanes: Vec<&str> = schema.fields.keys().map(FieldName::as_str).collect();
            let message = format!("{} has no governed field of this name", schema.object);
            problems.push(Problem::new(
                "field-unknown",
                &place,
                message,
                format!("one of: {}", lanes.join(", ")),
            ));
            continue;
        };
        match FieldValue::from_json(json, &known.field_type) {
            Ok(value) => {
                too_long(&place, &value, &known.field_type, problems);
                typed.insert(field.clone(), value);
            }
            Err(error) => {
                let fix = format!("send {}", error.expected);
                problems.push(Problem::new("value-type", &place, error.to_string(), fix));
            }
        }
    }
    typed
}

fn too_long(place: &str, value: &FieldValue, kind: &FieldType, problems: &mut Vec<Problem>) {
    let (FieldType::Text { length } | FieldType::LongText { length }) = kind else { return };
    let found = value.as_text().map_or(0, |text| text.chars().count());
    if found > *length as usize {
        let message = format!("expected at most {length} characters, found {found}");
        problems.push(Problem::new("value-too-long", place, message, "shorten the value"));
    }
}

/// The short payload of a lead orchestrator, unchanged.
fn expand_short_form(keys: &mut BTreeMap<String, Value>) {
    if !keys.contains_key("recommendedStatus") {
        return;
    }
    for (short, full) in
        [("proposalId", "proposal_id"), ("leadId", "record_id"), ("evaluatedAt", "evaluated_at")]
    {
        // With both names there, the short one stays and is refused: neither may win silently.
        if !keys.contains_key(full)
            && let Some(value) = keys.remove(short)
        {
            keys.insert(full.to_owned(), value);
        }
    }
    if let Some(status) = keys.remove("recommendedStatus") {
        keys.insert("object".to_owned(), Value::String(names::LEAD.object.to_owned()));
        keys.insert("patch".to_owned(), serde_json::json!({ "Status": status }));
    }
}

struct Reader {
    keys: BTreeMap<String, Value>,
    problems: Vec<Problem>,
}

impl Reader {
    fn read(mut self) -> Result<Submission, Vec<Problem>> {
        for key in self.keys.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            let fix = format!("remove it; known keys: {}", KEYS.join(", "));
            self.problems.push(Problem::new("key-unknown", key, "this key is not known", fix));
        }
        let id =
            self.text("proposal_id").and_then(|text| self.checked("proposal_id", ProposalId::parse(&text)));
        if id.as_ref().is_some_and(|id| id.as_str().contains(names::EDIT_MARK)) {
            let message = "`~` stands in the ids of proposals that a reviewer edited";
            self.problem("proposal-id-reserved", "proposal_id", message, "send an id without `~`");
        }
        let object = self.text("object").and_then(|text| self.checked("object", ObjectName::parse(&text)));
        let (record, creates) = self.target();
        let patch = self.values("patch", true);
        let base = self.values("base", false);
        let confidence = self.confidence();
        let reason = self.reason();
        let evaluated_at = self.moment("evaluated_at");
        let expires_at = self.moment("expires_at");
        let requires_review = self.flag("requires_review");
        let actor = self.parsed("actor").unwrap_or_else(|| Actor::named("cli"));
        let evidence = self.parsed("evidence").unwrap_or_default();
        match (id, object, record) {
            (Some(id), Some(object), Some(record)) if self.problems.is_empty() => Ok(Submission {
                id,
                object,
                record,
                creates,
                patch,
                base,
                confidence,
                reason,
                evaluated_at,
                expires_at,
                requires_review,
                actor,
                evidence,
            }),
            _ => Err(self.problems),
        }
    }

    /// The record that is to change, or the parent and the rule of one that is to be made.
    fn target(&mut self) -> (Option<RecordId>, Option<Creation>) {
        let creates = match self.keys.get("operation") {
            None => false,
            Some(Value::String(word)) if word == "update" => false,
            Some(Value::String(word)) if word == "create" => true,
            Some(_) => {
                let fix = "send \"update\" or \"create\"; nothing is ever deleted";
                self.problem("operation-unknown", "operation", "this operation is not known", fix);
                return (None, None);
            }
        };
        let stray: &[&str] = if creates { &["record_id", "base"] } else { &["rule", "parent"] };
        for key in stray.iter().filter(|key| self.keys.contains_key(**key)).collect::<Vec<_>>() {
            let message = "this key does not go with the operation";
            self.problem("key-out-of-place", key, message, "remove it, or correct `operation`");
        }
        if !creates {
            let text = self.text("record_id");
            return (text.and_then(|text| self.checked("record_id", RecordId::parse(&text))), None);
        }
        let rule = self.text("rule");
        let (object, record) = self.parent();
        let creation = rule.zip(object).map(|(rule, parent)| Creation { rule, parent });
        (record, creation)
    }

    fn parent(&mut self) -> (Option<ObjectName>, Option<RecordId>) {
        let Some(Value::Object(parent)) = self.keys.get("parent").cloned() else {
            let message = "the record below which the new one is to be made";
            let fix = "send for example {\"object\": \"Lead\", \"record_id\": \"00Q...\"}";
            self.problem("key-missing", "parent", message, fix);
            return (None, None);
        };
        if let Some(key) = parent.keys().find(|key| !["object", "record_id"].contains(&key.as_str())) {
            let key = format!("parent.{key}");
            self.problem(
                "key-unknown",
                &key,
                "this key is not known",
                "remove it; known keys: object, record_id",
            );
        }
        let text = |key: &str| parent.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let object = self.checked("parent.object", ObjectName::parse(&text("object")));
        let record = self.checked("parent.record_id", RecordId::parse(&text("record_id")));
        (object, record)
    }

    fn problem(&mut self, code: &'static str, field: &str, message: impl Into<String>, fix: &str) {
        self.problems.push(Problem::new(code, field, message, fix));
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        match self.keys.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => {
                let message = format!("expected a text, found {}", kind(other));
                self.problem("value-type", key, message, "send a JSON string");
                None
            }
            None => {
                self.problem("key-missing", key, "this key is required", "add it");
                None
            }
        }
    }

    fn checked<T>(&mut self, key: &'static str, parsed: Result<T, crate::domain::IdError>) -> Option<T> {
        parsed.map_err(|error| self.problem(error.code(), key, error.to_string(), "correct the value")).ok()
    }

    fn values(&mut self, key: &'static str, required: bool) -> BTreeMap<FieldName, Value> {
        let mut values = BTreeMap::new();
        match self.keys.get(key).cloned() {
            Some(Value::Object(map)) => {
                if map.is_empty() && required {
                    self.problem("proposal-empty", key, "no field is proposed", "name at least one field");
                }
                for (field, value) in map {
                    match FieldName::parse(&field) {
                        Ok(name) => {
                            values.insert(name, value);
                        }
                        Err(error) => self.problem(error.code(), key, error.to_string(), "use the API name"),
                    }
                }
            }
            Some(other) => {
                let message = format!("expected an object of field to value, found {}", kind(&other));
                self.problem("value-type", key, message, "send a JSON object");
            }
            None if required => self.problem("key-missing", key, "this key is required", "add it"),
            None => {}
        }
        values
    }

    fn confidence(&mut self) -> Option<Decimal> {
        let text = match self.keys.get("confidence")? {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            Value::Null => return None,
            other => {
                let message = format!("expected a number from 0 to 1, found {}", kind(other));
                self.problem("value-type", "confidence", message, "send for example 0.93");
                return None;
            }
        };
        let number = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text));
        match number {
            Ok(number) if (Decimal::ZERO..=Decimal::ONE).contains(&number) => Some(number.normalize()),
            _ => {
                let message = format!("expected a number from 0 to 1, found `{text}`");
                self.problem("confidence-out-of-range", "confidence", message, "send for example 0.93");
                None
            }
        }
    }

    fn reason(&mut self) -> Option<String> {
        let text = match self.keys.get("reason")? {
            Value::String(text) if !text.is_empty() => text.clone(),
            Value::String(_) | Value::Null => return None,
            other => {
                let message = format!("expected a text, found {}", kind(other));
                self.problem("value-type", "reason", message, "send a JSON string");
                return None;
            }
        };
        let found = text.chars().count();
        if found > MOST_REASON {
            let message = format!("expected at most {MOST_REASON} characters, found {found}");
            self.problem("value-too-long", "reason", message, "shorten the reason");
        }
        Some(text)
    }

    fn moment(&mut self, key: &'static str) -> Option<Timestamp> {
        let value = self.keys.get(key).filter(|value| !value.is_null())?.clone();
        let moment = value.as_str().and_then(parse_moment);
        if moment.is_none() {
            let fix = "send for example 2026-05-01T07:25:37Z";
            self.problem("value-type", key, "expected a date-time with offset", fix);
        }
        moment
    }

    fn flag(&mut self, key: &'static str) -> bool {
        match self.keys.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                let message = format!("expected true or false, found {}", kind(other));
                self.problem("value-type", key, message, "send true or false");
                false
            }
        }
    }

    fn parsed<T: serde::de::DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        let value = self.keys.get(key).filter(|value| !value.is_null())?.clone();
        serde_json::from_value(value)
            .map_err(|error| {
                self.problem("value-type", key, error.to_string(), "see the example in the help")
            })
            .ok()
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        Submission::parse(text).unwrap_err().into_iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn names_every_problem_at_once() {
        let text = r#"{"proposal_id":"a b","object":"Lead","record_id":"00Q000000000001",
            "patch":{},"confidence":1.5,"surprise":1}"#;
        let found = codes(text);
        for code in [
            "key-unknown",
            "proposal-id-malformed",
            "record-id-15-characters",
            "proposal-empty",
            "confidence-out-of-range",
        ] {
            assert!(found.contains(&code), "{code} missing in {found:?}");
        }
    }

    #[test]
    fn the_mark_of_an_edited_proposal_is_a_reviewers() {
        let text = r#"{"proposal_id":"p-1~x","object":"Lead","record_id":"00Q000000000001EAA",
            "patch":{"Status":"Working - Contacted"}}"#;
        assert_eq!(codes(text), ["proposal-id-reserved"]);
    }

    #[test]
    fn a_repeated_key_is_refused() {
        assert_eq!(codes(r#"{"object":"Lead","object":"Opportunity"}"#), ["proposal-not-json"]);
        let inside = r#"{"proposal_id":"p-1","object":"Lead","record_id":"00Q000000000001EAA",
            "patch":{"Status":"Working - Contacted","Status":"Closed - Not Converted"}}"#;
        assert_eq!(codes(inside), ["proposal-not-json"], "which of the two was meant?");
        let both = r#"{"recommendedStatus":"Working - Contacted","proposalId":"p-1","proposal_id":"p-2",
            "leadId":"00Q000000000001EAA"}"#;
        assert_eq!(codes(both), ["key-unknown"]);
    }

    #[test]
    fn the_short_lead_payload_is_taken_unchanged() {
        let text = r#"{"recommendedStatus":"Working - Contacted","confidence":0.93,"reason":"replied",
            "proposalId":"p-1","leadId":"00Q000000000001EAA"}"#;
        let submission = Submission::parse(text).unwrap();
        assert_eq!(submission.object.as_str(), "Lead");
        assert_eq!(submission.confidence, Some(Decimal::new(93, 2)));
    }
}
