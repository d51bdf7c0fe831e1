//! The chain beside its checkpoints: what was signed must still be there.

use serde::Serialize;

use super::{Report, walk::Walk};
use crate::ledger::checkpoint::{Checkpoint, Log, Note, Verifier};

/// What to compare with.
#[derive(Debug, Clone, Default)]
pub struct Against {
    /// Checkpoints, oldest first.
    pub log: Log,
    /// The key that must have signed them; absent: signatures are not looked at.
    pub key: Option<Verifier>,
}

/// What came of the checkpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Met {
    /// Checkpoints read.
    pub read: u64,
    /// Those whose signature was checked and is right.
    pub signed: u64,
    /// Those that the chain meets.
    pub met: u64,
    /// Those that a recorded restore set aside.
    pub set_aside: u64,
    /// Those that end before the first entry of an export.
    pub before: u64,
    /// Pieces of the file that are no checkpoints.
    pub pieces: u64,
    /// Entries up to the last one that the chain meets.
    pub up_to: u64,
}

pub(super) fn compare(against: &Against, walk: &Walk, report: &mut Report) {
    let mut met = Met { pieces: against.log.pieces as u64, ..Met::default() };
    let notes = &against.log.notes;
    if notes.is_empty() {
        report.damage("checkpoint-missing", None, "the file has no checkpoint");
    }
    let mut agreed: Vec<u64> = Vec::new();
    for note in notes {
        met.read += 1;
        if !is_trusted(note, against.key.as_ref(), walk, report) {
            continue;
        }
        met.signed += u64::from(against.key.is_some());
        let Checkpoint { size, root, at, .. } = &note.checkpoint;
        if *size < walk.first_size() {
            met.before += 1;
        } else if walk.root_at(*size) == Some(root) {
            met.met += 1;
            met.up_to = met.up_to.max(*size);
            agreed.push(*size);
        } else if walk.is_set_aside(*size) {
            met.set_aside += 1;
        } else if *size > walk.size() {
            let what = format!(
                "the chain ends at entry {}, a checkpoint of {at} covers {size}: its tail was cut, or an older file was put back",
                walk.size()
            );
            report.damage("checkpoint-ahead", Some(walk.size()), what);
        } else {
            let from = agreed.iter().filter(|agreed| *agreed < size).max().map_or(1, |agreed| agreed + 1);
            let what = format!(
                "entries {from} to {size} are not those that a checkpoint of {at} covers: one or more of them were written anew"
            );
            report.damage("checkpoint-differs", Some(from), what);
        }
    }
    report.checkpoints = Some(met);
}

/// Signed by the key, and of the same org.
fn is_trusted(note: &Note, key: Option<&Verifier>, walk: &Walk, report: &mut Report) -> bool {
    let Checkpoint { size, at, origin, .. } = &note.checkpoint;
    if let Some(key) = key.filter(|key| !note.is_signed_by(key)) {
        let what = format!("the checkpoint of {at} over {size} entries is not signed by `{}`", key.name());
        report.damage("checkpoint-signature", None, what);
        return false;
    }
    let own = walk.org().map(Checkpoint::origin_of);
    if own.is_some_and(|own| own != *origin) {
        let what = format!("the checkpoint of {at} is of `{origin}`, another org's ledger");
        report.damage("checkpoint-other-org", None, what);
        return false;
    }
    true
}
