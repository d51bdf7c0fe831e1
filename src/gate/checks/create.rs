//! May a record of this kind be made below this one?
//!
//! # Refuses
//! - `create-not-named`: no `[[create]]` rule has the name that the proposal gives, or the rule does
//!   not name the parent's object.
//! - `create-field-not-named`: the rule does not let an agent fill the field.
//! - `create-field-missing`: the org makes no such record without a field that nobody fills.
//! - `create-value-unfit`: the org cannot hold a value that the rule itself sets.
//! - `create-confidence-too-low`: the confidence is missing or below what the rule asks.
//! - `create-switched-off`: the org's switch is off, or the field that carries the proposal's id is
//!   not there, not unique or not the promoter's to write.
//!
//! # Why
//! Nothing is made that nobody named. A record runs here with no person in front of it, so it needs
//! both keys, policy and org. Without a unique field a request that is sent again would make a second
//! record.
//!
//! # Evidence used
//! The policy's `[[create]]` rules; the proposal's rule, parent, fields and confidence; the org's
//! description of the object, its required fields and its switch.
//!
//! # How to fix
//! - `create-not-named`: name one of the rules that the finding lists and a parent that it has, or add
//!   a rule and have it reviewed.
//! - `create-field-not-named`: leave the field out, or add it to the rule's `fields`.
//! - `create-field-missing`: propose the field, or fix its value in the rule.
//! - `create-value-unfit`: correct `fixed` or `cancel` in the rule, or the parent's field.
//! - `create-confidence-too-low`: propose with more evidence, or lower the rule's `min_confidence`.
//! - `create-switched-off`: deploy what `countersign metadata generate --object Task --create` writes,
//!   assign the permission set to the promoter, and turn on the switch in `AI_Gate_Setting__mdt`.
//!
//! # Setting
//! `[[create]]` in `config/policies/*.toml`; `AI_Gate_Setting__mdt` in the org.

use crate::{
    domain::{Creation, FieldName, FieldValue, ObjectSchema, policy::CreateRule},
    gate::{
        checks::schema::value_problem,
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Refuses a record that no rule names as it is proposed.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let (Some(creates), Some(policy)) = (&input.proposal.creates, input.object_policy()) else { return };
    let Some(rule) = policy.create_rule(&creates.rule) else {
        let known: Vec<&str> = policy.create.iter().map(|rule| rule.name.as_str()).collect();
        let known =
            if known.is_empty() { "nothing (the policy has no rule)".to_owned() } else { known.join(", ") };
        return findings.add(
            FindingCode::CreateNotNamed,
            format!("no rule of the policy `{}` is called \"{}\"", policy.name, creates.rule),
            format!("one of: {known}"),
        );
    };
    parent(input, (creates, rule), findings);
    for field in input.proposal.patch.keys().filter(|field| !rule.lets_fill(field)) {
        findings.add_field(
            FindingCode::CreateFieldNotNamed,
            field,
            format!("the rule `{}` does not let an agent fill {field}", rule.name),
            format!("leaving the field out; it names: {}", list(rule.fields.iter())),
        );
    }
    confidence(input, rule, findings);
    if let Some(schema) = input.schema.filter(|schema| schema.object == input.proposal.object) {
        org(input, (rule, schema), findings);
    }
}

fn parent(input: &Input<'_>, (creates, rule): (&Creation, &CreateRule), findings: &mut Findings) {
    if rule.parents.contains_key(&creates.parent) {
        return;
    }
    findings.add(
        FindingCode::CreateNotNamed,
        format!("the rule `{}` makes no {} below a {}", rule.name, input.proposal.object, creates.parent),
        format!("a parent of: {}", list(rule.parents.keys())),
    );
}

fn confidence(input: &Input<'_>, rule: &CreateRule, findings: &mut Findings) {
    let Some(least) = rule.min_confidence else { return };
    if input.proposal.confidence.is_some_and(|given| given >= least) {
        return;
    }
    let given = input.proposal.confidence.map_or("missing".to_owned(), |given| given.to_string());
    findings.add(
        FindingCode::CreateConfidenceTooLow,
        format!("confidence {given} does not reach {least}, the least of the rule `{}`", rule.name),
        format!("confidence of at least {least}"),
    );
}

/// What the org must have and hold.
fn org(input: &Input<'_>, (rule, schema): (&CreateRule, &ObjectSchema), findings: &mut Findings) {
    if schema.auto_allowed.is_empty() {
        findings.add(
            FindingCode::CreateSwitchedOff,
            format!("the org lets no {} be made with no person", schema.object),
            "the org's switch turned on, and a unique field for the proposal's id",
        );
    }
    let made = input.made();
    for field in schema.required.iter().filter(|field| made.get(*field).is_none_or(FieldValue::is_null)) {
        findings.add_field(
            FindingCode::CreateFieldMissing,
            field,
            format!("the org makes no {} without {field}", schema.object),
            format!("a value for {field}"),
        );
    }
    let own = made.iter().filter(|(field, _)| !input.proposal.patch.contains_key(*field));
    let cancel = (&rule.cancel.field, &rule.cancel.field_value());
    for (field, value) in own.chain(std::iter::once(cancel)) {
        if let Some(why) = unfit(field, value, schema) {
            let would_change = format!("a value that {field} can hold, in the rule `{}`", rule.name);
            findings.add_field(FindingCode::CreateValueUnfit, field, why, would_change);
        }
    }
}

/// Why the org cannot hold a value that the rule sets.
fn unfit(field: &FieldName, value: &FieldValue, schema: &ObjectSchema) -> Option<String> {
    match schema.fields.get(field) {
        None => Some(format!("{}.{field} does not exist, or the promoter cannot see it", schema.object)),
        Some(facts) => value_problem(field, facts, value).map(|(_, message, _)| message),
    }
}

fn list<T: ToString>(names: impl Iterator<Item = T>) -> String {
    names.map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}
