//! What follows from the entries, compared with the projections that are stored, page by page.

use std::{borrow::Cow, sync::Arc};

use futures::stream;

use super::{
    MOST_PER_CODE, Report, cores,
    fold::{Fold, Proposal},
    joined::{
        self,
        Column::{self, May, Must},
        Joined, Page,
    },
    kept::Kept,
    step::{print, print_all},
};
use crate::{
    domain::shadow::{Label, Standing, Watch},
    ledger::db,
};

/// A table: its name, its key, and its columns, of which the first is the key as one text.
struct Table {
    name: &'static str,
    key: &'static [&'static str],
    columns: &'static [Column],
}

const PROPOSALS: Table = Table { name: "proposal", key: &["id"], columns: PROPOSAL };
const PROMOTIONS: Table = Table { name: "promotion", key: &["id"], columns: PROMOTION };
const NOTICES: Table = Table { name: "notice", key: &["proposal"], columns: NOTICE };
const WATCHES: Table = Table { name: "watch", key: &["proposal", "field"], columns: WATCH };

/// Older schemas have no watches.
const FIRST_WITH_WATCHES: i64 = 3;

const PROPOSAL: &[Column] = &[
    Must("id"),
    Must("object"),
    Must("record"),
    Must("fingerprint"),
    Must("patch"),
    Must("body"),
    Must("CAST(received_seq AS TEXT)"),
    Must("stage"),
    Must("CAST(open AS TEXT)"),
    May("verdict"),
    May("approval"),
    May("promotion"),
    Must("CAST(landed AS TEXT)"),
    Must("updated_at"),
];
const PROMOTION: &[Column] = &[
    Must("id"),
    Must("proposal"),
    Must("object"),
    Must("record"),
    Must("CAST(open AS TEXT)"),
    Must("CAST(confirmed AS TEXT)"),
    Must("CAST(seq AS TEXT)"),
    Must("body"),
];
const NOTICE: &[Column] =
    &[Must("proposal"), Must("object"), Must("record"), Must("text"), Must("CAST(seq AS TEXT)")];
/// A field has no blank in its name, so the last one parts the key.
const WATCH: &[Column] = &[
    Must("proposal || ' ' || field"),
    Must("object"),
    Must("record"),
    Must("agent"),
    Must("version"),
    Must("segment"),
    May("label"),
    May("judged"),
    Must("CAST(live AS TEXT)"),
    Must("CAST(since AS TEXT)"),
    Must("CAST(due AS TEXT)"),
    Must("CAST(labelled AS TEXT)"),
    Must("CAST(settled AS TEXT)"),
];

/// The columns of a row.
struct Row<'a>(Vec<Option<Cow<'a, str>>>);

impl Row<'_> {
    fn cell(&self, column: usize) -> Option<&str> {
        self.0.get(column)?.as_deref()
    }

    /// Columns that stand side by side; `None` when nothing stands in one.
    fn texts<const COUNT: usize>(&self, first: usize) -> Option<[&str; COUNT]> {
        let mut found = [""; COUNT];
        for (place, text) in found.iter_mut().enumerate() {
            *text = self.cell(first + place)?;
        }
        Some(found)
    }

    fn is_flag(&self, column: usize, flag: bool) -> bool {
        self.cell(column) == Some(if flag { "1" } else { "0" })
    }

    fn is_number(&self, column: usize, number: i64) -> bool {
        self.cell(column) == Some(number.to_string().as_str())
    }
}

