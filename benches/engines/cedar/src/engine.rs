//! Cedar: the policy set is parsed and the entities are prepared once.
//!
//! Cedar knows two answers. Three come out of one request: denied by a policy is block, denied by
//! none is review.

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};

use crate::facts::{Answer, Facts, STATES};

const POLICY: &str = include_str!("../lead.cedar");

/// The engine with its policies and entities.
pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    principal: EntityUid,
    action: EntityUid,
    state: EntityTypeName,
    field: EntityTypeName,
}

fn kind(name: &str) -> EntityTypeName {
    name.parse().expect("a type name")
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

impl Cedar {
    /// Parses the policies and makes the entities.
    pub fn new() -> Self {
        let (state, field) = (kind("State"), kind("Field"));
        let pack = uid(&kind("Pack"), "lead-lifecycle");
        let attributes = |(name, rank, terminal, reserved): &(&str, i64, bool, bool)| {
            let attributes = [
                ("rank".to_owned(), RestrictedExpression::new_long(*rank)),
                ("terminal".to_owned(), RestrictedExpression::new_bool(*terminal)),
                ("reserved".to_owned(), RestrictedExpression::new_bool(*reserved)),
            ];
            Entity::new(uid(&state, name), attributes.into(), [].into()).expect("a state")
        };
        let tier = RestrictedExpression::new_string("autonomous".to_owned());
        let status = Entity::new(
            uid(&field, "Lead.Status"),
            [("tier".to_owned(), tier)].into(),
            [pack.clone()].into(),
        );
        let mut all: Vec<Entity> = STATES.iter().map(attributes).collect();
        all.extend([status.expect("a field"), Entity::new_no_attrs(pack, [].into())]);
        Self {
            authorizer: Authorizer::new(),
            policies: POLICY.parse().expect("the Cedar policies"),
            entities: Entities::from_entities(all, None).expect("entities"),
            principal: uid(&kind("Agent"), "an-agent"),
            action: uid(&kind("Action"), "change"),
            state,
            field,
        }
    }

    /// Builds the request from plain facts.
    pub fn ready(&self, facts: &Facts) -> Request {
        let long = RestrictedExpression::new_long;
        let state = |name: &String| RestrictedExpression::new_entity_uid(uid(&self.state, name));
        let flag = RestrictedExpression::new_bool;
        let known = [
            ("from", facts.from.as_ref().map(state)),
            ("to", facts.to.as_ref().map(state)),
            ("base", facts.base.as_ref().map(state)),
            ("confidence", facts.confidence.map(long)),
            ("decision", facts.decision.clone().map(RestrictedExpression::new_string)),
            ("same_patch", Some(flag(facts.same_patch))),
            ("decided_ago", Some(long(facts.decided_ago))),
            ("age_on_arrival", Some(long(facts.age_on_arrival))),
            ("age", Some(long(facts.age))),
            ("waiting", Some(long(facts.waiting))),
            ("hold_until", facts.hold_until.map(long)),
            ("today", Some(long(facts.today))),
            ("asks_for_review", Some(flag(facts.asks_for_review))),
            ("switch_on", Some(flag(facts.switch_on))),
        ];
        let pairs = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let context = Context::from_pairs(pairs).expect("a context");
        let field = uid(&self.field, &facts.field);
        Request::new(self.principal.clone(), self.action.clone(), field, context, None).expect("a request")
    }

    /// Asks with a request that was built before.
    pub fn ask(&self, request: &Request) -> Answer {
        let response = self.authorizer.is_authorized(request, &self.policies, &self.entities);
        // A policy that fails is left out by Cedar, which must not pass as an answer.
        assert!(response.diagnostics().errors().next().is_none(), "a Cedar policy failed");
        match (response.decision(), response.diagnostics().reason().next()) {
            (Decision::Allow, _) => Answer::Allow,
            (Decision::Deny, Some(_)) => Answer::Block,
            (Decision::Deny, None) => Answer::Review,
        }
    }
}
