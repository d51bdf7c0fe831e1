//! Is it known which values the approver saw?
//!
//! # Refuses
//! - `base-unproven`: the decision came before the first read of the proposal, and nothing
//!   shows that the record was left alone in between; or a person changed a governed field after
//!   the decision. A person must decide again.
//!
//! # Why
//! When the daemon was down while somebody proposed, decided and edited, the first read
//! shows the values after the edit. The approval may have been given for others. A field that was
//! changed before the decision and put back after it looks untouched, though the approver saw
//! something else.
//!
//! # Evidence used
//! The time of the decision, the record's last change, the time of the first read, and the org's
//! stamp of when a person last changed a governed field (written by the flow that stamps people's
//! changes; where that flow is off, this is not seen).
//!
//! # How to fix
//! - `base-unproven`: look at the current values and decide again.
//!
//! # Setting
//! None.

use crate::gate::{
    finding::{FindingCode, Findings},
    input::Input,
};

/// Asks for a decision on the values of now.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    if input.history.base_unproven {
        findings.add(
            FindingCode::BaseUnproven,
            "nothing shows that the record held these values when the decision was made: the decision came before \
             the first read, or a person changed a governed field since",
            "a decision given on the record's current values",
        );
    }
}
