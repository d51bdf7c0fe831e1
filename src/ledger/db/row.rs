//! A row of either database.

use std::borrow::Cow;

use sqlx::{Column as _, Row as _, TypeInfo as _, postgres::PgRow, sqlite::SqliteRow};

use super::text;

/// A row.
pub enum Row {
    /// Of SQLite.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// What stands in a column, counted from 0.
    pub fn try_get<'r, T: Cell<'r>>(&'r self, column: usize) -> Result<T, sqlx::Error> {
        match self {
            Self::Sqlite(row) => T::of_sqlite(row, column),
            Self::Postgres(row) => T::of_postgres(row, column),
        }
    }

    /// The text in a column, copied only where it must be.
    pub fn text(&self, column: usize) -> Result<Cow<'_, str>, sqlx::Error> {
        self.try_get(column)
    }
}

/// What a column is read as.
pub trait Cell<'r>: Sized {
    /// From SQLite.
    fn of_sqlite(row: &'r SqliteRow, column: usize) -> Result<Self, sqlx::Error>;
    /// From PostgreSQL.
    fn of_postgres(row: &'r PgRow, column: usize) -> Result<Self, sqlx::Error>;
}

impl<'r> Cell<'r> for Option<i64> {
    fn of_sqlite(row: &'r SqliteRow, column: usize) -> Result<Self, sqlx::Error> {
        row.try_get(column)
    }

    fn of_postgres(row: &'r PgRow, column: usize) -> Result<Self, sqlx::Error> {
        // What an expression gives has its own type: `SELECT 1` is short, a comparison a truth value.
        Ok(match row.try_column(column)?.type_info().name() {
            "INT4" => row.try_get::<Option<i32>, _>(column)?.map(i64::from),
            "BOOL" => row.try_get::<Option<bool>, _>(column)?.map(i64::from),
            _ => row.try_get(column)?,
        })
    }
}

impl<'r> Cell<'r> for Option<Cow<'r, str>> {
    fn of_sqlite(row: &'r SqliteRow, column: usize) -> Result<Self, sqlx::Error> {
        Ok(row.try_get::<Option<&str>, _>(column)?.map(Cow::Borrowed))
    }

    fn of_postgres(row: &'r PgRow, column: usize) -> Result<Self, sqlx::Error> {
        Ok(row.try_get::<Option<&str>, _>(column)?.map(text::read))
    }
}

impl<'r> Cell<'r> for Option<&'r [u8]> {
    fn of_sqlite(row: &'r SqliteRow, column: usize) -> Result<Self, sqlx::Error> {
        row.try_get(column)
    }

    fn of_postgres(row: &'r PgRow, column: usize) -> Result<Self, sqlx::Error> {
        row.try_get(column)
    }
}

/// Types that are read as another one and then turned.
macro_rules! cells {
    ($($cell:ty, $from:ty, $one:ident => $turned:expr;)+) => {
        $(impl<'r> Cell<'r> for $cell {
            fn of_sqlite(row: &'r SqliteRow, column: usize) -> Result<Self, sqlx::Error> {
                let $one = <$from>::of_sqlite(row, column)?;
                $turned
            }

            fn of_postgres(row: &'r PgRow, column: usize) -> Result<Self, sqlx::Error> {
                let $one = <$from>::of_postgres(row, column)?;
                $turned
            }
        })+
    };
}

cells! {
    i64, Option<i64>, one => one.ok_or_else(null);
    u32, i64, one => u32::try_from(one).map_err(|error| sqlx::Error::Decode(error.into()));
    bool, i64, one => Ok(one != 0);
    Cow<'r, str>, Option<Cow<'r, str>>, one => one.ok_or_else(null);
    String, Cow<'r, str>, one => Ok(one.into_owned());
    Option<String>, Option<Cow<'r, str>>, one => Ok(one.map(Cow::into_owned));
    &'r [u8], Option<&'r [u8]>, one => one.ok_or_else(null);
    Vec<u8>, &'r [u8], one => Ok(one.to_vec());
    Option<Vec<u8>>, Option<&'r [u8]>, one => Ok(one.map(<[u8]>::to_vec));
}

fn null() -> sqlx::Error {
    sqlx::Error::Decode("nothing stands where something must".into())
}
