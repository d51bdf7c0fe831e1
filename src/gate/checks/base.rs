//! Does the record still hold what the proposal was made against?
//!
//! # Refuses
//! - `base-moved`: a proposed field has another value than when the proposal was first seen.
//!
//! # Why
//! An approval holds for one exact change: this value instead of that one. When somebody
//! has changed the field since, neither the model nor the approver has seen what would be
//! overwritten.
//!
//! # Evidence used
//! The base values kept when the proposal was first seen; the record's current values.
//!
//! # How to fix
//! - `base-moved`: look at the new value; propose again if the change is still right.
//!
//! # Setting
//! None. This cannot be switched off.

use crate::{
    domain::RecordState,
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Reports each base value that moved.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    if input.record.state != RecordState::Live || input.makes() {
        return;
    }
    for (field, proposed) in &input.proposal.patch {
        // A missing side is reported by `inconclusive`.
        let (Some(base), Some(current)) = (input.proposal.base.get(field), input.record.value(field)) else {
            continue;
        };
        if base != current {
            findings.add_field(
                FindingCode::BaseMoved,
                field,
                format!("{field} was \"{base}\" when the proposal was first seen and is \"{current}\" now"),
                format!(
                    "{field} still \"{base}\", or a new proposal for \"{proposed}\" against \"{current}\""
                ),
            );
        }
    }
}
