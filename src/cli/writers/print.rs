//! Writers for a terminal, a spreadsheet and as a page.

use std::fmt::Write as _;

use super::report::{OfField, Report};
use crate::{
    cli::{
        csv::line,
        show::{minute, safe, table},
        tables::{Cell, Page, Table},
    },
    domain::writers::Row,
};

const HEAD: [&str; 10] =
    ["object", "field", "user", "name", "is", "client", "through_the_gate", "writes", "first", "last"];

/// Who a row is about: our own promotions, the user's name where the org was asked, or the id.
fn who(report: &Report, row: &Row) -> String {
    match (row.ours, report.user(row)) {
        (true, _) => "countersign".to_owned(),
        (false, Some(user)) => format!("{} ({})", user.name, user.is_called()),
        (false, None) => row.writer.user.clone(),
    }
}

/// An id stays in one piece, a name may be broken between its words.
fn user(report: &Report, row: &Row) -> Cell {
    let who = who(report, row);
    if who == row.writer.user { Cell::Name(who) } else { Cell::Text(who) }
}

/// For a terminal.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    if report.writers.is_empty() {
        out.push_str("no write of a governed field was heard yet\n");
    }
    for one in &report.fields {
        let (name, all) = (safe(&format!("{}.{}", one.object, one.field)), one.ours + one.others);
        let (others, share) = (one.others, one.ungoverned_percent);
        let _ = writeln!(out, "{name}: {others} of {all} write(s) went past the gate ({share} %)");
        let of_field = |row: &&Row| row.object.as_str() == one.object && row.field.as_str() == one.field;
        let head = ["user", "client", "writes", "first", "last"].map(str::to_owned).to_vec();
        let rows = report.writers.iter().filter(of_field).map(|row| {
            let (user, client) = (safe(&who(report, row)), safe(&row.writer.client));
            vec![user, client, row.writes.to_string(), minute(row.first), minute(row.last)]
        });
        for line in table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()).lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    if report.beyond > 0 {
        let _ = writeln!(out, "and {} write(s) of writers that found no room", report.beyond);
    }
    for one in &report.automations {
        let _ = writeln!(out, "may write {}: {}", safe(&one.object), safe(&one.name));
    }
    for freeze in &report.quarantined {
        let (scope, why) = (safe(&freeze.scope.to_string()), safe(&freeze.reason));
        let _ = writeln!(out, "stopped since {} UTC: {scope}\n  {why}", minute(freeze.since));
    }
    out
}

/// One row for each writer of a field.
pub fn csv(report: &Report) -> String {
    let rows = report.writers.iter().map(|row| {
        let user = report.user(row);
        line(&[
            row.object.as_str(),
            row.field.as_str(),
            &row.writer.user,
            user.map(|user| user.name.as_str()).unwrap_or_default(),
            user.map(|user| user.is_called()).unwrap_or_default(),
            &row.writer.client,
            if row.ours { "yes" } else { "no" },
            &row.writes.to_string(),
            &row.first.to_string(),
            &row.last.to_string(),
        ])
    });
    std::iter::once(line(&HEAD)).chain(rows).collect()
}

/// As a page.
pub fn page(report: &Report) -> Page {
    let mut words = vec![
        "Heard from change events. The shipped channel carries records with the pending flag; without its \
         filter it carries every change."
            .to_owned(),
    ];
    if report.beyond > 0 {
        words.push(format!("{} write(s) of writers that found no room are in no table.", report.beyond));
    }
    Page {
        title: "Who writes governed fields".to_owned(),
        words,
        tables: vec![past_the_gate(report), writers(report), automations(report), stopped(report)],
    }
}

fn past_the_gate(report: &Report) -> Table {
    let row = |one: &OfField| {
        let field = Cell::Name(format!("{}.{}", one.object, one.field));
        vec![field, Cell::Number(one.ungoverned_percent), Cell::Share(one.others, one.ours + one.others)]
    };
    Table {
        title: "Writes that went past the gate".to_owned(),
        empty: "No write of a governed field was heard yet.",
        head: vec!["Field", "%", "Past the gate"],
        rows: report.fields.iter().map(row).collect(),
    }
}

fn writers(report: &Report) -> Table {
    let most = report.writers.iter().map(|row| row.writes).max().unwrap_or(0);
    let row = |row: &Row| {
        vec![
            Cell::Name(format!("{}.{}", row.object, row.field)),
            user(report, row),
            Cell::Text(row.writer.client.clone()),
            Cell::Share(row.writes, most),
            Cell::Name(minute(row.first)),
            Cell::Name(minute(row.last)),
        ]
    };
    Table {
        title: "Writers".to_owned(),
        empty: "Nobody was heard yet.",
        head: vec!["Field", "User", "Client", "Writes, of the most", "First (UTC)", "Last (UTC)"],
        rows: report.writers.iter().map(row).collect(),
    }
}

fn automations(report: &Report) -> Table {
    let rows = report.automations.iter();
    Table {
        title: "What else runs when a record is saved".to_owned(),
        empty: "Nothing that is not ours, as far as the promoter sees rules, flows and triggers.",
        head: vec!["Object", "What"],
        rows: rows.map(|one| vec![Cell::Name(one.object.clone()), Cell::Text(one.name.clone())]).collect(),
    }
}

fn stopped(report: &Report) -> Table {
    let rows = report.quarantined.iter().map(|freeze| {
        vec![
            Cell::Name(freeze.scope.to_string()),
            Cell::Name(minute(freeze.since)),
            Cell::Text(freeze.reason.clone()),
        ]
    });
    Table {
        title: "Stopped, because two writers set a value against each other".to_owned(),
        empty: "Nothing.",
        head: vec!["What", "Since (UTC)", "Why"],
        rows: rows.collect(),
    }
}
