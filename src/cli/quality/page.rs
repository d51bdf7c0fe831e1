//! The numbers of quality as a page.

use super::row::{Report, Row, review, share};
use crate::cli::{
    show::minute,
    tables::{Cell, Page, Table},
};

/// What the ledger cannot see.
pub const BY_HAND: &str = "Put back by hand is known only of lanes whose policy has a [shadow] table or that were \
    let act, within label_days. What a person set to another value than the one before is not seen as put back.";

/// As a page.
pub fn page(report: &Report) -> Page {
    let mut words = vec![format!(
        "Since {} UTC. Weeks are in UTC and begin on Monday. A promotion that went back counts in the week in which \
         it landed. A proposal of several fields counts in each of its lanes.",
        minute(report.quality.since)
    )];
    words.push(
        "How long people took runs from the entry that made it their turn to their decision: median and 90th \
         percentile by nearest rank."
            .to_owned(),
    );
    words.extend(report.kept_away());
    words.push(BY_HAND.to_owned());
    let mut tables = Vec::new();
    tables.extend(both("week", "Week of", &report.weeks()));
    tables.extend(both("lane", "Lane", &report.lanes()));
    if report.agents {
        tables.extend(both("agent", "Agent", &report.agents()));
    }
    Page { title: "Quality".to_owned(), words, tables }
}

fn both(by: &str, name: &'static str, rows: &[Row<'_>]) -> [Table; 2] {
    [decisions(by, name, rows), promotions(by, name, rows)]
}

fn decisions(by: &str, name: &'static str, rows: &[Row<'_>]) -> Table {
    let row = |(name, told): &Row<'_>| {
        vec![
            Cell::Name(name.clone()),
            Cell::Share(told.accepted, told.decided()),
            Cell::Name(share(told.accepted, told.decided())),
            Cell::Number(told.rejected),
            Cell::Number(told.edited),
            Cell::Name(review(told, 50)),
            Cell::Name(review(told, 90)),
            Cell::Number(told.expired),
            Cell::Number(told.ended_undecided),
            Cell::Number(told.waiting),
        ]
    };
    Table {
        title: format!("Decisions of people, by {by}"),
        empty: "Nobody was asked.",
        head: vec![
            name,
            "Accepted",
            "Acceptance",
            "Rejected",
            "Edited",
            "Median time",
            "90 % within",
            "Expired",
            "Ended undecided",
            "Waiting",
        ],
        rows: rows.iter().map(row).collect(),
    }
}

fn promotions(by: &str, name: &'static str, rows: &[Row<'_>]) -> Table {
    let row = |(name, told): &Row<'_>| {
        vec![
            Cell::Name(name.clone()),
            Cell::Number(told.approved),
            Cell::Number(told.auto),
            Cell::Number(told.decay),
            Cell::Share(told.reversed(), told.promotions()),
            Cell::Name(share(told.reversed(), told.promotions())),
            Cell::Number(told.rolled_back),
            Cell::Number(told.put_back),
            Cell::Number(told.refused_values),
            Cell::Number(told.rejected_values),
        ]
    };
    Table {
        title: format!("Promotions, by {by}"),
        empty: "Nothing was promoted or kept away.",
        head: vec![
            name,
            "Approved",
            "Auto",
            "Decay",
            "Reversed",
            "Reversal rate",
            "Rolled back",
            "Put back by hand",
            "Values refused",
            "Values rejected",
        ],
        rows: rows.iter().map(row).collect(),
    }
}
