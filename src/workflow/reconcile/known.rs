//! What is known of one value that is not the promoted one: who changed it, when, from what to what.
//! Nothing is read and no clock is asked.

use std::collections::BTreeMap;

use super::compare::{Drift, is_same};
use crate::{
    domain::{BreakGlassUse, Discrepancy, DiscrepancyKind, ObjectName, RecordId, shadow::who::Who},
    salesforce::{Sighting, TrackedChange},
    workflow::people::{Asked, People},
};

/// What was read about the records with such values.
pub(super) struct Known<'a> {
    /// The org's field history, newest first.
    pub history: Vec<TrackedChange>,
    /// Uses of break-glass by record, oldest first.
    pub used: BTreeMap<RecordId, Vec<BreakGlassUse>>,
    /// Who the users are.
    pub asked: Asked,
    /// The daemon's own users.
    pub machines: &'a [RecordId],
    /// Changes that programs were heard to make.
    pub people: &'a People,
}

/// What tells of one change since its promotion.
#[derive(Clone, Copy)]
struct Traces<'a> {
    used: Option<&'a BreakGlassUse>,
    tracked: Option<&'a TrackedChange>,
}

impl Known<'_> {
    /// The change in the list: the org's history says most, then its stamp, then who saved last.
    pub fn told(&self, object: &ObjectName, seen: &Sighting, drift: Drift) -> Discrepancy {
        let traces = self.traces(seen, &drift);
        let Traces { used, tracked } = traces;
        let explained = drift.stamped_at.is_some() || used.is_some();
        let by_program = self.who(seen, &drift, traces) == Who::Program;
        let kind = match (explained, by_program) {
            (false, _) => DiscrepancyKind::UnexplainedChange,
            (true, false) => DiscrepancyKind::Overridden,
            (true, true) => DiscrepancyKind::OverriddenByProgram,
        };
        let by = tracked
            .and_then(|change| change.by.clone())
            .or_else(|| used.and_then(|used| used.by.clone()))
            .or_else(|| seen.modified_by.clone());
        let at = tracked.map(|change| change.at).or(drift.stamped_at).or(used.map(|used| used.at));
        let is_machine = by.as_ref().is_some_and(|user| self.machines.contains(user));
        let code = match (used, drift.stamped_at, is_machine) {
            _ if kind == DiscrepancyKind::OverriddenByProgram => "changed-by-program",
            (Some(_), ..) => "break-glass",
            (None, Some(_), _) => "changed-by-hand",
            (None, None, true) => "changed-by-daemons-user",
            (None, None, false) => "no-provenance",
        };
        let source = match (tracked, explained) {
            (Some(_), _) => "the org's field history tells who and when",
            (None, true) => "the org stamped the change; who is the user of the last save",
            (None, false) => "the org stamped no change; who and when are those of the last save",
        };
        Discrepancy {
            kind,
            object: object.clone(),
            record: seen.record.clone(),
            field: Some(drift.field),
            proposal: Some(drift.proposal.to_string()),
            promotion: Some(drift.promotion),
            code: code.to_owned(),
            at: Some(at.unwrap_or(seen.modified_at)),
            by,
            before: Some(tracked.map_or(drift.promoted, |change| change.before.clone())),
            after: Some(drift.now),
            words: format!("{source}; the promotion was planned at {}", drift.planned_at),
            repaired: false,
        }
    }

    fn traces(&self, seen: &Sighting, drift: &Drift) -> Traces<'_> {
        let used = self.used.get(&seen.record);
        let tracked = self.history.iter().find(|change| {
            change.record == seen.record
                && change.field == drift.field
                && change.at.as_second() >= drift.planned_at.as_second()
                && is_same(&change.after, &drift.now)
        });
        Traces { used: used.and_then(|used| used.iter().rfind(|it| it.at >= drift.planned_at)), tracked }
    }

    /// Who made the change. Whoever saved the record last did only where that was the same save.
    fn who(&self, seen: &Sighting, drift: &Drift, Traces { used, tracked }: Traces<'_>) -> Who {
        let told = tracked.and_then(|change| change.by.as_ref()).or(used.and_then(|used| used.by.as_ref()));
        match (told, drift.stamped_at) {
            (Some(user), _) => self.asked.who(Some(user)),
            (None, Some(at)) if at.as_second() == seen.modified_at.as_second() => {
                self.asked.who(seen.modified_by.as_ref())
            }
            (None, Some(at)) if self.people.was_program(&seen.record, at) => Who::Program,
            _ => Who::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
