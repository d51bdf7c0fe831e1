//! Do two agents want different things?
//!
//! # Refuses
//! - `agents-disagree`: another agent proposed another value for a field of the same record, and
//!   nobody had decided on it when this proposal took its place.
//!
//! # Why
//! The newer proposal takes the place of the older one, and with two agents newer does not mean
//! better. Neither of them should win by being last.
//!
//! # Evidence used
//! The proposals of other agents that were open when this one was first seen.
//!
//! # How to fix
//! - `agents-disagree`: have a person decide; `countersign explain PROPOSAL` tells the other value.
//!
//! # Setting
//! None. Let only one agent propose for a field (`[[agents]]` in `config/policies/*.toml`) where
//! this happens often.

use crate::gate::{
    checks::approval::is_approved,
    finding::{FindingCode, Findings},
    input::Input,
};

/// Reports other agents with other values.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    if input.history.disputed_by.is_empty() || is_approved(input) {
        return;
    }
    let others = input.history.disputed_by.join(", ");
    findings.add(
        FindingCode::AgentsDisagree,
        format!("other values for the same fields were proposed by {others}"),
        "a person's approval",
    );
}
