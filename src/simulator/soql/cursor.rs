//! Open cursors: the rows of a query that did not fit on its first page.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::{error::SoqlError, output::Shape};
use crate::{clock, simulator::model::Row};

/// How long a locator lives.
const LIFETIME_MS: i64 = 2 * 24 * 3_600_000;
/// Most cursors kept; the oldest go first. A real org has no such cap, memory has.
const MAX_CURSORS: usize = 1_000;
/// Characters of a locator after its prefix.
const SUFFIX: usize = 15;

/// The open cursors of one org.
#[derive(Debug, Default)]
pub struct Cursors(Mutex<BTreeMap<String, Arc<Cursor>>>);

/// One query's result. It keeps the rows as they were when the query ran; whether a real org
/// reads later pages afresh is not documented.
#[derive(Debug)]
pub(super) struct Cursor {
    /// Who asked. Nobody else may read on.
    pub user_id: String,
    /// What to give of each row.
    pub shape: Shape,
    /// All rows, the first page included.
    pub rows: Vec<Arc<Row>>,
    /// Rows on a page, as the first call asked for.
    pub batch_size: usize,
    /// When the query ran.
    pub opened_at: Timestamp,
}

impl Cursors {
    /// Keeps a cursor and gives its locator without the offset: `0r8` and 15 characters.
    pub(super) fn open(&self, cursor: Cursor) -> String {
        let random: String =
            clock::random_id().chars().filter(char::is_ascii_hexdigit).take(SUFFIX).collect();
        let locator = format!("0r8{}", random.to_ascii_uppercase());
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = cursor.opened_at;
        open.retain(|_, old| alive(old, now));
        while open.len() >= MAX_CURSORS {
            let oldest = open.iter().min_by_key(|(_, old)| old.opened_at).map(|(name, _)| name.clone());
            oldest.and_then(|name| open.remove(&name));
        }
        open.insert(locator.clone(), Arc::new(cursor));
        locator
    }

    /// The cursor of a locator, `0r8..-2000`, and the offset in it.
    pub(super) fn get(
        &self,
        locator: &str,
        user_id: &str,
        now: Timestamp,
    ) -> Result<(Arc<Cursor>, usize), SoqlError> {
        let invalid = || SoqlError::plain("INVALID_QUERY_LOCATOR", "invalid query locator");
        let (name, offset) = locator.rsplit_once('-').ok_or_else(invalid)?;
        let offset: usize = offset.parse().map_err(|_| invalid())?;
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cursor = open.get(name).ok_or_else(invalid)?;
        let usable = cursor.user_id == user_id && alive(cursor, now) && offset <= cursor.rows.len();
        if usable { Ok((Arc::clone(cursor), offset)) } else { Err(invalid()) }
    }
}

fn alive(cursor: &Cursor, now: Timestamp) -> bool {
    now.as_millisecond() - cursor.opened_at.as_millisecond() < LIFETIME_MS
}
