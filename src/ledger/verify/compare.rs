//! What follows from the entries, compared with the projections that are stored, row by row.

use futures::TryStreamExt as _;
use std::borrow::Cow;

use super::{
    Report,
    fold::{Fold, Proposal},
    step::{print, print_all},
};
use crate::{
    domain::{
        Promotion,
        digest::canonical,
        shadow::{Label, Standing, Watch},
    },
    ledger::{db, project::is_confirmed},
};

const PROPOSALS: &str = "SELECT id, object, record, fingerprint, patch, body, CAST(received_seq AS TEXT), \
    stage, open, verdict, approval, promotion, landed, updated_at FROM proposal";
const PROMOTIONS: &str =
    "SELECT id, proposal, object, record, open, confirmed, CAST(seq AS TEXT), body FROM promotion";
const NOTICES: &str = "SELECT proposal, object, record, text, CAST(seq AS TEXT) FROM notice";

const WATCHES: &str = "SELECT proposal || ' ' || field, object, record, agent, version, segment, \
    coalesce(label, ''), coalesce(judged, ''), live, since, due, labelled, settled FROM watch";

/// Older schemas have no watches.
const FIRST_WITH_WATCHES: i64 = 3;

/// Compares every row.
pub(super) async fn compare(
    connection: &mut db::Connection,
    fold: &Fold,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let rows = ("proposal", PROPOSALS, fold.proposals.len());
    let right = |id: &str, row: &db::Row| {
        fold.proposals.get(id).map(|proposal| is_proposal(proposal, row)).transpose()
    };
    table(connection, rows, right, report).await?;
    let rows = ("promotion", PROMOTIONS, fold.promotions.len());
    let right = |id: &str, row: &db::Row| {
        fold.promotions.get(id).map(|(seq, promotion)| is_promotion(*seq, promotion, row)).transpose()
    };
    table(connection, rows, right, report).await?;
    let rows = ("notice", NOTICES, fold.notices.len());
    let right = |id: &str, row: &db::Row| {
        fold.notices
            .get(id)
            .map(|cells| Ok(texts::<4>(row, 1)? == cells.each_ref().map(String::as_str)))
            .transpose()
    };
    table(connection, rows, right, report).await?;
    if report.schema < FIRST_WITH_WATCHES {
        return Ok(());
    }
    let rows = ("watch", WATCHES, fold.watches.len());
    let right = |id: &str, row: &db::Row| {
        fold.watches.get(id).map(|(watch, standing)| is_watch((watch, standing), row)).transpose()
    };
    table(connection, rows, right, report).await
}

/// Texts of columns that stand side by side.
fn texts<const COUNT: usize>(row: &db::Row, first: usize) -> Result<[Cow<'_, str>; COUNT], sqlx::Error> {
    let mut found = [const { Cow::Borrowed("") }; COUNT];
    for (place, text) in found.iter_mut().enumerate() {
        *text = row.text(first + place)?;
    }
    Ok(found)
}

fn is_proposal(right: &Proposal, row: &db::Row) -> Result<bool, sqlx::Error> {
    let stage = right.stage.map_or("", |stage| stage.name());
    let printed =
        |column: usize| row.try_get::<Option<Cow<str>>>(column).map(|text| text.map(|text| print(&text)));
    Ok(print_all(&texts::<6>(row, 1)?.each_ref().map(|text| &**text)) == right.fixed
        && row.text(7)? == stage
        && row.try_get::<i64>(8)? == i64::from(right.stage.is_some_and(|stage| !stage.is_final()))
        && printed(9)? == right.verdict
        && printed(10)? == right.approval
        && row.try_get::<Option<Cow<str>>>(11)?.as_deref() == right.promotion.as_deref()
        && row.try_get::<i64>(12)? == i64::from(right.landed)
        && row.text(13)? == right.updated_at)
}

fn is_promotion(seq: u64, right: &Promotion, row: &db::Row) -> Result<bool, sqlx::Error> {
    let plan = &right.plan;
    Ok(texts::<3>(row, 1)? == [plan.proposal_id.as_str(), plan.object.as_str(), plan.record.as_str()]
        && row.try_get::<i64>(4)? == i64::from(!right.settlement.is_final())
        && row.try_get::<i64>(5)? == i64::from(is_confirmed(right))
        && texts::<2>(row, 6)? == [seq.to_string().as_str(), &canonical(right).unwrap_or_default()])
}

fn is_watch((watch, standing): (&Watch, &Standing), row: &db::Row) -> Result<bool, sqlx::Error> {
    let name = |label: Option<Label>| label.map_or("", Label::name);
    let told = [
        watch.object.as_str(),
        watch.record.as_str(),
        &watch.agent,
        watch.version.as_deref().unwrap_or_default(),
        &watch.segment,
        name(standing.label),
        name(standing.judged),
    ];
    let numbers = [
        i64::from(watch.live),
        watch.since.as_second(),
        watch.due.as_second(),
        standing.labelled,
        i64::from(standing.settled),
    ];
    let mut found = [0; 5];
    for (place, number) in found.iter_mut().enumerate() {
        *number = row.try_get(8 + place)?;
    }
    Ok(texts::<7>(row, 1)? == told && found == numbers)
}

/// Compares a table; `right` says whether a row is what the entries say, `None` when they speak of
/// no such row.
async fn table(
    connection: &mut db::Connection,
    (name, sql, expected): (&str, &'static str, usize),
    right: impl Fn(&str, &db::Row) -> Result<Option<bool>, sqlx::Error>,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let mut found = 0;
    let mut rows = db::query(sql).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let id = &*row.text(0)?;
        report.projections += 1;
        match right(id, &row)? {
            None => report.damage("projection-stray", None, format!("{name} `{id}` follows from no entry")),
            Some(is_right) => {
                found += 1;
                if !is_right {
                    let what = format!("{name} `{id}` is not what the entries say");
                    report.damage("projection-differs", None, what);
                }
            }
        }
    }
    if found < expected {
        let what = format!("{} row(s) of {name} are gone", expected - found);
        report.damage("projection-missing", None, what);
    }
    Ok(())
}
