//! Verify: an independent reader that looks for any damage.
//!
//! It shares the hash functions, the seals and the tables of stages and settlements with the
//! writer, and nothing else: its own SQL, its own loop over the chain, its own fold.

mod checkpoints;
mod compare;
mod cores;
mod entry;
mod file;
mod fold;
mod joined;
mod kept;
mod merged;
mod parts;
mod pieces;
mod reading;
#[cfg(test)]
mod reading_tests;
mod rows;
mod step;
mod tables;
#[cfg(test)]
mod tests;
mod walk;

use std::path::Path;

use serde::Serialize;

pub use checkpoints::{Against, Met};
pub use cores::at_once;
pub use file::{Exported, verify_export};

use super::{
    LedgerError, Place,
    db::{self, postgres, sqlite},
    migrate::SCHEMA,
};

/// One damage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Stable code.
    pub code: &'static str,
    /// Place in the chain, where it has one.
    pub seq: Option<u64>,
    /// What was found, in words.
    pub what: String,
}

/// What verify saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Schema of the file; 0 where it cannot be read.
    pub schema: i64,
    /// Entries read.
    pub entries: u64,
    /// Hash of the last one.
    pub head: String,
    /// Private parts whose commitment was checked.
    pub private_checked: u64,
    /// Private parts that have been erased.
    pub private_erased: u64,
    /// Inbox batches whose bytes were checked.
    pub batches: u64,
    /// Proposals and promotions that were folded again and compared.
    pub projections: u64,
    /// What an export says of itself; absent where a ledger was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<Exported>,
    /// What came of the checkpoints; absent where none were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<Met>,
    /// What came of the checkpoints in the org; absent where it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchors: Option<Met>,
    /// Entries that speak of erased values.
    pub erasures: u64,
    /// Restores that people accepted.
    pub restores: u64,
    /// Damages, in the order in which they were found. Empty means that none was found.
    pub findings: Vec<Damage>,
}

/// Most damages of one kind that are told one by one.
const MOST_PER_CODE: usize = 20;

impl Report {
    pub(super) fn damage(&mut self, code: &'static str, seq: Option<u64>, what: impl Into<String>) {
        if self.findings.iter().filter(|damage| damage.code == code).count() < MOST_PER_CODE {
            self.findings.push(Damage { code, seq, what: what.into() });
        }
    }
}

/// Reads the whole ledger and reports every damage. An error means that there is nothing to
/// verify: no file, or no ledger at all.
///
/// `progress` is told, page by page, how many entries were checked.
pub async fn verify(
    place: &Place,
    against: Option<&Against>,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, LedgerError> {
    if place.is_absent_file() {
        return Err(LedgerError::Missing(place.to_string()));
    }
    let mut report = Report::default();
    let (sound, read) = match place {
        Place::File(path) => {
            // Beside the rest, on a connection of its own: it reads the whole file once more.
            let read = read(sqlite::connect_untouched(path).await, against, &mut report, progress);
            tokio::join!(tables::integrity(path), read)
        }
        Place::Server(server) => {
            let org_id = postgres::org_of(server).await?;
            let connection = postgres::connect(server, &org_id, postgres::Use::ReadingAll).await?;
            (Ok(Vec::new()), read(Ok(connection), against, &mut report, progress).await)
        }
    };
    let damaged = sound.iter().flatten().map(|found| ("file-damaged", found.clone()));
    // A database that cannot be read any more is the worst damage of all.
    let unreadable = sound.as_ref().err().or(read.as_ref().err());
    let unreadable = unreadable.map(|error| ("ledger-unreadable", error.to_string()));
    let first = damaged.chain(unreadable).map(|(code, what)| Damage { code, seq: None, what });
    report.findings.splice(..0, first.collect::<Vec<_>>());
    // A newer version may keep what this one would call damage, and the other way round.
    if report.schema > SCHEMA {
        return Err(LedgerError::Newer { found: report.schema, known: SCHEMA });
    }
    Ok(report)
}

/// [`verify`] without progress.
pub async fn verify_file(path: &Path) -> Result<Report, LedgerError> {
    verify(&path.into(), None, &mut |_| {}).await
}

async fn read(
    connection: Result<db::Connection, sqlx::Error>,
    against: Option<&Against>,
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) -> Result<(), sqlx::Error> {
    let mut connection = connection?;
    // One transaction, so that a daemon that goes on writing cannot make the parts differ.
    connection.begin_reading().await?;
    let read = read_all(&mut connection, against, report, progress).await;
    let closed = connection.close().await;
    read.and(closed)
}

async fn read_all(
    connection: &mut db::Connection,
    against: Option<&Against>,
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) -> Result<(), sqlx::Error> {
    report.schema = tables::version(connection).await;
    tables::schema(connection, report).await?;
    let walk = rows::walk(connection, against, report, progress).await?;
    if let Some(against) = against {
        checkpoints::compare(against, &walk, report);
    }
    tables::head(connection, report).await?;
    tables::inbox(connection, report).await?;
    tables::cursors(connection, report).await?;
    tables::sealed_schema(connection, report).await?;
    tables::strays(connection, walk.is_gapless(), report).await?;
    compare::compare(connection, walk.into_fold(), report).await
}
