//! The second gate on records that are to be made, from the page about `[[create]]`.

use rust_decimal::Decimal;

use super::Naive;
use crate::{
    domain::{
        FieldValue, Mode, RecordState,
        policy::{Consequence, CreateRule, Spent},
    },
    gate::Outcome,
};

impl Naive<'_> {
    /// Who asks for a person asks in vain: nobody can approve what is not there.
    pub(super) fn of_a_new_record(&self) -> Outcome {
        let it = self.it;
        let Some(rule) = self.rule() else { return Outcome::Block };
        if self.may_not_be_made(rule) || self.somebody_must_look() {
            return Outcome::Block;
        }
        if self.not_from_here() {
            return Outcome::Block;
        }
        if self.too_late() {
            return Outcome::Expired;
        }
        if rule.mode == Mode::Shadow {
            return Outcome::Shadow;
        }
        if it.history.open_promotion.is_some() || self.stopped() || self.spent(Spent::Hold) {
            return Outcome::Hold;
        }
        Outcome::Promote
    }

    /// Whether the record's type leaves the value out.
    pub(super) fn type_lacks(&self, name: &str, value: &FieldValue) -> bool {
        let it = self.it;
        let (Some(schema), Some(own)) = (&it.schema, &it.record.record_type) else { return false };
        let Some(own) = schema.record_types.get(own) else { return false };
        let Some((_, offered)) = own.values.iter().find(|(field, _)| field.as_str() == name) else {
            return false;
        };
        matches!(value, FieldValue::Text(text) if !offered.contains(text))
    }

    fn rule(&self) -> Option<&CreateRule> {
        let creates = self.it.proposal.creates.as_ref()?;
        let rule = self.policy()?.create.iter().find(|rule| rule.name == creates.rule)?;
        rule.parents.keys().any(|parent| *parent == creates.parent).then_some(rule)
    }

    fn may_not_be_made(&self, rule: &CreateRule) -> bool {
        let it = self.it;
        let proposal = &it.proposal;
        let Some(schema) = &it.schema else { return true };
        let Some(policy) = self.policy() else { return true };
        let parent = proposal.creates.as_ref().map(|creates| &creates.parent);
        let sure = match (rule.min_confidence, proposal.confidence) {
            (Some(least), Some(given)) => given >= least,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let link = parent.and_then(|parent| rule.parents.get(parent));
        let filled = |name: &str| {
            rule.fixed.keys().any(|field| field.as_str() == name)
                || link.is_some_and(|link| link.as_str() == name)
                || proposal
                    .patch
                    .iter()
                    .any(|(field, value)| field.as_str() == name && *value != FieldValue::Null)
        };
        let set = rule.fixed.iter().map(|(field, value)| (field.as_str(), value));
        let set = set.chain([(rule.cancel.field.as_str(), &rule.cancel.value)]);
        let link_stands =
            link.is_some_and(|link| schema.fields.get(link).is_some_and(|facts| facts.updateable));
        proposal.patch.is_empty()
            || it.record.state != RecordState::Live
            || parent != Some(&it.record.object)
            || it.record.record != proposal.record
            || proposal.patch.keys().any(|field| !rule.fields.contains(field))
            || proposal.patch.iter().any(|(field, value)| !self.org_holds(field.as_str(), value))
            || schema.required.iter().any(|field| !filled(field.as_str()))
            || set.into_iter().any(|(field, value)| !self.org_holds(field, &FieldValue::text(value.clone())))
            || !link_stands
            || !sure
            || schema.auto_allowed.is_empty()
            || proposal.evaluated_at.is_some_and(|looked| looked > self.now_and(5))
            || proposal.confidence.is_some_and(|given| given < Decimal::ZERO || given > Decimal::ONE)
            || self.agent_may_not(policy)
            || self.spent(Spent::Block)
    }

    fn somebody_must_look(&self) -> bool {
        let it = self.it;
        it.proposal.requires_review
            || it.history.base_unproven
            || !it.history.disputed_by.is_empty()
            || self.spent(Spent::Review)
            || self.uncounted()
            || self.protections(Consequence::Review)
            || self.agent_wants_a_person()
    }
}
