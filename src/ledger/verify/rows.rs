//! Reading the entries with their private parts, page by page, while the page before is checked.

use std::borrow::Cow;

use super::{
    Against, Report, cores,
    entry::{Parts, Stored},
    walk::Walk,
};
use crate::ledger::db::{self, Sql};

/// Entries that are read in one go.
const PAGE: i64 = 2000;

/// Between the columns of a private part, and between parts: canonical JSON holds neither. The
/// count of the rows tells whether one of them does.
const COLUMN: char = '\u{1f}';
const PART: char = '\u{1e}';

/// One row each: a row costs more than what is in it.
const ENTRIES: Sql = Sql::Either(
    "SELECT seq, hash, kind, proposal, text, \
     (SELECT count(*) || x'1e' || group_concat(path || x'1f' || hex(salt) || x'1f' || value, x'1e') \
      FROM private WHERE seq = e.seq) \
     FROM entry e WHERE seq > ? ORDER BY seq LIMIT ?",
    "SELECT seq, hash, kind, proposal, text, \
     (SELECT count(*) || chr(30) || string_agg(path || chr(31) || encode(salt, 'hex') || chr(31) || value, chr(30)) \
      FROM private WHERE seq = e.seq) \
     FROM entry e WHERE seq > ? ORDER BY seq LIMIT ?",
);

/// Walks along every entry of the file.
pub(super) async fn walk(
    connection: &mut db::Connection,
    against: Option<&Against>,
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) -> Result<Walk, sqlx::Error> {
    let org = db::query("SELECT value FROM meta WHERE key = 'org'").fetch_optional(&mut *connection).await?;
    let mut walk = Walk::whole(org.map(|row| row.try_get(0)).transpose()?).watch(against);
    let mut page = read(connection, i64::MIN).await?;
    while let Some(last) = page.last() {
        let last: i64 = last.try_get(0)?;
        let checking = tokio::task::spawn_blocking(move || {
            cores::each(page, |row| stored(&row).map(super::entry::check))
        });
        let (next, checked) = tokio::join!(read(connection, last), checking);
        for checked in checked.map_err(|error| sqlx::Error::Protocol(error.to_string()))? {
            walk.entry(checked?, report);
        }
        progress(report.entries);
        page = next?;
    }
    walk.end().1.clone_into(&mut report.head);
    walk.tell_erased(report);
    Ok(walk)
}

async fn read(connection: &mut db::Connection, after: i64) -> Result<Vec<db::Row>, sqlx::Error> {
    db::query(ENTRIES).bind(after).bind(PAGE).fetch_all(connection).await
}

fn stored(row: &db::Row) -> Result<Stored, sqlx::Error> {
    Ok(Stored {
        place: Some(u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0)),
        hash: row.try_get(1)?,
        columns: Some((row.try_get(2)?, row.try_get(3)?)),
        text: row.try_get(4)?,
        parts: Some(
            row.try_get::<Option<Cow<str>>>(5)?.map_or_else(|| Ok(Parts::new()), |joined| parts(&joined)),
        ),
    })
}

fn parts(joined: &str) -> Result<Parts, String> {
    let unreadable = || "its private parts cannot be told apart".to_owned();
    let mut found = Parts::new();
    let mut all = joined.split(PART);
    let count: usize = all.next().and_then(|count| count.parse().ok()).ok_or_else(unreadable)?;
    let mut rows = 0;
    for part in all {
        let columns: Vec<&str> = part.split(COLUMN).collect();
        let [path, salt, value] = columns[..] else { return Err(unreadable()) };
        let salt = super::unhex(salt).ok_or_else(unreadable)?;
        found.insert(path.to_owned(), (salt, value.to_owned()));
        rows += 1;
    }
    if rows == count { Ok(found) } else { Err(unreadable()) }
}
