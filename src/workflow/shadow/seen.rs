//! Labels from what somebody set while a field is under watch: told by change events, or by a record
//! whose stamps say that a person was the last to change a governed field.
//!
//! The shipped channel carries pending proposals and our own echoes only, so most of what people do is
//! read; an org whose channel carries more is labelled at once, and with the user.
//!
//! Whether the user is a program is asked before the transaction, and recorded with the label.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    domain::{
        Decision, FieldValue, ObjectName, RecordId, Stage,
        event::Event,
        shadow::{Label, Labelled, WATCHER, after_change, who::Who},
    },
    ledger::Watched,
    salesforce::RecordReading,
    workflow::{
        Context, WorkflowError,
        hints::Touch,
        people::{self, Asked, People},
    },
};

/// Labels what the touches of a batch say of watched fields, in one transaction. A touch that is
/// delivered again says nothing new.
pub async fn seen(context: &Context, touches: &[Touch]) -> Result<usize, WorkflowError> {
    if touches.is_empty() {
        return Ok(0);
    }
    let mut records: BTreeMap<&ObjectName, Vec<RecordId>> = BTreeMap::new();
    for touch in touches {
        records.entry(&touch.object).or_default().push(touch.record.clone());
    }
    let mut watched = BTreeSet::new();
    for (object, ids) in &mut records {
        ids.sort();
        ids.dedup();
        watched.append(&mut context.ledger.watched_records(object, ids).await?);
    }
    let on_watched = touches.iter().filter(|touch| watched.contains(&touch.record));
    let asked = people::ask(context, on_watched.clone().filter_map(|touch| touch.by.as_ref())).await?;
    for touch in on_watched.filter(|touch| asked.who(touch.by.as_ref()) == Who::Program) {
        context.people.heard(&touch.record, touch.at);
    }
    let mut tx = context.ledger.begin("outcomes seen").await?;
    let mut events = Vec::new();
    for (object, ids) in records {
        let mut watches = tx.watches_on(object, &ids).await?;
        for touch in touches.iter().filter(|touch| touch.object == *object) {
            let here = |watched: &&mut Watched| watched.proposal.proposal.record == touch.record;
            for watched in watches.iter_mut().filter(here) {
                if let Some(found) = label(watched, touch, &asked) {
                    watched.standing.take(&found);
                    events.push(Event::OutcomeLabelled { labelled: found });
                }
            }
        }
    }
    if events.is_empty() {
        return Ok(0);
    }
    tx.append_all(&events).await?;
    tx.commit().await?;
    Ok(events.len())
}

/// Labels what people changed since then, read from the org: one call for each two thousand records
/// that changed. Objects without an open watch are not asked for.
pub async fn changed(context: &Context, since: Timestamp) -> Result<usize, WorkflowError> {
    let open = context.ledger.watched_objects(true).await?;
    let mut labelled = 0;
    for contract in context.governed() {
        let Some(object) = open.iter().find(|object| object.as_str() == contract.object) else { continue };
        let mut pages = context.reader.changed_by_people(contract, since);
        while let Some(readings) = pages.next().await? {
            let ids: Vec<RecordId> = readings.iter().map(|reading| reading.snapshot.record.clone()).collect();
            let asked = ask_of(context, readings.iter()).await?;
            let mut tx = context.ledger.begin("outcomes read").await?;
            let mut events = Vec::new();
            for watched in tx.watches_on(object, &ids).await? {
                let record = &watched.proposal.proposal.record;
                let reading = readings.iter().find(|reading| reading.snapshot.record == *record);
                let eyes = Eyes { machines: &context.machine_users, people: &context.people, asked: &asked };
                let found = reading.and_then(|reading| by_reading(&watched, reading, &eyes));
                events.extend(found.map(|labelled| Event::OutcomeLabelled { labelled }));
            }
            if !events.is_empty() {
                tx.append_all(&events).await?;
                tx.commit().await?;
                labelled += events.len();
            }
        }
    }
    Ok(labelled)
}

/// What a reading is looked at with.
pub(super) struct Eyes<'a> {
    /// The daemon's own users.
    pub machines: &'a [RecordId],
    /// Changes that programs were heard to make.
    pub people: &'a People,
    /// What is known of the users who saved the records last.
    pub asked: &'a Asked,
}

/// What is known of the users who saved these records last.
pub(super) async fn ask_of(
    context: &Context,
    readings: impl Iterator<Item = &RecordReading>,
) -> Result<Asked, WorkflowError> {
    people::ask(context, readings.filter_map(saved_by)).await
}

