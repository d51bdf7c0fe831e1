//! The ledger: append-only entries in a hash chain, and everything that can be folded from them.
//!
//! This is the only module with SQL. It runs on SQLite and on PostgreSQL through one thin layer, `db`.
//! One owned connection writes, inside named transactions; a second one reads. Projections change only in [`tx::Tx::append`], together with the entry.

#[cfg(test)]
mod alarm_tests;
mod alarms;
mod anchors;
mod append;
mod backup;
mod basis;
mod break_glass;
pub mod checkpoint;
mod counts;
mod db;
mod decays;
mod erase;
mod error;
pub mod export;
mod freezes;
mod grounds;
mod heartbeats;
mod inbox;
mod job_runs;
#[cfg(test)]
mod known_tests;
mod lanes;
mod lease;
mod meta;
mod migrate;
#[cfg(test)]
mod migrate_tests;
mod open;
#[cfg(test)]
#[path = "../../tests/it/postgres.rs"]
#[expect(dead_code, reason = "the tests with processes use more of it")]
mod postgres_server;
mod project;
mod promotions;
mod proposals;
mod quality;
#[cfg(test)]
mod quality_tests;
mod queries;
#[cfg(test)]
mod reconciliation_tests;
mod reconciliations;
mod recorded;
mod rollbacks;
mod seal;
#[cfg(test)]
mod server_tests;
mod signals;
pub mod stage;
#[cfg(test)]
mod tests;
mod totals;
mod tx;
mod unwritten;
pub mod verify;
mod waiting;
#[cfg(test)]
mod watch_tests;
mod watches;
mod writers;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64},
};

use tokio::sync::Mutex;

pub use alarms::Waiting;
pub use anchors::Anchors;
pub use db::place::Place;
pub use decays::Announced;
pub use erase::Erased;
pub use error::LedgerError;
pub use heartbeats::Heartbeats;
pub use inbox::InboxBatch;
pub use lease::{Claim, Lease};
pub use open::OpenOptions;
pub use promotions::NoticeRecord;
pub use proposals::{ProposalFilter, ProposalRecord};
pub use quality::{QualityPage, Told as QualityStory};
pub use queries::{Counts, StoredEntry};
pub use recorded::{Basis, Depth, RecordedPage, RecordedVerdict, Told};
pub use rollbacks::{Begun, Landed};
pub use totals::{Ended, KnownTotals};
pub use tx::Tx;
pub use watches::{Counted, Watched};
pub use writers::CountedWriters;

use crate::clock::Clock;

/// One org's ledger. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Option<Arc<Mutex<tx::Writer>>>,
    reader: Mutex<db::Connection>,
    /// Keeps the lease, where there is one.
    keeper: Mutex<Option<db::Connection>>,
    epoch: AtomicU64,
    /// A commit was lost on its way: nobody knows whether it happened.
    in_doubt: AtomicBool,
    migrated: Option<(i64, i64)>,
    org_id: String,
    clock: Clock,
    place: Place,
}

impl Ledger {
    /// The org whose ledger it is.
    pub fn org_id(&self) -> &str {
        &self.inner.org_id
    }
}
