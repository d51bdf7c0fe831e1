//! The chain beside its checkpoints: what was signed must still be there.

use serde::Serialize;

use super::{Report, walk::Walk};
use crate::ledger::checkpoint::{Anchored, Checkpoint, CheckpointError, Log, Note, Verifier};

/// What to compare with.
#[derive(Debug, Clone, Default)]
pub struct Against {
    /// Checkpoints, oldest first; absent where no file was given.
    pub log: Option<Log>,
    /// Checkpoints that stand in the org; absent where it was not asked, or has no place for them.
    pub anchors: Option<Vec<Anchored>>,
    /// The keys of which one must have signed each; none: signatures are not looked at.
    pub keys: Vec<Verifier>,
}

impl Against {
    /// The sizes of all of them.
    pub(super) fn sizes(&self) -> impl Iterator<Item = u64> {
        let notes = self.log.iter().flat_map(|log| &log.notes).map(|note| note.checkpoint.size);
        let anchors = self.anchors.iter().flatten().filter_map(|anchor| Note::parse(&anchor.note));
        notes.chain(anchors.map(|note| note.checkpoint.size))
    }
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

/// Codes and words for checkpoints of one place.
struct Place {
    ahead: &'static str,
    differs: &'static str,
    named: &'static str,
}

const FILE: Place = Place { ahead: "checkpoint-ahead", differs: "checkpoint-differs", named: "a checkpoint" };
const ORG: Place =
    Place { ahead: "anchor-ahead", differs: "anchor-differs", named: "a checkpoint in the org" };

pub(super) fn compare(against: &Against, walk: &Walk, report: &mut Report) {
    if let Some(log) = &against.log {
        let mut met = Met { pieces: log.pieces as u64, ..Met::default() };
        if log.notes.is_empty() {
            report.damage("checkpoint-missing", None, "the file has no checkpoint");
        }
        met.read = log.notes.len() as u64;
        let trusted = log.notes.iter().filter(|note| is_trusted(note, &against.keys, walk, report));
        let trusted: Vec<Checkpoint> = trusted.map(|note| note.checkpoint.clone()).collect();
        meet((&trusted, &FILE), !against.keys.is_empty(), (walk, &mut met), report);
        report.checkpoints = Some(met);
    }
    if let Some(anchors) = &against.anchors {
        let mut met = Met { read: anchors.len() as u64, ..Met::default() };
        let mut trusted = believed(anchors, &against.keys, walk, report);
        trusted.sort_by_key(|checkpoint| checkpoint.size);
        meet((&trusted, &ORG), !against.keys.is_empty(), (walk, &mut met), report);
        // An export may end before the entry that speaks of it.
        if let Some(last) = walk.anchored().filter(|last| last.size >= walk.first_size())
            && !trusted.iter().any(|found| found.size == last.size && found.root == last.root)
        {
            let what = format!(
                "the checkpoint over {} entries that was kept in the org on {} is there no more",
                last.size, last.at
            );
            report.damage("anchor-missing", None, what);
        }
        report.anchors = Some(met);
    }
}

/// The checkpoints of the org that are ours.
fn believed(anchors: &[Anchored], keys: &[Verifier], walk: &Walk, report: &mut Report) -> Vec<Checkpoint> {
    let org = walk.org().unwrap_or_default();
    let read = |anchor: &Anchored| -> Result<Checkpoint, CheckpointError> {
        anchor.read(org, keys).map(|note| note.checkpoint)
    };
    let mut told = |error: CheckpointError| report.damage("anchor-forged", None, error.to_string());
    anchors.iter().filter_map(|anchor| read(anchor).map_err(&mut told).ok()).collect()
}

/// Compares the walk with checkpoints that are believed.
fn meet(
    (checkpoints, place): (&[Checkpoint], &Place),
    signed: bool,
    (walk, met): (&Walk, &mut Met),
    report: &mut Report,
) {
    let mut agreed: Vec<u64> = Vec::new();
    for Checkpoint { size, root, at, .. } in checkpoints {
        met.signed += u64::from(signed);
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
                "the chain ends at entry {}, {} of {at} covers {size}: its tail was cut, or an older file was put back",
                walk.size(),
                place.named
            );
            report.damage(place.ahead, Some(walk.size()), what);
        } else {
            let from = agreed.iter().filter(|agreed| *agreed < size).max().map_or(1, |agreed| agreed + 1);
            let what = format!(
                "entries {from} to {size} are not those that {} of {at} covers: one or more of them were written anew",
                place.named
            );
            report.damage(place.differs, Some(from), what);
        }
    }
}

/// Signed by the key, and of the same org.
fn is_trusted(note: &Note, keys: &[Verifier], walk: &Walk, report: &mut Report) -> bool {
    let Checkpoint { size, at, origin, .. } = &note.checkpoint;
    if let Some(key) = keys.first().filter(|_| !keys.iter().any(|key| note.is_signed_by(key))) {
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
