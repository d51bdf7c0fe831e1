//! Have people stopped it?
//!
//! # Refuses
//! - `frozen`: the org, the lane, the record or the agent is frozen. Nothing is lost: the proposal waits and
//!   is judged again when the freeze is lifted.
//!
//! # Why
//! When something goes wrong, the first thing that people need is that it stops, whatever was
//! approved before. Only people lift a freeze; no approval and no agent does.
//!
//! # Evidence used
//! The freezes in force in the ledger; the object, fields and agent of the proposal. An agent is
//! known by the name that its proposal gives, or by its Salesforce user id where it writes the
//! fields itself: freeze both where it uses both doors, or the lane.
//!
//! A record is frozen by countersign itself when two writers set a value against each other.
//!
//! # How to fix
//! - `frozen`: find out why it was frozen; `countersign freeze --list` tells who did it and the
//!   reason. `countersign unfreeze` lifts it.
//!
//! # Setting
//! None: `countersign freeze` and `countersign unfreeze`.

use crate::gate::{
    finding::{FindingCode, Findings},
    input::Input,
};

/// Reports every freeze that reaches the proposal.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    for freeze in input.history.frozen.iter().filter(|freeze| freeze.scope.stops(input.proposal)) {
        let scope = &freeze.scope;
        findings.add(
            FindingCode::Frozen,
            format!("{} froze {scope} at {}: {}", freeze.by, freeze.since, freeze.reason),
            format!("the freeze of {scope} lifted"),
        );
    }
}
