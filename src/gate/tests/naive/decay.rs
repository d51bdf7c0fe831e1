//! The second gate on what the schedule proposes, from the page about stale states.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::Naive;
use crate::{
    domain::{FieldPolicy, FieldValue, Path, RecordState, Tier, policy::Consequence},
    gate::{Outcome, tests::scheduled::scheduled},
};

impl Naive<'_> {
    /// Nobody approves it and nobody is asked: it moves, or it stays and the report says why.
    pub(super) fn of_the_schedule(&self) -> Outcome {
        let it = self.it;
        if it.history.already_promoted {
            return Outcome::AlreadyDone;
        }
        if self.cannot_be_a_step() || self.is_another_step() {
            return Outcome::Block;
        }
        if self.fields().iter().all(|(_, _, now, after)| *now == Some(after)) {
            return Outcome::AlreadyDone;
        }
        if self.base_moved() {
            return Outcome::Stale;
        }
        let held = it.record.hold.as_ref().is_some_and(|hold| hold.until >= self.begun_everywhere());
        if held
            || self.protections(Consequence::Block)
            || it.history.open_proposal.is_some()
            || !self.is_stale()
        {
            return Outcome::Block;
        }
        if self.fields().iter().any(|(name, rules, ..)| self.only_records(name, *rules)) {
            return Outcome::Shadow;
        }
        // It runs by itself, and nobody can approve it instead.
        if it.history.open_promotion.is_some() || self.stopped() || self.nothing_runs_by_itself() {
            return Outcome::Hold;
        }
        if self.protections(Consequence::Review) { Outcome::Review } else { Outcome::Promote }
    }

    /// What no record can take, or no rule names.
    fn cannot_be_a_step(&self) -> bool {
        let it = self.it;
        it.proposal.patch.is_empty()
            || self.policy().is_none()
            || it.schema.is_none()
            || it.record.state != RecordState::Live
            || it.record.record != it.proposal.record
            || it.record.object != it.proposal.object
            || self.fields().into_iter().any(|(name, rules, now, after)| {
                let Some(rules) = rules else { return true };
                rules.tier == Tier::ReadOnly
                    || rules.tier == Tier::Never && rules.path == Path::BlockAndAlert
                    || now.is_none()
                    || !it.proposal.base.keys().any(|field| field.as_str() == name)
                    || !self.org_holds(name, after)
                    || self.type_lacks(name, after)
            })
    }

    /// One step back in the lifecycle, of one field, and never anywhere else.
    fn is_another_step(&self) -> bool {
        let fields = self.fields();
        fields.len() != 1
            || fields.into_iter().any(|(_, rules, now, after)| {
                let way_back = rules.zip(now).and_then(|(rules, now)| step_back(rules, now));
                way_back.is_some_and(|state| *after != FieldValue::text(state))
            })
    }

    /// The newest day that has begun in the last time zone.
    fn begun_everywhere(&self) -> jiff::civil::Date {
        (self.it.now - SignedDuration::from_hours(12)).to_zoned(TimeZone::UTC).date()
    }

    /// Its day has come, and nothing happened for as long as the policy gives the state.
    fn is_stale(&self) -> bool {
        let it = self.it;
        let quiet = it.history.quiet.unwrap_or_default();
        let Some(changed) = quiet.changed_at else { return false };
        let has_come = quiet.eligible_on.is_some_and(|day| day <= self.begun_everywhere());
        let told = it.history.signals.iter().map(|signal| signal.occurred_at);
        let happened: Vec<Timestamp> = told.chain([changed]).chain(quiet.last_signal_at).collect();
        has_come
            && self.fields().into_iter().all(|(_, rules, now, _)| {
                let Some((rules, FieldValue::Text(state))) = rules.zip(now) else { return false };
                let goes_back = step_back(rules, &FieldValue::text(state.clone())).is_some();
                let Some(days) = self.days(rules, state).filter(|_| goes_back) else { return false };
                let since = it.now - SignedDuration::from_hours(24 * days.to_i64().unwrap());
                happened.iter().all(|at| *at <= since)
            })
    }

    /// The days of the first part of the records that this one belongs to, or the general ones. None where
    /// they do not name the state, and where nobody can say which part it is.
    fn days(&self, rules: &FieldPolicy, state: &str) -> Option<Decimal> {
        for part in &rules.decay_segments {
            if self.holds(&part.when)? {
                return part.after_days.get(state).copied();
            }
        }
        rules.decay_after_days.get(state).copied()
    }
}

/// The state before this one. None at the beginning, out of or into an end, and into what only something
/// else leads to.
fn step_back<'a>(rules: &'a FieldPolicy, now: &FieldValue) -> Option<&'a str> {
    let FieldValue::Text(now) = now else { return None };
    let place = rules.lifecycle.iter().position(|state| state == now)?;
    let before = place.checked_sub(1).map(|place| &rules.lifecycle[place])?;
    let closed = |state: &String| rules.terminal.contains(state);
    (!closed(now) && !closed(before) && !rules.never_target.contains(before)).then_some(before.as_str())
}

#[test]
fn what_the_schedule_proposes_reaches_every_outcome_that_it_can() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<Outcome, usize> = BTreeMap::new();
    for _ in 0..3_000 {
        let tree = scheduled().new_tree(&mut runner).unwrap();
        *seen.entry(Naive { it: &tree.current() }.outcome()).or_default() += 1;
    }
    for outcome in [
        Outcome::Promote,
        Outcome::Block,
        Outcome::Stale,
        Outcome::AlreadyDone,
        Outcome::Shadow,
        Outcome::Hold,
    ] {
        assert!(seen.get(&outcome).is_some_and(|count| *count >= 30), "{outcome:?}: {seen:?}");
    }
    let asks = [Outcome::Expired, Outcome::Rejected, Outcome::Superseded];
    assert!(asks.iter().all(|outcome| !seen.contains_key(outcome)), "nobody decides on it: {seen:?}");
}
