//! Checkpoints that stand in the org: read, believed or not, and compared with the ledger.

use super::{Checkpoint, CheckpointError, Disagreement, Note, Tree, Verifier};
use crate::{
    domain::restore::Restore,
    ledger::{Ledger, LedgerError},
};

/// A record of the org that says it is a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anchored {
    /// Id of the record.
    pub id: String,
    /// Who made it: a user's id.
    pub by: String,
    /// The signed text.
    pub note: String,
    /// What its fields say of the size, for lists; the text counts.
    pub size: String,
    /// What they say of the head.
    pub root: String,
}

impl Anchored {
    /// The checkpoint, believed only when one of these keys signed it and the fields say the same.
    /// Without keys the signature is not looked at.
    pub fn read(&self, org: &str, keys: &[Verifier]) -> Result<Note, CheckpointError> {
        let forged = |reason: &str| CheckpointError::Forged {
            id: self.id.clone(),
            by: self.by.clone(),
            reason: reason.to_owned(),
        };
        let note = Note::parse(&self.note).ok_or_else(|| forged("its text is no checkpoint"))?;
        if !keys.is_empty() && !keys.iter().any(|key| note.is_signed_by(key)) {
            return Err(forged("it is not signed by a known key"));
        }
        let Checkpoint { origin, size, root, .. } = &note.checkpoint;
        if *origin != Checkpoint::origin_of(org) {
            return Err(forged("it is about another org's ledger"));
        }
        if size.to_string() != self.size || *root != self.root {
            return Err(forged("its fields differ from its signed text"));
        }
        Ok(note)
    }
}

/// Compares a ledger with all of these checkpoints, but for those that a recorded restore set aside.
pub async fn unmet(ledger: &Ledger, checkpoints: &[Checkpoint]) -> Result<Option<Disagreement>, LedgerError> {
    let mut by_size: Vec<&Checkpoint> = checkpoints.iter().collect();
    by_size.sort_by_key(|checkpoint| checkpoint.size);
    let (mut tree, mut agreed, mut differing) = (Tree::default(), 0, Vec::new());
    for checkpoint in by_size {
        ledger.grow(&mut tree, checkpoint.size).await?;
        match tree.size() == checkpoint.size && tree.root() == checkpoint.root {
            true if differing.is_empty() => agreed = checkpoint.size,
            true => {}
            false => differing.push(checkpoint),
        }
    }
    if !differing.is_empty() {
        let restores = ledger.restores().await?;
        differing.retain(|checkpoint| !restores.iter().any(|restore| sets_aside(restore, checkpoint.size)));
    }
    let head = ledger.length().await?;
    Ok(differing.last().map(|last| Disagreement { agreed, last: (*last).clone(), head }))
}

fn sets_aside(restore: &Restore, size: u64) -> bool {
    restore.agreed < size && size <= restore.lost
}
