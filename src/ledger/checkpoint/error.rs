//! What can be wrong with keys, checkpoints, and a ledger beside them.

use std::path::PathBuf;

use crate::ledger::LedgerError;

/// Why a checkpoint is not made, not believed, or not met by the ledger.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The key file cannot be used.
    #[error("`{path}` is no {kind} key: {reason}; `countersign checkpoint --new-key FILE` makes a pair")]
    Key {
        /// The file.
        path: PathBuf,
        /// `private` or `public`.
        kind: &'static str,
        /// What was found.
        reason: String,
    },
    /// Others can read the private key.
    #[error(
        "other users of this machine can read `{0}`: take the rights of group and others away with chmod 600"
    )]
    KeyOpen(PathBuf),
    /// The file of checkpoints cannot be read or written.
    #[error("the checkpoints in `{path}` cannot be {what}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// What was found.
        reason: String,
    },
    /// It is not signed by the key.
    #[error(
        "the checkpoint over {size} entries is not signed by the key `{key}`: name the key that signed it, or find out who wrote the file"
    )]
    Signature {
        /// What it covers.
        size: u64,
        /// Name of the key.
        key: String,
    },
    /// It speaks of another org's ledger.
    #[error(
        "the checkpoint is of `{found}`, the ledger of `{expected}`: name the right ledger or the right checkpoints"
    )]
    OtherOrg {
        /// Origin of the checkpoint.
        found: String,
        /// Origin of the ledger's own.
        expected: String,
    },
    /// The ledger has fewer entries than were signed.
    #[error(
        "the ledger ends at entry {head}, a checkpoint of {at} covers {size}: an older file was put back, or its tail was cut. \
         Put the newest ledger in place; if this one is all there is, `countersign checkpoint --accept-restore REASON --by NAME`"
    )]
    Older {
        /// Where the ledger ends.
        head: u64,
        /// What was signed.
        size: u64,
        /// When.
        at: String,
    },
    /// The entries are not those that were signed.
    #[error(
        "the first {size} entries are not those that a checkpoint of {at} covers: run `countersign verify --checkpoint FILE` \
         and put the right ledger in place; if this one is all there is, `countersign checkpoint --accept-restore REASON --by NAME`"
    )]
    Differs {
        /// What was signed.
        size: u64,
        /// When.
        at: String,
    },
    /// A record in the org says that it is a checkpoint, and is none of ours.
    #[error(
        "the checkpoint `{id}` in the org, made by user `{by}`, is none of ours: {reason}. Find out who wrote it, and have an \
         admin delete it; if an earlier key signed it, name that key's file in `checkpoint.former_keys_path`"
    )]
    Forged {
        /// Id of the record.
        id: String,
        /// Id of the user who made it.
        by: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The org holds a checkpoint over more entries than the ledger has.
    #[error(
        "the ledger ends at entry {head}, a checkpoint of {at} in the org covers {size}: an older file was put back, or its \
         tail was cut. Put the newest ledger in place; if this one is all there is, \
         `countersign checkpoint --accept-restore REASON --by NAME`"
    )]
    OlderThanAnchor {
        /// Where the ledger ends.
        head: u64,
        /// What was signed.
        size: u64,
        /// When.
        at: String,
    },
    /// The org holds a checkpoint over other entries.
    #[error(
        "the first {size} entries are not those that a checkpoint of {at} in the org covers: run `countersign verify --config \
         FILE` and put the right ledger in place; if this one is all there is, \
         `countersign checkpoint --accept-restore REASON --by NAME`"
    )]
    DiffersFromAnchor {
        /// What was signed.
        size: u64,
        /// When.
        at: String,
    },
    /// There is nothing to accept.
    #[error("the ledger agrees with its last checkpoints: there is no restore to accept")]
    Agrees,
    /// The ledger itself failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl CheckpointError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Key { .. } => "checkpoint-key-unreadable",
            Self::KeyOpen(_) => "checkpoint-key-open",
            Self::File { .. } => "checkpoint-file",
            Self::Signature { .. } => "checkpoint-signature",
            Self::OtherOrg { .. } => "checkpoint-other-org",
            Self::Older { .. } => "ledger-older-than-checkpoint",
            Self::Differs { .. } => "ledger-differs-from-checkpoint",
            Self::Forged { .. } => "anchor-forged",
            Self::OlderThanAnchor { .. } => "ledger-older-than-anchor",
            Self::DiffersFromAnchor { .. } => "ledger-differs-from-anchor",
            Self::Agrees => "checkpoint-agrees",
            Self::Ledger(error) => error.code(),
        }
    }
}
