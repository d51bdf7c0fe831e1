//! Is this still the newest proposal for the record?
//!
//! # Refuses
//! - `superseded`: a newer proposal for the same record has come in.
//!
//! # Why
//! The record has room for one proposal. The newer one knows more, and a person should
//! not have to choose between two answers of one model.
//!
//! # Evidence used
//! The ledger's newer proposals for the record.
//!
//! # How to fix
//! - `superseded`: look at the newer proposal; propose again if the older one was right.
//!
//! # Setting
//! None.

use crate::gate::{
    finding::{FindingCode, Findings},
    input::Input,
};

/// Reports a newer proposal.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    if let Some(newer) = &input.history.superseded_by {
        findings.add(
            FindingCode::Superseded,
            format!("proposal {newer} for the same record came in later"),
            "a new proposal id, sent after the newer proposal",
        );
    }
}
