//! The thin layer between the ledger's statements and its two databases.
//!
//! Statements are written one time, with `?` or `?1` for what is bound and `column ->> '$.a.b'` for
//! a text inside a JSON text; [`rewrite`] makes PostgreSQL's form of both. Where the databases differ
//! further, a statement has two texts ([`Sql::Either`]). Everything else that is of one database
//! only (connecting, locks, its own checks) stands in [`sqlite`] and [`postgres`].

pub(super) mod catalog;
mod connection;
pub(super) mod place;
pub(super) mod postgres;
mod query;
mod rewrite;
mod row;
pub(super) mod sqlite;
pub(super) mod text;

pub use connection::Connection;
pub use query::{Query, Sql, query};
pub use row::Row;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// One file.
    Sqlite,
    /// A server; the ledger is one schema in a database.
    Postgres,
}
