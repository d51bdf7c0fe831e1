//! Many rows as one text. A row of an answer costs more than what is in it: it is handed from thread to
//! thread, column by column. So the database joins a page of them.
//!
//! Before each column stands how many bytes it has, so nothing that stands in one can pass for another.

use std::borrow::Cow;

use crate::ledger::db::{self, Dialect};

/// A text column in SQL, with its length before it.
pub(super) fn text(column: &str) -> String {
    format!("octet_length({column}), ':', {column}")
}

/// The same of a column with bytes, which are told in hex.
pub(super) fn bytes(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("octet_length({column}) * 2, ':', hex({column})"),
        Dialect::Postgres => format!("octet_length({column}) * 2, ':', encode({column}, 'hex')"),
    }
}

/// Rows that were joined.
pub(super) struct Joined {
    text: String,
    dialect: Dialect,
}

/// Reads what `inner` gives, a row as `one` under its `key`, and joins it. With the rows comes the
/// highest key, as text. `None`: there are no rows.
pub(super) async fn read<'q>(
    connection: &mut db::Connection,
    inner: &str,
    bind: impl FnOnce(db::Query<'q>) -> db::Query<'q>,
) -> Result<Option<(Joined, String)>, sqlx::Error> {
    let dialect = connection.dialect();
    // As bytes: the lengths are those of the stored form, not of the one that is read.
    let joined = match dialect {
        Dialect::Sqlite => "CAST(string_agg(one, '') AS BLOB)",
        Dialect::Postgres => "convert_to(string_agg(one, ''), 'UTF8')",
    };
    let sql = format!("SELECT {joined}, CAST(max(key) AS TEXT) FROM ({inner}) AS page");
    let row = bind(db::query(sql)).fetch_one(connection).await?;
    let Some(bytes) = row.try_get::<Option<Vec<u8>>>(0)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Some((Joined { text, dialect }, row.try_get(1)?)))
}

impl Joined {
    /// The columns of all rows, one after another.
    pub(super) fn cells(&self) -> Cells<'_> {
        Cells { rest: &self.text, dialect: self.dialect }
    }
}

/// What is left of the columns.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    rest: &'a str,
    dialect: Dialect,
}

pub(super) fn apart() -> sqlx::Error {
    sqlx::Error::Decode("columns cannot be told apart".into())
}

impl<'a> Cells<'a> {
    pub(super) fn is_over(self) -> bool {
        self.rest.is_empty()
    }

    /// The next column; inner `None`: nothing stands in it.
    pub(super) fn next(&mut self) -> Result<Option<Cow<'a, str>>, sqlx::Error> {
        Ok(self.raw()?.map(|text| match self.dialect {
            Dialect::Sqlite => Cow::Borrowed(text),
            Dialect::Postgres => db::text::read(text),
        }))
    }

    /// The next column, in which something must stand.
    pub(super) fn must(&mut self) -> Result<Cow<'a, str>, sqlx::Error> {
        self.next()?.ok_or_else(apart)
    }

    /// A place in the chain with a colon after it; `None`: a number that is no place.
    pub(super) fn place(&mut self) -> Result<Option<u64>, sqlx::Error> {
        let (place, rest) = self.rest.split_once(':').ok_or_else(apart)?;
        self.rest = rest;
        Ok(place.parse().ok())
    }

    /// A number with a colon after it; `None`: only the colon.
    pub(super) fn number(&mut self) -> Result<Option<usize>, sqlx::Error> {
        let (number, rest) = self.rest.split_once(':').ok_or_else(apart)?;
        self.rest = rest;
        let number = Some(number).filter(|number| !number.is_empty());
        number.map(|number| number.parse().map_err(|_| apart())).transpose()
    }

    fn raw(&mut self) -> Result<Option<&'a str>, sqlx::Error> {
        let Some(length) = self.number()? else { return Ok(None) };
        let (text, rest) = self.rest.split_at_checked(length).ok_or_else(apart)?;
        self.rest = rest;
        Ok(Some(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> Joined {
        Joined { text: text.to_owned(), dialect: Dialect::Sqlite }
    }

    #[test]
    fn columns_are_told_apart_by_their_lengths_alone() {
        let all = joined("3:1:x:0:2:3:a:b2:é");
        let mut cells = all.cells();
        assert_eq!(cells.must().unwrap(), "1:x", "what looks like a length is none");
        assert_eq!(cells.next().unwrap(), None);
        assert_eq!(cells.next().unwrap().as_deref(), Some(""));
        assert_eq!(cells.number().unwrap(), Some(2));
        assert_eq!(cells.must().unwrap(), "a:b");
        assert_eq!(cells.must().unwrap(), "é");
        assert!(cells.is_over());
    }

    #[test]
    fn a_text_that_does_not_hold_what_it_says_is_an_error() {
        for bad in ["", "5", "5:abc", "1:é", "-1:a", "x:a", "99999999999999999999:a"] {
            assert!(joined(bad).cells().next().is_err(), "{bad}");
        }
    }
}
