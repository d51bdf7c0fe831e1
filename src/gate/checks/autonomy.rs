//! May it run without a person?
//!
//! # Refuses
//! - `approval-required`: the field's tier asks for a person.
//! - `review-requested`: the proposer itself asks for a person.
//! - `no-auto-rule`: no rule lets this step run by itself.
//! - `auto-confidence-too-low`: the confidence is missing or below what the rule asks.
//! - `auto-not-fresh`: the model looked longer ago than the policy allows, counted to now.
//! - `auto-switched-off`: the org's own switch is off for the field.
//! - `no-approval-path`: it may not run by itself and the policy allows no approval.
//! - `auto-allowed`: said for the reader, refuses nothing: policy and org both let it run.
//!
//! # Why
//! Running by itself needs two keys: the policy of the people who run countersign and the
//! switch of the people who run the org. Either one alone sends the change to a person. One
//! field that needs a person takes the whole proposal with it.
//!
//! # Evidence used
//! The policy's tier, path and `auto` rules; the record's current values; the confidence;
//! the org's switches; now. Nothing of this is asked once a person has approved.
//!
//! # How to fix
//! - `approval-required`: have a person decide.
//! - `review-requested`: have a person decide.
//! - `no-auto-rule`: have a person decide, or add an `auto` rule for the step.
//! - `auto-confidence-too-low`: have a person decide, or propose with more evidence.
//! - `auto-not-fresh`: have a person decide, or evaluate again.
//! - `auto-switched-off`: have a person decide, or have the org's administrator turn on the
//!   field's switch in the custom metadata type `AI_Gate_Setting__mdt`.
//! - `no-approval-path`: meet the `auto` rule, or set the path to `approval_only`.
//! - `auto-allowed`: nothing.
//!
//! # Setting
//! `tier`, `path` and `[[fields.NAME.auto]]` in `config/policies/*.toml`;
//! `AI_Gate_Setting__mdt` in the org.

use crate::{
    domain::{FieldName, FieldPolicy, FieldValue, Path, Tier, Truth},
    gate::{
        checks::{approval::is_approved, freshness::looked_at},
        finding::{FindingCode, Findings},
        input::Input,
        limits::{Limits, age_text},
    },
};

/// Why a field's change may not run by itself.
type Reason = (FindingCode, String, String);

/// Asks for a person where policy or org want one.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let approved = is_approved(input);
    if !approved && input.proposal.requires_review {
        findings.add(FindingCode::ReviewRequested, "the proposer asks for a person", "a person's approval");
    }
    for (field, rules, value) in input.governed() {
        let reason = match rules.tier {
            // Refused outright by `operation`.
            Tier::ReadOnly => continue,
            Tier::Never if rules.path == Path::BlockAndAlert => continue,
            Tier::Never | Tier::Reviewed => Some((
                FindingCode::ApprovalRequired,
                format!("the policy asks for a person on {field}"),
                "a person's approval".to_owned(),
            )),
            Tier::Autonomous => not_by_itself(input, field, rules, value),
        };
        report(field, rules, reason, approved, findings);
    }
}

fn report(
    field: &FieldName,
    rules: &FieldPolicy,
    reason: Option<Reason>,
    approved: bool,
    findings: &mut Findings,
) {
    match reason {
        None if approved => {}
        None => findings.add_field(
            FindingCode::AutoAllowed,
            field,
            format!("policy and org let this change of {field} run by itself"),
            "nothing: this is for the reader",
        ),
        // With no path to an approval, an approval changes nothing.
        Some((_, message, _)) if rules.path == Path::BlockAndAlert => findings.add_field(
            FindingCode::NoApprovalPath,
            field,
            format!("{message}, and the policy allows no approval of {field}"),
            "a change that may run by itself",
        ),
        Some(_) if approved => {}
        Some((code, message, would_change)) => findings.add_field(code, field, message, would_change),
    }
}

/// The first reason why an autonomous field needs a person, or `None`.
fn not_by_itself(
    input: &Input<'_>,
    field: &FieldName,
    rules: &FieldPolicy,
    value: &FieldValue,
) -> Option<Reason> {
    let current = input.record.value(field).unwrap_or(&FieldValue::Null);
    // The mildest of the rules that name the step.
    let least = rules
        .auto
        .iter()
        .filter(|rule| rule.names(current, value))
        .filter(|rule| {
            rule.when.as_ref().is_none_or(|when| when.holds(input.record, input.now) == Truth::Yes)
        })
        .map(|rule| rule.min_confidence)
        .min();
    let Some(least) = least else {
        return Some((
            FindingCode::NoAutoRule,
            format!("no rule lets {field} go from \"{current}\" to \"{value}\" by itself"),
            "a person's approval, or a step that an `auto` rule names".to_owned(),
        ));
    };
    if input.proposal.confidence.is_none_or(|confidence| confidence < least) {
        let given = input.proposal.confidence.map_or("missing".to_owned(), |given| given.to_string());
        return Some((
            FindingCode::AutoConfidenceTooLow,
            format!("confidence {given} does not reach {least}, what {field} asks to run by itself"),
            format!("confidence of at least {least}, or a person's approval"),
        ));
    }
    stale_look(input).or_else(|| switched_off(input, field))
}

fn stale_look(input: &Input<'_>) -> Option<Reason> {
    let Ok(limits) = Limits::of(input.object_policy()?) else { return None };
    let age = input.now.duration_since(looked_at(input));
    (age > limits.proposal_max_age).then(|| {
        (
            FindingCode::AutoNotFresh,
            format!("the model looked {} ago", age_text(age)),
            format!(
                "an evaluation at most {} old, or a person's approval",
                age_text(limits.proposal_max_age)
            ),
        )
    })
}

fn switched_off(input: &Input<'_>, field: &FieldName) -> Option<Reason> {
    let on = input.schema.is_some_and(|schema| schema.auto_allowed.contains(field));
    (!on).then(|| {
        (
            FindingCode::AutoSwitchedOff,
            format!("the org's switch lets no change of {field} run by itself"),
            format!("the switch for {field} turned on in the org, or a person's approval"),
        )
    })
}
