//! Is it known which values the approver saw?
//!
//! # Refuses
//! - `base-unproven`: the decision came before the first read of the proposal, and nothing
//!   shows that the record was left alone in between. A person must decide again.
//!
//! # Why
//! When the daemon was down while somebody proposed, decided and edited, the first read
//! shows the values after the edit. The approval may have been given for others.
//!
//! # Evidence used
//! The time of the decision, the record's last change, the time of the first read.
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
            "the decision came before the first read of the proposal, and nothing shows that the record was left alone in between",
            "a decision given on the record's current values",
        );
    }
}
