//! One connection to either database.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use futures::{StreamExt as _, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Postgres, SqlStr, Sqlite, SqliteConnection,
    postgres::PgArguments, sqlite::SqliteArguments,
};

use super::{Dialect, Query, Row, Sql, query::Value, rewrite, text};

/// How long an answer of a server may take, beyond every limit that the server itself has. After
/// that the connection counts as lost.
const PATIENCE: Duration = Duration::from_secs(90);

/// A connection.
pub struct Connection {
    kind: Kind,
    /// It cannot be used any more.
    lost: bool,
    /// A statement was refused since the transaction began.
    refused: bool,
}

enum Kind {
    Sqlite(SqliteConnection),
    Postgres(Box<Server>),
}

struct Server {
    connection: PgConnection,
    /// Statements in PostgreSQL's form, by where their text stands in the program.
    rewritten: BTreeMap<(usize, usize), Arc<str>>,
}

impl From<SqliteConnection> for Connection {
    fn from(connection: SqliteConnection) -> Self {
        Self { kind: Kind::Sqlite(connection), lost: false, refused: false }
    }
}

impl From<PgConnection> for Connection {
    fn from(connection: PgConnection) -> Self {
        let server = Server { connection, rewritten: BTreeMap::new() };
        Self { kind: Kind::Postgres(Box::new(server)), lost: false, refused: false }
    }
}

/// Waits for a future of either database, and notes what its failure means.
macro_rules! noted {
    ($connection:ident, $answer:expr) => {{
        let answer = $answer;
        if let Err(error) = &answer {
            $connection.note(error);
        }
        answer
    }};
}

impl Connection {
    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match self.kind {
            Kind::Sqlite(_) => Dialect::Sqlite,
            Kind::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Whether it is of no use any more.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Begins a transaction that writes. One writer at a time: SQLite locks its file, PostgreSQL the
    /// row of the head, and both see what the writer before them left.
    pub async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.refused = false;
        match self.dialect() {
            Dialect::Sqlite => super::query("BEGIN IMMEDIATE").execute(self).await.map(drop),
            Dialect::Postgres => {
                self.raw("BEGIN; SELECT seal FROM meta WHERE key = 'head_seq' FOR UPDATE").await
            }
        }
    }

    /// Begins a transaction in which everything that is read is of one moment.
    pub async fn begin_reading(&mut self) -> Result<(), sqlx::Error> {
        self.refused = false;
        match self.dialect() {
            Dialect::Sqlite => super::query("BEGIN").execute(self).await.map(drop),
            Dialect::Postgres => self.raw("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await,
        }
    }

    /// Ends it. PostgreSQL answers "done" to the end of a transaction that it has given up, so one in
    /// which a statement was refused is an error here.
    pub async fn commit(&mut self) -> Result<(), sqlx::Error> {
        if self.refused && self.dialect() == Dialect::Postgres {
            return Err(sqlx::Error::Protocol("a statement of the transaction was refused".to_owned()));
        }
        match self.dialect() {
            Dialect::Sqlite => super::query("COMMIT").execute(self).await.map(drop),
            Dialect::Postgres => self.raw("COMMIT").await,
        }
    }

    /// Takes it back.
    pub async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        match self.dialect() {
            Dialect::Sqlite => super::query("ROLLBACK").execute(self).await.map(drop),
            Dialect::Postgres => self.raw("ROLLBACK").await,
        }
    }

    /// Runs statements without values, as they stand.
    pub async fn raw(&mut self, sql: impl Into<Sql>) -> Result<(), sqlx::Error> {
        match self.dialect() {
            Dialect::Sqlite => self.raw_for_long(sql).await,
            Dialect::Postgres => {
                let answer = patiently(self.raw_for_long(sql)).await;
                noted!(self, answer)
            }
        }
    }

