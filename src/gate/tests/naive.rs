//! A second gate, written from the pages about policies and from nothing else: slow, plain, one
//! question after the other. It must give the outcome that the real one gives, on every input.
//!
//! Ten thousand inputs are compared, or as many as `PROPTEST_CASES` says.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use rust_decimal::Decimal;

use super::{ordinary::inputs, world::Owned};
use crate::{
    domain::{
        Approval, Decision, Door, Evidence, FieldPolicy, FieldType, FieldValue, Mode, ObjectPolicy, Path,
        RecordState, Tier, Truth,
        policy::{AutoRule, Budget, Consequence, Counted, Named, Per, Spent, Values},
    },
    gate::{Outcome, decide},
};

mod condition;
mod decay;
mod freezes;
mod ground;
mod making;
mod size;

use size::size;

/// One input, and what is asked of it.
struct Naive<'a> {
    it: &'a Owned,
}

impl<'a> Naive<'a> {
    fn policy(&self) -> Option<&'a ObjectPolicy> {
        self.it.rules.policy().objects.get(&self.it.proposal.object)
    }

    /// Proposed fields with their rules, value now and value proposed.
    fn fields(&self) -> Vec<(&'a str, Option<&'a FieldPolicy>, Option<&'a FieldValue>, &'a FieldValue)> {
        let it = self.it;
        it.proposal
            .patch
            .iter()
            .map(|(field, after)| {
                let rules = self.policy().and_then(|policy| policy.fields.get(field));
                (field.as_str(), rules, it.record.fields.get(field), after)
            })
            .collect()
    }

    fn outcome(&self) -> Outcome {
        let it = self.it;
        if it.proposal.door == Door::Schedule {
            return self.of_the_schedule();
        }
        if it.history.already_promoted {
            return Outcome::AlreadyDone;
        }
        if it.history.superseded_by.is_some() {
            return Outcome::Superseded;
        }
        if it.proposal.creates.is_some() {
            return self.of_a_new_record();
        }
        if self.never() {
            return Outcome::Block;
        }
        if self.decision(Decision::Rejected).is_some() {
            return Outcome::Rejected;
        }
        if self.fields().iter().all(|(_, _, now, after)| *now == Some(after)) {
            return Outcome::AlreadyDone;
        }
        if self.base_moved() || self.decided_on_something_else() {
            return Outcome::Stale;
        }
        if self.not_from_here() {
            return Outcome::Block;
        }
        if self.too_late() {
            return Outcome::Expired;
        }
        if self.fields().iter().any(|(name, rules, ..)| self.only_records(name, *rules)) {
            return Outcome::Shadow;
        }
        let ahead = self.own_decision().is_some_and(|approval| approval.decided_at > self.now_and(5));
        let waits = self.stopped() || self.spent(Spent::Hold) && !self.approved();
        if it.history.open_promotion.is_some() || ahead || waits {
            return Outcome::Hold;
        }
        if self.a_person_must_look() { Outcome::Review } else { Outcome::Promote }
    }

    /// What people or the watch last said outranks the policy, until the day that they named.
    fn only_records(&self, name: &str, rules: Option<&FieldPolicy>) -> bool {
        let said = self.it.history.lanes.iter().find(|lane| lane.field.as_str() == name);
        match said.filter(|_| rules.is_some()).map(|lane| lane.until) {
            Some(until) => until.is_none_or(|until| until <= self.it.now),
            None => rules.is_some_and(|rules| rules.mode == Mode::Shadow),
        }
    }

    fn now_and(&self, minutes: i64) -> Timestamp {
        self.it.now + SignedDuration::from_mins(minutes)
    }

    /// The decision on this proposal.
    fn own_decision(&self) -> Option<&'a Approval> {
        self.it.approval.as_ref().filter(|approval| approval.proposal_id == self.it.proposal.id)
    }

    fn by_machine(&self, approval: &Approval) -> bool {
        self.it.history.machine_users.contains(&approval.decided_by)
    }

    fn decision(&self, wanted: Decision) -> Option<&'a Approval> {
        self.own_decision().filter(|approval| approval.decision == wanted && !self.by_machine(approval))
    }

    /// A person's approval of exactly this.
    fn approved(&self) -> bool {
        let patch = self.it.proposal.patch_digest().ok();
        self.decision(Decision::Approved)
            .is_some_and(|approval| Some(&approval.patch_digest) == patch.as_ref())
    }

    fn decided_on_something_else(&self) -> bool {
        self.decision(Decision::Approved).is_some() && !self.approved()
    }

    /// What may never run, whatever the record holds.
    fn never(&self) -> bool {
        let it = self.it;
        let Some(policy) = self.policy() else { return true };
        let confidence = it.proposal.confidence;
        let sure_enough = |least: Option<Decimal>| match (least, confidence) {
            (Some(least), Some(given)) => given >= least,
            _ => true,
        };
        it.proposal.patch.is_empty()
            || it.schema.is_none()
            || it.record.state != RecordState::Live
            || it.record.record != it.proposal.record
            || it.record.object != it.proposal.object
            || it.proposal.evaluated_at.is_some_and(|looked| looked > self.now_and(5))
            || confidence.is_some_and(|given| given < Decimal::ZERO || given > Decimal::ONE)
            || self.own_decision().is_some_and(|approval| self.by_machine(approval))
            || self.agent_may_not(policy)
            || self.spent(Spent::Block)
            || self.fields().into_iter().any(|(name, rules, now, after)| {
                let Some(rules) = rules else { return true };
                rules.tier == Tier::ReadOnly
                    || rules.tier == Tier::Never && rules.path == Path::BlockAndAlert
                    || !sure_enough(rules.min_confidence)
                    || now.is_none()
                    || !it.proposal.base.keys().any(|field| field.as_str() == name)
                    || !self.org_holds(name, after)
                    || self.type_lacks(name, after)
                    || self.not_a_target(rules, after)
                    || self.thin(rules) && self.blocks_thin(rules)
                    || rules.path == Path::BlockAndAlert && !self.runs_by_itself(name, rules, now, after)
            })
    }

    fn not_a_target(&self, rules: &FieldPolicy, after: &FieldValue) -> bool {
        if rules.lifecycle.is_empty() {
            return false;
        }
        let FieldValue::Text(after) = after else { return true };
        !rules.lifecycle.contains(after) || rules.never_target.contains(after)
    }

    fn org_holds(&self, name: &str, value: &FieldValue) -> bool {
        let Some(schema) = &self.it.schema else { return false };
        let Some((_, facts)) = schema.fields.iter().find(|(field, _)| field.as_str() == name) else {
            return false;
        };
        if !facts.updateable {
            return false;
        }
        if *value == FieldValue::Null {
            return facts.nillable;
        }
        let plain = |text: &str| text.trim() == text;
        let units = |text: &str| u32::try_from(text.encode_utf16().count()).unwrap();
        let in_range = |day: Date| (1700..=4000).contains(&day.year());
        match (&facts.field_type, value) {
            (FieldType::Text { length } | FieldType::LongText { length }, FieldValue::Text(text)) => {
                plain(text) && units(text) <= *length
            }
            (FieldType::Picklist { values, .. }, FieldValue::Text(text)) => values.contains(text),
            (FieldType::MultiPicklist { values }, FieldValue::Text(text)) => {
                text.split(';').all(|part| values.iter().any(|known| known == part))
            }
            (FieldType::Decimal { precision, scale }, FieldValue::Decimal(number)) => {
                let number = number.normalize();
                number.scale() <= *scale && number.abs().trunc().to_string().len() as u32 <= precision - scale
            }
            (FieldType::Date, FieldValue::Date(day)) => in_range(*day),
            (FieldType::DateTime, FieldValue::DateTime(at)) => in_range(at.to_zoned(TimeZone::UTC).date()),
            (FieldType::Bool, FieldValue::Bool(_)) => true,
            _ => false,
        }
    }

    fn agent_may_not(&self, policy: &ObjectPolicy) -> bool {
        let actor = &self.it.proposal.actor;
        let mine: Vec<_> = policy.agents.iter().filter(|rule| rule.agent == actor.agent).collect();
        let by_an_agent = self.it.proposal.edited_from.is_none();
        by_an_agent && policy.listed_agents_only && mine.is_empty()
            || by_an_agent
                && mine.iter().any(|rule| {
                    let unsure = match (rule.min_confidence, self.it.proposal.confidence) {
                        (Some(least), Some(given)) => given < least,
                        _ => false,
                    };
                    !self.it.proposal.patch.is_empty() && (!rule.may_propose || unsure)
                })
    }

    fn thin(&self, rules: &FieldPolicy) -> bool {
        rules.evidence.as_ref().is_some_and(|rule| {
            let own = &self.it.proposal.evidence;
            let known = |signal: &&Evidence| {
                !own.iter().any(|one| {
                    one.kind == signal.kind
                        && one.source == signal.source
                        && one.occurred_at == signal.occurred_at
                })
            };
            let told = self.it.history.signals.iter().filter(known);
            let happened = own.iter().chain(told).filter(|one| one.occurred_at <= self.it.now).count();
            Decimal::from(happened) < rule.at_least
        })
    }

    fn blocks_thin(&self, rules: &FieldPolicy) -> bool {
        rules.path == Path::BlockAndAlert
            || rules.evidence.as_ref().is_some_and(|rule| rule.then == Consequence::Block)
    }

    fn base_moved(&self) -> bool {
        let it = self.it;
        it.proposal.patch.keys().any(|field| it.proposal.base.get(field) != it.record.fields.get(field))
    }

    /// What may not run from the state that the record is in.
    fn not_from_here(&self) -> bool {
        // A day has ended everywhere twelve hours after it has ended at Greenwich.
        let there = (self.it.now - SignedDuration::from_hours(12)).to_zoned(TimeZone::UTC).date();
        self.it.record.hold.as_ref().is_some_and(|hold| hold.until >= there)
            || self.protections(Consequence::Block)
            || self.fields().into_iter().any(|(_, rules, now, after)| {
                let (Some(rules), Some(now)) = (rules, now) else { return false };
                self.wrong_way(rules, now, after) || self.too_big(rules, now, after, Consequence::Block)
            })
    }

    fn wrong_way(&self, rules: &FieldPolicy, now: &FieldValue, after: &FieldValue) -> bool {
        if rules.lifecycle.is_empty() || now == after {
            return false;
        }
        let FieldValue::Text(after) = after else { return false };
        let FieldValue::Text(now) = now else { return true };
        let place = |state: &String| rules.lifecycle.iter().position(|known| known == state);
        let Some(here) = place(now) else { return true };
        let allowed = rules.allowed_regressions.iter().any(|step| (&step.from, &step.to) == (now, after));
        let back = place(after).is_some_and(|there| there < here) && !rules.terminal.contains(after);
        rules.terminal.contains(now) || back && !allowed
    }

    fn too_big(
        &self,
        rules: &FieldPolicy,
        now: &FieldValue,
        after: &FieldValue,
        consequence: Consequence,
    ) -> bool {
        now != after
            && rules.limits.iter().any(|limit| {
                let then = if rules.path == Path::BlockAndAlert { Consequence::Block } else { limit.then };
                then == consequence && size(limit.measure, now, after).is_none_or(|size| size > limit.above)
            })
    }

    fn protections(&self, consequence: Consequence) -> bool {
        let rules = self.policy().map(|policy| policy.protected.as_slice()).unwrap_or_default();
        rules.iter().any(|rule| rule.then == consequence && self.holds(&rule.when) != Some(false))
    }

    fn too_late(&self) -> bool {
        let it = self.it;
        let Some(policy) = self.policy() else { return false };
        let older = |from: Timestamp, to: Timestamp, minutes: Decimal| {
            Decimal::from(to.duration_since(from).as_secs()) > minutes * Decimal::from(60)
        };
        let looked = it.proposal.evaluated_at.unwrap_or(it.proposal.received_at);
        let in_time =
            |end: Timestamp| self.approved() && it.approval.as_ref().is_some_and(|own| own.decided_at <= end);
        let ended = it.proposal.expires_at.is_some_and(|end| it.now > end && !in_time(end));
        let decided = self.decision(Decision::Approved);
        older(looked, it.proposal.received_at, policy.proposal_max_age_minutes)
            || ended
            || decided
                .is_some_and(|approval| older(approval.decided_at, it.now, policy.approval_max_age_minutes))
            || decided.is_none() && older(it.proposal.received_at, it.now, policy.undecided_max_age_minutes)
    }

    fn a_person_must_look(&self) -> bool {
        let it = self.it;
        if self.approved() {
            return it.history.base_unproven;
        }
        it.history.base_unproven
            || !it.history.disputed_by.is_empty()
            || self.spent(Spent::Review)
            || self.uncounted()
            || it.proposal.requires_review
            || self.nothing_runs_by_itself()
            || self.protections(Consequence::Review)
            || self.agent_wants_a_person()
            || self.fields().into_iter().any(|(name, rules, now, after)| {
                let (Some(rules), Some(now)) = (rules, now) else { return false };
                self.thin(rules)
                    || self.too_big(rules, now, after, Consequence::Review)
                    || !self.runs_by_itself(name, rules, Some(now), after)
            })
    }

    /// The count for each thing that a budget speaks of; `None` where nobody counted.
    fn counted(&self) -> Vec<(&'a Budget, Option<Decimal>)> {
        let proposal = &self.it.proposal;
        let mut all = Vec::new();
        for budget in self.policy().map(|policy| policy.budgets.as_slice()).unwrap_or_default() {
            let whose: Vec<String> = match budget.per {
                Per::Agent => vec![proposal.actor.agent.clone()],
                Per::Record => vec![proposal.record.to_string()],
                Per::Object => vec![proposal.object.to_string()],
                Per::Lane => proposal.patch.keys().map(ToString::to_string).collect(),
            };
            for one in whose {
                let of = if budget.of == Counted::Proposals { "proposals" } else { "promotions" };
                let name = format!("{of} per {} {one} in {} min", budget.per.name(), budget.minutes);
                all.push((budget, self.it.history.counts.get(&name).copied()));
            }
        }
        all
    }

    fn spent(&self, then: Spent) -> bool {
        let full = |(budget, count): (&Budget, Option<Decimal>)| {
            budget.then == then && count.is_some_and(|count| count >= budget.at_most)
        };
        self.counted().into_iter().any(full)
    }

    fn uncounted(&self) -> bool {
        self.counted().iter().any(|(_, count)| count.is_none())
    }

    fn agent_wants_a_person(&self) -> bool {
        let actor = &self.it.proposal.actor;
        self.policy().is_some_and(|policy| {
            policy.agents.iter().any(|rule| {
                let silent = rule.min_confidence.is_some() && self.it.proposal.confidence.is_none();
                rule.agent == actor.agent
                    && self.it.proposal.edited_from.is_none()
                    && (!rule.may_run || silent)
            })
        })
    }

    fn runs_by_itself(
        &self,
        name: &str,
        rules: &FieldPolicy,
        now: Option<&FieldValue>,
        after: &FieldValue,
    ) -> bool {
        let it = self.it;
        let Some(policy) = self.policy() else { return false };
        let switch = it
            .schema
            .as_ref()
            .is_some_and(|schema| schema.auto_allowed.iter().any(|field| field.as_str() == name));
        let looked = it.proposal.evaluated_at.unwrap_or(it.proposal.received_at);
        let age = Decimal::from(it.now.duration_since(looked).as_secs());
        let step = |rule: &AutoRule| {
            let named = |values: &Values, value: &FieldValue| match (values, value) {
                (Values::Named(Named::Any), _) => true,
                (Values::Named(Named::Blank), value) => *value == FieldValue::Null,
                (Values::OneOf(texts), FieldValue::Text(text)) => texts.contains(text),
                (Values::OneOf(_), _) => false,
            };
            *after != FieldValue::Null
                && now.is_some_and(|now| named(&rule.from, now))
                && named(&rule.to, after)
                && rule.when.as_ref().is_none_or(|when| self.holds(when) == Some(true))
                && it.proposal.confidence.is_some_and(|given| given >= rule.min_confidence)
        };
        rules.tier == Tier::Autonomous
            && switch
            && age <= policy.proposal_max_age_minutes * Decimal::from(60)
            && rules.auto.iter().any(step)
    }
}

#[test]
fn two_gates_that_do_not_know_each_other_agree() {
    // The default is what PROPTEST_CASES says.
    let cases = Config::default().cases.max(10_000);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let compared = runner.run(&inputs(), |owned| {
        let verdict = decide(&owned.input());
        let naive = Naive { it: &owned }.outcome();
        prop_assert_eq!(verdict.outcome, naive, "{:?}", verdict.findings);
        Ok(())
    });
    compared.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_inputs_reach_every_outcome_often() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<Outcome, usize> = BTreeMap::new();
    for _ in 0..4_000 {
        let tree = inputs().new_tree(&mut runner).unwrap();
        *seen.entry(Naive { it: &tree.current() }.outcome()).or_default() += 1;
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 10), "{seen:?}");
    assert!(seen[&Outcome::Promote] >= 100 && seen[&Outcome::Review] >= 80, "{seen:?}");
}

#[test]
fn a_truth_is_one_of_three() {
    assert!(Truth::No < Truth::Unknown && Truth::Unknown < Truth::Yes, "`all` is the least, `any` the most");
}
