//! What must hold between the keys of one policy file.

use rust_decimal::Decimal;

use super::{
    create, narrowing,
    reader::{Reader, Section},
    shadow,
};
use crate::{
    domain::{
        FieldPolicy, ObjectPolicy, Path, Tier,
        policy::{Named, Values},
    },
    gate::limits::{days, minutes},
};

/// Time limits and weights.
pub fn object(reader: &mut Reader<'_>, section: &Section<'_>, policy: &ObjectPolicy) {
    let limits = [
        ("proposal_max_age_minutes", policy.proposal_max_age_minutes),
        ("approval_max_age_minutes", policy.approval_max_age_minutes),
        ("undecided_max_age_minutes", policy.undecided_max_age_minutes),
    ];
    for (key, number) in limits {
        if minutes(number).is_none() || number.is_zero() {
            let words = (
                format!("{number} is no number of minutes"),
                "use whole minutes, from 1 to ten years' worth".to_owned(),
            );
            out_of_range(reader, section, key, words);
        }
    }
    // Signal_Score__c keeps six digits before the point and three after it.
    let most = Decimal::from(1000);
    let fits = |weight: &Decimal| (Decimal::ZERO..=most).contains(weight) && weight.scale() <= 3;
    if !policy.signal_weights.values().all(fits) || policy.signal_weights.len() > 900 {
        let words = (
            "a weight does not fit the signal score".to_owned(),
            "use weights from 0 to 1000 with at most three digits after the point".to_owned(),
        );
        out_of_range(reader, section, "signal_weights", words);
    }
    narrowing::object(reader, section, policy);
    shadow::object(reader, section, policy);
    create::rules(reader, section, policy);
}

/// Confidence, tier and lifecycle of one field.
pub fn field(reader: &mut Reader<'_>, section: &Section<'_>, rules: &FieldPolicy) {
    let least = rules.auto.iter().map(|rule| ("auto", rule.min_confidence));
    for (key, least) in rules.min_confidence.map(|least| ("min_confidence", least)).into_iter().chain(least) {
        if !(Decimal::ZERO..=Decimal::ONE).contains(&least) {
            let words = (format!("confidence {least} is not from 0 to 1"), "use a share".to_owned());
            out_of_range(reader, section, key, words);
        }
    }
    let parts = rules.decay_segments.iter().map(|part| ("decay_segments", &part.after_days));
    for (key, windows) in std::iter::once(("decay_after_days", &rules.decay_after_days)).chain(parts) {
        if let Some((state, number)) = windows.iter().find(|(_, number)| days(**number).is_none()) {
            let words = (
                format!("{number} days for \"{state}\""),
                "use whole days, from 0 to ten years' worth".to_owned(),
            );
            out_of_range(reader, section, key, words);
        }
    }
    tiers(reader, section, rules);
    states(reader, section, rules);
}

fn tiers(reader: &mut Reader<'_>, section: &Section<'_>, rules: &FieldPolicy) {
    if !rules.auto.is_empty() && rules.tier != Tier::Autonomous {
        let words = (
            format!("`auto` rules, and the tier is `{}`", rules.tier.name()),
            "set the tier to `autonomous`, or remove the rules".to_owned(),
        );
        reader.problem(Some(section.span("auto")), &section.key("auto"), "policy-auto-tier", words);
    }
    if rules.tier == Tier::Autonomous && rules.auto.is_empty() {
        let words = (
            "the tier is `autonomous`, and no `auto` rule says which steps".to_owned(),
            "add an `auto` rule, or set the tier to `reviewed`".to_owned(),
        );
        reader.problem(Some(section.span("tier")), &section.key("tier"), "policy-auto-tier", words);
    }
    for rule in &rules.auto {
        for (key, values) in [("from", &rule.from), ("to", &rule.to)] {
            if *values == Values::OneOf(Vec::new()) {
                let words = (
                    format!("an `auto` rule whose `{key}` names no value"),
                    "name the values, or write \"any\"".to_owned(),
                );
                contradiction(reader, section, "auto", words);
            }
        }
        if rule.to == Values::Named(Named::Blank) {
            let words = (
                "an `auto` rule that empties the field".to_owned(),
                "leave emptying to people: nothing is emptied without one".to_owned(),
            );
            contradiction(reader, section, "auto", words);
        }
    }
    if rules.tier == Tier::Reviewed && rules.path == Path::BlockAndAlert {
        contradiction(
            reader,
            section,
            "path",
            (
                "a reviewed field that nobody may approve".to_owned(),
                "set the path to `approval_only`, or the tier to `never`".to_owned(),
            ),
        );
    }
}

fn states(reader: &mut Reader<'_>, section: &Section<'_>, rules: &FieldPolicy) {
    for (place, state) in rules.lifecycle.iter().enumerate() {
        if rules.place(state) != Some(place) {
            let words = (format!("\"{state}\" stands twice"), "name each state once".to_owned());
            let key = section.key("lifecycle");
            reader.problem(Some(section.span("lifecycle")), &key, "policy-state-duplicate", words);
        }
    }
    for (key, state) in named_states(rules) {
        if rules.place(state).is_none() && !(key == "auto" && rules.lifecycle.is_empty()) {
            let words = (
                format!("\"{state}\" is not in `lifecycle`"),
                format!("use one of: {}", rules.lifecycle.join(", ")),
            );
            reader.problem(Some(section.span(key)), &section.key(key), "policy-state-unknown", words);
        }
    }
    for step in rules.allowed_regressions.iter().filter(|step| rules.is_terminal(&step.from)) {
        let words = (
            format!("a step back from the terminal state \"{}\"", step.from),
            "remove the step, or the state from `terminal`".to_owned(),
        );
        contradiction(reader, section, "allowed_regressions", words);
    }
    let targets = rules.auto.iter().flat_map(|rule| rule.to.listed());
    for state in targets.filter(|state| rules.never_target.contains(state)) {
        let words = (
            format!("an `auto` rule aims at \"{state}\", which `never_target` names"),
            "remove one of the two".to_owned(),
        );
        contradiction(reader, section, "auto", words);
    }
}

/// Every state that a rule names, with the key that names it.
fn named_states(rules: &FieldPolicy) -> impl Iterator<Item = (&'static str, &String)> {
    let steps = rules.allowed_regressions.iter().flat_map(|step| [&step.from, &step.to]);
    let auto = rules.auto.iter().flat_map(|rule| rule.from.listed().iter().chain(rule.to.listed()));
    let named = |key: &'static str| move |state| (key, state);
    (rules.terminal.iter().map(named("terminal")))
        .chain(rules.never_target.iter().map(named("never_target")))
        .chain(steps.map(named("allowed_regressions")))
        .chain(auto.map(named("auto")))
        .chain(rules.decay_after_days.keys().map(named("decay_after_days")))
        .chain(
            rules.decay_segments.iter().flat_map(|part| part.after_days.keys()).map(named("decay_segments")),
        )
}

fn out_of_range(reader: &mut Reader<'_>, section: &Section<'_>, key: &str, words: (String, String)) {
    reader.problem(Some(section.span(key)), &section.key(key), "policy-range", words);
}

fn contradiction(reader: &mut Reader<'_>, section: &Section<'_>, key: &str, words: (String, String)) {
    reader.problem(Some(section.span(key)), &section.key(key), "policy-contradiction", words);
}
