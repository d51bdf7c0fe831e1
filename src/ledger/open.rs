//! Opening a ledger: the file, its schema, its org, and who leads.

use std::{
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use backon::{ConstantBuilder, Retryable as _};
use sqlx::{
    ConnectOptions as _, Row as _, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::Mutex;

use super::{Ledger, LedgerError, Tx, seal, tx::Writer};
use crate::{
    clock::Clock,
    crash,
    domain::{Digest, entry::GENESIS, event::Event},
};

/// Newest schema that this version writes.
pub(super) const SCHEMA: i64 = 1;

/// How long a statement waits for another process's lock.
const BUSY_WITHIN: Duration = Duration::from_secs(10);
/// Between two tries of what SQLite does not wait for by itself.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// How many such tries.
const BUSY_TRIES: usize = 100;

/// What to open.
pub struct OpenOptions {
    /// The file; created with mode 0600 when it is absent and `create` is set.
    pub path: PathBuf,
    /// 18-character id of the org whose ledger it is. Another org's ledger is refused.
    pub org_id: String,
    /// The time.
    pub clock: Clock,
    /// Whether an absent file is created.
    pub create: bool,
}

impl Ledger {
    /// Opens a ledger for writing. Nobody leads yet.
    pub async fn open(options: OpenOptions) -> Result<Self, LedgerError> {
        let path = options.path;
        if !path.exists() {
            if !options.create {
                return Err(LedgerError::Missing(path));
            }
            create_private(&path).map_err(|error| LedgerError::NotALedger {
                path: path.clone(),
                reason: format!("it cannot be created: {error}"),
            })?;
        }
        inspect(&path).await?;
        let mut writer = connect(&path, false).await?;
        crash::pass(crash::OPENED).await;
        migrate(&mut writer).await?;
        crash::pass(crash::OPENED).await;
        pin_org(&mut writer, &options.org_id).await?;
        crash::pass(crash::OPENED).await;
        let reader = connect(&path, true).await?;
        let writer = Writer { connection: writer, unfinished: false };
        Ok(Self {
            inner: Arc::new(super::Inner {
                writer: Some(Arc::new(Mutex::new(writer))),
                reader: Mutex::new(reader),
                epoch: AtomicU64::new(0),
                org_id: options.org_id,
                clock: options.clock,
                path,
            }),
        })
    }

    /// Opens a ledger for reading, also beside a process that writes to it.
    pub async fn open_read_only(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            return Err(LedgerError::Missing(path.to_owned()));
        }
        inspect(path).await?;
        let mut reader = connect(path, true).await?;
        let org_id = meta(&mut reader, "org").await?.ok_or_else(|| LedgerError::NotALedger {
            path: path.to_owned(),
            reason: "it names no org".to_owned(),
        })?;
        Ok(Self {
            inner: Arc::new(super::Inner {
                writer: None,
                reader: Mutex::new(reader),
                epoch: AtomicU64::new(0),
                org_id,
                clock: Clock::system(),
                path: path.to_owned(),
            }),
        })
    }

    /// Takes the lead: the epoch advances, and every process with an older one can write
    /// nothing more. Returns the new epoch.
    pub async fn lead(&self, version: &str, policy: &Digest) -> Result<u64, LedgerError> {
        let mut tx: Tx<'_> = self.begin_as("lead taken", None).await?;
        let epoch = tx.epoch_in_force().await? + 1;
        tx.set_meta("epoch", &epoch.to_string()).await?;
        tx.take_epoch(epoch);
        tx.append(&Event::Started { version: version.to_owned(), policy: policy.clone() }).await?;
        tx.commit().await?;
        self.inner.epoch.store(epoch, Ordering::SeqCst);
        Ok(epoch)
    }

    /// A copy of the ledger as it stands, in one file.
    pub async fn copy_to(&self, path: &Path) -> Result<(), LedgerError> {
        let Some(writer) = &self.inner.writer else { return Err(LedgerError::ReadOnly) };
        let mut writer = writer.lock().await;
        // The write lock is held, so nothing is added between the checkpoint and the copy.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut writer.connection).await?;
        std::fs::copy(&self.inner.path, path).map_err(|error| LedgerError::Database(error.to_string()))?;
        Ok(())
    }

    /// Writes everything into the one file and lets go of it.
    pub async fn close(&self) -> Result<(), LedgerError> {
        if let Some(writer) = &self.inner.writer {
            let mut writer = writer.lock().await;
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut writer.connection).await?;
        }
        Ok(())
    }
}

fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        // Another process was faster.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        opened => opened.map(drop),
    }
}

/// Connects. Two processes that make a new ledger in the same instant both switch its journal, and
/// SQLite tells one of them at once that it is busy, whatever the timeout; that one tries again.
pub(super) async fn connect(path: &Path, read_only: bool) -> Result<SqliteConnection, LedgerError> {
    let again = ConstantBuilder::default().with_delay(BUSY_PAUSE).with_max_times(BUSY_TRIES);
    (|| connect_now(path, read_only)).retry(again).when(|error| matches!(error, LedgerError::Busy)).await
}

