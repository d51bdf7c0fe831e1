//! Runs and reports of reconciliation in a terminal.

use std::fmt::Write as _;

use super::{facts, report::Report};
use crate::{
    cli::{
        show::{minute, noted, safe, short, table},
        tables::{Cell, Page, Table, newest_of},
    },
    domain::{
        Discrepancy, DiscrepancyKind, FieldValue, Reconciliation,
        reconciliation::{Count, Rate, Reading},
    },
};

/// Most rows of a table; the other forms have all.
const MOST_ROWS: usize = 50;
/// Longest cell that holds a value.
const MOST_CELL: usize = 32;

/// A run as it ended.
pub fn report(report: &Report) -> String {
    let run = &report.run;
    let mut out = format!("Reconciliation {}, begun {}, ended {}\n", run.id.short(), run.at, run.ended_at);
    for (object, read) in &run.reads {
        let _ = writeln!(out, "  {object}: {}", reading(read));
    }
    out += &counts(report);
    out += &list(report);
    out += &rates(&run.rates, run.rates_days);
    out += &facts::text(&run.facts, run.rates_days);
    out
}

/// What was read of an object, in words.
pub fn reading(read: &Reading) -> String {
    let how = format!("{} record(s) read by {}", read.records, read.way.name());
    match read.since {
        Some(since) => format!("{how}, those saved since {since}"),
        None => format!("{how}, all that have or had a proposal"),
    }
}

fn counts(report: &Report) -> String {
    let counts = report.counts();
    if counts.is_empty() {
        return "\norg and ledger agree\n".to_owned();
    }
    let mut rows = vec![["", "found", "repaired", "before"].map(str::to_owned).to_vec()];
    for (kind, count, before) in &counts {
        let before = before.map(|count| count.found.to_string()).unwrap_or_default();
        rows.push(vec![kind.name().to_owned(), count.found.to_string(), count.repaired.to_string(), before]);
    }
    let mut out = format!("\n{}", table(&rows));
    let left = counts.iter().filter(|(kind, count, _)| kind.is_fault() && count.found > count.repaired);
    for (place, (kind, ..)) in left.enumerate() {
        let head = if place == 0 { "\nwhat to do\n" } else { "" };
        let _ = writeln!(out, "{head}  {}: {}", kind.name(), kind.next_step());
    }
    out
}

fn list(report: &Report) -> String {
    let run = &report.run;
    if run.is_erased() {
        return "\nwhat was found was erased; the counts are left\n".to_owned();
    }
    if run.found.is_empty() {
        return String::new();
    }
    let head = ["kind", "record", "field", "age", "code"].map(str::to_owned).to_vec();
    let shown = || run.found.iter().take(MOST_ROWS);
    let rows = std::iter::once(head).chain(shown().map(|one| row(report, one)));
    let notes: Vec<String> = shown().map(change).collect();
    let mut out = format!("\n{}", noted(&rows.collect::<Vec<_>>(), &notes));
    if run.found.len() > MOST_ROWS {
        let _ = writeln!(out, "... and {} more; --format csv has them", run.found.len() - MOST_ROWS);
    }
    if run.left_out > 0 {
        let _ = writeln!(out, "{} more were counted and are in no list", run.left_out);
    }
    out
}

fn row(report: &Report, one: &Discrepancy) -> Vec<String> {
    let repaired = if one.repaired { " (repaired)" } else { "" };
    vec![
        one.kind.name().to_owned(),
        format!("{}/{}", one.object, one.record),
        one.field.as_ref().map(ToString::to_string).unwrap_or_default(),
        report.age_hours(one).map(age).unwrap_or_default(),
        format!("{}{repaired}", safe(&one.code)),
    ]
}

