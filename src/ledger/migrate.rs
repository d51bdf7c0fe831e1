//! The schema: made, brought forward, pinned to its org. Each step is one transaction, with the
//! record of the migration and the seal over the new schema in it.

use sqlx::migrate::{Migration, MigrationType};

use super::{
    LedgerError,
    db::{self, Dialect, Sql},
    meta::{meta, set_meta, standing},
    seal,
};
use crate::{crash, domain::entry::GENESIS};

/// Newest schema that this version writes, on both databases.
pub(super) const SCHEMA: i64 = 3;

/// Every schema there was, oldest first: name, SQLite's statements, PostgreSQL's.
pub(super) const STEPS: [(&str, &str, &str); SCHEMA as usize] = [
    (
        "ledger",
        include_str!("migrations/sqlite/0001_ledger.sql"),
        include_str!("migrations/postgres/0001_ledger.sql"),
    ),
    (
        "promotion record",
        include_str!("migrations/sqlite/0002_promotion_record.sql"),
        include_str!("migrations/postgres/0002_lease.sql"),
    ),
    (
        "watch",
        include_str!("migrations/sqlite/0003_watch.sql"),
        include_str!("migrations/postgres/0003_watch.sql"),
    ),
];

/// The record of what was applied, in the form that sqlx gives it.
const RECORD: Sql = Sql::Either(
    "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
     installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
     checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, \
     installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, \
     checksum bytea NOT NULL, execution_time bigint NOT NULL)",
);

/// Makes the schema or brings it forward, and pins the org. Says from which schema to which, when
/// there was one and it changed. Two processes may do so in the same instant: the second one waits
/// and finds the work done.
pub(super) async fn bring_up(
    connection: &mut db::Connection,
    found: i64,
    org_id: &str,
) -> Result<Option<(i64, i64)>, LedgerError> {
    if found == SCHEMA && meta(connection, "org").await?.is_some() {
        check(connection, org_id).await?;
        return Ok(None);
    }
    let mut first = None;
    loop {
        lock(connection, org_id).await?;
        let stepped = step(connection, org_id).await;
        match stepped {
            Ok(before) => {
                connection.commit().await?;
                crash::pass(crash::OPENED).await;
                first = first.or(Some(before));
                if before == SCHEMA {
                    return Ok(first
                        .filter(|first| (1..SCHEMA).contains(first))
                        .map(|first| (first, SCHEMA)));
                }
            }
            Err(error) => {
                // The failure itself is what matters.
                let _ = connection.rollback().await;
                return Err(error);
            }
        }
    }
}

async fn lock(connection: &mut db::Connection, org_id: &str) -> Result<(), LedgerError> {
    match connection.dialect() {
        Dialect::Sqlite => connection.begin().await?,
        Dialect::Postgres => {
            connection.raw("BEGIN").await?;
            // Held until the transaction ends; there is no table yet that could be locked.
            let key = "SELECT pg_advisory_xact_lock(hashtextextended('countersign ' || ?, 0))";
            db::query(key).bind(org_id).fetch_all(connection).await?;
        }
    }
    Ok(())
}

/// One migration, when one is due. Returns the schema that was found.
async fn step(connection: &mut db::Connection, org_id: &str) -> Result<i64, LedgerError> {
    if connection.dialect() == Dialect::Postgres
        && let Some(schema) = db::place::schema_of(org_id)
    {
        connection.raw(format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await?;
    }
    connection.raw(RECORD).await?;
    let row = db::query("SELECT max(version) FROM _sqlx_migrations").fetch_one(connection).await?;
    let found = row.try_get::<Option<i64>>(0)?.unwrap_or(0);
    if found > SCHEMA {
        return Err(LedgerError::Newer { found, known: SCHEMA });
    }
    if found > 0 {
        check(connection, org_id).await?;
    }
    let next = usize::try_from(found).ok().and_then(|found| STEPS.get(found).map(|step| (found, step)));
    if let Some((place, (name, sqlite, postgres))) = next {
        let sql = Sql::Either(sqlite, postgres);
        let text: &'static str = if connection.dialect() == Dialect::Sqlite { sqlite } else { postgres };
        connection.raw(sql).await?;
        let version = i64::try_from(place + 1).unwrap_or(i64::MAX);
        record(connection, version, (name, text)).await?;
        if found > 0 {
            // Whoever leads knows the older schema: it may write nothing more. In a ledger that is being
            // made nobody has led yet.
            let epoch = standing(connection).await?.epoch;
            if epoch > 0 {
                set_meta(connection, "epoch", &(epoch + 1).to_string()).await?;
            }
        }
    }
    if found < SCHEMA {
        pin(connection, org_id).await?;
    }
    Ok(found)
}

/// What is there must be this org's, and must be what was sealed: a changed schema is not migrated,
/// because that would give the change a new seal.
async fn check(connection: &mut db::Connection, org_id: &str) -> Result<(), LedgerError> {
    match meta(connection, "org").await? {
        Some(found) if found != org_id => {
            return Err(LedgerError::OtherOrg { expected: org_id.to_owned(), found });
        }
        // An older version was killed while it made the ledger: nothing is in it yet.
        None => return pin(connection, org_id).await,
        Some(_) => {}
    }
    let row = db::query("SELECT max(version) FROM _sqlx_migrations").fetch_one(connection).await?;
    let due = row.try_get::<Option<i64>>(0)?.unwrap_or(0) < SCHEMA;
    if due && meta(connection, "schema").await? != Some(seal::of_schema(connection).await?) {
        return Err(LedgerError::Damaged(
            "the schema does not fit its seal, so it is not migrated".to_owned(),
        ));
    }
    Ok(())
}

async fn record(
    connection: &mut db::Connection,
    version: i64,
    (name, text): (&'static str, &'static str),
) -> Result<(), LedgerError> {
    let kind = MigrationType::Simple;
    let migration = Migration::new(version, name.into(), kind, sqlx::SqlStr::from_static(text), false);
    db::query(Sql::Either(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (?, ?, 1, ?, 0)",
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (?, ?, true, ?, 0)",
    ))
    .bind(version)
    .bind(name)
    .bind(migration.checksum.to_vec())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes the org of a new ledger, and in any case the seal over the schema as it is now.
async fn pin(connection: &mut db::Connection, org_id: &str) -> Result<(), LedgerError> {
    let rows = [("epoch", "0"), ("head_seq", "0"), ("head_hash", GENESIS), ("org", org_id)];
    for (key, value) in rows {
        db::query("INSERT INTO meta (key, value, seal) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING")
            .bind(key)
            .bind(value)
            .bind(seal::of_meta(key, value))
            .execute(connection)
            .await?;
    }
    let sealed = seal::of_schema(connection).await?;
    set_meta(connection, "schema", &sealed).await
}
