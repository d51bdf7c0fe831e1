//! What is legal in a policy and probably not meant.

use serde::Serialize;

use crate::domain::{
    FieldName, FieldPolicy, FieldValue, ObjectPolicy, Policy, Tier,
    policy::{AutoRule, Consequence, Named, Values},
};

/// Fields that feed forecast, quota or pay: a person belongs in front of them.
const MONEY: &[&str] = &[
    "Amount",
    "CloseDate",
    "ForecastCategory",
    "ForecastCategoryName",
    "ExpectedRevenue",
    "OwnerId",
    "StageName",
];

/// Fewer answers than this say little about a lane.
const FEW: u32 = 30;

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// The policy's name.
    pub policy: String,
    /// The key, for example `fields.Status.auto[0]`.
    pub key: String,
    /// Stable code in kebab case.
    pub code: &'static str,
    /// What was found.
    pub message: String,
    /// What to do.
    pub fix: &'static str,
}

/// Everything to look at, in the order of the policies and their keys.
pub fn lint(policy: &Policy) -> Vec<Lint> {
    policy.objects.values().flat_map(object).collect()
}

/// Collects for one policy.
struct Found<'a> {
    policy: &'a ObjectPolicy,
    lints: Vec<Lint>,
}

impl Found<'_> {
    fn add(&mut self, key: String, code: &'static str, message: String, fix: &'static str) {
        self.lints.push(Lint { policy: self.policy.name.clone(), key, code, message, fix });
    }
}

fn object(policy: &ObjectPolicy) -> Vec<Lint> {
    let mut found = Found { policy, lints: Vec::new() };
    for (place, rule) in policy.agents.iter().enumerate() {
        if rule.may_propose && rule.may_run && rule.min_confidence.is_none() && !policy.listed_agents_only {
            let message = format!("the rule for `{}` asks for nothing", rule.agent);
            found.add(
                format!("agents[{place}]"),
                "lint-rule-without-effect",
                message,
                "give it a key, or remove it",
            );
        }
    }
    for (place, rule) in policy.create.iter().enumerate() {
        if rule.min_confidence.is_none() {
            let message = format!("every guess makes a record by the rule `{}`", rule.name);
            let key = format!("create[{place}]");
            found.add(key, "lint-no-least-confidence", message, "set `min_confidence`");
        }
        if policy.budgets.is_empty() {
            let message = "nothing bounds how many records an agent has made".to_owned();
            let fix = "add [[budgets]], for example per record and day";
            found.add(format!("create[{place}]"), "lint-no-budget", message, fix);
        }
    }
    if let Some(rule) = policy.shadow.as_ref().filter(|rule| rule.min_sample < FEW.into()) {
        let message = format!("{} answers say little: the interval is wide", rule.min_sample);
        found.add("shadow.min_sample".to_owned(), "lint-small-sample", message, "ask for 30 or more");
    }
    for (field, rules) in &policy.fields {
        autonomy(&mut found, field, rules);
        for (place, rule) in rules.auto.iter().enumerate() {
            unreachable(&mut found, (field, rules), (place, rule));
        }
        lifecycle(&mut found, field, rules);
        narrowing(&mut found, field, rules);
    }
    found.lints
}

fn autonomy(found: &mut Found<'_>, field: &FieldName, rules: &FieldPolicy) {
    if rules.tier == Tier::Autonomous && MONEY.contains(&field.as_str()) {
        found.add(
            format!("fields.{field}.tier"),
            "lint-money-by-itself",
            format!("{field} feeds forecast or pay and may change without a person"),
            "set the tier to `reviewed` or `never`",
        );
    }
    if rules.tier != Tier::ReadOnly && rules.min_confidence.is_none() {
        found.add(
            format!("fields.{field}"),
            "lint-no-least-confidence",
            format!("every guess about {field} is shown to people"),
            "set `min_confidence`",
        );
    }
}

