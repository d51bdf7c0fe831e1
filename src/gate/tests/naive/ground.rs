//! Whether something that the proposal rests on is another than people accepted, asked plainly.

use super::Naive;

/// The changes that stop a lane, as the page about drift lists them.
const STOPPING: &[&str] = &[
    "field-gone",
    "type-changed",
    "length-shorter",
    "fewer-digits",
    "now-required",
    "value-gone",
    "value-new-named",
    "type-value-gone",
    "required-new",
    "field-not-writable",
    "object-not-writable",
    "automation-new",
    "automation-changed",
    "guard-off",
];

impl Naive<'_> {
    pub(super) fn ground_moved(&self) -> bool {
        let (Some(drift), proposal) = (&self.it.history.drift, &self.it.proposal) else { return false };
        if proposal.creates.is_some() || drift.object != proposal.object {
            return false;
        }
        drift.changes.iter().any(|change| {
            let touched = match &change.field {
                Some(field) => proposal.patch.contains_key(field),
                None => !proposal.patch.is_empty(),
            };
            touched && STOPPING.contains(&change.kind.as_str())
        })
    }
}
