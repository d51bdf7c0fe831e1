//! The page: whole and by itself. It loads nothing and runs nothing, and words of agents and records
//! are data.

use minijinja::{Value, context};

use super::{Period, story::Told};
use crate::{cli::page, gate::preview::visible};

const PAGE: &str = include_str!("index.html.j2");

/// Most promotions that the page tells one by one; the tables have all.
const MOST: usize = 1_000;

/// The page about a period.
pub fn html(
    period: &Period,
    told: &[Told],
    (entries, private, signed): (u64, bool, bool),
) -> anyhow::Result<String> {
    let count = |basis: &str| told.iter().filter(|one| one.basis.starts_with(basis)).count();
    // Not `serde_json::json`: its numbers keep their digits, which a template shows as a map.
    let words = context! {
        org => visible(&period.org), since => period.since.to_string(), until => period.until.to_string(),
        made => period.made.to_string(), version => env!("CARGO_PKG_VERSION"),
        first => period.span.start.after.seq.parse::<u64>().map_or(0, |seq| seq + 1),
        up_to => period.span.up_to, entries, private, signed, total => told.len(), most => MOST,
        approved => count("approved"), auto => count("allowed"), undone => count("undoes"),
        told => told.iter().take(MOST).map(one).collect::<Vec<_>>(),
    };
    page::render(PAGE, words)
}

fn one(told: &Told) -> Value {
    let moved = told.moved.iter().map(|moved| {
        context! { field => visible(&moved.field), before => visible(&moved.before), after => visible(&moved.after) }
    });
    context! {
        promotion => visible(&told.promotion), proposal => visible(&told.proposal), object => &told.object,
        record => &told.record, at => &told.at, seq => &told.seq, hash => &told.hash, basis => told.basis,
        state => told.state, undoes => visible(&told.undoes), agent => visible(&told.agent),
        door => visible(&told.door), reason => visible(&told.reason),
        evidence => told.evidence.iter().map(|text| visible(text)).collect::<Vec<_>>(),
        moved => moved.collect::<Vec<_>>(), findings => &told.findings, policy => visible(&told.policy),
        approved_by => visible(&told.approved_by), approved_at => visible(&told.approved_at),
        comments => visible(&told.comments), proof => visible(&told.proof),
    }
}
