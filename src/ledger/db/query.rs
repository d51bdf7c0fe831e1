//! A statement with what is bound to it.

use std::borrow::Cow;

use futures::stream::BoxStream;

use super::{Connection, Dialect, Row};

/// The text of a statement. Only what the ledger itself writes; values are bound.
#[derive(Debug, Clone)]
pub enum Sql {
    /// One text for both databases.
    Same(&'static str),
    /// One text for both, put together from texts of the ledger.
    Built(String),
    /// A text for each database: SQLite's, then PostgreSQL's.
    Either(&'static str, &'static str),
}

impl Sql {
    /// The text for a database.
    pub(super) fn of(&self, dialect: Dialect) -> &str {
        match (self, dialect) {
            (Self::Same(text), _) | (Self::Either(text, _), Dialect::Sqlite) => text,
            (Self::Either(_, text), Dialect::Postgres) => text,
            (Self::Built(text), _) => text,
        }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::Same(text)
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Self {
        Self::Built(text)
    }
}

/// A value that is bound. There are three kinds of columns.
#[derive(Debug, Clone)]
pub enum Value<'q> {
    /// An integer, or a flag as 0 or 1.
    Int(i64),
    /// Text or NULL.
    Text(Option<Cow<'q, str>>),
    /// Bytes or NULL.
    Bytes(Option<Cow<'q, [u8]>>),
}

macro_rules! values {
    ($($given:ty, $one:ident => $value:expr;)+) => {
        $(impl<'q> From<$given> for Value<'q> {
            fn from($one: $given) -> Self {
                $value
            }
        })+
    };
}

values! {
    i64, one => Self::Int(one);
    u32, one => Self::Int(i64::from(one));
    bool, one => Self::Int(i64::from(one));
    &'q str, one => Self::Text(Some(Cow::Borrowed(one)));
    &'q String, one => Self::Text(Some(Cow::Borrowed(one)));
    String, one => Self::Text(Some(Cow::Owned(one)));
    Option<&'q str>, one => Self::Text(one.map(Cow::Borrowed));
    Option<String>, one => Self::Text(one.map(Cow::Owned));
    &'q Option<String>, one => Self::Text(one.as_deref().map(Cow::Borrowed));
    &'q [u8], one => Self::Bytes(Some(Cow::Borrowed(one)));
    Vec<u8>, one => Self::Bytes(Some(Cow::Owned(one)));
    Option<&'q [u8]>, one => Self::Bytes(one.map(Cow::Borrowed));
}

/// A statement that is ready to run.
pub struct Query<'q> {
    pub(super) sql: Sql,
    pub(super) values: Vec<Value<'q>>,
}

/// A statement; values follow with [`Query::bind`].
pub fn query<'q>(sql: impl Into<Sql>) -> Query<'q> {
    Query { sql: sql.into(), values: Vec::new() }
}

impl<'q> Query<'q> {
    /// Binds the next value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it, and says how many rows it changed.
    pub async fn execute(self, connection: &mut Connection) -> Result<u64, sqlx::Error> {
        connection.execute(self).await
    }

    /// Every row.
    pub async fn fetch_all(self, connection: &mut Connection) -> Result<Vec<Row>, sqlx::Error> {
        connection.fetch_all(self).await
    }

    /// The first row, if there is one.
    pub async fn fetch_optional(self, connection: &mut Connection) -> Result<Option<Row>, sqlx::Error> {
        connection.fetch_optional(self).await
    }

    /// The first row; there must be one.
    pub async fn fetch_one(self, connection: &mut Connection) -> Result<Row, sqlx::Error> {
        connection.fetch_optional(self).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// The rows as they come.
    pub fn fetch<'c>(self, connection: &'c mut Connection) -> BoxStream<'c, Result<Row, sqlx::Error>>
    where
        'q: 'c,
    {
        connection.fetch(self)
    }
}