/// Who changed a governed field last, as far as the record tells: whoever saved it last did, if that was
/// the same save.
fn saved_by(reading: &RecordReading) -> Option<&RecordId> {
    let at = reading.slot.changed_by_person_at?;
    let same_save = reading.snapshot.modified_at.as_second() == at.as_second();
    reading.snapshot.modified_by.as_ref().filter(|_| same_save)
}

/// What a record says whose stamps tell that a person was the last to change a governed field. They do
/// not tell which one, so a field that was only recorded and holds its base says nothing; one that was
/// promoted and holds its base went back. What the daemon's or the proposer's own user saved counts for nothing.
pub(super) fn by_reading(watched: &Watched, reading: &RecordReading, eyes: &Eyes<'_>) -> Option<Labelled> {
    let (snapshot, proposal) = (&reading.snapshot, &watched.proposal.proposal);
    let at = reading.slot.changed_by_person_at?;
    let value = snapshot.value(&watched.field)?;
    if !watched.live && proposal.base.get(&watched.field) == Some(value) {
        return None;
    }
    let by = saved_by(reading).cloned();
    let is_ours = by.as_ref().is_some_and(|by| eyes.machines.contains(by));
    if is_ours || (by.is_none() && eyes.people.was_program(&snapshot.record, at)) {
        return None;
    }
    let touch = Touch {
        object: proposal.object.clone(),
        record: proposal.record.clone(),
        by,
        at,
        values: [(watched.field.clone(), value.clone())].into(),
    };
    label(watched, &touch, eyes.asked)
}

/// What one touch says of one watched field. Only changes within the time of the watch count, and none
/// by the proposer itself; the daemon's own are no touches. What a program set is no verdict, and
/// it takes nothing back that a person said.
pub(super) fn label(watched: &Watched, touch: &Touch, asked: &Asked) -> Option<Labelled> {
    let (proposal, standing) = (&watched.proposal.proposal, &watched.standing);
    let set = touch.values.get(&watched.field)?;
    let at = touch.at.as_second();
    let in_time = (watched.since..=watched.due).contains(&at);
    if standing.settled || !in_time || touch.by.as_ref().is_some_and(|by| by.as_str() == proposal.actor.agent)
    {
        return None;
    }
    let who = asked.who(touch.by.as_ref());
    // A record that was saved again for other reasons tells the same change without its user.
    let known = matches!(standing.label, Some(Label::Program | Label::Undone));
    if touch.by.is_none() && known && at <= standing.labelled {
        return None;
    }
    let label = if watched.live {
        of_live(watched, set, who)?
    } else {
        let by_person = standing.label.is_some() && !known;
        let older = by_person && at <= standing.labelled;
        let label = after_change(standing.label, proposal.patch.get(&watched.field)?, (set, who))?;
        (!older || label == Label::Match).then_some(label)?
    };
    Some(Labelled {
        proposal_id: proposal.id.clone(),
        field: watched.field.clone(),
        label,
        by: touch.by.as_ref().map_or_else(|| WATCHER.to_owned(), ToString::to_string),
        who,
        at: touch.at,
        last: matches!(label, Label::Match | Label::Reversed),
        value: (label == Label::Other).then(|| set.clone()),
        reason: None,
    })
}

/// What it says of a proposal that went on: somebody did by hand what waited for a decision, or put back what
/// was promoted to where it came from. What a person approved stays so when a program puts it back.
fn of_live(watched: &Watched, set: &FieldValue, who: Who) -> Option<Label> {
    let (proposal, stage) = (&watched.proposal.proposal, watched.proposal.stage);
    let known = watched.standing.label;
    if watched.proposal.promotion.is_none() {
        // The gate may have seen it first.
        let waits = !stage.is_final() || stage == Stage::Promoted;
        let same = waits && proposal.patch.get(&watched.field) == Some(set);
        return match who {
            _ if !same => None,
            Who::Program => known.is_none().then_some(Label::Program),
            Who::Person | Who::Unknown => Some(Label::Match),
        };
    }
    let back = stage == Stage::Promoted && proposal.base.get(&watched.field) == Some(set);
    let approval = watched.proposal.approval.as_ref();
    let approved = approval.is_some_and(|approval| approval.decision == Decision::Approved);
    match who {
        _ if !back => None,
        Who::Program => (!approved && known != Some(Label::Undone)).then_some(Label::Undone),
        Who::Person | Who::Unknown => Some(Label::Reversed),
    }
}
