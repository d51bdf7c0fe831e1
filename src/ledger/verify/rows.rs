//! Reading the entries and their private parts, page by page.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use sqlx::{Row as _, SqliteConnection};

use super::{
    Report, cores,
    entry::{Parts, Stored},
    fold::Fold,
    walk::Walk,
};

/// Entries that are read in one go.
const PAGE: i64 = 1000;

/// Walks along every entry of the file.
pub(super) async fn walk(
    connection: &mut SqliteConnection,
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) -> Result<Fold, sqlx::Error> {
    let org =
        sqlx::query("SELECT value FROM meta WHERE key = 'org'").fetch_optional(&mut *connection).await?;
    let mut walk = Walk::whole(org.map(|row| row.get(0)));
    let mut after: i64 = i64::MIN;
    loop {
        let (page, last) = page(connection, after).await?;
        if page.is_empty() {
            break;
        }
        for checked in cores::check_all(page) {
            walk.entry(checked, report);
        }
        after = last;
        progress(report.entries);
    }
    walk.end().1.clone_into(&mut report.head);
    Ok(walk.into_fold())
}

async fn page(connection: &mut SqliteConnection, after: i64) -> Result<(Vec<Stored>, i64), sqlx::Error> {
    let rows: Vec<_> =
        sqlx::query("SELECT seq, hash, kind, proposal, text FROM entry WHERE seq > ? ORDER BY seq LIMIT ?")
            .bind(after)
            .bind(PAGE)
            .fetch_all(&mut *connection)
            .await?;
    let Some(last) = rows.last() else { return Ok((Vec::new(), after)) };
    let last: i64 = last.try_get(0)?;
    let mut parts = private_parts(connection, after, last).await?;
    let stored = rows.iter().map(|row| {
        let seq = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
        Ok(Stored {
            place: Some(seq),
            hash: row.try_get(1)?,
            columns: Some((row.try_get(2)?, row.try_get(3)?)),
            text: row.try_get(4)?,
            parts: Some(parts.remove(&seq).unwrap_or_default()),
        })
    });
    Ok((stored.collect::<Result<_, sqlx::Error>>()?, last))
}

async fn private_parts(
    connection: &mut SqliteConnection,
    after: i64,
    up_to: i64,
) -> Result<BTreeMap<u64, Parts>, sqlx::Error> {
    let mut found: BTreeMap<u64, Parts> = BTreeMap::new();
    let query = sqlx::query("SELECT seq, path, salt, value FROM private WHERE seq > ? AND seq <= ?");
    let mut rows = query.bind(after).bind(up_to).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let seq = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
        found.entry(seq).or_default().insert(row.try_get(1)?, (row.try_get(2)?, row.try_get(3)?));
    }
    Ok(found)
}
