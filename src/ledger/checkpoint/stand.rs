//! How a ledger stands to its checkpoints, and making the next one.
//!
//! The hashes are the stored ones. That each is the hash of its entry is what `verify` checks.

use std::path::PathBuf;

use super::{Checkpoint, CheckpointError, Note, Signer, Tree, log};
use crate::{
    clock::Clock,
    ledger::{
        Ledger, LedgerError,
        append::number,
        db::{self, Sql},
    },
};

/// Hashes that are read in one go, as one text: a row costs more than what is in it.
const PAGE: i64 = 10_000;

const HASHES: Sql = Sql::Either(
    "SELECT count(*), group_concat(hash, '') FROM \
     (SELECT hash FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?)",
    "SELECT count(*), string_agg(hash, '' ORDER BY seq) FROM \
     (SELECT seq, hash FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?) e",
);

/// Digits of a hash.
const DIGITS: usize = 64;

impl Ledger {
    /// Adds the entries after a tree up to `up_to`, or to the head when that comes first.
    pub async fn grow(&self, tree: &mut Tree, up_to: u64) -> Result<(), LedgerError> {
        let mut reader = self.reader().await?;
        while tree.size() < up_to {
            let query = db::query(HASHES).bind(number(tree.size())?).bind(number(up_to)?).bind(PAGE);
            let row = query.fetch_one(&mut reader).await?;
            let (count, hashes): (i64, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
            let hashes = hashes.unwrap_or_default();
            if hashes.len() != usize::try_from(count).unwrap_or(0) * DIGITS || !hashes.is_ascii() {
                return Err(LedgerError::Damaged("a stored hash is not one".to_owned()));
            }
            for place in (0..hashes.len()).step_by(DIGITS) {
                tree.push_hex(&hashes[place..place + DIGITS]);
            }
            if count == 0 {
                break;
            }
        }
        Ok(())
    }

    /// The tree over the first entries, at most `up_to`.
    pub async fn tree(&self, up_to: u64) -> Result<Tree, LedgerError> {
        let mut tree = Tree::default();
        self.grow(&mut tree, up_to).await?;
        Ok(tree)
    }
}

/// A checkpoint that a ledger does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// Entries up to the last checkpoint that it meets.
    pub agreed: u64,
    /// The last checkpoint.
    pub last: Checkpoint,
    /// Where the ledger ends.
    pub head: u64,
}

impl Disagreement {
    /// As a refusal.
    pub fn error(&self) -> CheckpointError {
        let (head, size, at) = (self.head, self.last.size, self.last.at.clone());
        if head < size {
            CheckpointError::Older { head, size, at }
        } else {
            CheckpointError::Differs { size, at }
        }
    }
}

impl Disagreement {
    /// As a refusal because of what stands in the org.
    pub fn anchor_error(&self) -> CheckpointError {
        let (head, size, at) = (self.head, self.last.size, self.last.at.clone());
        if head < size {
            CheckpointError::OlderThanAnchor { head, size, at }
        } else {
            CheckpointError::DiffersFromAnchor { size, at }
        }
    }
}

/// Compares a ledger with the last of its checkpoints.
pub async fn disagreement(ledger: &Ledger, notes: &[Note]) -> Result<Option<Disagreement>, LedgerError> {
    let Some(last) = notes.last().map(|note| &note.checkpoint) else { return Ok(None) };
    let head = ledger.length().await?;
    if ledger.tree(last.size).await?.root() == last.root {
        return Ok(None);
    }
    let mut earlier: Vec<&Checkpoint> = notes.iter().map(|note| &note.checkpoint).collect();
    earlier.sort_by_key(|checkpoint| checkpoint.size);
    let (mut tree, mut agreed) = (Tree::default(), 0);
    for checkpoint in earlier {
        ledger.grow(&mut tree, checkpoint.size).await?;
        if tree.size() < checkpoint.size || tree.root() != checkpoint.root {
            break;
        }
        agreed = checkpoint.size;
    }
    Ok(Some(Disagreement { agreed, last: last.clone(), head }))
}

/// Writes checkpoints of one ledger into one file.
pub struct Keeper {
    ledger: Ledger,
    signer: Signer,
    path: PathBuf,
    clock: Clock,
    tree: Tree,
    /// The last one in the file.
    newest: Option<Note>,
}

impl Keeper {
    /// Refuses a ledger that does not meet the last checkpoint of the file, and a file whose last
    /// checkpoint is not signed by this key. A file that is not there yet is an empty one.
    pub async fn open(
        ledger: Ledger,
        signer: Signer,
        path: PathBuf,
        clock: Clock,
    ) -> Result<Self, CheckpointError> {
        let log = if path.exists() { log::read(&path)? } else { log::Log::default() };
        if let Some(last) = log.notes.last() {
            last.check(ledger.org_id(), signer.verifier())?;
        }
        if let Some(found) = disagreement(&ledger, &log.notes).await? {
            return Err(found.error());
        }
        let newest = log.notes.last().cloned();
        Ok(Self { ledger, signer, path, clock, tree: Tree::default(), newest })
    }

    /// The last one in the file.
    pub fn newest(&self) -> Option<&Note> {
        self.newest.as_ref()
    }

    /// The key that signs.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// A checkpoint over everything that is there, without a place to write it to.
    pub async fn now(ledger: &Ledger, signer: &Signer, clock: &Clock) -> Result<Note, CheckpointError> {
        let tree = ledger.tree(ledger.length().await?).await?;
        Ok(Checkpoint::over(ledger.org_id(), &tree, clock.now()).sign(signer))
    }

    /// Writes one, unless nothing was added since the last one.
    pub async fn write(&mut self) -> Result<Option<Note>, CheckpointError> {
        let head = self.ledger.length().await?;
        if self.newest.as_ref().is_some_and(|note| note.checkpoint.size == head) {
            return Ok(None);
        }
        self.ledger.grow(&mut self.tree, head).await?;
        let note = Checkpoint::over(self.ledger.org_id(), &self.tree, self.clock.now()).sign(&self.signer);
        log::append(&self.path, &note)?;
        self.newest = Some(note.clone());
        Ok(Some(note))
    }
}
