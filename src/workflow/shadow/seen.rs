//! Labels from what somebody set while a field is under watch: told by change events, or by a record
//! whose stamps say that a person was the last to change a governed field.
//!
//! The shipped channel carries pending proposals and our own echoes only, so most of what people do is
//! read; an org whose channel carries more is labelled at once, and with the user.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    domain::{
        ObjectName, RecordId, Stage,
        event::Event,
        shadow::{Label, Labelled, WATCHER, after_change},
    },
    ledger::Watched,
    salesforce::RecordReading,
    workflow::{Context, WorkflowError, hints::Touch},
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
    let mut tx = context.ledger.begin("outcomes seen").await?;
    let mut events = Vec::new();
    for (object, mut ids) in records {
        ids.sort();
        ids.dedup();
        let mut watches = tx.watches_on(object, &ids).await?;
        for touch in touches.iter().filter(|touch| touch.object == *object) {
            let here = |watched: &&mut Watched| watched.proposal.proposal.record == touch.record;
            for watched in watches.iter_mut().filter(here) {
                if let Some(found) = label(watched, touch) {
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
            let mut tx = context.ledger.begin("outcomes read").await?;
            let mut events = Vec::new();
            for watched in tx.watches_on(object, &ids).await? {
                let record = &watched.proposal.proposal.record;
                let reading = readings.iter().find(|reading| reading.snapshot.record == *record);
                let found = reading.and_then(|reading| by_reading(&watched, reading, &context.machine_users));
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

/// What a record says whose stamps tell that a person was the last to change a governed field. They do
/// not tell which one, so a field that was only recorded and holds its base says nothing; one that was
/// promoted and holds its base went back. What the daemon's or the proposer's own user saved counts for nothing.
pub(super) fn by_reading(
    watched: &Watched,
    reading: &RecordReading,
    machines: &[RecordId],
) -> Option<Labelled> {
    let (snapshot, proposal) = (&reading.snapshot, &watched.proposal.proposal);
    let at = reading.slot.changed_by_person_at?;
    let value = snapshot.value(&watched.field)?;
    if !watched.live && proposal.base.get(&watched.field) == Some(value) {
        return None;
    }
    let same_save = snapshot.modified_at.as_second() == at.as_second();
    let by = snapshot.modified_by.clone().filter(|_| same_save);
    if by.as_ref().is_some_and(|by| machines.contains(by)) {
        return None;
    }
    let touch = Touch {
        object: proposal.object.clone(),
        record: proposal.record.clone(),
        by,
        at,
        values: [(watched.field.clone(), value.clone())].into(),
    };
    label(watched, &touch)
}

/// What one touch says of one watched field. Only changes within the time of the watch count, and none
/// by the proposer itself; the daemon's own are no touches.
pub(super) fn label(watched: &Watched, touch: &Touch) -> Option<Labelled> {
    let (proposal, standing) = (&watched.proposal.proposal, &watched.standing);
    let set = touch.values.get(&watched.field)?;
    let at = touch.at.as_second();
    let in_time = (watched.since..=watched.due).contains(&at);
    if standing.settled || !in_time || touch.by.as_ref().is_some_and(|by| by.as_str() == proposal.actor.agent)
    {
        return None;
    }
    let stage = watched.proposal.stage;
    let label = if watched.live && watched.proposal.promotion.is_none() {
        // Somebody did by hand what waited for a decision; the gate may have seen it first.
        let waits = !stage.is_final() || stage == Stage::Promoted;
        (waits && proposal.patch.get(&watched.field) == Some(set)).then_some(Label::Match)?
    } else if watched.live {
        // What was promoted and put back to where it came from.
        let back = proposal.base.get(&watched.field) == Some(set);
        (back && stage == Stage::Promoted).then_some(Label::Reversed)?
    } else {
        let older = standing.label.is_some() && at <= standing.labelled;
        let label = after_change(standing.label, proposal.patch.get(&watched.field)?, set)?;
        (!older || label == Label::Match).then_some(label)?
    };
    Some(Labelled {
        proposal_id: proposal.id.clone(),
        field: watched.field.clone(),
        label,
        by: touch.by.as_ref().map_or_else(|| WATCHER.to_owned(), ToString::to_string),
        at: touch.at,
        last: matches!(label, Label::Match | Label::Reversed),
        value: (label == Label::Other).then(|| set.clone()),
        reason: None,
    })
}
