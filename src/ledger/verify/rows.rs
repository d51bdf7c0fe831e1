//! Reading the entries with their private parts, page by page, while the pages before are checked and
//! the one before those is walked along.

use std::pin::pin;

use futures::{StreamExt as _, stream};

use super::{
    Against, Report, cores,
    entry::{Checked, Parts, Stored, check},
    joined::{self, Cells, Joined},
    walk::Walk,
};
use crate::ledger::db;

/// Entries that are read in one go.
const PAGE: i64 = 200;

/// Walks along every entry of the file.
pub(super) async fn walk(
    connection: &mut db::Connection,
    against: Option<&Against>,
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) -> Result<Walk, sqlx::Error> {
    let org = db::query("SELECT value FROM meta WHERE key = 'org'").fetch_optional(&mut *connection).await?;
    let mut walk = Walk::whole(org.map(|row| row.try_get(0)).transpose()?).watch(against);
    let pages = stream::try_unfold((connection, i64::MIN), |(connection, after)| async move {
        let page = read(connection, after).await?;
        Ok(page.map(|(last, page)| (page, (connection, last))))
    });
    // What cannot be read ends the walk only after everything before it.
    let mut checked = pin!(pages.map(|page| cores::one(page, check_all)).buffered(cores::at_once()));
    while let Some(page) = checked.next().await {
        page?.into_iter().for_each(|checked| walk.entry(checked, report));
        progress(report.entries);
    }
    progress(report.entries);
    walk.end().1.clone_into(&mut report.head);
    walk.tell_erased(report);
    Ok(walk)
}

/// The next page and its last place.
async fn read(connection: &mut db::Connection, after: i64) -> Result<Option<(i64, Joined)>, sqlx::Error> {
    let text = |names: &[&str]| names.iter().map(|name| joined::text(name)).collect::<Vec<_>>().join(", ");
    let (path, salt, value) =
        (joined::text("path"), joined::bytes(connection.dialect(), "salt"), joined::text("value"));
    let inner = format!(
        "SELECT seq AS key, concat(seq, ':', {}, \
           (SELECT concat(count(*), ':', string_agg(concat({path}, {salt}, {value}), '')) \
            FROM private WHERE seq = e.seq)) AS one \
         FROM entry e WHERE seq > ? ORDER BY seq LIMIT ?",
        text(&["hash", "kind", "proposal", "text"])
    );
    let page = joined::read(connection, &inner, |query| query.bind(after).bind(PAGE)).await?;
    page.map(|(page, last)| Ok((last.parse().map_err(|_| joined::apart())?, page))).transpose()
}

fn check_all(page: Joined) -> Result<Vec<Checked>, sqlx::Error> {
    let mut cells = page.cells();
    let mut all = Vec::new();
    while !cells.is_over() {
        all.push(check(stored(&mut cells)?));
    }
    Ok(all)
}

fn stored<'a>(cells: &mut Cells<'a>) -> Result<Stored<'a>, sqlx::Error> {
    // A place below the first one is none.
    let place = cells.place()?.unwrap_or(0);
    let (hash, kind, proposal, text) = (cells.must()?, cells.must()?, cells.next()?, cells.must()?);
    let mut parts = Ok(Parts::new());
    for _ in 0..cells.number()?.unwrap_or(0) {
        let (path, salt, value) = (cells.next()?, cells.next()?, cells.next()?);
        let salt = salt.and_then(|salt| super::unhex(&salt));
        if let Some(((path, salt), value)) = path.zip(salt).zip(value) {
            parts = parts.map(|mut parts: Parts<'_>| {
                parts.insert(path, (salt, value));
                parts
            });
        } else {
            parts = Err("its private parts cannot be told apart".to_owned());
        }
    }
    Ok(Stored { place: Some(place), hash, columns: Some((kind, proposal)), text, parts: Some(parts) })
}
