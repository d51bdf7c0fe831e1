//! May this agent propose this, and as surely as it says?
//!
//! # Refuses
//! - `agent-not-listed`: the policy lets listed agents propose only, and this is none.
//! - `agent-not-allowed`: the policy keeps this agent from the field.
//! - `agent-confidence-too-low`: the agent must be surer than this on the field.
//! - `agent-needs-person`: this agent's changes never run by themselves, or it gave no
//!   confidence where one is asked of it.
//!
//! # Why
//! Agents differ: one that has been right for a year may do what a new one may not. A rule
//! for an agent only asks for more; it opens nothing that the field's own rules close.
//!
//! # Evidence used
//! The agent and run that the proposal names; the Salesforce user id of an agent that wrote
//! the fields itself. The name is what the agent's door proved or what the agent told: give
//! each agent a user of its own where it matters. What a reviewer edited is the reviewer's.
//!
//! # How to fix
//! - `agent-not-listed`: add the agent to `[[agents]]`, or propose as a listed one.
//! - `agent-not-allowed`: leave the field out.
//! - `agent-confidence-too-low`: propose again with more evidence.
//! - `agent-needs-person`: have a person decide.
//!
//! # Setting
//! `[[agents]]` and `listed_agents_only` in `config/policies/*.toml`.

use crate::{
    domain::{FieldName, policy::AgentRule},
    gate::{
        checks::approval::is_approved,
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Applies every rule that speaks of the agent.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let Some(policy) = input.object_policy() else { return };
    // An edited proposal is a person's; its agent rules ended with the original.
    if input.proposal.edited_from.is_some() {
        return;
    }
    let actor = &input.proposal.actor;
    let rules: Vec<&AgentRule> = policy.agents.iter().filter(|rule| rule.is_about(actor)).collect();
    if policy.listed_agents_only && rules.is_empty() {
        findings.add(
            FindingCode::AgentNotListed,
            format!("`{}` is not among the agents of the policy `{}`", actor.agent, policy.name),
            "an agent that the policy lists",
        );
    }
    for field in input.proposal.patch.keys() {
        for rule in rules.iter().filter(|rule| rule.covers(field)) {
            apply(input, field, rule, findings);
        }
    }
}

fn apply(input: &Input<'_>, field: &FieldName, rule: &AgentRule, findings: &mut Findings) {
    let agent = &rule.agent;
    if !rule.may_propose {
        let message = format!("`{agent}` may not propose {field}");
        return findings.add_field(
            FindingCode::AgentNotAllowed,
            field,
            message,
            "another agent, or a person",
        );
    }
    let given = input.proposal.confidence;
    match (rule.min_confidence, given) {
        (Some(least), Some(confidence)) if confidence < least => findings.add_field(
            FindingCode::AgentConfidenceTooLow,
            field,
            format!("confidence {confidence} is below {least}, the least for `{agent}` on {field}"),
            format!("confidence of at least {least}"),
        ),
        (Some(least), None) if !is_approved(input) => findings.add_field(
            FindingCode::AgentNeedsPerson,
            field,
            format!("`{agent}` gave no confidence, and at least {least} is asked of it on {field}"),
            "a person's approval, or a confidence",
        ),
        _ => {}
    }
    if !rule.may_run && !is_approved(input) {
        let message = format!("changes of {field} by `{agent}` do not run by themselves");
        findings.add_field(FindingCode::AgentNeedsPerson, field, message, "a person's approval");
    }
}
