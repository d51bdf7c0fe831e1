//! What changes in meaning from one policy to another, and in which direction.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Serialize;

use crate::domain::{
    FieldName, FieldPolicy, Mode, ObjectPolicy, Path, Policy, Tier,
    policy::{AgentRule, AutoRule, CreateRule, EvidenceRule, ShadowRule},
};

/// In which direction a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More may happen than before.
    Looser,
    /// It cannot be said.
    Other,
    /// Less may happen than before.
    Stricter,
}

impl Direction {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Looser => "looser",
            Self::Other => "other",
            Self::Stricter => "stricter",
        }
    }

    fn turned(self) -> Self {
        match self {
            Self::Looser => Self::Stricter,
            Self::Other => Self::Other,
            Self::Stricter => Self::Looser,
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyChange {
    /// The org that it is about; `None` for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// Object API name.
    pub object: String,
    /// The key.
    pub key: String,
    /// In which direction.
    pub direction: Direction,
    /// Before; `None` when it was not there.
    pub before: Option<String>,
    /// After; `None` when it is gone.
    pub after: Option<String>,
}

/// What a key says, in a form that can be compared.
enum Says {
    /// A value with a rank.
    Rank(Rank),
    /// A value that is only the same or another one.
    Word(String),
    /// Statements: one more goes in this direction.
    Each(BTreeSet<String>, Direction),
}

/// A value that can be higher or lower.
struct Rank {
    number: Decimal,
    text: String,
    /// Where a higher value goes.
    higher: Direction,
    /// Where it goes that there is one.
    present: Direction,
}

impl Rank {
    fn says(number: Decimal, text: String, (higher, present): (Direction, Direction)) -> Says {
        Says::Rank(Self { number, text, higher, present })
    }
}

type Sayings = BTreeMap<String, Says>;

/// All changes, by object and key.
pub fn compare(before: &Policy, after: &Policy) -> Vec<PolicyChange> {
    let objects: BTreeSet<_> = before.objects.keys().chain(after.objects.keys()).collect();
    let mut changes = Vec::new();
    for object in objects {
        let change = |key: &str, direction, before: Option<String>, after: Option<String>| PolicyChange {
            org: None,
            object: object.to_string(),
            key: key.to_owned(),
            direction,
            before,
            after,
        };
        match (before.objects.get(object), after.objects.get(object)) {
            (Some(before), Some(after)) => {
                let (old, new) = (sayings(before, after), sayings(after, before));
                let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                for key in keys {
                    for (direction, from, to) in differences(old.get(key), new.get(key)) {
                        changes.push(change(key, direction, from, to));
                    }
                }
            }
            (None, Some(after)) => {
                changes.push(change("object", Direction::Looser, None, Some(after.name.clone())));
            }
            (Some(before), None) => {
                changes.push(change("object", Direction::Stricter, Some(before.name.clone()), None));
            }
            (None, None) => {}
        }
    }
    changes
}

type Difference = (Direction, Option<String>, Option<String>);

fn differences(old: Option<&Says>, new: Option<&Says>) -> Vec<Difference> {
    match (old, new) {
        (Some(Says::Each(old, more)), Some(Says::Each(new, _))) => {
            let gone = old.difference(new).map(|gone| (more.turned(), Some(gone.clone()), None));
            let come = new.difference(old).map(|come| (*more, None, Some(come.clone())));
            gone.chain(come).collect()
        }
        (Some(Says::Rank(old)), Some(Says::Rank(new))) if old.number != new.number => {
            let direction = if new.number > old.number { new.higher } else { new.higher.turned() };
            vec![(direction, Some(old.text.clone()), Some(new.text.clone()))]
        }
        (Some(Says::Word(was)), Some(Says::Word(is))) if was != is => {
            vec![(Direction::Other, Some(was.clone()), Some(is.clone()))]
        }
        (Some(_), Some(_)) | (None, None) => Vec::new(),
        (None, Some(new)) => one_sided(new).into_iter().map(|(way, text)| (way, None, Some(text))).collect(),
        (Some(old), None) => {
            one_sided(old).into_iter().map(|(way, text)| (way.turned(), Some(text), None)).collect()
        }
    }
}

/// What it means that a key came in.
fn one_sided(says: &Says) -> Vec<(Direction, String)> {
    match says {
        Says::Rank(rank) => vec![(rank.present, rank.text.clone())],
        Says::Word(text) => vec![(Direction::Other, text.clone())],
        Says::Each(all, more) => all.iter().map(|text| (*more, text.clone())).collect(),
    }
}

/// What a policy says, with the details of those fields only that the other one has as well.
fn sayings(policy: &ObjectPolicy, other: &ObjectPolicy) -> Sayings {
    let mut all = Sayings::new();
    let mut rank = |key: &str, number: Decimal, higher| {
        all.insert(key.to_owned(), Rank::says(number, number.to_string(), (higher, Direction::Other)));
    };
    rank("proposal_max_age_minutes", policy.proposal_max_age_minutes, Direction::Looser);
    rank("approval_max_age_minutes", policy.approval_max_age_minutes, Direction::Looser);
    rank("undecided_max_age_minutes", policy.undecided_max_age_minutes, Direction::Looser);
    let listed = Decimal::from(u8::from(policy.listed_agents_only));
    let text = policy.listed_agents_only.to_string();
    all.insert(
        "listed_agents_only".to_owned(),
        Rank::says(listed, text, (Direction::Stricter, Direction::Stricter)),
    );
    let protected =
        policy.protected.iter().map(|rule| format!("{} ({}): {}", rule.why, rule.when, rule.then.name()));
    all.insert("protected".to_owned(), Says::Each(protected.collect(), Direction::Stricter));
    // With a list of agents, one more may propose; without, one more is asked for more.
    let more = if policy.listed_agents_only { Direction::Other } else { Direction::Stricter };
    let agents = policy.agents.iter().map(agent_words);
    all.insert("agents".to_owned(), Says::Each(agents.collect(), more));
    // A key once: of several budgets for the same, the lowest counts.
    let mut lowest: BTreeMap<String, Decimal> = BTreeMap::new();
    for budget in &policy.budgets {
        let (of, per, then) = (budget.of.name(), budget.per.name(), budget.then.name());
        let key = format!("budgets: {of} per {per} in {} minutes, then {then}", budget.minutes);
        let known = lowest.entry(key).or_insert(budget.at_most);
        *known = budget.at_most.min(*known);
    }
    for (key, at_most) in lowest {
        let says =
            Rank::says(at_most, format!("at most {at_most}"), (Direction::Looser, Direction::Stricter));
        all.insert(key, says);
    }
    of_shadow(policy.shadow.as_ref(), &mut all);
    let weights = policy.signal_weights.iter().map(|(kind, weight)| format!("{kind} {weight}"));
    all.insert("signal_weights".to_owned(), Says::Each(weights.collect(), Direction::Other));
    let fields = policy.fields.keys().map(ToString::to_string);
    all.insert("fields".to_owned(), Says::Each(fields.collect(), Direction::Looser));
    let rules = policy.create.iter().map(|rule| rule.name.clone());
    all.insert("create".to_owned(), Says::Each(rules.collect(), Direction::Looser));
    for rule in policy.create.iter().filter(|rule| other.create_rule(&rule.name).is_some()) {
        of_create(&format!("create.{}", rule.name), rule, &mut all);
    }
    for (field, rules) in policy.fields.iter().filter(|(field, _)| other.fields.contains_key(*field)) {
        of_field(&format!("fields.{field}"), rules, &mut all);
    }
    all
}

/// A higher one lets more happen.
const MORE: (Direction, Direction) = (Direction::Looser, Direction::Other);

fn of_field(key: &str, rules: &FieldPolicy, all: &mut Sayings) {
    let mut say = |name: &str, says| {
        all.insert(format!("{key}.{name}"), says);
    };
    let tier = match rules.tier {
        Tier::ReadOnly => 0,
        Tier::Never => 1,
        Tier::Reviewed => 2,
        Tier::Autonomous => 3,
    };
    say("tier", Rank::says(tier.into(), rules.tier.name().to_owned(), MORE));
    let path = if rules.path == Path::ApprovalOnly { (1, "approval_only") } else { (0, "block_and_alert") };
    say("path", Rank::says(path.0.into(), path.1.to_owned(), MORE));
    let mode = if rules.mode == Mode::Live { (1, "live") } else { (0, "shadow") };
    say("mode", Rank::says(mode.0.into(), mode.1.to_owned(), MORE));
    if let Some(least) = rules.min_confidence {
        say(
            "min_confidence",
            Rank::says(least, least.to_string(), (Direction::Stricter, Direction::Stricter)),
        );
    }
    let each = |items: &[String]| items.iter().cloned().collect::<BTreeSet<_>>();
    say("lifecycle", Says::Word(rules.lifecycle.join(" > ")));
    say("terminal", Says::Each(each(&rules.terminal), Direction::Stricter));
    say("never_target", Says::Each(each(&rules.never_target), Direction::Stricter));
    let back = rules.allowed_regressions.iter().map(|step| format!("{} > {}", step.from, step.to));
    say("allowed_regressions", Says::Each(back.collect(), Direction::Looser));
    // Of several rules for one step the mildest counts, and of several limits the lowest.
    let mut mildest: BTreeMap<String, Decimal> = BTreeMap::new();
    for (step, least) in rules.auto.iter().flat_map(steps) {
        let known = mildest.entry(step).or_insert(least);
        *known = least.min(*known);
    }
    for (step, least) in mildest {
        let text = format!("from confidence {least} on");
        say(&format!("auto: {step}"), Rank::says(least, text, (Direction::Stricter, Direction::Looser)));
    }
    let mut lowest: BTreeMap<String, Decimal> = BTreeMap::new();
    for limit in &rules.limits {
        let key = format!("limits: {} {}", limit.measure.name(), limit.then.name());
        let known = lowest.entry(key).or_insert(limit.above);
        *known = limit.above.min(*known);
    }
    for (key, above) in lowest {
        say(&key, Rank::says(above, format!("above {above}"), (Direction::Looser, Direction::Stricter)));
    }
    let evidence = rules.evidence.iter().map(evidence_words);
    say("evidence", Says::Each(evidence.collect(), Direction::Stricter));
    let decay = rules.decay_after_days.iter().map(|(state, days)| format!("{state} after {days} days"));
    say("decay_after_days", Says::Each(decay.collect(), Direction::Other));
    // The first part that holds counts, so their order says something too.
    let parts = rules.decay_segments.iter().enumerate().map(|(place, part)| {
        let windows = part.after_days.iter().map(|(state, days)| format!("{state} after {days} days"));
        let windows = windows.collect::<Vec<_>>().join(", ");
        let windows = if windows.is_empty() { "never".to_owned() } else { windows };
        format!("{}. {} ({}): {windows}", place + 1, part.name, part.when)
    });
    say("decay_segments", Says::Each(parts.collect(), Direction::Other));
}

/// Without the table no lane that is live by `mode` is measured, and the ordinary numbers hold.
fn of_shadow(rule: Option<&ShadowRule>, all: &mut Sayings) {
    let Some(rule) = rule else { return };
    let mut say = |name: &str, number: Decimal, higher| {
        let says = Rank::says(number, number.to_string(), (higher, Direction::Other));
        all.insert(format!("shadow.{name}"), says);
    };
    say("label_days", rule.label_days, Direction::Other);
    say("window_days", rule.window_days, Direction::Other);
    say("min_sample", rule.min_sample, Direction::Other);
    say("promote_from", rule.promote_from, Direction::Stricter);
    say("step_back_below", rule.step_back_below, Direction::Stricter);
    say("max_reversals", rule.max_reversals, Direction::Looser);
    let parts = rule.segments.iter().enumerate();
    let parts = parts.map(|(place, part)| format!("{}. {} ({})", place + 1, part.name, part.when));
    all.insert("shadow.segments".to_owned(), Says::Each(parts.collect(), Direction::Other));
}

fn of_create(key: &str, rule: &CreateRule, all: &mut Sayings) {
    let mut say = |name: &str, says| {
        all.insert(format!("{key}.{name}"), says);
    };
    let mode = if rule.mode == Mode::Live { (1, "live") } else { (0, "shadow") };
    say("mode", Rank::says(mode.0.into(), mode.1.to_owned(), MORE));
    if let Some(least) = rule.min_confidence {
        let ways = (Direction::Stricter, Direction::Stricter);
        say("min_confidence", Rank::says(least, least.to_string(), ways));
    }
    let fields = rule.fields.iter().map(ToString::to_string);
    say("fields", Says::Each(fields.collect(), Direction::Looser));
    let parents = rule.parents.iter().map(|(object, link)| format!("{object} by {link}"));
    say("parents", Says::Each(parents.collect(), Direction::Looser));
    let fixed = rule.fixed.iter().map(|(field, value)| format!("{field} = {value}"));
    say("fixed", Says::Each(fixed.collect(), Direction::Other));
    say("cancel", Says::Word(format!("{} = {}", rule.cancel.field, rule.cancel.value)));
}

/// Each step by itself, so that a rule that was split says the same.
fn steps(rule: &AutoRule) -> Vec<(String, Decimal)> {
    let when = rule.when.as_ref().map(|when| format!(", where {when}")).unwrap_or_default();
    let to = rule.to.words();
    let pairs = rule.from.words().into_iter().flat_map(|from| to.iter().map(move |to| (from, *to)));
    pairs.map(|(from, to)| (format!("{from} > {to}{when}"), rule.min_confidence)).collect()
}

fn agent_words(rule: &AgentRule) -> String {
    let workflow =
        rule.workflow.as_deref().map(|workflow| format!(", workflow {workflow}")).unwrap_or_default();
    let fields: Vec<&str> = rule.fields.iter().map(FieldName::as_str).collect();
    let fields = if fields.is_empty() { "all fields".to_owned() } else { fields.join(", ") };
    let least = rule.min_confidence.map(|least| format!(", from confidence {least} on")).unwrap_or_default();
    let (may_propose, may_run) = (rule.may_propose, rule.may_run);
    format!("{}{workflow}: {fields}, may_propose {may_propose}, may_run {may_run}{least}", rule.agent)
}

fn evidence_words(rule: &EvidenceRule) -> String {
    let kinds = if rule.kinds.is_empty() { "any kind".to_owned() } else { rule.kinds.join(" or ") };
    let age = rule.max_age_minutes.map(|age| format!(", at most {age} minutes old")).unwrap_or_default();
    format!("at least {} of {kinds}{age}: {}", rule.at_least, rule.then.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::policies::load_default;

    fn changed(change: impl FnOnce(&mut ObjectPolicy)) -> Vec<(Direction, String)> {
        let before = load_default().unwrap();
        let mut after = before.clone();
        change(after.objects.values_mut().next().unwrap());
        let there = compare(&before, &after);
        let back = compare(&after, &before);
        let ways =
            |changes: &[PolicyChange]| changes.iter().map(|change| change.direction).collect::<Vec<_>>();
        let turned: Vec<Direction> = ways(&back).into_iter().map(Direction::turned).collect();
        assert_eq!(ways(&there), turned, "the way back is the other way: {there:?}");
        there.into_iter().map(|change| (change.direction, change.key)).collect()
    }

    fn status(policy: &mut ObjectPolicy) -> &mut FieldPolicy {
        policy.fields.values_mut().next().unwrap()
    }

    #[test]
    fn the_same_says_nothing() {
        assert_eq!(changed(|_| {}), []);
        let split = |policy: &mut ObjectPolicy| {
            let rule = status(policy).auto[0].clone();
            status(policy).auto.push(AutoRule { min_confidence: Decimal::ONE, ..rule });
        };
        assert_eq!(changed(split), [], "a rule that stands twice lets nothing more happen");
    }

    #[test]
    fn each_change_has_its_direction() {
        use Direction::{Looser, Other, Stricter};
        let step = "fields.Status.auto: Open - Not Contacted > Working - Contacted";
        type Edit = Box<dyn FnOnce(&mut ObjectPolicy)>;
        let cases: Vec<(Edit, Direction, &str)> = vec![
            (Box::new(|p| status(p).auto[0].min_confidence = "0.8".parse().unwrap()), Looser, step),
            (Box::new(|p| status(p).auto.clear()), Stricter, step),
            (Box::new(|p| status(p).tier = Tier::Never), Stricter, "fields.Status.tier"),
            (Box::new(|p| status(p).mode = Mode::Shadow), Stricter, "fields.Status.mode"),
            (Box::new(|p| status(p).path = Path::BlockAndAlert), Stricter, "fields.Status.path"),
            (Box::new(|p| status(p).min_confidence = None), Looser, "fields.Status.min_confidence"),
            (Box::new(|p| drop(status(p).terminal.pop())), Looser, "fields.Status.terminal"),
            (Box::new(|p| status(p).lifecycle.reverse()), Other, "fields.Status.lifecycle"),
            (Box::new(|p| p.approval_max_age_minutes += Decimal::ONE), Looser, "approval_max_age_minutes"),
            (Box::new(|p| p.listed_agents_only = true), Stricter, "listed_agents_only"),
            (Box::new(|p| p.fields.clear()), Stricter, "fields"),
        ];
        for (change, direction, key) in cases {
            assert_eq!(changed(change), [(direction, key.to_owned())]);
        }
    }

    #[test]
    fn an_object_that_comes_in_is_one_change() {
        let after = load_default().unwrap();
        let changes = compare(&Policy::default(), &after);
        assert_eq!(changes.len(), after.objects.len());
        assert!(changes.iter().all(|change| change.direction == Direction::Looser && change.key == "object"));
    }
}
