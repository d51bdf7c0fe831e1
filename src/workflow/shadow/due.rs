//! Watches that end, and proposals that went on and of which the ledger knows more by now.
//!
//! Only what is due is read: one call for up to two thousand records of an object.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    domain::{
        Decision, ObjectName, RecordId, RecordState, Stage,
        event::Event,
        shadow::{Label, Labelled, WATCHER, who::Who},
    },
    ledger::Watched,
    salesforce::RecordReading,
    workflow::{
        Context, WorkflowError,
        shadow::seen::{Eyes, ask_of, by_reading},
    },
};

/// Most watches of one page; as many records as one read call takes.
const PAGE: u32 = 2000;

/// Ends the watches whose time is over. What a change event could still tell comes first: while the
/// inbox holds something, nothing is ended. Says how many.
pub async fn end(context: &Context) -> Result<usize, WorkflowError> {
    let after = context.ledger.processed_up_to().await?;
    if !context.ledger.next_batches(after, 1).await?.is_empty() {
        return Ok(0);
    }
    let now = context.clock.now();
    let mut ended = 0;
    loop {
        let page = context.ledger.watches_due(now, PAGE).await?;
        let readings = read(context, &page).await?;
        let asked = ask_of(context, readings.values()).await?;
        let labels = page.iter().map(|watched| {
            let reading = readings.get(&watched.proposal.proposal.record);
            let eyes = Eyes { machines: &context.machine_users, people: &context.people, asked: &asked };
            let read = || reading.and_then(|reading| by_reading(watched, reading, &eyes));
            // A person may have changed it since a program did.
            let known = watched.standing.label.filter(|label| *label != Label::Program);
            let found = if known.is_some() { None } else { read() };
            let seen = known.or(found.as_ref().map(|found| found.label)).or(watched.standing.label);
            let label = seen.unwrap_or_else(|| untold(watched, reading));
            Word { watched, label, last: true, who: found.map(|found| found.who).unwrap_or_default() }
        });
        ended += tell(context, labels, now).await?;
        if page.len() < PAGE as usize {
            return Ok(ended);
        }
    }
}

/// What the record says where nothing else told anything: that nobody touched the field, or nothing.
pub(super) fn untold(watched: &Watched, reading: Option<&RecordReading>) -> Label {
    let Some(reading) = reading.filter(|reading| reading.snapshot.state == RecordState::Live) else {
        return Label::Unclear;
    };
    let now = reading.snapshot.value(&watched.field);
    let is_base = now.is_some() && now == watched.proposal.proposal.base.get(&watched.field);
    // It may be this field that was changed and changed back.
    let stamped = reading.slot.changed_by_person_at.is_some_and(|at| at.as_second() >= watched.since);
    if is_base && !stamped { Label::Untouched } else { Label::Unclear }
}

/// The records of the watches of which no person has said anything, by object one call for each page.
async fn read(
    context: &Context,
    page: &[Watched],
) -> Result<BTreeMap<RecordId, RecordReading>, WorkflowError> {
    let mut wanted: BTreeMap<&ObjectName, Vec<RecordId>> = BTreeMap::new();
    let open = |label: Option<Label>| label.is_none_or(|label| label == Label::Program);
    for watched in page.iter().filter(|watched| open(watched.standing.label)) {
        let proposal = &watched.proposal.proposal;
        wanted.entry(&proposal.object).or_default().push(proposal.record.clone());
    }
    let mut found = BTreeMap::new();
    for (object, mut ids) in wanted {
        ids.sort();
        ids.dedup();
        // An object that no policy names any more is not read; its watches end without an answer.
        let contract = context.governed().find(|contract| contract.object == object.as_str());
        let Some(contract) = contract else { continue };
        for reading in context.reader.retrieve(contract, &ids).await? {
            found.insert(reading.snapshot.record.clone(), reading);
        }
    }
    Ok(found)
}

