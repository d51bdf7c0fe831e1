//! What must hold in and between the rules for records that may be made.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::reader::{Reader, Section};
use crate::domain::{
    FieldName, ObjectPolicy,
    policy::{CreateRule, Spent},
};

/// Checks every rule of a policy.
pub fn rules(reader: &mut Reader<'_>, section: &Section<'_>, policy: &ObjectPolicy) {
    let mut names = BTreeSet::new();
    for (place, rule) in policy.create.iter().enumerate() {
        if !names.insert(&rule.name) {
            let words = (
                format!("two rules are called \"{}\", and proposals name one", rule.name),
                "give each its own name".to_owned(),
            );
            reader.problem(Some(section.span("create")), &key(place, "name"), "policy-create-twice", words);
        }
        rule_of(reader, section, (place, rule));
    }
    let waits = |budget: &crate::domain::policy::Budget| budget.then == Spent::Review;
    if !policy.create.is_empty() && policy.fields.is_empty() && policy.budgets.iter().any(waits) {
        let words = (
            "nobody can approve a record that is not there, so this budget refuses".to_owned(),
            "set `then` to hold or block".to_owned(),
        );
        reader.problem(Some(section.span("budgets")), "budgets", "policy-contradiction", words);
    }
}

fn rule_of(reader: &mut Reader<'_>, section: &Section<'_>, (place, rule): (usize, &CreateRule)) {
    let mut problem = |name: &str, code, words| {
        reader.problem(Some(section.span("create")), &key(place, name), code, words);
    };
    if rule.parents.is_empty() {
        let words = (
            "the rule names no parent, so nothing can be made under it".to_owned(),
            "add for example parents = { Lead = \"WhoId\" }".to_owned(),
        );
        problem("parents", "policy-key-missing", words);
    }
    if let Some(least) = rule.min_confidence.filter(|least| !(Decimal::ZERO..=Decimal::ONE).contains(least)) {
        let words = (format!("confidence {least} is not from 0 to 1"), "use a share".to_owned());
        problem("min_confidence", "policy-range", words);
    }
    let set: Vec<&FieldName> = rule.fixed.keys().chain(rule.parents.values()).collect();
    for field in rule.fields.iter().filter(|field| set.contains(field)) {
        let words = (
            format!("an agent may fill {field}, and the rule sets it as well"),
            "keep one of the two".to_owned(),
        );
        problem("fields", "policy-contradiction", words);
    }
    if rule.fixed.get(&rule.cancel.field) == Some(&rule.cancel.value) {
        let words = (
            format!(
                "every record is made with {} \"{}\", which is how one is cancelled",
                rule.cancel.field, rule.cancel.value
            ),
            "name another value in `cancel`".to_owned(),
        );
        problem("cancel", "policy-contradiction", words);
    }
    if rule.lets_fill(&rule.cancel.field) {
        let words = (
            format!("an agent may fill {}, which tells whether a record is cancelled", rule.cancel.field),
            "fix its value in `fixed`, or leave it to the org".to_owned(),
        );
        problem("cancel", "policy-contradiction", words);
    }
}

fn key(place: usize, name: &str) -> String {
    format!("create[{place}].{name}")
}
