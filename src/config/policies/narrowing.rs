//! What must hold for the rules that narrow: conditions about known fields, sizes that can be.

use rust_decimal::Decimal;

use super::reader::{Reader, Section};
use crate::{
    domain::{Condition, FieldName, FieldPolicy, ObjectPolicy},
    gate::limits::minutes,
};

/// Fields besides the governed ones that a condition may name.
const ALSO_READ: &[&str] = &["Name", "OwnerId"];

/// Longest time of a budget, in minutes: each decision reads what came in within it.
const A_MONTH: u32 = 31 * 24 * 60;

/// Protections, agents and conditions of one object.
pub fn object(reader: &mut Reader<'_>, section: &Section<'_>, policy: &ObjectPolicy) {
    for rule in &policy.protected {
        condition(reader, section, ("protected", &rule.when), policy);
    }
    for budget in &policy.budgets {
        let in_time = minutes(budget.minutes).is_some() && budget.minutes >= Decimal::ONE;
        if !in_time || budget.minutes > A_MONTH.into() {
            let words = format!("{} is no number of minutes from 1 to {A_MONTH}, a month", budget.minutes);
            range(reader, section, "budgets", words);
        }
        if !budget.at_most.is_integer() || budget.at_most.is_sign_negative() {
            let words = format!("at most {} {}: use a whole number", budget.at_most, budget.of.name());
            range(reader, section, "budgets", words);
        }
    }
    for (field, rules) in &policy.fields {
        for when in rules.auto.iter().filter_map(|rule| rule.when.as_ref()) {
            condition(reader, section, ("fields", when), policy);
        }
        for part in &rules.decay_segments {
            condition(reader, section, ("fields", &part.when), policy);
        }
        limits(reader, section, (field, rules));
    }
    for rule in &policy.agents {
        let known = |field: &&FieldName| {
            policy.fields.contains_key(*field) || policy.create.iter().any(|rule| rule.lets_fill(field))
        };
        for field in rule.fields.iter().filter(|field| !known(field)) {
            let words = (
                format!("the rule for `{}` names {field}, which the policy does not", rule.agent),
                "name a field of this policy".to_owned(),
            );
            reader.problem(Some(section.span("agents")), &section.key("agents"), "policy-agent-field", words);
        }
        if rule.min_confidence.is_some_and(|least| !(Decimal::ZERO..=Decimal::ONE).contains(&least)) {
            range(
                reader,
                section,
                "agents",
                format!("the confidence of `{}` is not from 0 to 1", rule.agent),
            );
        }
    }
    if policy.listed_agents_only && policy.agents.is_empty() {
        let words = (
            "only listed agents may propose, and none is listed".to_owned(),
            "add [[agents]], or take the key out".to_owned(),
        );
        let key = section.key("listed_agents_only");
        reader.problem(Some(section.span("listed_agents_only")), &key, "policy-contradiction", words);
    }
}

pub(super) fn condition(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    (key, condition): (&str, &Condition),
    policy: &ObjectPolicy,
) {
    let known = |field: &FieldName| policy.fields.contains_key(field) || ALSO_READ.contains(&field.as_str());
    for field in condition.fields().into_iter().filter(|field| !known(field)) {
        let mut fields: Vec<&str> = policy.fields.keys().map(FieldName::as_str).collect();
        fields.extend(ALSO_READ);
        let words = (
            format!("the condition names {field}, which the gate does not read"),
            format!("use one of: {}", fields.join(", ")),
        );
        reader.problem(Some(section.span(key)), &section.key(key), "policy-condition-field", words);
    }
}

fn limits(reader: &mut Reader<'_>, section: &Section<'_>, (field, rules): (&FieldName, &FieldPolicy)) {
    if let Some(limit) = rules.limits.iter().find(|limit| limit.above.is_sign_negative()) {
        let words =
            format!("{field}: a {} above {} is nearly every change", limit.measure.name(), limit.above);
        range(reader, section, "fields", words);
    }
    let Some(evidence) = &rules.evidence else { return };
    let countable = evidence.at_least.is_integer()
        && evidence.at_least >= Decimal::ONE
        && evidence.at_least <= Decimal::ONE_HUNDRED;
    if !countable {
        let words = format!("{field}: {} pieces of evidence is no number from 1 to 100", evidence.at_least);
        range(reader, section, "fields", words);
    }
    if evidence.max_age_minutes.is_some_and(|age| minutes(age).is_none()) {
        range(
            reader,
            section,
            "fields",
            format!("{field}: the age of evidence is no number of whole minutes"),
        );
    }
}

fn range(reader: &mut Reader<'_>, section: &Section<'_>, key: &str, message: String) {
    let words = (message, "see config/policies for what each key takes".to_owned());
    reader.problem(Some(section.span(key)), &section.key(key), "policy-range", words);
}