/// Labels what went on: decided by a person, promoted, put back, ended, or its time is over. The ledger
/// knows all of it. Says how many.
pub async fn follow(context: &Context) -> Result<usize, WorkflowError> {
    let now = context.clock.now();
    let mut labelled = 0;
    loop {
        let page = context.ledger.watches_moved(now, PAGE).await?;
        let mut labels = Vec::with_capacity(page.len());
        for watched in &page {
            let edited = watched.proposal.stage == Stage::Superseded && was_edited(context, watched).await?;
            let (label, last) = went(watched, edited, now);
            labels.push(Word { watched, label, last, who: Who::Unknown });
        }
        labelled += tell(context, labels.into_iter(), now).await?;
        if page.len() < PAGE as usize {
            return Ok(labelled);
        }
    }
}

/// What became of a proposal that went on, and whether that is the last word.
pub(super) fn went(watched: &Watched, edited: bool, now: Timestamp) -> (Label, bool) {
    let due = watched.due <= now.as_second();
    let approval = watched.proposal.approval.as_ref();
    let approved = approval.is_some_and(|approval| approval.decision == Decision::Approved);
    let (known, carried_out) = (watched.standing.label, watched.proposal.promotion.is_some());
    match watched.proposal.stage {
        Stage::RolledBack => (Label::Reversed, true),
        Stage::Rejected => (Label::Rejected, true),
        Stage::Superseded if edited => (Label::Other, true),
        // It ended because a program did it, or went on after one had.
        stage if known == Some(Label::Program) && (stage != Stage::Promoted || !carried_out) => {
            (Label::Program, true)
        }
        // The record came to hold the value while the proposal waited, and nobody was heard to set it.
        Stage::Promoted if !carried_out => (Label::Lapsed, true),
        Stage::Promoted if approved => (Label::Approved, due),
        Stage::Promoted if known == Some(Label::Undone) => (Label::Undone, due),
        Stage::Promoted if due => (Label::Kept, true),
        Stage::Promoted => (Label::Landed, false),
        _ => (Label::Lapsed, true),
    }
}

/// A reviewer who edits a proposal says which value is right.
async fn was_edited(context: &Context, watched: &Watched) -> Result<bool, WorkflowError> {
    let story = context.ledger.entries_for_proposal(&watched.proposal.proposal.id).await?;
    Ok(story.iter().any(|entry| {
        let told = |key: &str| entry.event.get(key).and_then(serde_json::Value::as_str);
        entry.entry.kind == "stage_changed" && told("code") == Some("edited")
    }))
}

/// A label that is to be recorded.
struct Word<'a> {
    watched: &'a Watched,
    label: Label,
    last: bool,
    /// Whose change it rests on, where a record told it now.
    who: Who,
}

/// Records labels, unless somebody was faster.
async fn tell(
    context: &Context,
    labels: impl Iterator<Item = Word<'_>>,
    now: Timestamp,
) -> Result<usize, WorkflowError> {
    let mut tx = context.ledger.begin("outcomes told").await?;
    let mut told = 0;
    for Word { watched, label, last, who } in labels {
        let id = &watched.proposal.proposal.id;
        let known = tx.watches_of(id).await?;
        let same = |one: &&Watched| {
            one.field == watched.field && one.standing == watched.standing && one.since == watched.since
        };
        if !known.iter().any(|one| same(&one)) {
            continue;
        }
        let decided = watched.proposal.approval.as_ref();
        let by = decided.filter(|_| matches!(label, Label::Approved | Label::Rejected));
        let labelled = Labelled {
            proposal_id: id.clone(),
            field: watched.field.clone(),
            label,
            by: by.map_or_else(|| WATCHER.to_owned(), |approval| approval.decided_by.to_string()),
            who,
            at: counted_at(watched, label, now),
            last,
            value: None,
            reason: None,
        };
        tx.append(&Event::OutcomeLabelled { labelled }).await?;
        told += 1;
    }
    if told > 0 {
        tx.commit().await?;
    }
    Ok(told)
}

/// A label that only ends its watch keeps its time: what people did then did not happen now.
fn counted_at(watched: &Watched, label: Label, now: Timestamp) -> Timestamp {
    let standing = &watched.standing;
    match standing.label {
        Some(known) if known == label => Timestamp::from_second(standing.labelled).unwrap_or(now),
        _ => now,
    }
}
