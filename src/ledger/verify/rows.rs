//! Reading the entries with their private parts, page by page, while the pages before are checked and
//! the ones before those are walked along.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures::stream;

use super::{
    Against, Report, cores,
    entry::{Checked, Stored, check},
    joined::{self, Cells, Column, Joined, Page},
    parts::{self, Parts},
    walk::Walk,
};
use crate::ledger::db;

const ENTRY: &[Column] = &[
    Column::Must("CAST(seq AS TEXT)"),
    Column::Must("hash"),
    Column::Must("kind"),
    Column::May("proposal"),
    Column::Must("text"),
];
const PRIVATE: &[Column] =
    &[Column::Must("CAST(seq AS TEXT)"), Column::Must("path"), Column::Bytes("salt"), Column::Must("value")];

/// Walks along every entry of the file.
pub(super) async fn walk(
    connection: &mut db::Connection,
    against: Option<&Against>,
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) -> Result<Walk, sqlx::Error> {
    let org = db::query("SELECT value FROM meta WHERE key = 'org'").fetch_optional(&mut *connection).await?;
    let org: Option<String> = org.map(|row| row.try_get(0)).transpose()?;
    let walk = Walk::whole(org.clone()).watch(against);
    let pages = stream::try_unfold((connection, i64::MIN), |(connection, after)| async move {
        let page = read(connection, after).await?;
        Ok(page.map(|(last, page)| (page, (connection, last))))
    });
    let check = move |page| check_all(&page, org.as_deref());
    let seen = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&seen);
    let take = move |(walk, report): &mut (Walk, Report), page: Vec<Checked>| {
        page.into_iter().for_each(|checked| walk.entry(checked, report));
        told.store(report.entries, Ordering::Relaxed);
    };
    let state = (walk, std::mem::take(report));
    let tell = || progress(seen.load(Ordering::Relaxed));
    let (walked, read) = cores::in_order(pages, check, (state, take), tell).await;
    // What cannot be read ends the walk only after everything before it.
    let Some((walk, walked)) = walked else { return Err(read.err().unwrap_or_else(joined::apart)) };
    *report = walked;
    read?;
    progress(report.entries);
    walk.end().1.clone_into(&mut report.head);
    walk.tell_erased(report);
    Ok(walk)
}

/// Entries that follow each other, and the private parts from the first to the last of them.
struct Both {
    entries: Joined,
    private: Option<Joined>,
}

/// The next page and its last place.
async fn read(connection: &mut db::Connection, after: i64) -> Result<Option<(i64, Both)>, sqlx::Error> {
    let from = format!("entry WHERE seq > ? ORDER BY seq LIMIT {}", joined::ROWS);
    let page = Page { columns: ENTRY, key: "seq", from };
    let Some((entries, last)) = page.read(connection, |query| query.bind(after)).await? else {
        return Ok(None);
    };
    let last = last.parse().map_err(|_| joined::apart())?;
    let from = "private WHERE seq > ? AND seq <= ? ORDER BY seq, path".to_owned();
    let page = Page { columns: PRIVATE, key: "seq", from };
    let private = page.read(connection, |query| query.bind(after).bind(last)).await?;
    Ok(Some((last, Both { entries, private: private.map(|(private, _)| private) })))
}

fn check_all(page: &Both, org: Option<&str>) -> Result<Vec<Checked>, sqlx::Error> {
    let mut cells = page.entries.cells()?;
    let private = page.private.as_ref().map(Joined::cells).transpose()?;
    let mut private = Private { cells: private, next: None };
    private.go()?;
    let mut all = Vec::with_capacity(joined::ROWS);
    while !cells.is_over() {
        let seq: i64 = number(&mut cells)?;
        let (hash, kind, proposal, text) = (cells.must()?, cells.must()?, cells.may()?, cells.must()?);
        let parts = private.of(seq)?;
        // A place below the first one is none.
        let place = Some(u64::try_from(seq).unwrap_or(0));
        let stored = Stored { place, hash, columns: Some((kind, proposal)), text, parts: Some(parts) };
        all.push(check(stored, org));
    }
    Ok(all)
}

fn number(cells: &mut Cells<'_>) -> Result<i64, sqlx::Error> {
    cells.must()?.parse().map_err(|_| joined::apart())
}

/// What is left of the private parts, in the order of their entries.
struct Private<'a> {
    cells: Option<Cells<'a>>,
    /// The place to which the next one belongs.
    next: Option<i64>,
}

impl<'a> Private<'a> {
    fn go(&mut self) -> Result<(), sqlx::Error> {
        let cells = self.cells.as_mut().filter(|cells| !cells.is_over());
        self.next = cells.map(number).transpose()?;
        Ok(())
    }

    /// Those of an entry. What belongs to no entry is told elsewhere.
    fn of(&mut self, seq: i64) -> Result<Parts<'a>, sqlx::Error> {
        let mut parts = Parts::default();
        while let (Some(next), Some(cells)) = (self.next.filter(|next| *next <= seq), self.cells.as_mut()) {
            let (path, salt, value) = (cells.must()?, cells.must()?, cells.must()?);
            if next == seq {
                parts.insert(path, parts::salt(&salt), value);
            }
            self.go()?;
        }
        Ok(parts)
    }
}
