//! What the ledger refuses, and what can go wrong under it.

use std::path::PathBuf;

use crate::domain::{CanonicalError, PromotionId, Stage};

/// Why the ledger did not do it. A transaction that fails leaves nothing behind.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// What was given is no path and no URL that can be used.
    #[error("the place of the ledger cannot be used: {0}")]
    Place(String),
    /// There is none.
    #[error("no ledger at `{0}`: name an existing one, or start `countersign serve` to create it")]
    Missing(String),
    /// The file is something else.
    #[error("`{place}` is not a ledger: {reason}")]
    NotALedger {
        /// The file, or the database.
        place: String,
        /// What was found.
        reason: String,
    },
    /// The file is no export.
    #[error("`{path}` is no export: {reason}; `countersign export` makes one")]
    NotAnExport {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A newer version wrote it.
    #[error("the ledger has schema {found}, this version knows {known}: use the newer countersign")]
    Newer {
        /// Schema of the file.
        found: i64,
        /// Newest schema that this version knows.
        known: i64,
    },
    /// It belongs to another org.
    #[error("the ledger belongs to org {found}, not to {expected}: name the right ledger or the right org")]
    OtherOrg {
        /// The org that is connected.
        expected: String,
        /// The org of the ledger.
        found: String,
    },
    /// A newer process leads.
    #[error("epoch {own} ended: another process took the lead with epoch {current}")]
    Fenced {
        /// The epoch of this process.
        own: u64,
        /// The epoch in force.
        current: u64,
    },
    /// The disk is full.
    #[error("no space is left for the ledger: free space; nothing was half written")]
    Full,
    /// The server cannot be reached, or ended the connection.
    #[error(
        "the ledger's database cannot be reached: {0}; look at `ledger.path`, the network and the server (`serve` tries again by itself)"
    )]
    Unreachable(String),
    /// The server was lost while a transaction ended.
    #[error(
        "the database was lost while a transaction ended, so nobody knows whether it counts: what is there is read again"
    )]
    InDoubt,
    /// Only a file can be copied.
    #[error(
        "the ledger is in PostgreSQL and is no file: back it up with `pg_dump` or the server's own backups, or write `countersign export`"
    )]
    NoFile,
    /// Another process holds the write lock.
    #[error("the ledger is busy: another process writes to it; try again")]
    Busy,
    /// A record can have one open promotion.
    #[error("promotion `{0}` is refused: another promotion of its record has not ended")]
    PromotionOpen(PromotionId),
    /// A number of a record belongs to one write. Another process wrote after the record was read.
    #[error(
        "promotion `{promotion}` is refused: the number {number} of its record was already used by `{earlier}`; read the \
         record again and plan anew. If a person set the number back, set it above {number}"
    )]
    NumberUsed {
        /// The promotion that was to be intended.
        promotion: PromotionId,
        /// The number that it expects.
        number: u64,
        /// The promotion that moved it on.
        earlier: PromotionId,
    },
    /// What is to be erased is still needed.
    #[error(
        "`{0}` has not ended, and what it rests on is still needed: let people reject it, or wait until it ended, then erase"
    )]
    ErasureOpen(String),
    /// Something that the event speaks of was never recorded.
    #[error("the ledger knows no {what} `{id}`")]
    Unknown {
        /// `proposal` or `promotion`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// A proposal does not go from here to there.
    #[error("a proposal does not go from {} to {}", .from.name(), .to.name())]
    StageTransition {
        /// Where it stands.
        from: Stage,
        /// Where it was to go.
        to: Stage,
    },
    /// A promotion does not go from here to there.
    #[error("promotion `{promotion}` does not go from {from} to {to}")]
    SettlementTransition {
        /// Which promotion.
        promotion: PromotionId,
        /// How it stands.
        from: &'static str,
        /// How it was to stand.
        to: &'static str,
    },
    /// The ledger was opened for reading.
    #[error("the ledger was opened for reading only")]
    ReadOnly,
    /// A value has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// What is stored cannot be read back.
    #[error("the ledger is damaged: {0}; run `countersign verify`")]
    Damaged(String),
    /// The database failed otherwise.
    #[error("the ledger's database failed: {0}")]
    Database(String),
}

impl LedgerError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "ledger-missing",
            Self::Place(_) => "ledger-place",
            Self::Unreachable(_) => "ledger-unreachable",
            Self::InDoubt => "ledger-in-doubt",
            Self::NoFile => "ledger-no-file",
            Self::NotALedger { .. } => "ledger-not-a-ledger",
            Self::NotAnExport { .. } => "export-unreadable",
            Self::Newer { .. } => "ledger-newer",
            Self::OtherOrg { .. } => "ledger-other-org",
            Self::Fenced { .. } => "ledger-fenced",
            Self::Full => "ledger-full",
            Self::Busy => "ledger-busy",
            Self::PromotionOpen(_) => "promotion-open",
            Self::NumberUsed { .. } => "promotion-number-used",
            Self::ErasureOpen(_) => "erasure-open",
            Self::Unknown { .. } => "ledger-unknown",
            Self::StageTransition { .. } => "stage-transition",
            Self::SettlementTransition { .. } => "settlement-transition",
            Self::ReadOnly => "ledger-read-only",
            Self::Canonical(_) => "not-canonical",
            Self::Damaged(_) => "ledger-damaged",
            Self::Database(_) => "ledger-database",
        }
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        if let Some(told) = super::db::postgres::told(&error) {
            return told;
        }
        let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
        // SQLite's extended result codes; the low byte is the primary one.
        let primary = code.and_then(|code| code.parse::<i64>().ok()).map(|code| code & 0xff);
        match primary {
            Some(13) => Self::Full,
            Some(5 | 6) => Self::Busy,
            Some(11) => Self::Damaged(error.to_string()),
            Some(8) => Self::ReadOnly,
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for LedgerError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}
