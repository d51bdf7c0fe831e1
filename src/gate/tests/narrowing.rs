//! Rules that narrow only ever take away: no case runs with them that did not run without.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::properties::owned;
use crate::{
    domain::{
        Condition, FieldName, FieldPolicy, Policy,
        condition::{Operator, Test},
        policy::{
            AgentRule, Budget, Consequence, Counted, EvidenceRule, Limit, Measure, Per, Protection, Spent,
        },
    },
    gate::{Outcome, Rules, decide},
};

fn consequence() -> impl Strategy<Value = Consequence> {
    prop::sample::select(&[Consequence::Review, Consequence::Block])
}

fn condition() -> impl Strategy<Value = Condition> {
    let field = prop::sample::select(&["Status", "Amount", "Name", "Ghost__c"]);
    let operator = prop_oneof![
        any::<bool>().prop_map(Operator::IsBlank),
        (-10_i64..20_000).prop_map(|limit| Operator::Above(limit.into())),
        Just(Operator::IsAnyOf(vec!["Open - Not Contacted".into(), "Example Widgets Ltd".into()])),
        (0_i64..400).prop_map(|days| Operator::WithinDays(days.into())),
    ];
    let test = (field, operator).prop_map(|(field, operator)| {
        Condition::Test(Test { field: FieldName::parse(field).unwrap(), operator })
    });
    test.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

/// What is added to a policy.
#[derive(Debug, Clone)]
pub struct Narrowing {
    protected: Option<(Condition, Consequence)>,
    agent: Option<([bool; 3], Option<i64>)>,
    evidence: Option<(i64, Consequence)>,
    limit: Option<(usize, i64, Consequence)>,
    when: Option<Condition>,
    budget: Option<(usize, i64, Spent)>,
}

pub fn narrowing() -> impl Strategy<Value = Narrowing> {
    let parts = (
        prop::option::of((condition(), consequence())),
        prop::option::of((any::<[bool; 3]>(), prop::option::of(0_i64..=100))),
        prop::option::of((1_i64..3, consequence())),
        prop::option::of((0_usize..6, 0_i64..1000, consequence())),
        prop::option::of(condition()),
        prop::option::of((
            0_usize..4,
            0_i64..4,
            prop::sample::select(&[Spent::Review, Spent::Hold, Spent::Block]),
        )),
    );
    parts.prop_map(|(protected, agent, evidence, limit, when, budget)| Narrowing {
        protected,
        agent,
        evidence,
        limit,
        when,
        budget,
    })
}

impl Narrowing {
    pub fn of(&self, policy: &Policy) -> Policy {
        let mut policy = policy.clone();
        for object in policy.objects.values_mut() {
            let protection = |(when, then)| Protection { why: "generated".into(), when, then };
            object.protected.extend(self.protected.clone().map(protection));
            if let Some(([named, may_propose, may_run], least)) = self.agent {
                object.listed_agents_only = true;
                object.agents.push(AgentRule {
                    agent: if named { "nightly-enricher" } else { "somebody-else" }.into(),
                    workflow: None,
                    fields: vec![],
                    may_propose,
                    may_run,
                    min_confidence: least.map(|least| Decimal::new(least, 2)),
                });
            }
            object.budgets.extend(self.budget.map(|(per, at_most, then)| Budget {
                of: Counted::Promotions,
                per: Per::ALL[per].1,
                at_most: at_most.into(),
                minutes: 60.into(),
                then,
            }));
            object.fields.values_mut().for_each(|rules| self.of_field(rules));
        }
        policy
    }

    fn of_field(&self, rules: &mut FieldPolicy) {
        rules.evidence = self.evidence.map(|(least, then)| EvidenceRule {
            at_least: least.into(),
            kinds: vec![],
            max_age_minutes: None,
            then,
        });
        let limit = |(measure, above, then): (usize, i64, Consequence)| Limit {
            measure: Measure::ALL[measure].1,
            above: above.into(),
            then,
        };
        rules.limits.extend(self.limit.map(limit));
        rules.auto.iter_mut().for_each(|rule| rule.when.clone_from(&self.when));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_narrowing_rule_opens_nothing(owned in owned(), narrow in narrowing()) {
        let before = decide(&owned.input());
        let mut narrowed = owned.clone();
        narrowed.rules = Rules::new(narrow.of(owned.rules.policy())).unwrap();
        let after = decide(&narrowed.input());
        prop_assert!(after.outcome != Outcome::Promote || before.outcome == Outcome::Promote, "{:?}", after.findings);
        if before.outcome == Outcome::Block {
            prop_assert!(after.outcome != Outcome::Review, "a person is not asked about what is refused");
        }
    }

    #[test]
    fn a_policy_with_narrowing_rules_survives_json(owned in owned(), narrow in narrowing()) {
        let policy = narrow.of(owned.rules.policy());
        let text = crate::domain::digest::canonical(&policy).unwrap();
        prop_assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    }
}

#[test]
fn thin_evidence_says_what_is_asked_for_and_what_counts() {
    let case = serde_json::json!({
        "name": "words", "patch": { "Status": "Working - Contacted" }, "auto_switch": ["Status"],
        "evidence": [{ "kind": "rumour", "source": "hallway", "occurred_at": "2026-05-20T09:00:00Z" }],
        "rules": { "Status": { "evidence": {
            "at_least": "2", "kinds": ["reply", "meeting"], "max_age_minutes": "60", "then": "review" } } }
    });
    let owned = serde_json::from_value::<super::world::Case>(case).unwrap().build();
    let verdict = decide(&owned.input());
    let finding = verdict.deciding().unwrap();
    let wanted = "at least 2 piece(s) of evidence (reply or meeting, at most 60 minutes old)";
    assert_eq!(finding.message, format!("Status asks for {wanted}; 0 piece(s) count"));
    assert_eq!(finding.would_change, format!("{wanted}, or a person's approval"));
}