/// Whether a row is what the entries say; `None` when they speak of no such row.
type Right = fn(&Fold, &str, &Row<'_>) -> Option<bool>;

/// Compares every row.
pub(super) async fn compare(
    connection: &mut db::Connection,
    fold: Fold,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let fold = Arc::new(fold);
    let right: Right = |fold, id, row| fold.proposals.get(id).map(|proposal| is_proposal(proposal, row));
    table(connection, (&PROPOSALS, fold.proposals.len()), (&fold, right), report).await?;
    let right: Right =
        |fold, id, row| fold.promotions.get(id).map(|(seq, promotion)| is_promotion(*seq, promotion, row));
    table(connection, (&PROMOTIONS, fold.promotions.len()), (&fold, right), report).await?;
    let right: Right = |fold, id, row| {
        fold.notices.get(id).map(|cells| row.texts::<4>(1) == Some(cells.each_ref().map(String::as_str)))
    };
    table(connection, (&NOTICES, fold.notices.len()), (&fold, right), report).await?;
    if report.schema < FIRST_WITH_WATCHES {
        return Ok(());
    }
    let right: Right =
        |fold, id, row| fold.watches.get(id).map(|(watch, standing)| is_watch((watch, standing), row));
    table(connection, (&WATCHES, fold.watches.len()), (&fold, right), report).await
}

fn is_proposal(right: &Proposal, row: &Row<'_>) -> bool {
    let stage = right.stage.map_or("", |stage| stage.name());
    row.texts::<6>(1).is_some_and(|fixed| print_all(&fixed) == right.fixed)
        && row.cell(7) == Some(stage)
        && row.is_flag(8, right.stage.is_some_and(|stage| !stage.is_final()))
        && row.cell(9).map(print) == right.verdict
        && row.cell(10).map(print) == right.approval
        && row.cell(11) == right.promotion.as_deref()
        && row.is_flag(12, right.landed)
        && row.cell(13) == Some(right.updated_at.as_str())
}

fn is_promotion(seq: u64, right: &Kept, row: &Row<'_>) -> bool {
    row.texts::<3>(1) == Some([right.proposal.as_str(), right.object.as_str(), right.record.as_str()])
        && row.is_flag(4, !right.settlement.is_final())
        && row.is_flag(5, right.is_confirmed())
        && row.cell(6) == Some(seq.to_string().as_str())
        && row.cell(7).is_some_and(|body| right.is(body))
}

fn is_watch((watch, standing): (&Watch, &Standing), row: &Row<'_>) -> bool {
    let name = |label: Option<Label>| label.map(Label::name);
    row.texts::<3>(1) == Some([watch.object.as_str(), watch.record.as_str(), watch.agent.as_str()])
        && row.cell(4) == Some(watch.version.as_deref().unwrap_or_default())
        && row.cell(5) == Some(watch.segment.as_str())
        && row.cell(6) == name(standing.label)
        && row.cell(7) == name(standing.judged)
        && row.is_flag(8, watch.live)
        && row.is_number(9, watch.since.as_second())
        && row.is_number(10, watch.due.as_second())
        && row.is_number(11, standing.labelled)
        && row.is_flag(12, standing.settled)
}

/// Compares a table, page by page while the next ones are read.
async fn table(
    connection: &mut db::Connection,
    (table, expected): (&'static Table, usize),
    (fold, right): (&Arc<Fold>, Right),
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let name = table.name;
    let pages =
        stream::try_unfold((connection, None), |(connection, after): (_, Option<String>)| async move {
            let page = read(connection, table, after.as_deref()).await?;
            Ok(page.map(|(page, last)| (page, (connection, Some(last)))))
        });
    let fold = Arc::clone(fold);
    let compare = move |page: Joined| page_of(&page, table, |id, row| right(&fold, id, row));
    let take = |all: &mut Compared, page| all.add(page);
    let (compared, read) = cores::in_order(pages, compare, (Compared::default(), take), || {}).await;
    let Compared { rows, found, strays, differing } = compared.unwrap_or_default();
    report.projections += rows;
    for id in strays {
        report.damage("projection-stray", None, format!("{name} `{id}` follows from no entry"));
    }
    for id in differing {
        report.damage("projection-differs", None, format!("{name} `{id}` is not what the entries say"));
    }
    read?;
    if found < expected {
        let what = format!("{} row(s) of {name} are gone", expected - found);
        report.damage("projection-missing", None, what);
    }
    Ok(())
}

/// What came of rows.
#[derive(Default)]
struct Compared {
    rows: u64,
    /// Those of which the entries speak.
    found: usize,
    strays: Vec<String>,
    differing: Vec<String>,
}

impl Compared {
    /// Takes those of the next page. No more are kept than are told one by one.
    fn add(&mut self, page: Self) {
        self.rows += page.rows;
        self.found += page.found;
        self.strays.extend(page.strays);
        self.differing.extend(page.differing);
        self.strays.truncate(MOST_PER_CODE);
        self.differing.truncate(MOST_PER_CODE);
    }
}

fn page_of(
    page: &Joined,
    table: &Table,
    right: impl Fn(&str, &Row<'_>) -> Option<bool>,
) -> Result<Compared, sqlx::Error> {
    let (mut cells, mut compared) = (page.cells()?, Compared::default());
    while !cells.is_over() {
        let row = Row(table.columns.iter().map(|column| cells.next(*column)).collect::<Result<_, _>>()?);
        let id = row.cell(0).unwrap_or_default();
        compared.rows += 1;
        match right(id, &row) {
            None => compared.strays.push(id.to_owned()),
            Some(true) => compared.found += 1,
            Some(false) => {
                compared.found += 1;
                compared.differing.push(id.to_owned());
            }
        }
    }
    Ok(compared)
}

/// The rows after a key, or the first ones, with the last key.
async fn read(
    connection: &mut db::Connection,
    table: &Table,
    after: Option<&str>,
) -> Result<Option<(Joined, String)>, sqlx::Error> {
    let Table { name, columns, .. } = *table;
    let key = table.key.join(", ");
    let places = vec!["?"; table.key.len()].join(", ");
    let which = if after.is_some() { format!("WHERE ({key}) > ({places})") } else { String::new() };
    let mut parts: Vec<&str> =
        after.map_or_else(Vec::new, |after| after.rsplitn(table.key.len(), ' ').collect());
    parts.reverse();
    let from = format!("{name} {which} ORDER BY {key} LIMIT {}", joined::ROWS);
    let page = Page { columns, key: columns[0].name(), from };
    let page = page.read(connection, |query| parts.iter().copied().fold(query, db::Query::bind)).await?;
    match &page {
        Some((_, last)) if after.is_some_and(|after| last.as_str() <= after) => Err(joined::apart()),
        _ => Ok(page),
    }
}
