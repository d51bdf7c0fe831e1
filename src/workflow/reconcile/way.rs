//! The way that a field went since a person changed what was promoted: the values that it came to hold,
//! and whether people set them.
//!
//! The org's field history tells all of them where the field is tracked. Else the promotions of the
//! ledger, the lists of the runs and the record itself tell those that they saw.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Case, Key};
use crate::{
    domain::{
        Approval, Decision, FieldValue, ObjectName, Promotion, RecordId, RecordState, Settlement,
        reconciliation::{DiscrepancyKind, facts::Later},
        shadow::who::Who,
    },
    ledger::ProposalRecord,
    salesforce::{RecordReading, TrackedChange},
    workflow::{
        Context, WorkflowError,
        people::{self, Asked, People},
    },
};

/// What is read for the open disagreements.
struct Seen {
    history: Vec<TrackedChange>,
    /// What was promoted on the records, oldest first.
    written: Vec<Promotion>,
    /// The proposals of these.
    proposals: BTreeMap<String, ProposalRecord>,
    asked: Asked,
    /// The daemon's own users.
    machines: Vec<RecordId>,
    /// Changes that programs were heard to make.
    people: People,
}

impl Seen {
    /// Whether a person made a change, as far as anybody knows.
    fn is_person(&self, user: Option<&RecordId>) -> bool {
        !self.is_ours(user) && self.asked.who(user) != Who::Program
    }

    fn is_ours(&self, user: Option<&RecordId>) -> bool {
        user.is_some_and(|user| self.machines.contains(user))
    }
}