async fn connect_now(path: &Path, read_only: bool) -> Result<SqliteConnection, LedgerError> {
    let url = format!("sqlite://{}", path.display());
    let options = SqliteConnectOptions::from_str(&url)
        .map_err(LedgerError::from)?
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is deleted is written over, so that an erased value is in no free page.
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY_WITHIN)
        .statement_cache_capacity(200)
        .disable_statement_logging();
    let not_a_ledger =
        |error: sqlx::Error| LedgerError::NotALedger { path: path.to_owned(), reason: error.to_string() };
    let mut connection = options.connect().await.map_err(|error| match LedgerError::from(error) {
        known @ (LedgerError::Busy | LedgerError::Full) => known,
        other => LedgerError::NotALedger { path: path.to_owned(), reason: other.to_string() },
    })?;
    if read_only {
        sqlx::query("PRAGMA query_only = ON").execute(&mut connection).await.map_err(not_a_ledger)?;
    }
    Ok(connection)
}

/// The migrations that this version knows.
fn migrator() -> Result<Migrator, LedgerError> {
    let first = Migration::new(
        SCHEMA,
        "ledger".into(),
        MigrationType::Simple,
        sqlx::SqlStr::from_static(include_str!("migrations/sqlite/0001_ledger.sql")),
        false,
    );
    Ok(Migrator::with_migrations(vec![first]))
}

/// Brings the schema up to date. Two processes may open a new ledger in the same instant: the
/// one that comes second sees its statements refused, and finds the work done when it looks again.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), LedgerError> {
    let migrator = migrator()?;
    let mut tries = 0;
    loop {
        match migrator.run(&mut *connection).await {
            Ok(()) => return Ok(()),
            Err(_) if tries < 20 => tries += 1,
            Err(error) => return Err(LedgerError::Database(error.to_string())),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Looks at a file without changing a byte of it: whose is it, and from which version?
async fn inspect(path: &Path) -> Result<(), LedgerError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_WITHIN);
    let connection = options.disable_statement_logging().connect().await;
    let mut connection = connection.map_err(|error| match LedgerError::from(error) {
        busy @ LedgerError::Busy => busy,
        other => LedgerError::NotALedger { path: path.to_owned(), reason: other.to_string() },
    })?;
    refuse_newer(&mut connection, path).await
}

async fn refuse_newer(connection: &mut SqliteConnection, path: &Path) -> Result<(), LedgerError> {
    let tables =
        sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table'").fetch_all(&mut *connection);
    let tables: Vec<String> = tables
        .await
        .map_err(|error| LedgerError::NotALedger { path: path.to_owned(), reason: error.to_string() })?
        .iter()
        .map(|row| row.get(0))
        .collect();
    if tables.is_empty() {
        return Ok(());
    }
    if !tables.iter().any(|name| name == "_sqlx_migrations") {
        let reason = "it is a database of something else".to_owned();
        return Err(LedgerError::NotALedger { path: path.to_owned(), reason });
    }
    let row = sqlx::query("SELECT max(version) FROM _sqlx_migrations").fetch_one(connection).await?;
    let found: i64 = row.try_get(0).unwrap_or(0);
    if found > SCHEMA { Err(LedgerError::Newer { found, known: SCHEMA }) } else { Ok(()) }
}

async fn pin_org(connection: &mut SqliteConnection, org_id: &str) -> Result<(), LedgerError> {
    match meta(connection, "org").await? {
        Some(found) if found != org_id => {
            return Err(LedgerError::OtherOrg { expected: org_id.to_owned(), found });
        }
        Some(_) => {}
        None => {
            let schema = seal::of_schema(connection).await?;
            let rows = [
                ("epoch", "0"),
                ("head_seq", "0"),
                ("head_hash", GENESIS),
                ("schema", &schema),
                // The org is last: a ledger without it is not finished and is pinned again.
                ("org", org_id),
            ];
            for (key, value) in rows {
                sqlx::query("INSERT OR IGNORE INTO meta (key, value, seal) VALUES (?, ?, ?)")
                    .bind(key)
                    .bind(value)
                    .bind(seal::of_meta(key, value))
                    .execute(&mut *connection)
                    .await?;
            }
        }
    }
    Ok(())
}

/// One value of the meta table.
pub(super) async fn meta(
    connection: &mut SqliteConnection,
    key: &'static str,
) -> Result<Option<String>, LedgerError> {
    let row = sqlx::query("SELECT value, seal FROM meta WHERE key = ?").bind(key);
    let Some(row) = row.fetch_optional(connection).await? else { return Ok(None) };
    let (value, stored): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    if seal::of_meta(key, &value) != stored {
        return Err(LedgerError::Damaged(format!("`{key}` does not fit its seal")));
    }
    Ok(Some(value))
}
