//! Is the record one that needs more care?
//!
//! # Refuses
//! - `record-protected`: the policy keeps every proposal from such records.
//! - `record-needs-person`: the policy asks for a person on such records.
//! - `protection-unknown`: said for the reader, refuses nothing by itself: nobody can say whether
//!   the record is such a one, so the rule was applied.
//!
//! # Why
//! A rule of a field cannot say that closed deals are finance's, or that the deals of the
//! month need a second look. Where a value that the rule asks for could not be read, the
//! careful answer is that it applies.
//!
//! # Evidence used
//! The record's governed values, its name and owner, as read just now; today.
//!
//! # How to fix
//! - `record-protected`: change the record by hand, or have the policy changed.
//! - `record-needs-person`: have a person decide.
//! - `protection-unknown`: give the promoter access to the field that the rule names.
//!
//! # Setting
//! `[[protected]]` in `config/policies/*.toml`.

use crate::{
    domain::{Truth, policy::Consequence},
    gate::{
        checks::approval::is_approved,
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Applies the protections that hold, and those that nobody can decide.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let Some(policy) = input.object_policy() else { return };
    for rule in &policy.protected {
        let truth = rule.when.holds(input.record, input.now);
        if truth == Truth::No {
            continue;
        }
        if truth == Truth::Unknown {
            findings.add(
                FindingCode::ProtectionUnknown,
                format!("whether this holds cannot be said, so it counts: {}", rule.when),
                "the values that the rule names, readable and of the right type",
            );
        }
        let message = format!("{}: {}", rule.why, rule.when);
        match rule.then {
            Consequence::Block => {
                findings.add(FindingCode::RecordProtected, message, "a record for which this does not hold");
            }
            Consequence::Review if is_approved(input) => {}
            Consequence::Review => {
                findings.add(FindingCode::RecordNeedsPerson, message, "a person's approval");
            }
        }
    }
}
