//! What is of PostgreSQL only: the schema of an org, limits of a session, what failures mean.

use std::io;

use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnection, PgDatabaseError},
};

use super::{
    Connection,
    place::{SCHEMAS, Server, schema_of},
    query,
};
use crate::ledger::LedgerError;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Writing. What it holds is let go of soon when it freezes.
    Writing,
    /// Reading, one statement at a time.
    Reading,
    /// Reading everything in one transaction, for as long as that takes.
    ReadingAll,
}

/// Said to every session. A frozen writer keeps the row of the head for 10 seconds at most, and a
/// writer beside it waits longer than that. Keepalives find a peer that is gone within 25 seconds.
const SESSION: &str = "SET client_min_messages = warning; SET bytea_output = hex; \
    SET default_transaction_isolation = 'read committed'; SET lock_timeout = '15s'; \
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; \
    SELECT set_config('synchronous_commit', 'on', false) \
        WHERE current_setting('synchronous_commit') IN ('off', 'local');";

/// Connects, and stays in the schema of the org.
pub async fn connect(server: &Server, org_id: &str, purpose: Use) -> Result<Connection, LedgerError> {
    let connection = session(server, purpose).await?;
    let schema = schema_of(org_id).ok_or_else(|| LedgerError::Place(format!("`{org_id}` is no org id")))?;
    let mut connection = Connection::from(connection);
    connection.raw(format!("SET search_path = {schema}")).await?;
    Ok(connection)
}

async fn session(server: &Server, purpose: Use) -> Result<PgConnection, LedgerError> {
    let options = server
        .options()?
        .application_name("countersign")
        .statement_cache_capacity(200)
        .disable_statement_logging();
    let late = || sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no connection in time"));
    let connected = tokio::time::timeout(CONNECT_WITHIN, options.connect()).await;
    let mut connection = connected.unwrap_or_else(|_| Err(late()))?;
    let limits = match purpose {
        Use::Writing => "SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '10s'",
        Use::Reading => "SET statement_timeout = '60s'; SET default_transaction_read_only = on",
        Use::ReadingAll => "SET statement_timeout = 0; SET default_transaction_read_only = on",
    };
    for said in [SESSION, limits] {
        sqlx::raw_sql(said).execute(&mut connection).await?;
    }
    Ok(connection)
}

/// How long connecting may take.
const CONNECT_WITHIN: std::time::Duration = std::time::Duration::from_secs(15);

/// The org whose ledger is meant: the one that the URL names, or the only one of the database.
pub async fn org_of(server: &Server) -> Result<String, LedgerError> {
    if let Some(org) = server.org() {
        return Ok(org.to_owned());
    }
    let mut connection = Connection::from(session(server, Use::Reading).await?);
    let rows = query("SELECT nspname FROM pg_namespace WHERE nspname LIKE ? ORDER BY nspname")
        .bind(format!("{}%", SCHEMAS.replace('_', "\\_")))
        .fetch_all(&mut connection)
        .await?;
    let mut orgs = Vec::new();
    for row in rows {
        let schema: String = row.try_get(0)?;
        let sql = format!("SELECT value FROM \"{}\".meta WHERE key = 'org'", schema.replace('"', "\"\""));
        // A schema of something else, or one that nobody may read.
        let Ok(found) = query(sql).fetch_optional(&mut connection).await else { continue };
        orgs.extend(found.map(|row| row.try_get::<String>(0)).transpose()?);
    }
    connection.close().await?;
    match &orgs[..] {
        [org] => Ok(org.clone()),
        [] => Err(LedgerError::Missing(server.shown())),
        many => Err(LedgerError::Place(format!(
            "the database holds the ledgers of {} orgs: add `?org=` with one of {}",
            many.len(),
            many.join(", ")
        ))),
    }
}

/// The newest migration that the org's schema has seen; `None` where there is no schema.
pub async fn version(connection: &mut Connection) -> Result<Option<i64>, LedgerError> {
    let known = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL, \
        EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace = to_regnamespace(current_setting('search_path')))";
    let row = query(known).fetch_one(connection).await?;
    let (known, filled): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    if !known {
        return match filled {
            false => Ok(None),
            true => Err(LedgerError::NotALedger {
                place: "the schema of the org".to_owned(),
                reason: "it is a schema of something else".to_owned(),
            }),
        };
    }
    let row = query("SELECT max(version) FROM _sqlx_migrations").fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

/// Whether a failure means that the connection is gone.
pub fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            true
        }
        sqlx::Error::Database(_) => of_server(error).is_some_and(|error| {
            let code = error.code();
            // 57P: ended by an administrator, crashed, starting up; 25P03: idle for too long.
            code.starts_with("57P") || code.starts_with("08") || code == "25P03"
        }),
        _ => false,
    }
}

/// What PostgreSQL said.
pub fn of_server(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    match error {
        sqlx::Error::Database(error) => error.try_downcast_ref::<PgDatabaseError>(),
        _ => None,
    }
}

/// A failure in the ledger's words.
pub fn told(error: &sqlx::Error) -> Option<LedgerError> {
    if let Some(said) = of_server(error) {
        return Some(match said.code() {
            "53100" => LedgerError::Full,
            "55P03" | "40001" | "40P01" => LedgerError::Busy,
            "25006" => LedgerError::ReadOnly,
            _ if is_lost(error) => LedgerError::Unreachable(said.message().to_owned()),
            // Too many connections, out of memory.
            code if code.starts_with("53") => LedgerError::Unreachable(said.message().to_owned()),
            _ => LedgerError::Database(said.message().to_owned()),
        });
    }
    match error {
        sqlx::Error::Io(error) => Some(LedgerError::Unreachable(error.to_string())),
        sqlx::Error::Tls(error) => Some(LedgerError::Unreachable(format!("TLS: {error}"))),
        _ => None,
    }
}
