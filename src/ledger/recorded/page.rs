//! Many verdicts in one row. A row of an answer costs more than what is in it: it is handed from
//! thread to thread, column by column. So the database joins a page of them to one text.
//!
//! What is joined is JSON, ids and words of ours, in which a control character never stands as it is.

use super::{Decision, Depth, INPUT, LedgerError, RecordedVerdict};
use crate::ledger::{
    append::number,
    db::{self, Dialect},
    proposals::stage_of,
};

/// Between two verdicts, two columns, two private parts, and a part's path and value: the separators
/// of ASCII, from the widest to the narrowest.
const ROW: char = '\u{1c}';
const COLUMN: char = '\u{1d}';
const PART: char = '\u{1e}';
const VALUE: char = '\u{1f}';

/// A page of verdicts, not taken apart yet.
#[derive(Debug)]
pub struct RecordedPage {
    text: String,
    /// Where each verdict starts.
    starts: Vec<usize>,
    last: u64,
}

fn damaged() -> LedgerError {
    LedgerError::Damaged("a page of recorded verdicts".to_owned())
}

/// The private parts of one verdict, each with its path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a>(&'a str);

impl<'a> Parts<'a> {
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.0.split(PART).filter_map(|part| part.split_once(VALUE));
        all.filter(|(path, _)| *path != INPUT)
    }

    fn input(self) -> Option<&'a str> {
        self.0
            .split(PART)
            .filter_map(|part| part.split_once(VALUE))
            .find_map(|(path, value)| (path == INPUT).then_some(value))
    }
}

impl RecordedPage {
    /// Finds where the verdicts start. They must be in the order of the chain.
    fn of(text: String, mut after: u64) -> Result<Self, LedgerError> {
        let starts: Vec<usize> =
            std::iter::once(0).chain(text.match_indices(ROW).map(|(place, _)| place + 1)).collect();
        for start in &starts {
            let seq = text[*start..].split_once(COLUMN).and_then(|(seq, _)| seq.parse().ok());
            let seq = seq.filter(|seq| *seq > after).ok_or_else(damaged)?;
            after = seq;
        }
        Ok(Self { text, starts, last: after })
    }

    /// Place in the chain of the last one.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// How many there are; never none.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none: never.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// One of them, from 0.
    pub fn verdict(&self, place: usize) -> Result<RecordedVerdict<'_>, LedgerError> {
        let start = *self.starts.get(place).ok_or_else(damaged)?;
        let end = self.starts.get(place + 1).map_or(self.text.len(), |next| next - 1);
        let mut columns = self.text[start..end].split(COLUMN);
        let mut column = || columns.next().ok_or_else(damaged);
        let (seq, text, proposal, stage, decided) = (column()?, column()?, column()?, column()?, column()?);
        let private = Parts(column()?);
        Ok(RecordedVerdict {
            seq: seq.parse().map_err(|_| damaged())?,
            stage: stage_of(stage).ok_or_else(|| LedgerError::Damaged("proposal stage".to_owned()))?,
            decided: match decided {
                "" => None,
                word => Some(serde_json::from_value::<Decision>(word.into())?),
            },
            text,
            proposal,
            input: private.input(),
            private,
        })
    }
}

/// Reads the page after a place.
pub(super) async fn read(
    reader: &mut db::Connection,
    after: u64,
    (depth, most): (Depth, u32),
) -> Result<Option<RecordedPage>, LedgerError> {
    let which = match depth {
        Depth::Outcome => "AND path = '/input'",
        Depth::Whole => "",
    };
    let letter = match reader.dialect() {
        Dialect::Sqlite => "char",
        Dialect::Postgres => "chr",
    };
    let [row, column, part, value] =
        [ROW, COLUMN, PART, VALUE].map(|separator| format!("{letter}({})", u32::from(separator)));
    // Whoever joins takes the rows in the order of the inner answer; `RecordedPage::of` looks after it.
    let sql = format!(
        "SELECT string_agg(one, {row}) FROM (\
           SELECT CAST(e.seq AS TEXT) || {column} || e.text || {column} || p.body || {column} || p.stage \
           || {column} || coalesce(p.approval ->> '$.decision', '') || {column} || coalesce(\
             (SELECT string_agg(path || {value} || value, {part}) FROM private WHERE seq = e.seq {which}), '') AS one \
           FROM entry e JOIN proposal p ON p.id = e.proposal \
           WHERE e.kind = 'verdict_reached' AND e.seq > ? ORDER BY e.seq LIMIT ?) AS page"
    );
    let query = db::query(sql).bind(number(after)?).bind(most);
    let text: Option<String> = query.fetch_one(reader).await?.try_get(0)?;
    text.map(|text| RecordedPage::of(text, after)).transpose()
}
