//! Looks, runs and reports of decay, for people and for scripts.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use super::report::Report;
use crate::{
    cli::{
        show::{minute, noted, safe, table},
        tables::{Cell, Page, Table, newest_of},
    },
    ledger::Announced,
    workflow::decay::{Found, Look, report::Fate},
};

/// Most rows of a table; the other forms have all.
const MOST_ROWS: usize = 50;
/// Widest bar.
const BAR: usize = 30;

/// In the order in which reports tell them.
pub const FATES: [Fate; 7] =
    [Fate::Moved, Fate::Spared, Fate::Held, Fate::Conflicted, Fate::Failed, Fate::Cancelled, Fate::Open];

/// What is due and what stays.
pub fn look(look: &Look) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} record(s) would move back, {} stay(s) though due",
        look.due.len(),
        look.spared.len()
    );
    let mut totals: BTreeMap<String, usize> = BTreeMap::new();
    for Found { step, .. } in &look.due {
        *totals
            .entry(format!("{}: {} > {} ({})", step.object, step.from, step.to, step.segment))
            .or_default() += 1;
    }
    for (name, count) in &totals {
        let _ = writeln!(out, "  {count:>6}  {}", safe(name));
    }
    for (title, found) in [("would move", &look.due), ("stays", &look.spared)] {
        out += &rows(title, found);
    }
    if look.cut {
        out += "there is more than one run takes (decay.most_records); the rest follows in the next\n";
    }
    out
}

fn rows(title: &str, found: &[Found]) -> String {
    if found.is_empty() {
        return String::new();
    }
    let head = [title, "record", "name", "code", "why"].map(str::to_owned).to_vec();
    let row = |one: &Found| {
        let step = &one.step;
        vec![
            step.object.to_string(),
            step.record.to_string(),
            safe(one.name.as_deref().unwrap_or("")),
            one.code.to_string(),
            safe(&one.words),
        ]
    };
    let shown: Vec<_> = std::iter::once(head).chain(found.iter().take(MOST_ROWS).map(row)).collect();
    let mut out = format!("\n{}", table(&shown));
    if found.len() > MOST_ROWS {
        let _ = writeln!(out, "... and {} more; --json has all", found.len() - MOST_ROWS);
    }
    out
}

/// The same for scripts.
pub fn look_json(look: &Look) -> Value {
    let one = |found: &Found| {
        json!({ "step": found.step, "name": found.name, "owner": found.owner,
            "last_activity": found.last_activity, "code": found.code, "words": found.words,
            "outcome": found.outcome.name() })
    };
    json!({ "at": look.at, "due": look.due.iter().map(one).collect::<Vec<_>>(),
        "spared": look.spared.iter().map(one).collect::<Vec<_>>(), "cut": look.cut })
}

/// All runs, newest first.
pub fn runs(runs: &[Announced]) -> String {
    if runs.is_empty() {
        return "no decay run was announced yet\n".to_owned();
    }
    let head = ["run", "announced", "by", "begins", "records", "ended"].map(str::to_owned).to_vec();
    let row = |known: &Announced| {
        let run = &known.run;
        vec![
            run.id.short().to_owned(),
            minute(run.at),
            safe(&run.by),
            minute(run.runs_from),
            records_of(known).to_string(),
            ended_as(known),
        ]
    };
    table(&std::iter::once(head).chain(runs.iter().rev().map(row)).collect::<Vec<_>>())
}

fn records_of(known: &Announced) -> u64 {
    known.run.totals.values().filter_map(|count| count.parse::<u64>().ok()).sum()
}

/// How a run ended, in words.
fn ended_as(known: &Announced) -> String {
    let Some(counts) = &known.counts else { return "not yet".to_owned() };
    counts.iter().map(|(fate, count)| format!("{count} {fate}")).collect::<Vec<_>>().join(", ")
}

/// The same as a page, at most `most`; `report` is where a run is told.
pub fn runs_page(runs: &[Announced], most: usize, report: &str) -> Page {
    let row = |known: &Announced| {
        let run = &known.run;
        vec![
            Cell::Link(run.id.short().to_owned(), format!("{report}/{}", run.id.short())),
            Cell::Name(minute(run.at)),
            Cell::Text(run.by.clone()),
            Cell::Name(minute(run.runs_from)),
            Cell::Number(records_of(known)),
            Cell::Text(ended_as(known)),
        ]
    };
    let table = Table {
        title: newest_of("Runs", runs.len(), most),
        empty: "No decay run was announced yet.",
        head: vec!["Run", "Announced, UTC", "By", "Begins, UTC", "Records", "Ended"],
        rows: runs.iter().rev().take(most).map(row).collect(),
    };
    Page { title: "Decay of stale states".to_owned(), words: Vec::new(), tables: vec![table] }
}

/// The same for scripts.
pub fn runs_json(runs: &[Announced]) -> Value {
    let one = |known: &Announced| json!({ "run": known.run, "counts": known.counts });
    runs.iter().map(one).collect()
}

/// A run as it ended, or as it stands.
pub fn report(report: &Report) -> String {
    let run = &report.run;
    let mut out = format!(
        "Decay run {}, announced by {}\n  at {} UTC, to begin at {} UTC\n\n",
        run.id.short(),
        safe(&run.by),
        minute(run.at),
        minute(run.runs_from)
    );
    let most = report.counts.values().copied().max().unwrap_or(0);
    for fate in FATES {
        let (count, before) = (report.count(fate), report.count_before(fate));
        if count == 0 && before.unwrap_or(0) == 0 && fate != Fate::Moved {
            continue;
        }
        let told = before.map(|before| format!("  ({before} in the run before)")).unwrap_or_default();
        let _ = writeln!(out, "  {:<10} {count:>6}  {}{told}", fate.name(), bar(count, most));
    }
    out += "\nby step and segment\n";
    for (name, counts) in &report.segments {
        let told: Vec<String> =
            counts.iter().map(|(fate, count)| format!("{count} {}", fate.name())).collect();
        let _ = writeln!(out, "  {}: {}", safe(name), told.join(", "));
    }
    out += &stayed(report);
    out
}

fn bar(count: usize, most: usize) -> String {
    "█".repeat((count * BAR).div_ceil(most.max(1)).min(BAR))
}

fn stayed(report: &Report) -> String {
    let stayed: Vec<_> =
        report.ends.iter().filter(|end| end.fate != Fate::Moved && !end.code.is_empty()).collect();
    if stayed.is_empty() {
        return String::new();
    }
    let head = ["fate", "record", "code"].map(str::to_owned).to_vec();
    let shown = || stayed.iter().take(MOST_ROWS);
    let rows = shown().map(|end| {
        let record = format!("{}/{}", end.step.object, end.step.record);
        vec![end.fate.name().to_owned(), record, safe(&end.code)]
    });
    let why: Vec<String> = shown().map(|end| safe(&end.words)).collect();
    let mut out = format!("\n{}", noted(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), &why));
    if stayed.len() > MOST_ROWS {
        let _ = writeln!(out, "... and {} more; --format csv has all", stayed.len() - MOST_ROWS);
    }
    out
}
