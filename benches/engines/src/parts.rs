//! Where `decide` spends its time: its parts, timed one by one.
//!
//! Some parts are private to the gate and written again here. The digest of the input must come out
//! as the verdict's, so these copies cannot drift without being found.

use std::hint::black_box;

use countersign::{
    domain::{
        Approval, Basis, CanonicalError, Digest, FieldName, FieldSchema, ObjectName, Proposal,
        RecordSnapshot, digest::canonical,
    },
    gate::{GATE_REVISION, History, Input, Rules, checks::CHECKS, decide, finding::Findings, plan::plan},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    measure::{Run, Took, measure},
    worlds::World,
};

#[derive(Serialize)]
struct Bound<'a> {
    gate: &'static str,
    proposal: &'a Proposal,
    record: &'a RecordSnapshot,
    approval: Option<&'a Approval>,
    history: &'a History,
    schema: Option<Digest>,
    policy: &'a Digest,
    now: Timestamp,
}

#[derive(Serialize)]
struct Described<'a> {
    object: &'a ObjectName,
    fields: Vec<(&'a FieldName, Option<&'a FieldSchema>, bool)>,
}

fn bound<'a>(input: &Input<'a>, schema: Option<Digest>) -> Bound<'a> {
    Bound {
        gate: GATE_REVISION,
        proposal: input.proposal,
        record: input.record,
        approval: input.approval,
        history: input.history,
        schema,
        policy: input.rules.digest(),
        now: input.now,
    }
}

fn fingerprint(input: &Input<'_>) -> Result<Option<Digest>, CanonicalError> {
    let Some(schema) = input.schema else { return Ok(None) };
    let facts = |field| (field, schema.fields.get(field), schema.auto_allowed.contains(field));
    let fields = input.proposal.patch.keys().map(facts).collect();
    let json = serde_json::to_value(Described { object: &schema.object, fields });
    let json = json.map_err(|error| CanonicalError::Json(error.to_string()))?;
    Digest::of(&numbers_as_text(json)).map(Some)
}

fn numbers_as_text(json: Value) -> Value {
    match json {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(items) => Value::Array(items.into_iter().map(numbers_as_text).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (key, numbers_as_text(value))).collect())
        }
        other => other,
    }
}

/// Times `decide` and its parts over the worlds.
pub fn measured(worlds: &[World], rules: &Rules) -> Vec<Took> {
    let inputs: Vec<Input<'_>> = worlds.iter().map(|world| world.input(rules)).collect();
    let digests: Vec<Option<Digest>> =
        inputs.iter().map(|input| fingerprint(input).expect("a digest")).collect();
    for (input, schema) in inputs.iter().zip(&digests) {
        let own = Digest::of(&bound(input, schema.clone())).expect("a digest");
        assert_eq!(own, decide(input).input, "the copy of the gate's digest has drifted");
    }
    let texts: Vec<String> = (inputs.iter().zip(&digests))
        .map(|(input, schema)| canonical(&bound(input, schema.clone())).expect("canonical"))
        .collect();
    let each = |name: &str, includes: &str, one: fn(&Input<'_>)| {
        let inputs = inputs.clone();
        Run::new(name, includes, inputs.len(), move || inputs.iter().for_each(|input| one(black_box(input))))
    };
    let pairs = || inputs.iter().zip(&digests);
    let mut runs = vec![
        each("decide", "everything", |input| drop(black_box(decide(input)))),
        each("  checks", "all of them, with their findings", |input| {
            let mut findings = Findings::default();
            CHECKS.iter().for_each(|check| (check.run)(input, &mut findings));
            drop(black_box(findings));
        }),
        each("  digest of the patch", "one time for a decision, also where the approval check asks for it", |input| {
            drop(black_box(input.proposal.patch_digest()));
        }),
        each("  fingerprint of the schema", "JSON, canonical text, SHA-256", |input| {
            drop(black_box(fingerprint(input)));
        }),
    ];
    runs.push(Run::new("  digest of the input", "JSON, canonical text, SHA-256", inputs.len(), || {
        pairs().for_each(|(input, schema)| drop(black_box(Digest::of(&bound(input, schema.clone())))));
    }));
    runs.push(Run::new("    of it JSON", "`serde_json::to_value`", inputs.len(), || {
        pairs()
            .for_each(|(input, schema)| drop(black_box(serde_json::to_value(bound(input, schema.clone())))));
    }));
    runs.push(Run::new("    of it JSON and canonical text", "", inputs.len(), || {
        pairs().for_each(|(input, schema)| drop(black_box(canonical(&bound(input, schema.clone())))));
    }));
    runs.push(Run::new("    of it SHA-256", "the hash and its hex", inputs.len(), || {
        texts.iter().for_each(|text| drop(black_box(Digest::of_bytes(text.as_bytes()))));
    }));
    runs.push(each("  plan", "only a promotion makes one; here every input does", |input| {
        drop(black_box(plan(input, Basis::Auto)));
    }));
    for check in CHECKS {
        let inputs = inputs.clone();
        runs.push(Run::new(&format!("    check {}", check.name), "", inputs.len(), move || {
            for input in &inputs {
                let mut findings = Findings::default();
                (check.run)(black_box(input), &mut findings);
                drop(black_box(findings));
            }
        }));
    }
    let mut took = measure(runs);
    // Checks that take less than a hundredth are left out.
    let least = took.first().map_or(0, |decide| decide.nanos / 100);
    took.retain(|part| !part.name.contains("check ") || part.nanos >= least);
    took
}
