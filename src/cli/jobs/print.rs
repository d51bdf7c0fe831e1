//! Timetable and history, for people and for scripts.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Listed;
use crate::{
    cli::{
        csv::line,
        show::{minute, safe, span, table},
        tables::{Cell, Page, Table},
    },
    domain::{
        alarm::IdleApprovers,
        job::{Job, KnownRun},
    },
};

const UNSCHEDULED: &str = "off";

const RUNS_HEAD: [&str; 7] = ["slot", "try", "by", "began", "ended", "result", "counts"];

/// Each job in a line.
pub fn list(listed: &[Listed], now: Timestamp) -> String {
    let head = ["job", "when", "last", "result", "next", "what it does"].map(str::to_owned).to_vec();
    let row = |one: &Listed| {
        vec![
            one.job.to_string(),
            when(one),
            one.last.as_ref().map_or_else(|| "never".to_owned(), |known| known.run.at.to_string()),
            one.last.as_ref().map_or_else(String::new, result),
            one.next.map_or_else(|| "-".to_owned(), |next| format!("in {}", span(next, now))),
            one.job.about().to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(listed.iter().map(row)).collect();
    table(&rows)
}

/// The same as a page; `runs` is where the runs of a job are told.
pub fn list_page(listed: &[Listed], now: Timestamp, runs: &str) -> Page {
    let row = |one: &Listed| {
        let last = one.last.as_ref();
        vec![
            Cell::Link(one.job.to_string(), format!("{runs}/{}", one.job)),
            Cell::Text(when(one)),
            Cell::Name(last.map_or_else(|| "never".to_owned(), |known| minute(known.run.at))),
            Cell::Name(last.map_or_else(String::new, result)),
            Cell::Name(one.next.map_or_else(|| "-".to_owned(), |next| format!("in {}", span(next, now)))),
            Cell::Text(one.job.about().to_owned()),
        ]
    };
    let table = Table {
        title: "Timetable".to_owned(),
        empty: "There are no jobs.",
        head: vec!["Job", "When", "Last, UTC", "Result", "Next", "What it does"],
        rows: listed.iter().map(row).collect(),
    };
    Page { title: "Jobs".to_owned(), words: Vec::new(), tables: vec![table] }
}

/// The same for a script.
pub fn list_json(listed: &[Listed]) -> Value {
    let one = |one: &Listed| {
        json!({
            "job": one.job, "about": one.job.about(), "when": when(one), "next": one.next,
            "last": one.last.as_ref().map(run_json),
        })
    };
    listed.iter().map(one).collect()
}

/// The runs of a job.
pub fn runs(job: Job, known: &[KnownRun]) -> String {
    if known.is_empty() {
        return format!("{job} has not run yet\n");
    }
    let head = ["slot", "try", "by", "began", "took", "result", "counts"].map(str::to_owned).to_vec();
    let row = |one: &KnownRun| {
        vec![
            one.run.slot.to_string(),
            one.run.attempt.to_string(),
            safe(&one.run.by),
            one.run.at.to_string(),
            one.end.as_ref().map_or_else(String::new, |end| span(end.at, one.run.at)),
            result(one),
            counts(one),
        ]
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(known.iter().map(row)).collect();
    table(&rows)
}

fn counts(known: &KnownRun) -> String {
    let counts = known.end.as_ref().map(|end| &end.counts).into_iter().flatten();
    counts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// The same for a spreadsheet.
pub fn runs_csv(known: &[KnownRun]) -> String {
    let row = |one: &KnownRun| {
        let ended = one.end.as_ref().map(|end| end.at.to_string()).unwrap_or_default();
        line(&[
            &one.run.slot.to_string(),
            &one.run.attempt.to_string(),
            &one.run.by,
            &one.run.at.to_string(),
            &ended,
            &result(one),
            &counts(one),
        ])
    };
    std::iter::once(line(&RUNS_HEAD)).chain(known.iter().map(row)).collect()
}

/// The same as a page.
pub fn runs_page(job: Job, known: &[KnownRun]) -> Page {
    let row = |one: &KnownRun| {
        vec![
            Cell::Name(one.run.slot.to_string()),
            Cell::Number(one.run.attempt),
            Cell::Text(one.run.by.clone()),
            Cell::Name(one.run.at.to_string()),
            Cell::Name(one.end.as_ref().map_or_else(String::new, |end| span(end.at, one.run.at))),
            Cell::Name(result(one)),
            Cell::Text(counts(one)),
        ]
    };
    let table = Table {
        title: "Runs, newest first".to_owned(),
        empty: "It has not run yet.",
        head: vec!["Slot", "Try", "By", "Began", "Took", "Result", "Counts"],
        rows: known.iter().map(row).collect(),
    };
    Page { title: format!("Job {job}"), words: vec![job.about().to_owned()], tables: vec![table] }
}

/// The same for a script.
pub fn runs_json(known: &[KnownRun]) -> Value {
    known.iter().map(run_json).collect()
}

/// Who of those that should decide cannot.
pub fn idle(found: &IdleApprovers) -> String {
    let mut out = format!(
        "{} proposal(s) wait for a person; the owners of {} can decide nothing\n",
        found.waiting, found.idle
    );
    for one in &found.first {
        let (proposal, owner) = (safe(one.proposal.as_str()), safe(one.owner.as_str()));
        let _ = writeln!(out, "{}: {proposal} on {} {}, owner {owner}", one.code, one.object, one.record);
    }
    out
}

fn run_json(known: &KnownRun) -> Value {
    json!({ "run": known.run, "end": known.end })
}

fn when(one: &Listed) -> String {
    match one.plan.as_ref().map(|plan| &plan.timetable) {
        None => UNSCHEDULED.to_owned(),
        Some(Some(timetable)) => timetable.to_string(),
        Some(None) if one.job == Job::Totals => "when a run ended".to_owned(),
        Some(None) => "when announced".to_owned(),
    }
}

/// What became of a run: it ended, or nobody knows that it did.
fn result(known: &KnownRun) -> String {
    known.end.as_ref().map_or_else(|| "no end yet".to_owned(), |end| end.result.clone())
}
