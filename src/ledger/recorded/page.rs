//! Many verdicts in one row. A row of an answer costs more than what is in it: it is handed from
//! thread to thread, column by column. So the database joins a page of them to one text.
//!
//! What is joined is JSON, ids and words of ours, in which a control character never stands as it is.

use super::{Decision, Depth, INPUT, LedgerError, RecordedVerdict};
use crate::ledger::{db::Dialect, proposals::stage_of};

/// Between two verdicts, two columns, two private parts, and a part's path and value: the separators
/// of ASCII, from the widest to the narrowest.
const ROW: u8 = 0x1c;
const COLUMN: u8 = 0x1d;
const PART: u8 = 0x1e;
const VALUE: u8 = 0x1f;

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
        self.all().filter(|(path, _)| *path != INPUT)
    }

    fn input(self) -> Option<&'a str> {
        self.all().find_map(|(path, value)| (path == INPUT).then_some(value))
    }

    fn all(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        split(self.0, PART).filter_map(|part| {
            let mut pair = split(part, VALUE);
            pair.next().zip(pair.next())
        })
    }
}

/// The pieces between separators.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr_iter(separator, text.as_bytes()).chain(std::iter::once(text.len()));
    let mut start = 0;
    ends.map(move |end| &text[std::mem::replace(&mut start, end + 1)..end])
}

impl RecordedPage {
    /// Finds where the verdicts start. They must be in the order of the chain.
    pub(super) fn of(text: String, mut after: u64) -> Result<Self, LedgerError> {
        let ends = memchr::memchr_iter(ROW, text.as_bytes());
        let starts: Vec<usize> = std::iter::once(0).chain(ends.map(|end| end + 1)).collect();
        for start in &starts {
            let seq = split(&text[*start..], COLUMN).next().and_then(|seq| seq.parse().ok());
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
        let mut columns = split(&self.text[start..end], COLUMN);
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

/// What gives pages, each in a row: from the place after the first bound value on up to the second one, so
/// many places in a page as the third one says. One statement for many pages, because the database
/// reads on while the pages before are worked on.
pub(super) fn sql(dialect: Dialect, depth: Depth) -> String {
    let letter = match dialect {
        Dialect::Sqlite => "char",
        Dialect::Postgres => "chr",
    };
    let [row, column, part, value] =
        [ROW, COLUMN, PART, VALUE].map(|separator| format!("{letter}({separator})"));
    let pair = format!("concat(path, {value}, value)");
    let private = match depth {
        Depth::Outcome => format!("{pair} FROM private WHERE seq = e.seq AND path = '{INPUT}'"),
        Depth::Whole => format!("string_agg({pair}, {part}) FROM private WHERE seq = e.seq"),
    };
    // Whoever joins takes the rows in the order of the inner answer; `RecordedPage::of` looks after it.
    // `concat` makes one copy where a chain of `||` makes one for each part.
    format!(
        "WITH RECURSIVE page(start) AS (SELECT CAST(?1 AS BIGINT) UNION ALL \
           SELECT start + ?3 FROM page WHERE start + ?3 < ?2) \
         SELECT (SELECT string_agg(one, {row}) FROM (\
           SELECT concat(e.seq, {column}, e.text, {column}, p.body, {column}, p.stage, {column}, \
             p.approval ->> '$.decision', {column}, (SELECT {private})) AS one \
           FROM entry e JOIN proposal p ON p.id = e.proposal \
           WHERE e.kind = 'verdict_reached' AND e.seq > page.start AND e.seq <= page.start + ?3 \
           ORDER BY e.seq) AS rows) FROM page"
    )
}