    /// The same, however long it takes.
    pub async fn raw_for_long(&mut self, sql: impl Into<Sql>) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.into().of(self.dialect()).to_owned());
        let answer = match &mut self.kind {
            Kind::Sqlite(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop),
            Kind::Postgres(server) => sqlx::raw_sql(sql).execute(&mut server.connection).await.map(drop),
        };
        noted!(self, answer)
    }

    /// Ends the connection.
    pub async fn close(self) -> Result<(), sqlx::Error> {
        match self.kind {
            Kind::Sqlite(connection) => connection.close().await,
            Kind::Postgres(server) => server.connection.close().await,
        }
    }

    pub(super) async fn execute(&mut self, query: Query<'_>) -> Result<u64, sqlx::Error> {
        let answer = match &mut self.kind {
            Kind::Sqlite(connection) => {
                for_sqlite(query).execute(connection).await.map(|done| done.rows_affected())
            }
            Kind::Postgres(server) => {
                let (query, connection) = server.ready(query);
                patiently(query.execute(connection)).await.map(|done| done.rows_affected())
            }
        };
        noted!(self, answer)
    }

    pub(super) async fn fetch_all(&mut self, query: Query<'_>) -> Result<Vec<Row>, sqlx::Error> {
        let answer = match &mut self.kind {
            Kind::Sqlite(connection) => {
                let rows = for_sqlite(query).fetch_all(connection).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Kind::Postgres(server) => {
                let (query, connection) = server.ready(query);
                let rows = patiently(query.fetch_all(connection)).await;
                rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        };
        noted!(self, answer)
    }

    pub(super) async fn fetch_optional(&mut self, query: Query<'_>) -> Result<Option<Row>, sqlx::Error> {
        let answer = match &mut self.kind {
            Kind::Sqlite(connection) => {
                for_sqlite(query).fetch_optional(connection).await.map(|row| row.map(Row::Sqlite))
            }
            Kind::Postgres(server) => {
                let (query, connection) = server.ready(query);
                patiently(query.fetch_optional(connection)).await.map(|row| row.map(Row::Postgres))
            }
        };
        noted!(self, answer)
    }

    pub(super) fn fetch<'c, 'q: 'c>(
        &'c mut self,
        query: Query<'q>,
    ) -> BoxStream<'c, Result<Row, sqlx::Error>> {
        match &mut self.kind {
            Kind::Sqlite(connection) => {
                for_sqlite(query).fetch(connection).map(|row| row.map(Row::Sqlite)).boxed()
            }
            Kind::Postgres(server) => {
                let (query, connection) = server.ready(query);
                query.fetch(connection).map(|row| row.map(Row::Postgres)).boxed()
            }
        }
    }

    fn note(&mut self, error: &sqlx::Error) {
        self.refused = true;
        self.lost |= self.dialect() == Dialect::Postgres && super::postgres::is_lost(error);
    }
}

impl Server {
    fn ready<'s, 'q>(
        &'s mut self,
        query: Query<'q>,
    ) -> (sqlx::query::Query<'q, Postgres, PgArguments>, &'s mut PgConnection) {
        let text = self.rewritten(&query.sql);
        let mut ready = sqlx::query::<Postgres>(AssertSqlSafe(text));
        for value in query.values {
            ready = match value {
                Value::Int(one) => ready.bind(one),
                Value::Text(one) => ready.bind(one.map(text::stored)),
                Value::Bytes(one) => ready.bind(one.map(std::borrow::Cow::into_owned)),
            };
        }
        (ready, &mut self.connection)
    }

    fn rewritten(&mut self, sql: &Sql) -> Arc<str> {
        let text = sql.of(Dialect::Postgres);
        let make = || Arc::from(rewrite::postgres(text).as_str());
        match sql {
            Sql::Built(_) => make(),
            Sql::Same(_) | Sql::Either(..) => {
                let place = (text.as_ptr().addr(), text.len());
                Arc::clone(self.rewritten.entry(place).or_insert_with(make))
            }
        }
    }
}

fn for_sqlite(query: Query<'_>) -> sqlx::query::Query<'_, Sqlite, SqliteArguments> {
    let sql: SqlStr = match query.sql {
        Sql::Same(text) | Sql::Either(text, _) => sqlx::SqlSafeStr::into_sql_str(text),
        Sql::Built(text) => sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(text)),
    };
    let mut ready = sqlx::query::<Sqlite>(Ready(sql));
    for value in query.values {
        ready = match value {
            Value::Int(one) => ready.bind(one),
            Value::Text(one) => ready.bind(one),
            Value::Bytes(one) => ready.bind(one.map(std::borrow::Cow::into_owned)),
        };
    }
    ready
}

/// A text that was checked already.
struct Ready(SqlStr);

impl sqlx::SqlSafeStr for Ready {
    fn into_sql_str(self) -> SqlStr {
        self.0
    }
}

/// Gives up on a server that does not answer.
async fn patiently<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let late = || sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database does not answer"));
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err(late()))
}
