//! Many rows as one text. A row of an answer costs more than what is in it: it is handed from thread to
//! thread, column by column. So the database joins a page of them.
//!
//! A control character that stands in no canonical text parts the columns. Where one has it all the same,
//! the page is read again with every column in hex, so nothing that stands in one can pass for another.

use std::borrow::Cow;

use crate::ledger::db::{self, Dialect, Row};

/// Rows of a page. It stands in statements as it is: SQLite prepares a statement anew for each limit that is
/// bound.
pub(super) const ROWS: usize = 400;

/// What parts the columns: the unit separator of ASCII.
const SEPARATOR: u8 = 0x1f;

/// A column or an expression, and how it is told.
#[derive(Clone, Copy)]
pub(super) enum Column {
    /// Something must stand in it.
    Must(&'static str),
    /// Nothing may stand in it: then it is told as nothing, and otherwise with a sign before it.
    May(&'static str),
    /// Bytes, which are told in hex.
    Bytes(&'static str),
}

/// Before what stands in a column in which nothing may stand.
const PRESENT: char = '=';

impl Column {
    /// The name or the expression.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Must(name) | Self::May(name) | Self::Bytes(name) => name,
        }
    }

    fn told(self, dialect: Dialect, is_hex: bool) -> String {
        let told = match (self, dialect) {
            (Self::Must(name), _) => name.to_owned(),
            (Self::May(name), _) if is_hex => format!("'{PRESENT}' || {name}"),
            // `concat` leaves out what is nothing, and this way it copies what is long only once.
            (Self::May(name), _) => {
                format!("CASE WHEN {name} IS NULL THEN '' ELSE '{PRESENT}' END, {name}")
            }
            (Self::Bytes(name), Dialect::Sqlite) => format!("hex({name})"),
            (Self::Bytes(name), Dialect::Postgres) => format!("encode({name}, 'hex')"),
        };
        match dialect {
            _ if !is_hex => told,
            Dialect::Sqlite => format!("hex({told})"),
            Dialect::Postgres => format!("encode(convert_to({told}, 'UTF8'), 'hex')"),
        }
    }
}

/// A page of a table.
pub(super) struct Page<'a> {
    /// What is told of a row.
    pub(super) columns: &'a [Column],
    /// What orders the rows, as one text or number.
    pub(super) key: &'a str,
    /// The table, and which of its rows in which order.
    pub(super) from: String,
}

/// Rows that were joined.
pub(super) struct Joined {
    row: Row,
    dialect: Dialect,
    is_hex: bool,
}

impl Page<'_> {
    /// Reads the rows and joins them. With them comes the highest key, as text. `None`: there are no rows.
    pub(super) async fn read<'q>(
        &self,
        connection: &mut db::Connection,
        bind: impl Fn(db::Query<'q>) -> db::Query<'q>,
    ) -> Result<Option<(Joined, String)>, sqlx::Error> {
        for is_hex in [false, true] {
            let dialect = connection.dialect();
            let row = bind(db::query(self.sql(dialect, is_hex))).fetch_one(connection).await?;
            let Some(bytes) = row.try_get::<Option<&[u8]>>(0)? else { return Ok(None) };
            let found = memchr::memchr_iter(SEPARATOR, bytes).count();
            let rows = usize::try_from(row.try_get::<i64>(2)?).map_err(|_| apart())?;
            if found == rows.saturating_mul(self.columns.len()) {
                let last = row.try_get(1)?;
                return Ok(Some((Joined { row, dialect, is_hex }, last)));
            }
        }
        Err(apart())
    }

    fn sql(&self, dialect: Dialect, is_hex: bool) -> String {
        let (char, joined) = match dialect {
            Dialect::Sqlite => ("char", "CAST(string_agg(one, '') AS BLOB)"),
            // As bytes: what is read is not always what is stored.
            Dialect::Postgres => ("chr", "convert_to(string_agg(one, ''), 'UTF8')"),
        };
        let told = |column: &Column| format!("{}, {char}({SEPARATOR})", column.told(dialect, is_hex));
        let told = self.columns.iter().map(told).collect::<Vec<_>>().join(", ");
        let Self { key, from, .. } = self;
        format!(
            "SELECT {joined}, CAST(max(key) AS TEXT), count(*) \
             FROM (SELECT {key} AS key, concat({told}) AS one FROM {from}) AS page"
        )
    }
}