fn unreachable(
    found: &mut Found<'_>,
    (field, rules): (&FieldName, &FieldPolicy),
    (place, rule): (usize, &AutoRule),
) {
    let key = format!("fields.{field}.auto[{place}]");
    let passes = |from: &str, to: &str| {
        let back = match (rules.place(from), rules.place(to)) {
            (Some(from), Some(to)) => to < from && !rules.is_terminal(&rules.lifecycle[to]),
            _ => false,
        };
        let allowed = rules.allowed_regressions.iter().any(|step| step.from == from && step.to == to);
        from != to && !rules.is_terminal(from) && (!back || allowed)
    };
    let steps = rule.from.listed().iter().flat_map(|from| rule.to.listed().iter().map(move |to| (from, to)));
    for (from, to) in steps.filter(|(from, to)| !passes(from, to)) {
        let message = format!(
            "no change goes from \"{from}\" to \"{to}\": it stays, goes back or leaves a terminal state"
        );
        found.add(key.clone(), "lint-rule-unreachable", message, "remove the step, or allow the step back");
    }
    let any = Values::Named(Named::Any);
    if !rules.lifecycle.is_empty() && (rule.from == any || rule.to == any) {
        let message =
            format!("\"any\" lets every step forward of {field} run by itself, also states to come");
        found.add(key.clone(), "lint-any-state", message, "name the states");
    }
    let milder = rules.auto[..place].iter().position(|other| {
        other.when.is_none()
            && other.min_confidence <= rule.min_confidence
            && other.from.include(&rule.from)
            && other.to.include(&rule.to)
    });
    if let Some(other) = milder {
        let message = format!("auto[{other}] lets the same steps run and asks for less");
        found.add(key.clone(), "lint-rule-covered", message, "remove one of the two");
    }
    if rules.min_confidence.is_some_and(|least| rule.min_confidence < least) {
        let message = "the field's own `min_confidence` is higher, so this one never counts".to_owned();
        found.add(key, "lint-rule-covered", message, "raise the rule's confidence");
    }
}

fn lifecycle(found: &mut Found<'_>, field: &FieldName, rules: &FieldPolicy) {
    let key = |key: &str| format!("fields.{field}.{key}");
    if !rules.lifecycle.is_empty() && rules.terminal.is_empty() {
        let message = format!("no state of {field} is terminal, so an agent may propose out of each");
        found.add(key("terminal"), "lint-no-terminal", message, "name the states that nothing leaves");
    }
    decay(found, field, rules);
    if rules.tier != Tier::Autonomous {
        return;
    }
    let state_of = |state: &str| FieldValue::Text(state.to_owned());
    let left = |state: &str| rules.auto.iter().any(|rule| rule.from.covers(&state_of(state)));
    let entered = |state: &str| rules.auto.iter().any(|rule| rule.to.covers(&state_of(state)));
    for state in &rules.lifecycle {
        if entered(state)
            && !left(state)
            && !rules.is_terminal(state)
            && !rules.decaying().any(|decays| decays == state)
        {
            let message = format!("\"{state}\" is reached by itself and left by a person only");
            found.add(
                key("auto"),
                "lint-lifecycle-gap",
                message,
                "add a rule or a decay for it, if that is not meant",
            );
        }
    }
}

fn decay(found: &mut Found<'_>, field: &FieldName, rules: &FieldPolicy) {
    let parts = rules.decay_segments.iter().enumerate();
    let parts = parts.map(|(place, part)| (format!("decay_segments[{place}].after_days"), &part.after_days));
    let general = ("decay_after_days".to_owned(), &rules.decay_after_days);
    for (key, windows) in std::iter::once(general).chain(parts) {
        for state in windows.keys().filter(|state| rules.decay_target(state).is_none()) {
            let message = match (rules.is_terminal(state), rules.place(state)) {
                (true, _) => format!("\"{state}\" is terminal and never decays"),
                (_, Some(0)) => format!("\"{state}\" is the first state: there is none to go back to"),
                _ => format!("the state before \"{state}\" is an end or reserved: nothing goes back to it"),
            };
            let key = format!("fields.{field}.{key}");
            found.add(key, "lint-rule-unreachable", message, "remove the state here");
        }
    }
}

