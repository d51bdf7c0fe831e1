//! What is of SQLite only: the file, its locks, its journal.

use std::{path::Path, time::Duration};

use backon::{ConstantBuilder, Retryable as _};
use sqlx::{
    ConnectOptions as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{Connection, query};
use crate::ledger::LedgerError;

/// How long a statement waits for another process's lock.
const BUSY_WITHIN: Duration = Duration::from_secs(10);
/// Between two tries of what SQLite does not wait for by itself.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// How many such tries.
const BUSY_TRIES: usize = 100;

/// Makes an empty file for its owner only, unless there is one.
pub fn create_private(path: &Path) -> Result<(), LedgerError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            // Another process was faster.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            opened => opened.map(drop),
        }
    };
    made().map_err(|error| not_a_ledger(path, format!("it cannot be created: {error}")))
}

/// Memory for pages of the file, in kilobytes: enough for the upper levels of its trees. Long rows stand
/// in them too, so with SQLite's own 2 MB one look at a record reads a dozen pages of the file anew.
const CACHE_KB: u32 = 16_000;

/// Bytes of a page of a new file; older files keep theirs. An entry and a value have 1,000 to 3,000 bytes,
/// and what does not fit into a quarter of a page stands on pages of its own: with SQLite's own 4,096
/// the file is half as large again, and reading it takes twice the processor time.
const PAGE_BYTES: u32 = 16_384;

/// Connects. Two processes that make a new ledger in the same instant both switch its journal, and
/// SQLite tells one of them at once that it is busy, whatever the timeout; that one tries again.
pub async fn connect(path: &Path, read_only: bool) -> Result<Connection, LedgerError> {
    let again = ConstantBuilder::default().with_delay(BUSY_PAUSE).with_max_times(BUSY_TRIES);
    (|| connect_now(path, read_only)).retry(again).when(|error| matches!(error, LedgerError::Busy)).await
}

async fn connect_now(path: &Path, read_only: bool) -> Result<Connection, LedgerError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .page_size(PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is deleted is written over, so that an erased value is in no free page.
        .pragma("secure_delete", "ON")
        .pragma("cache_size", format!("-{CACHE_KB}"))
        .busy_timeout(BUSY_WITHIN)
        .statement_cache_capacity(200)
        .disable_statement_logging();
    let connection = options.connect().await.map_err(|error| match LedgerError::from(error) {
        known @ (LedgerError::Busy | LedgerError::Full) => known,
        other => not_a_ledger(path, other.to_string()),
    })?;
    let mut connection = Connection::from(connection);
    if read_only {
        let done = query("PRAGMA query_only = ON").execute(&mut connection).await;
        done.map_err(|error| not_a_ledger(path, error.to_string()))?;
    }
    Ok(connection)
}

/// Connects so that not a byte of the file, or of a log beside it, is changed.
pub async fn connect_untouched(path: &Path) -> Result<Connection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_WITHIN);
    let options = options.pragma("cache_size", format!("-{CACHE_KB}"));
    Ok(options.disable_statement_logging().connect().await?.into())
}

/// Looks at a file without changing it: the newest migration that it has seen, 0 for a file in
/// which nothing is yet.
pub async fn version(path: &Path) -> Result<i64, LedgerError> {
    let refused = |error: sqlx::Error| match LedgerError::from(error) {
        busy @ LedgerError::Busy => busy,
        other => not_a_ledger(path, other.to_string()),
    };
    let mut connection = connect_untouched(path).await.map_err(refused)?;
    let tables = query("SELECT name FROM sqlite_master WHERE type = 'table'").fetch_all(&mut connection);
    let tables = tables.await.map_err(refused)?;
    if tables.is_empty() {
        return Ok(0);
    }
    if !tables.iter().any(|row| row.text(0).is_ok_and(|name| name == "_sqlx_migrations")) {
        return Err(not_a_ledger(path, "it is a database of something else".to_owned()));
    }
    let row = query("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut connection).await?;
    Ok(row.try_get::<Option<i64>>(0)?.unwrap_or(0))
}

fn not_a_ledger(path: &Path, reason: String) -> LedgerError {
    LedgerError::NotALedger { place: path.display().to_string(), reason }
}
