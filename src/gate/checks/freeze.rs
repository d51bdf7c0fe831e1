//! Have people stopped it?
//!
//! # Refuses
//! - `frozen`: the org, the lane, the record or the agent is frozen. Nothing is lost: the proposal waits and
//!   is judged again when the freeze is lifted.
//! - `frozen-automatic`: whatever would run by itself is frozen, so a person must look. Where nobody can
//!   approve (decay, records that are made, lanes without a path to an approval) it waits: `frozen`.
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
//! A record is frozen by countersign itself when two writers set a value against each other, and
//! `automatic` when no daemon was at work for longer than `watch.silent_hours`: the org went on, and
//! people look at what happened before anything runs by itself again.
//!
//! # How to fix
//! - `frozen`: find out why it was frozen; `countersign freeze --list` tells who did it and the
//!   reason. `countersign unfreeze` lifts it.
//! - `frozen-automatic`: approve it, or lift the freeze: `countersign unfreeze automatic`.
//!
//! # Setting
//! None: `countersign freeze` and `countersign unfreeze`.

use crate::{
    domain::{Freeze, Path},
    gate::{
        checks::approval::is_approved,
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Reports every freeze that reaches the proposal.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    for freeze in &input.history.frozen {
        if let Some(code) = code(input, freeze) {
            let scope = &freeze.scope;
            findings.add(
                code,
                format!("{} froze {scope} at {}: {}", freeze.by, freeze.since, freeze.reason),
                match code {
                    FindingCode::FrozenAutomatic => {
                        format!("a person's approval, or the freeze of {scope} lifted")
                    }
                    _ => format!("the freeze of {scope} lifted"),
                },
            );
        }
    }
}

fn code(input: &Input<'_>, freeze: &Freeze) -> Option<FindingCode> {
    if freeze.scope.stops(input.proposal) {
        return Some(FindingCode::Frozen);
    }
    if !freeze.scope.asks_for_a_person() || is_approved(input) {
        return None;
    }
    let nobody_may = input.governed().any(|(_, rules, _)| rules.path == Path::BlockAndAlert);
    Some(if nobody_may { FindingCode::Frozen } else { FindingCode::FrozenAutomatic })
}