fn narrowing(found: &mut Found<'_>, field: &FieldName, rules: &FieldPolicy) {
    let asks_anyway = matches!(rules.tier, Tier::Reviewed | Tier::Never);
    for (place, limit) in rules.limits.iter().enumerate() {
        if asks_anyway && limit.then == Consequence::Review {
            let message = format!("a person looks at every change of {field} as it is");
            let key = format!("fields.{field}.limits[{place}]");
            found.add(key, "lint-rule-without-effect", message, "set `then` to block, or remove the limit");
        }
    }
    let thin = rules.evidence.as_ref().is_some_and(|rule| rule.then == Consequence::Review);
    if asks_anyway && thin {
        let message = format!("a person looks at every change of {field} as it is");
        let key = format!("fields.{field}.evidence");
        found.add(key, "lint-rule-without-effect", message, "set `then` to block, or remove the rule");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::policies::load_default;

    /// The codes for the lead policy after a change.
    fn codes(change: impl FnOnce(&mut ObjectPolicy)) -> Vec<&'static str> {
        let mut policy = load_default().unwrap();
        change(policy.objects.values_mut().next().unwrap());
        lint(&policy).into_iter().map(|lint| lint.code).collect()
    }

    fn status(policy: &mut ObjectPolicy) -> &mut FieldPolicy {
        policy.fields.values_mut().next().unwrap()
    }

    #[test]
    fn the_shipped_policies_are_clean() {
        assert_eq!(codes(|_| {}), [""; 0]);
    }

    #[test]
    fn what_is_probably_not_meant_is_named() {
        let rule = |from: &str, to: &str, least: &str| AutoRule {
            from: Values::OneOf(vec![from.into()]),
            to: Values::OneOf(vec![to.into()]),
            min_confidence: least.parse().unwrap(),
            when: None,
        };
        let back = rule("Working - Contacted", "Open - Not Contacted", "0.9");
        let closed = rule("Closed - Not Converted", "Working - Contacted", "0.9");
        let again = rule("Open - Not Contacted", "Working - Contacted", "0.95");
        assert_eq!(codes(|p| status(p).auto.push(back)), ["lint-rule-unreachable"]);
        assert_eq!(codes(|p| status(p).auto.push(closed)), ["lint-rule-unreachable"]);
        assert_eq!(codes(|p| status(p).auto.push(again)), ["lint-rule-covered"]);
        assert_eq!(
            codes(|p| status(p).min_confidence = Some("0.95".parse().unwrap())),
            ["lint-rule-covered"]
        );
        let any = AutoRule { to: Values::Named(Named::Any), ..rule("Open - Not Contacted", "", "0.95") };
        assert_eq!(codes(|p| status(p).auto.push(any)), ["lint-any-state"]);
        assert_eq!(codes(|p| status(p).min_confidence = None), ["lint-no-least-confidence"]);
        assert_eq!(codes(|p| status(p).decay_after_days.clear()), ["lint-lifecycle-gap"]);
        let decays = |state: &'static str| {
            move |policy: &mut ObjectPolicy| {
                status(policy).decay_after_days.insert(state.into(), 30.into());
            }
        };
        assert_eq!(codes(decays("Closed - Converted")), ["lint-rule-unreachable"]);
        assert_eq!(codes(decays("Open - Not Contacted")), ["lint-rule-unreachable"]);
    }

    #[test]
    fn money_that_may_change_by_itself_is_named() {
        let mut policy = load_default().unwrap();
        let deals = policy.objects.values_mut().nth(1).unwrap();
        for rules in deals.fields.values_mut() {
            rules.tier = Tier::Autonomous;
        }
        let found = lint(&policy);
        let keys: Vec<&str> = found
            .iter()
            .filter(|lint| lint.code == "lint-money-by-itself")
            .map(|lint| lint.key.as_str())
            .collect();
        assert_eq!(keys, ["fields.Amount.tier", "fields.CloseDate.tier", "fields.StageName.tier"]);
    }
}