impl Joined {
    /// The columns of all rows, one after another.
    pub(super) fn cells(&self) -> Result<Cells<'_>, sqlx::Error> {
        let bytes = self.row.try_get::<Option<&[u8]>>(0)?.unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(Cells::of(text, (self.dialect, self.is_hex)))
    }
}

/// What is left of the columns.
pub(super) struct Cells<'a> {
    text: &'a str,
    start: usize,
    ends: memchr::Memchr<'a>,
    dialect: Dialect,
    is_hex: bool,
}

pub(super) fn apart() -> sqlx::Error {
    sqlx::Error::Decode("columns cannot be told apart".into())
}

impl<'a> Cells<'a> {
    fn of(text: &'a str, (dialect, is_hex): (Dialect, bool)) -> Self {
        Self { text, start: 0, ends: memchr::memchr_iter(SEPARATOR, text.as_bytes()), dialect, is_hex }
    }

    pub(super) fn is_over(&self) -> bool {
        self.start == self.text.len()
    }

    /// The next column, told as this one.
    pub(super) fn next(&mut self, column: Column) -> Result<Option<Cow<'a, str>>, sqlx::Error> {
        match column {
            Column::May(_) => self.may(),
            Column::Must(_) | Column::Bytes(_) => self.must().map(Some),
        }
    }

    /// The next column, in which something must stand.
    pub(super) fn must(&mut self) -> Result<Cow<'a, str>, sqlx::Error> {
        let end = self.ends.next().ok_or_else(apart)?;
        let told = &self.text[std::mem::replace(&mut self.start, end + 1)..end];
        let text = if self.is_hex {
            let text = hex::decode(told).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Cow::Owned(text.ok_or_else(apart)?)
        } else {
            Cow::Borrowed(told)
        };
        Ok(match (self.dialect, text) {
            (Dialect::Sqlite, text) => text,
            (Dialect::Postgres, Cow::Borrowed(text)) => db::text::read(text),
            (Dialect::Postgres, Cow::Owned(text)) => Cow::Owned(db::text::read(&text).into_owned()),
        })
    }

    /// The next column; inner `None`: nothing stands in it.
    pub(super) fn may(&mut self) -> Result<Option<Cow<'a, str>>, sqlx::Error> {
        let told = self.must()?;
        if told.is_empty() {
            return Ok(None);
        }
        let present = match told {
            Cow::Borrowed(told) => told.strip_prefix(PRESENT).map(Cow::Borrowed),
            Cow::Owned(told) => told.strip_prefix(PRESENT).map(|text| Cow::Owned(text.to_owned())),
        };
        present.ok_or_else(apart).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_apart() {
        let mut cells = Cells::of("1:x\u{1f}\u{1f}=\u{1f}=a\u{1f}é\u{1f}", (Dialect::Sqlite, false));
        assert_eq!(cells.must().unwrap(), "1:x");
        assert_eq!(cells.may().unwrap(), None);
        assert_eq!(cells.may().unwrap().as_deref(), Some(""));
        assert_eq!(cells.may().unwrap().as_deref(), Some("a"));
        assert!(!cells.is_over());
        assert_eq!(cells.must().unwrap(), "é");
        assert!(cells.is_over());
        assert!(cells.must().is_err());
    }

    #[test]
    fn what_holds_the_separator_is_read_from_hex() {
        let mut cells = Cells::of("611f\u{1f}3d1f\u{1f}\u{1f}", (Dialect::Sqlite, true));
        assert_eq!(cells.must().unwrap(), "a\u{1f}");
        assert_eq!(cells.may().unwrap().as_deref(), Some("\u{1f}"));
        assert_eq!(cells.may().unwrap(), None);
        assert!(cells.is_over());
    }

    #[test]
    fn a_text_that_cannot_be_taken_apart_is_an_error() {
        for (bad, is_hex) in [("a", false), ("xy\u{1f}", true), ("ff\u{1f}", true), ("6\u{1f}", true)] {
            assert!(Cells::of(bad, (Dialect::Sqlite, is_hex)).must().is_err(), "{bad}");
        }
        assert!(Cells::of("a\u{1f}", (Dialect::Sqlite, false)).may().is_err(), "it has no sign before it");
    }
}
