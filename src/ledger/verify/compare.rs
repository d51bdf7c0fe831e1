//! What follows from the entries, compared with the projections that are stored, row by row.

use futures::TryStreamExt as _;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    Report,
    fold::{Fold, Proposal},
    step::{print, print_all},
};
use crate::{
    domain::{Promotion, digest::canonical},
    ledger::project::is_confirmed,
};

const PROPOSALS: &str = "SELECT id, object, record, fingerprint, patch, body, CAST(received_seq AS TEXT), \
    stage, open, verdict, approval, promotion, landed, updated_at FROM proposal";
const PROMOTIONS: &str =
    "SELECT id, proposal, object, record, open, confirmed, CAST(seq AS TEXT), body FROM promotion";
const NOTICES: &str = "SELECT proposal, object, record, text, CAST(seq AS TEXT) FROM notice";

/// Compares every row.
pub(super) async fn compare(
    connection: &mut SqliteConnection,
    fold: &Fold,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let rows = ("proposal", PROPOSALS, fold.proposals.len());
    let right = |id: &str, row: &SqliteRow| {
        fold.proposals.get(id).map(|proposal| is_proposal(proposal, row)).transpose()
    };
    table(connection, rows, right, report).await?;
    let rows = ("promotion", PROMOTIONS, fold.promotions.len());
    let right = |id: &str, row: &SqliteRow| {
        fold.promotions.get(id).map(|(seq, promotion)| is_promotion(*seq, promotion, row)).transpose()
    };
    table(connection, rows, right, report).await?;
    let rows = ("notice", NOTICES, fold.notices.len());
    let right = |id: &str, row: &SqliteRow| {
        fold.notices
            .get(id)
            .map(|cells| Ok(texts::<4>(row, 1)? == cells.each_ref().map(String::as_str)))
            .transpose()
    };
    table(connection, rows, right, report).await
}

/// Texts of columns that stand side by side.
fn texts<const COUNT: usize>(row: &SqliteRow, first: usize) -> Result<[&str; COUNT], sqlx::Error> {
    let mut found = [""; COUNT];
    for (place, text) in found.iter_mut().enumerate() {
        *text = row.try_get(first + place)?;
    }
    Ok(found)
}

fn is_proposal(right: &Proposal, row: &SqliteRow) -> Result<bool, sqlx::Error> {
    let stage = right.stage.map_or("", |stage| stage.name());
    let printed = |column: usize| row.try_get::<Option<&str>, _>(column).map(|text| text.map(print));
    Ok(print_all(&texts::<6>(row, 1)?) == right.fixed
        && row.try_get::<&str, _>(7)? == stage
        && row.try_get::<i64, _>(8)? == i64::from(right.stage.is_some_and(|stage| !stage.is_final()))
        && printed(9)? == right.verdict
        && printed(10)? == right.approval
        && row.try_get::<Option<&str>, _>(11)? == right.promotion.as_deref()
        && row.try_get::<i64, _>(12)? == i64::from(right.landed)
        && row.try_get::<&str, _>(13)? == right.updated_at)
}

fn is_promotion(seq: u64, right: &Promotion, row: &SqliteRow) -> Result<bool, sqlx::Error> {
    let plan = &right.plan;
    Ok(texts::<3>(row, 1)? == [plan.proposal_id.as_str(), plan.object.as_str(), plan.record.as_str()]
        && row.try_get::<i64, _>(4)? == i64::from(!right.settlement.is_final())
        && row.try_get::<i64, _>(5)? == i64::from(is_confirmed(right))
        && texts::<2>(row, 6)? == [seq.to_string().as_str(), &canonical(right).unwrap_or_default()])
}

/// Compares a table; `right` says whether a row is what the entries say, `None` when they speak of
/// no such row.
async fn table(
    connection: &mut SqliteConnection,
    (name, sql, expected): (&str, &'static str, usize),
    right: impl Fn(&str, &SqliteRow) -> Result<Option<bool>, sqlx::Error>,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let mut found = 0;
    let mut rows = sqlx::query(sql).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let id: &str = row.try_get(0)?;
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
