//! Does the step go forward?
//!
//! # Refuses
//! - `target-unknown`: the proposed state is not part of the field's lifecycle.
//! - `target-reserved`: the proposed state is reached in another way only, such as lead
//!   conversion.
//! - `state-unknown`: the record's state is not part of the field's lifecycle.
//! - `state-terminal`: the record is in a state that nothing leaves in real time.
//! - `state-regression`: the proposal moves the record back.
//!
//! # Why
//! Real time moves forward or to a terminal state. Moving back happens on a schedule, where
//! it can be previewed and bounded, or by a person, or by a step that the policy names.
//!
//! # Evidence used
//! The record's current state, the proposed state, the policy's order of states.
//!
//! # How to fix
//! - `target-unknown`: propose a state of the lifecycle, or add the state to the policy.
//! - `target-reserved`: do what leads to that state, for example convert the lead.
//! - `state-unknown`: add the record's state to the policy's lifecycle, or correct the record.
//! - `state-terminal`: reopen the record by hand if it was closed by mistake.
//! - `state-regression`: move it back by hand, or name the step in the policy.
//!
//! # Setting
//! `lifecycle`, `terminal`, `never_target` and `allowed_regressions` of the field in
//! `config/policies/*.toml`.

use crate::{
    domain::{FieldName, FieldPolicy, FieldValue, RecordState},
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Refuses steps that the lifecycle does not have.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    for (field, rules, target) in input.governed().filter(|(_, rules, _)| !rules.lifecycle.is_empty()) {
        let Some(to) = target_state(field, rules, target, findings) else { continue };
        let Some(current) = input.record.value(field) else { continue };
        if input.record.state == RecordState::Live && current != target {
            step(field, rules, (current, to), findings);
        }
    }
}

/// The proposed state's place in the order, or `None` with a finding.
fn target_state<'a>(
    field: &FieldName,
    rules: &'a FieldPolicy,
    target: &'a FieldValue,
    findings: &mut Findings,
) -> Option<&'a str> {
    let states = || rules.targets().collect::<Vec<_>>().join(", ");
    let to = target.as_text().filter(|to| rules.place(to).is_some());
    let Some(to) = to else {
        findings.add_field(
            FindingCode::TargetUnknown,
            field,
            format!("\"{target}\" is not a state of {field}'s lifecycle"),
            format!("one of: {}", states()),
        );
        return None;
    };
    if rules.never_target.iter().any(|state| state == to) {
        findings.add_field(
            FindingCode::TargetReserved,
            field,
            format!("no proposal may set {field} to \"{to}\""),
            format!("one of: {}", states()),
        );
        return None;
    }
    Some(to)
}

fn step(field: &FieldName, rules: &FieldPolicy, (current, to): (&FieldValue, &str), findings: &mut Findings) {
    let from = current.as_text().and_then(|from| rules.place(from).map(|place| (from, place)));
    let Some((from, from_place)) = from else {
        findings.add_field(
            FindingCode::StateUnknown,
            field,
            format!("the record's {field} is \"{current}\", which the lifecycle does not name"),
            format!("a record in one of: {}", rules.lifecycle.join(", ")),
        );
        return;
    };
    if rules.is_terminal(from) {
        findings.add_field(
            FindingCode::StateTerminal,
            field,
            format!("{field} is \"{from}\", which nothing leaves in real time"),
            "a record that is not in a terminal state",
        );
        return;
    }
    let named = rules.allowed_regressions.iter().any(|step| step.from == from && step.to == to);
    let back = rules.place(to).is_some_and(|place| place < from_place);
    if back && !rules.is_terminal(to) && !named {
        let open = rules.targets().filter(|state| rules.place(state) > Some(from_place));
        findings.add_field(
            FindingCode::StateRegression,
            field,
            format!("{field} would go back from \"{from}\" to \"{to}\""),
            format!("one of: {}", open.collect::<Vec<_>>().join(", ")),
        );
    }
}
