//! What people stopped, asked plainly.

use super::Naive;
use crate::domain::{FieldPolicy, Path};

impl Naive<'_> {
    /// Whether a freeze is about this proposal.
    pub(super) fn stopped(&self) -> bool {
        let proposal = &self.it.proposal;
        self.it.history.frozen.iter().any(|freeze| {
            let scope = freeze.scope.to_string();
            scope == "org"
                || scope == "automatic" && self.nobody_may_approve() && !self.approved()
                || scope == format!("record:{}.{}", proposal.object, proposal.record)
                || scope == format!("agent:{}", proposal.actor.agent) && proposal.edited_from.is_none()
                || proposal.patch.keys().any(|field| scope == format!("lane:{}.{field}", proposal.object))
        }) || self.ground_moved()
    }

    /// Whether a person must look at whatever would run by itself.
    pub(super) fn nothing_runs_by_itself(&self) -> bool {
        self.it.history.frozen.iter().any(|freeze| freeze.scope.to_string() == "automatic")
    }

    /// Where no approval helps, what would run by itself waits for the end of the freeze.
    fn nobody_may_approve(&self) -> bool {
        let alert = |(_, rules, ..): (_, Option<&FieldPolicy>, _, _)| {
            rules.is_some_and(|rules| rules.path == Path::BlockAndAlert)
        };
        self.it.proposal.creates.is_some() || self.fields().into_iter().any(alert)
    }
}
