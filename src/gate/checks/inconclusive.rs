//! Can the input be judged at all?
//!
//! # Refuses
//! - `check-inconclusive`: a proposed field of the record could not be read, its base value
//!   was not kept, a limit of the policy is out of range, or a part of the input has no
//!   exact text form.
//!
//! # Why
//! What cannot be decided is refused. A check that cannot run must not count as passed.
//!
//! # Evidence used
//! The record's values, the proposal's base values, the policy's time limits.
//!
//! # How to fix
//! - `check-inconclusive`: give the promoter read access to the field named in the finding,
//!   or correct the limit in the policy, then propose again with a new id.
//!
//! # Setting
//! None. This cannot be switched off.

use crate::{
    domain::RecordState,
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
        limits::Limits,
    },
};

/// Reports what the later checks would miss.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    // A record that is to be made has no values to read.
    let changed = input.proposal.patch.keys().filter(|_| !input.makes());
    for field in changed {
        if !input.proposal.base.contains_key(field) {
            findings.add_field(
                FindingCode::CheckInconclusive,
                field,
                format!("no base value of {field} was kept when the proposal was first seen"),
                "a new proposal, whose base is kept",
            );
        }
        let readable = input.record.value(field).is_some();
        if input.record.state == RecordState::Live && !readable {
            findings.add_field(
                FindingCode::CheckInconclusive,
                field,
                format!("{field} could not be read"),
                format!("read access to {field} for the promoter"),
            );
        }
    }
    if let Some(policy) = input.object_policy()
        && let Err(key) = Limits::of(policy)
    {
        findings.add(
            FindingCode::CheckInconclusive,
            format!("the policy `{}` has a limit out of range: {key}", policy.name),
            format!("a whole number of minutes for {key}"),
        );
    }
}
