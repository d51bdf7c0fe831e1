//! Flows that a record starts, in the order of the save.

use std::sync::Arc;

use super::{
    super::{
        model::Row,
        save::Context,
        state::{Effect, Journal, State},
        write::RowError,
    },
    def::{ENTRY, Entry, FlowDef, Trigger},
    interview::{Interview, Record},
    later::Later,
    run::{Failure, Machine},
    view::View,
};
use crate::domain::FieldValue;

/// How often saves may start each other, as in Salesforce.
const MAX_DEPTH: u32 = 16;

/// A record on its way.
pub(in crate::simulator) struct Change<'a> {
    pub(in crate::simulator) object: &'a str,
    pub(in crate::simulator) old: Option<&'a Row>,
}

/// Runs the before-save flows on `row`. Custom errors and faults refuse the row.
pub(in crate::simulator) fn before(
    context: &Context<'_>,
    (state, journal): (&mut State, &mut Journal),
    change: &Change<'_>,
    row: &mut Row,
) -> Result<(), Vec<RowError>> {
    for (flow, trigger) in triggered(context, change, true) {
        let mut interview = interview(&flow, change, row, context);
        let context = &Context { system: true, ..*context };
        if !enters(&View { context, state, interview: &interview }, &trigger) {
            continue;
        }
        let mut machine = Machine {
            context,
            state: &mut *state,
            journal: &mut *journal,
            interview: &mut interview,
            nested: 0,
        };
        machine.begin(Vec::new()).map_err(|failure| refused(&flow, failure))?;
        if let Some(record) = interview.record {
            *row = record.row;
        }
    }
    Ok(())
}

/// Runs the after-save flows on the saved row, and notes what they want to run later.
pub(in crate::simulator) fn after(
    context: &Context<'_>,
    (state, journal): (&mut State, &mut Journal),
    change: &Change<'_>,
    row: &Row,
) -> Result<(), Vec<RowError>> {
    let id = row.get("Id").and_then(FieldValue::as_text).unwrap_or_default().to_owned();
    for (flow, trigger) in triggered(context, change, false) {
        if context.depth > MAX_DEPTH {
            return Err(refused(&flow, Failure::Fault("Maximum trigger depth exceeded".to_owned())));
        }
        let mut interview = interview(&flow, change, row, context);
        let context = &Context { system: true, ..*context };
        let view = View { context, state, interview: &interview };
        if !enters(&view, &trigger) {
            let waits = state.scheduled.iter().any(|later| later.is_of(&flow.name, &id));
            if waits && !meets(&View { context, state, interview: &interview }, &trigger) {
                journal.effects.push(Effect::Cancel { flow: flow.name.clone(), record_id: id.clone() });
            }
            continue;
        }
        let prior = interview.prior.clone();
        let mut machine = Machine {
            context,
            state: &mut *state,
            journal: &mut *journal,
            interview: &mut interview,
            nested: 0,
        };
        machine.begin(Vec::new()).map_err(|failure| refused(&flow, failure))?;
        for path in &trigger.paths {
            let due = context.now + jiff::SignedDuration::from_secs(path.offset.unwrap_or(0));
            journal.effects.push(Effect::Later(Later {
                flow: flow.name.clone(),
                path: path.name.clone(),
                object: change.object.to_owned(),
                record_id: id.clone(),
                // Only the path right after the commit still knows what was before.
                prior: prior.as_ref().filter(|_| path.offset.is_none()).map(|record| record.row.clone()),
                user_id: context.user.user_id.clone(),
                due,
            }));
        }
    }
    Ok(())
}

/// The active flows of an object in their order: those numbered 1 to 1,000, those without
/// a number, those numbered 1,001 to 2,000; by name where that is equal.
fn triggered(context: &Context<'_>, change: &Change<'_>, before: bool) -> Vec<(Arc<FlowDef>, Trigger)> {
    let package = context.org.package();
    let fits = |trigger: &&Trigger| {
        trigger.object == change.object
            && trigger.before == before
            && if change.old.is_some() { trigger.on_update } else { trigger.on_create }
    };
    let mut flows: Vec<(Arc<FlowDef>, Trigger)> = package
        .flows
        .values()
        .filter(|flow| context.org.flow_runs(flow))
        .filter_map(|flow| Some((Arc::clone(flow), flow.start.trigger.as_ref().filter(fits)?.clone())))
        .collect();
    flows.sort_by_key(|(flow, _)| match flow.order {
        Some(order) if order <= 1_000 => (0, order),
        None => (1, 0),
        Some(order) => (2, order),
    });
    flows
}

fn interview(flow: &Arc<FlowDef>, change: &Change<'_>, row: &Row, context: &Context<'_>) -> Interview {
    let record = |row: &Row| Record { object: change.object.to_owned(), row: row.clone() };
    Interview {
        record: Some(record(row)),
        prior: change.old.map(record),
        ..Interview::new(Arc::clone(flow), context.now)
    }
}

/// Whether the save starts the flow.
fn enters(view: &View<'_>, trigger: &Trigger) -> bool {
    if !meets(view, trigger) {
        return false;
    }
    let Some(prior) = view.interview.prior.clone().filter(|_| trigger.newly) else { return true };
    let before = Interview { record: Some(prior), ..view.interview.clone() };
    !meets(&View { interview: &before, ..*view }, trigger)
}

/// Whether the record meets the entry condition as it is.
pub(super) fn meets(view: &View<'_>, trigger: &Trigger) -> bool {
    match (&trigger.entry, &view.interview.record) {
        (Entry::Always, _) => true,
        (Entry::Formula(_), _) => view.formula(ENTRY).as_bool(),
        (Entry::Filter(filter), Some(record)) => view.meets(record, filter),
        (Entry::Filter(_), None) => false,
    }
}

/// A failed flow as errors of the row, in Salesforce's words.
fn refused(flow: &FlowDef, failure: Failure) -> Vec<RowError> {
    match failure {
        Failure::Refused(errors) => errors,
        Failure::Fault(message) => vec![RowError::new(
            "CANNOT_EXECUTE_FLOW_TRIGGER",
            format!(
                "We can't save this record because the “{}” process failed. Give your Salesforce admin these details. {message}",
                flow.label
            ),
        )],
    }
}
