//! Would a person have to approve a record that is not there yet?
//!
//! # Refuses
//! - `create-needs-person`: a record is to be made, and another finding asks for a person.
//!
//! # Why
//! People decide on the record in Salesforce. A record that does not exist carries no decision, so
//! asking for one would never end. Default deny.
//!
//! # Evidence used
//! The findings of the checks before this one.
//!
//! # How to fix
//! - `create-needs-person`: meet what the other finding asks for, and send it again under a new
//!   proposal id; or have a person make the record.
//!
//! # Setting
//! None. Budgets of such an object that ask for a person refuse; use `hold` or `block`.

use crate::gate::{
    finding::{Effect, FindingCode, Findings},
    input::Input,
};

/// Refuses what would wait for a person for ever.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    if input.makes() && findings.has(Effect::Review) {
        findings.add(
            FindingCode::CreateNeedsPerson,
            "a person would have to look, and nobody can approve a record that is not there yet",
            "a proposal that needs no person",
        );
    }
}
