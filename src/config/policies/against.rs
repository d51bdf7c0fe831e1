//! A policy against an org: fields and states that the org does not have.

use super::PolicyProblem;
use crate::domain::{
    FieldName, FieldPolicy, FieldType, ObjectPolicy, ObjectSchema, Policy, Tier, policy::CreateRule,
};

/// What the policy of the described object names and the org does not have. Empty when no
/// policy names the object.
pub fn check_against(policy: &Policy, schema: &ObjectSchema) -> Vec<PolicyProblem> {
    let Some(object) = policy.objects.get(&schema.object) else { return Vec::new() };
    let made = object.create.iter().flat_map(|rule| create_problems(object, rule, schema));
    object
        .fields
        .iter()
        .flat_map(|(field, rules)| field_problems(object, field, rules, schema))
        .chain(made)
        .collect()
}

/// What a rule for records that may be made names and the org does not have.
fn create_problems(object: &ObjectPolicy, rule: &CreateRule, schema: &ObjectSchema) -> Vec<PolicyProblem> {
    let problem = |key: &str, code, message, fix: &str| PolicyProblem {
        file: object.name.clone(),
        line: None,
        key: format!("create.{}.{key}", rule.name),
        code,
        message,
        fix: fix.to_owned(),
    };
    let mut problems = Vec::new();
    for field in rule.named_fields() {
        if !schema.fields.contains_key(field) {
            let message = format!("{}.{field} does not exist, or the promoter cannot see it", schema.object);
            let fix = "correct the name, or give the promoter access to the field";
            problems.push(problem(field.as_str(), "policy-field-not-in-org", message, fix));
        }
    }
    let set = rule.fixed.iter().chain(std::iter::once((&rule.cancel.field, &rule.cancel.value)));
    for (field, value) in set {
        if let Some(values) = schema.picklist(field).filter(|values| !values.contains(value)) {
            let message = format!("\"{value}\" is not an active value of {}.{field}", schema.object);
            let fix = format!("use one of: {}", values.join(", "));
            problems.push(problem(field.as_str(), "policy-state-not-in-org", message, &fix));
        }
    }
    problems
}

fn field_problems(
    object: &ObjectPolicy,
    field: &FieldName,
    rules: &FieldPolicy,
    schema: &ObjectSchema,
) -> Vec<PolicyProblem> {
    let problem = |key: &str, code, message, fix: &str| PolicyProblem {
        file: object.name.clone(),
        line: None,
        key: if key.is_empty() { format!("fields.{field}") } else { format!("fields.{field}.{key}") },
        code,
        message,
        fix: fix.to_owned(),
    };
    let Some(facts) = schema.fields.get(field) else {
        return vec![problem(
            "",
            "policy-field-not-in-org",
            format!("{}.{field} does not exist, or the promoter cannot see it", schema.object),
            "correct the name, or give the promoter access to the field",
        )];
    };
    let mut problems = Vec::new();
    if !facts.updateable && rules.tier != Tier::ReadOnly {
        problems.push(problem(
            "tier",
            "policy-field-not-updateable",
            format!("the promoter may not write {}.{field}", schema.object),
            "give the promoter edit access, or set the tier to `read_only`",
        ));
    }
    for limit in &rules.limits {
        let fits = match facts.field_type {
            FieldType::Decimal { .. } => !limit.measure.is_of_days(),
            FieldType::Date => limit.measure.is_of_days(),
            _ => false,
        };
        if !fits {
            problems.push(problem(
                "limits",
                "policy-limit-type",
                format!("`{}` does not fit the type of {}.{field}", limit.measure.name(), schema.object),
                "measure numbers with rise, fall, change or change_percent, dates with days_later or days_earlier",
            ));
        }
    }
    if let Some(values) = schema.picklist(field) {
        let auto = rules.auto.iter().flat_map(|rule| rule.from.listed().iter().chain(rule.to.listed()));
        // States of rules stand in the lifecycle, unless there is none.
        let auto = auto.filter(|_| rules.lifecycle.is_empty()).map(|state| ("auto", state));
        let named = rules.lifecycle.iter().map(|state| ("lifecycle", state)).chain(auto);
        for (key, state) in named.filter(|(_, state)| !values.contains(state)) {
            problems.push(problem(
                key,
                "policy-state-not-in-org",
                format!("\"{state}\" is not an active value of {}.{field}", schema.object),
                &format!("use one of: {}", values.join(", ")),
            ));
        }
    }
    problems
}