/// From what to what, and by whom, where that is known.
fn change(one: &Discrepancy) -> String {
    let value = |value: &FieldValue| short(&safe(&value.to_string()), MOST_CELL);
    let values = match (&one.before, &one.after) {
        (None, None) => String::new(),
        (before, after) => {
            let told = |side: &Option<FieldValue>| side.as_ref().map_or_else(|| "?".to_owned(), value);
            format!("{} > {}", told(before), told(after))
        }
    };
    let by = one.by.as_ref().map(|by| format!("by {by}")).unwrap_or_default();
    [values, by].iter().filter(|words| !words.is_empty()).cloned().collect::<Vec<_>>().join("  ")
}

/// Hours, or days from two on.
pub fn age(hours: i64) -> String {
    if hours < 48 { format!("{hours} h") } else { format!("{} d", hours / 24) }
}

fn rates(rates: &[Rate], days: u64) -> String {
    if rates.is_empty() {
        return String::new();
    }
    let mut out = format!("\nhow often people made something else of it, {days} days\n");
    let mut by = None;
    for rate in rates {
        if by.replace(rate.by) != Some(rate.by) {
            let _ = writeln!(out, "by {}", rate.by.name());
        }
        let tally = &rate.tally;
        let words = [
            (tally.stands, "stand"),
            (tally.edited, "edited"),
            (tally.rejected, "rejected"),
            (tally.overtaken, "overtaken"),
            (tally.overridden, "overridden"),
            (tally.undone, "undone"),
            (tally.programs, "left out, a program changed it"),
        ];
        let told =
            words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        let share = tally.permille().map(percent).unwrap_or_default();
        let (name, all) = (safe(&rate.name), tally.all());
        let _ = writeln!(out, "  {name}\n    {share:>7} of {all}: {}", told.collect::<Vec<_>>().join(", "));
    }
    out
}

/// Tenths of a percent.
pub fn percent(permille: u64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

/// All runs, newest first.
pub fn runs(runs: &[Reconciliation]) -> String {
    if runs.is_empty() {
        return "nothing was reconciled yet\n".to_owned();
    }
    let head = ["run", "begun", "records", "left to people", "found"].map(str::to_owned).to_vec();
    let row = |run: &Reconciliation| {
        let records: u64 = run.reads.values().map(|read| read.records).sum();
        vec![
            run.id.short().to_owned(),
            run.at.to_string(),
            records.to_string(),
            run.left_to_people().to_string(),
            found_of(run),
        ]
    };
    table(&std::iter::once(head).chain(runs.iter().rev().map(row)).collect::<Vec<_>>())
}

/// The same as a page, at most `most`; `report` is where a run is told.
pub fn runs_page(runs: &[Reconciliation], most: usize, report: &str) -> Page {
    let row = |run: &Reconciliation| {
        let records: u64 = run.reads.values().map(|read| read.records).sum();
        vec![
            Cell::Link(run.id.short().to_owned(), format!("{report}/{}", run.id.short())),
            Cell::Name(minute(run.at)),
            Cell::Number(records),
            Cell::Number(run.left_to_people()),
            Cell::Text(found_of(run)),
        ]
    };
    let table = Table {
        title: newest_of("Runs", runs.len(), most),
        empty: "Nothing was reconciled yet.",
        head: vec!["Run", "Begun, UTC", "Records", "Left to people", "Found"],
        rows: runs.iter().rev().take(most).map(row).collect(),
    };
    Page { title: "Reconciliation of org and ledger".to_owned(), words: Vec::new(), tables: vec![table] }
}

/// What a run found, in words.
fn found_of(run: &Reconciliation) -> String {
    let one = |(kind, count): (&DiscrepancyKind, &Count)| {
        format!("{} {} ({} repaired)", count.found, kind.name(), count.repaired)
    };
    let found: Vec<String> = run.counts.iter().map(one).collect();
    if found.is_empty() { "nothing".to_owned() } else { found.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_shares_are_told_short() {
        assert_eq!((age(47), age(48), age(71)), ("47 h".to_owned(), "2 d".to_owned(), "2 d".to_owned()));
        assert_eq!((percent(333), percent(1_000)), ("33.3 %".to_owned(), "100.0 %".to_owned()));
        assert_eq!(short(&"x".repeat(40), MOST_CELL).chars().count(), MOST_CELL);
    }
}
