//! Is there anything left to do?
//!
//! # Refuses
//! - `already-promoted`: this proposal has been promoted before.
//! - `no-change`: the record holds every proposed value already.
//!
//! # Why
//! A proposal is promoted once. A write that changes nothing would still move the record's
//! promotion number and its stamps, and call a person for nothing.
//!
//! # Evidence used
//! The ledger's promotions of this proposal; the record's current values.
//!
//! # How to fix
//! - `already-promoted`: nothing; use a new proposal id for a new change.
//! - `no-change`: nothing; the record is as proposed.
//!
//! # Setting
//! None.

use crate::{
    domain::RecordState,
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Reports what is done already.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    if input.history.already_promoted {
        findings.add(
            FindingCode::AlreadyPromoted,
            format!("proposal {} has been promoted", input.proposal.id),
            "a new proposal id",
        );
    }
    let patch = &input.proposal.patch;
    let holds_all =
        !input.makes() && patch.iter().all(|(field, value)| input.record.value(field) == Some(value));
    if input.record.state == RecordState::Live && !patch.is_empty() && holds_all {
        findings.add(
            FindingCode::NoChange,
            "the record holds every proposed value already",
            "a value that differs from the record's",
        );
    }
}