/// The records as they stand. An object that is paused or that no policy names is not read.
pub(super) async fn read(
    context: &Context,
    open: &[(&Key, &Case<'_>)],
) -> Result<BTreeMap<RecordId, RecordReading>, WorkflowError> {
    let mut found = BTreeMap::new();
    for contract in context.governed() {
        let ids = records(open, contract.object);
        if ids.is_empty() {
            continue;
        }
        let read = async { Ok(context.reader.retrieve(contract, &ids).await?) };
        let readings = context.unless_paused((contract, None), read).await?.unwrap_or_default();
        let there = readings
            .into_iter()
            .filter(|reading| matches!(reading.snapshot.state, RecordState::Live | RecordState::Converted));
        found.extend(there.map(|reading| (reading.snapshot.record.clone(), reading)));
    }
    Ok(found)
}

fn records(open: &[(&Key, &Case<'_>)], object: &str) -> Vec<RecordId> {
    let of_object = open.iter().filter(|(_, case)| case.object.as_str() == object);
    let ids: BTreeSet<RecordId> = of_object.map(|(_, case)| case.record.clone()).collect();
    ids.into_iter().collect()
}

/// The way of each field whose record was read.
pub(super) async fn ways<'a>(
    context: &Context,
    open: &[(&'a Key, &Case<'_>)],
    readings: &BTreeMap<RecordId, RecordReading>,
) -> Result<BTreeMap<&'a Key, Vec<Later>>, WorkflowError> {
    let seen = look(context, open, readings).await?;
    let way = |(key, case): &(&'a Key, &Case<'_>)| {
        let reading = readings.get(case.record)?;
        Some((*key, of(case, reading, &seen)))
    };
    Ok(open.iter().filter_map(way).collect())
}

/// Reads what tells the way, of those records where the value has moved on.
async fn look(
    context: &Context,
    open: &[(&Key, &Case<'_>)],
    readings: &BTreeMap<RecordId, RecordReading>,
) -> Result<Seen, WorkflowError> {
    let mut history = Vec::new();
    let mut pairs: Vec<(ObjectName, RecordId)> = Vec::new();
    for contract in context.governed() {
        let moved = moved(open, contract.object, readings);
        let ids: Vec<RecordId> = moved.iter().map(|(_, record)| record.clone()).collect();
        if !ids.is_empty() {
            history.extend(context.reader.history(contract, &ids).await?);
        }
        pairs.extend(moved);
    }
    let landed = if pairs.is_empty() { Vec::new() } else { context.ledger.written_on(&pairs).await? };
    let written: Vec<Promotion> = landed.into_iter().map(|landed| landed.promotion).collect();
    let ids = written.iter().map(|promotion| promotion.plan.proposal_id.as_str()).collect();
    let proposals = context.ledger.proposals_by_id(&ids).await?;
    let mut users: Vec<RecordId> =
        readings.values().filter_map(|reading| reading.snapshot.modified_by.clone()).collect();
    users.extend(history.iter().filter_map(|change: &TrackedChange| change.by.clone()));
    let asked = people::ask(context, users.iter()).await?;
    let (machines, people) = (context.machine_users.to_vec(), context.people.clone());
    Ok(Seen { history, written, proposals, asked, machines, people })
}

/// The records of an object where the person's value stands no more.
fn moved(
    open: &[(&Key, &Case<'_>)],
    object: &str,
    readings: &BTreeMap<RecordId, RecordReading>,
) -> BTreeSet<(ObjectName, RecordId)> {
    let has_moved = |case: &&Case<'_>| {
        let now = readings.get(case.record).and_then(|reading| reading.snapshot.value(case.field));
        now.zip(case.set()).is_some_and(|(now, (set, _))| !now.is_kept_as(set))
    };
    let moved = open.iter().map(|(_, case)| *case).filter(|case| case.object.as_str() == object);
    moved.filter(has_moved).map(|case| (case.object.clone(), case.record.clone())).collect()
}

/// The values since the person's, oldest first.
fn of(case: &Case<'_>, reading: &RecordReading, seen: &Seen) -> Vec<Later> {
    let Some((set, since)) = case.set() else { return Vec::new() };
    let later =
        |value: &FieldValue, by_person, at| Later { value: value.clone(), by_person, converted: false, at };
    let tracked = seen.history.iter().rev().filter(|change| {
        change.record == *case.record && change.field == *case.field && !seen.is_ours(change.by.as_ref())
    });
    let mut way: Vec<Later> =
        tracked.map(|change| later(&change.after, seen.is_person(change.by.as_ref()), change.at)).collect();
    let is_tracked = !way.is_empty();
    // Those that came after the one that was overridden.
    let after = seen.written.iter().skip_while(|promotion| promotion.id != *case.promotion).skip(1);
    for promotion in after.filter(|promotion| promotion.settlement == Settlement::Done) {
        let plan = &promotion.plan;
        let is_meant = plan.making.is_none() && plan.record == *case.record;
        let change = plan.changes.iter().find(|change| change.field == *case.field);
        if let Some(change) = change.filter(|_| is_meant) {
            way.push(later(&change.after, is_approved(promotion, seen), plan.planned_at));
        }
    }
    if !is_tracked {
        let told = case.told.iter().filter_map(|one| {
            Some(later(one.after.as_ref()?, one.kind == DiscrepancyKind::Overridden, one.at?))
        });
        way.extend(told);
    }
    // Stable: what has the same second stays in its order.
    way.sort_by_key(|one| one.at.as_second());
    let begins =
        way.iter().position(|one| one.at.as_second() >= since.as_second() && one.value.is_kept_as(set));
    way.drain(..begins.map_or_else(|| way.partition_point(|one| one.at <= since), |begins| begins + 1));
    way.extend(now(case, (reading, seen), way.last()));
    way
}

/// A person approved it.
fn is_approved(promotion: &Promotion, seen: &Seen) -> bool {
    let proposal = seen.proposals.get(promotion.plan.proposal_id.as_str());
    let approved = |approval: &Approval| approval.decision == Decision::Approved;
    promotion.undoes.is_none() && proposal.and_then(|known| known.approval.as_ref()).is_some_and(approved)
}

/// What the record says, where nothing else told it: by its stamp a person set the value, unless whoever
/// saved it then is a program. Without the stamp nobody knows. A lead that is converted says that too.
fn now(case: &Case<'_>, (reading, seen): (&RecordReading, &Seen), last: Option<&Later>) -> Option<Later> {
    let snapshot = &reading.snapshot;
    let value = snapshot.value(case.field)?.clone();
    let (by_saver, saved) = (seen.is_person(snapshot.modified_by.as_ref()), snapshot.modified_at);
    if snapshot.state == RecordState::Converted {
        return Some(Later { value, by_person: by_saver, converted: true, at: saved });
    }
    let known = last.map_or_else(|| case.set().map(|(set, _)| set), |last| Some(&last.value));
    if known.is_some_and(|known| known.is_kept_as(&value)) {
        return None;
    }
    let stamped = reading.slot.changed_by_person_at;
    let by_person = stamped.is_some_and(|at| match at.as_second() == saved.as_second() {
        true => by_saver,
        false => !seen.people.was_program(case.record, at),
    });
    Some(Later { value, by_person, converted: false, at: stamped.unwrap_or(saved) })
}

#[cfg(test)]
mod tests;
