//! What can go wrong with the ledger, each with a stable code and what to do.

use std::path::PathBuf;

use crate::domain::{CanonicalError, Stage};

/// An error of the ledger. Nothing of the failed transaction is kept.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no file.
    #[error("no ledger at {}: give the path of an existing ledger, or start `countersign serve` once to create it", .0.display())]
    Missing(PathBuf),
    /// The file is something else.
    #[error("{} is not a countersign ledger ({what}): give another path, the file was left as it is", .path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A later version of countersign wrote it.
    #[error(
        "the ledger has schema {found}, this version knows {known}: run the version that wrote it, or a later one"
    )]
    Newer {
        /// Schema version in the file.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// An earlier version of countersign wrote it and it was opened for reading only.
    #[error(
        "the ledger has schema {found}, this version needs {known}: start `countersign serve` once, it raises the schema"
    )]
    Older {
        /// Schema version in the file.
        found: i64,
        /// What this program needs.
        known: i64,
    },
    /// It belongs to another org.
    #[error(
        "the ledger belongs to org {found}, expected {expected}: one ledger holds one org, give each org its own file"
    )]
    OtherOrg {
        /// The org in the file.
        found: String,
        /// The org that was asked for.
        expected: String,
    },
    /// No room to write.
    #[error(
        "no room to write the ledger ({0}): free disk space; nothing was half written and work resumes by itself"
    )]
    Full(String),
    /// Another process holds the write lock for too long.
    #[error("the ledger is locked by another process ({0}): see which process has it open, then try again")]
    Busy(String),
    /// A later writer took over.
    #[error("a later process leads this ledger (epoch {found}, ours is {ours}): this process must stop")]
    Fenced {
        /// Epoch in the ledger.
        found: u64,
        /// Our epoch.
        ours: u64,
    },
    /// A write through a handle that was opened for reading.
    #[error("the ledger was opened for reading only")]
    ReadOnly,
    /// What was read does not fit what the ledger writes.
    #[error("the ledger is damaged: {0}; run `countersign verify --ledger FILE` and restore a copy")]
    Damaged(String),
    /// Parts of the entry were erased, so the record cannot be shown.
    #[error("entry {seq} had its private parts erased")]
    Erased {
        /// The entry.
        seq: u64,
    },
    /// A value that cannot be hashed for good.
    #[error("an event cannot be hashed: {0}")]
    Canonical(#[from] CanonicalError),
    /// An event that contradicts the entries before it.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// Any other answer of the database.
    #[error("the ledger's database: {0}")]
    Database(String),
    /// The file or its directory cannot be used.
    #[error("{}: {what}: give the process access to the file and its directory", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        what: String,
    },
}

/// An event that contradicts the entries before it, so it is not appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The proposal id is taken.
    #[error("proposal {0} is in the ledger already")]
    ProposalExists(String),
    /// Nothing is known of the proposal.
    #[error("proposal {0} is not in the ledger: append its `proposal_received` first")]
    ProposalUnknown(String),
    /// The stage does not follow.
    #[error("proposal {proposal} cannot go from {} to {}: {why}", .from.name(), .to.name())]
    Stage {
        /// Which proposal.
        proposal: String,
        /// Where it stands.
        from: Stage,
        /// Where it was to go.
        to: Stage,
        /// The rule.
        why: &'static str,
    },
    /// The promotion id is taken.
    #[error("promotion {0} is in the ledger already")]
    PromotionExists(String),
    /// Nothing is known of the promotion.
    #[error("promotion {0} is not in the ledger: append its `promotion_intended` first")]
    PromotionUnknown(String),
    /// One open promotion for a record is the limit.
    #[error("{object} {record} has an open promotion {open}: settle it first")]
    PromotionOpen {
        /// Object.
        object: String,
        /// Record.
        record: String,
        /// The promotion that is open.
        open: String,
    },
    /// An intent that has no ground, or is not fresh.
    #[error("promotion {promotion} cannot be intended: {why}")]
    Intent {
        /// Which promotion.
        promotion: String,
        /// The rule.
        why: String,
    },
    /// The settlement does not follow.
    #[error("promotion {promotion} cannot go from {from} to {to}")]
    Settlement {
        /// Which promotion.
        promotion: String,
        /// State it is in.
        from: String,
        /// State it was to take.
        to: &'static str,
    },
    /// A notice was settled that nobody intended.
    #[error("no notice is open for proposal {0}")]
    NoticeUnknown(String),
}

impl Illegal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ProposalExists(_) => "proposal-exists",
            Self::ProposalUnknown(_) => "proposal-unknown",
            Self::Stage { .. } => "stage-transition",
            Self::PromotionExists(_) => "promotion-exists",
            Self::PromotionUnknown(_) => "promotion-unknown",
            Self::PromotionOpen { .. } => "promotion-open",
            Self::Intent { .. } => "promotion-intent",
            Self::Settlement { .. } => "settlement-transition",
            Self::NoticeUnknown(_) => "notice-unknown",
        }
    }
}

impl LedgerError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "ledger-missing",
            Self::NotALedger { .. } => "ledger-not-a-ledger",
            Self::Newer { .. } => "ledger-newer",
            Self::Older { .. } => "ledger-older",
            Self::OtherOrg { .. } => "ledger-other-org",
            Self::Full(_) => "ledger-full",
            Self::Busy(_) => "ledger-busy",
            Self::Fenced { .. } => "ledger-fenced",
            Self::ReadOnly => "ledger-read-only",
            Self::Damaged(_) => "ledger-damaged",
            Self::Erased { .. } => "ledger-erased",
            Self::Canonical(_) => "ledger-not-canonical",
            Self::Illegal(illegal) => illegal.code(),
            Self::Database(_) => "ledger-database",
            Self::Io { .. } => "ledger-io",
        }
    }
}

/// Primary result codes of SQLite that have an answer of their own. Source: sqlite.org/rescode.html.
impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        let extended = error.as_database_error().and_then(|e| e.code()?.parse::<i32>().ok());
        match extended.map(|code| code & 0xff) {
            Some(5 | 6) => Self::Busy(text),
            Some(13) => Self::Full(text),
            Some(8) => Self::ReadOnly,
            Some(11 | 26) => Self::Damaged(text),
            _ => Self::Database(text),
        }
    }
}
