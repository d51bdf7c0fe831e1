//! Opening a ledger: where it is, its schema, its org, and who leads.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use tokio::sync::{Mutex, MutexGuard};

use super::{
    Inner, Ledger, LedgerError, Place,
    db::{self, postgres, sqlite},
    meta::meta,
    migrate::{self, SCHEMA},
    tx::Writer,
};
use crate::{clock::Clock, crash};

/// What to open.
pub struct OpenOptions {
    /// Where; a file is created with mode 0600, a schema on a server too, when it is absent and
    /// `create` is set.
    pub place: Place,
    /// 18-character id of the org whose ledger it is. Another org's ledger is refused.
    pub org_id: String,
    /// The time.
    pub clock: Clock,
    /// Whether an absent ledger is created.
    pub create: bool,
}

impl Ledger {
    /// Opens a ledger for writing, and brings its schema forward. Nobody leads yet.
    pub async fn open(options: OpenOptions) -> Result<Self, LedgerError> {
        let OpenOptions { place, org_id, clock, create } = options;
        let (mut writer, found) = match &place {
            Place::File(path) => {
                if !path.exists() {
                    if !create {
                        return Err(LedgerError::Missing(place.to_string()));
                    }
                    sqlite::create_private(path)?;
                }
                let found = refuse_newer(sqlite::version(path).await?)?;
                (sqlite::connect(path, false).await?, found)
            }
            Place::Server(server) => {
                if server.org().is_some_and(|org| org != org_id) {
                    let found = server.org().unwrap_or_default().to_owned();
                    return Err(LedgerError::OtherOrg { expected: org_id, found });
                }
                let mut connection = postgres::connect(server, &org_id, postgres::Use::Writing).await?;
                let found = postgres::version(&mut connection).await?;
                if found.is_none() && !create {
                    return Err(LedgerError::Missing(place.to_string()));
                }
                (connection, refuse_newer(found.unwrap_or(0))?)
            }
        };
        crash::pass(crash::OPENED).await;
        let migrated = migrate::bring_up(&mut writer, found, &org_id).await?;
        if let Some((from, to)) = migrated {
            tracing::warn!(from, to, ledger = %place, "the schema of the ledger was brought forward");
        }
        crash::pass(crash::OPENED).await;
        let reader = connect(&place, &org_id, true).await?;
        let writer = Arc::new(Mutex::new(Writer { connection: writer, unfinished: false }));
        Ok(Self {
            inner: Arc::new(Inner { migrated, ..Inner::new(place, org_id, (Some(writer), reader), clock) }),
        })
    }

    /// Opens a ledger for reading, also beside a process that writes to it.
    pub async fn open_read_only(place: &Place) -> Result<Self, LedgerError> {
        let (mut reader, named) = match place {
            Place::File(path) => {
                if !path.exists() {
                    return Err(LedgerError::Missing(place.to_string()));
                }
                refuse_newer(sqlite::version(path).await?)?;
                (sqlite::connect(path, true).await?, None)
            }
            Place::Server(server) => {
                let org_id = postgres::org_of(server).await?;
                let mut reader = postgres::connect(server, &org_id, postgres::Use::Reading).await?;
                match postgres::version(&mut reader).await? {
                    None => return Err(LedgerError::Missing(place.to_string())),
                    Some(found) => drop(refuse_newer(found)?),
                }
                (reader, Some(org_id))
            }
        };
        let reason = "it names no org".to_owned();
        let org_id = meta(&mut reader, "org").await?.filter(|org| named.is_none_or(|named| named == *org));
        let org_id = org_id.ok_or_else(|| LedgerError::NotALedger { place: place.to_string(), reason })?;
        let inner = Inner::new(place.clone(), org_id, (None, reader), Clock::system());
        Ok(Self { inner: Arc::new(inner) })
    }

    /// From which schema to which it was brought when it was opened, if it was.
    pub fn migrated(&self) -> Option<(i64, i64)> {
        self.inner.migrated
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.inner.place
    }

    /// A copy of the ledger as it stands, in one file.
    pub async fn copy_to(&self, path: &Path) -> Result<(), LedgerError> {
        let Some(writer) = &self.inner.writer else { return Err(LedgerError::ReadOnly) };
        let Some(file) = self.inner.place.file() else { return Err(LedgerError::NoFile) };
        let mut writer = writer.lock().await;
        // The write lock is held, so nothing is added between the checkpoint and the copy.
        db::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&mut writer.connection).await?;
        std::fs::copy(file, path).map_err(|error| LedgerError::Database(error.to_string()))?;
        Ok(())
    }

    /// Writes everything into the one file and lets go of it. A server needs no such thing.
    pub async fn close(&self) -> Result<(), LedgerError> {
        if let (Some(writer), Some(_)) = (&self.inner.writer, self.inner.place.file()) {
            let mut writer = writer.lock().await;
            db::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&mut writer.connection).await?;
        }
        Ok(())
    }

    /// The connection that reads; a lost one is made anew.
    pub(super) async fn reader(&self) -> Result<MutexGuard<'_, db::Connection>, LedgerError> {
        let mut reader = self.inner.reader.lock().await;
        if reader.is_lost() {
            *reader = self.inner.connect(true).await?;
        }
        Ok(reader)
    }
}

impl Inner {
    fn new(
        place: Place,
        org_id: String,
        (writer, reader): (Option<Arc<Mutex<Writer>>>, db::Connection),
        clock: Clock,
    ) -> Self {
        Self {
            writer,
            reader: Mutex::new(reader),
            keeper: Mutex::new(None),
            epoch: AtomicU64::new(0),
            in_doubt: AtomicBool::new(false),
            migrated: None,
            org_id,
            clock,
            place,
        }
    }

    /// One more connection.
    pub(super) async fn connect(&self, read_only: bool) -> Result<db::Connection, LedgerError> {
        connect(&self.place, &self.org_id, read_only).await
    }
}

async fn connect(place: &Place, org_id: &str, read_only: bool) -> Result<db::Connection, LedgerError> {
    match place {
        Place::File(path) => sqlite::connect(path, read_only).await,
        Place::Server(server) => {
            let purpose = if read_only { postgres::Use::Reading } else { postgres::Use::Writing };
            postgres::connect(server, org_id, purpose).await
        }
    }
}

fn refuse_newer(found: i64) -> Result<i64, LedgerError> {
    if found > SCHEMA { Err(LedgerError::Newer { found, known: SCHEMA }) } else { Ok(found) }
}
