//! The report for people.

use std::fmt::Write as _;

use super::report::{OfObject, Report, Told};
use crate::cli::{
    csv::line,
    show::safe,
    tables::{Cell, Page, Table},
};

const HEAD: [&str; 9] =
    ["object", "since", "change", "field", "before", "after", "freezes", "words", "policy_lines"];

/// Most proposals that are listed for one object; JSON has them all.
const LISTED: usize = 20;

/// The report as text. Names and values of the org are data.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    if report.objects.is_empty() {
        out.push_str("nothing was looked at yet: the daemon does, and `countersign drift look`\n");
    }
    for one in &report.objects {
        object(&mut out, one);
    }
    out
}

fn object(out: &mut String, one: &OfObject) {
    let setup = if one.sees_setup { "" } else { "; rules, flows and triggers are hidden from the promoter" };
    let name = safe(&one.object);
    if one.changes.is_empty() {
        let _ =
            writeln!(out, "{name}  as {} accepted it at {}{setup}", safe(&one.accepted_by), one.accepted_at);
        return;
    }
    let since = one.since.as_deref().unwrap_or_default();
    let lanes = if one.frozen_lanes.is_empty() {
        "nothing waits".to_owned()
    } else {
        format!("frozen: {}", safe(&one.frozen_lanes.join(", ")))
    };
    let _ = writeln!(out, "{name}  differs since {since}; {lanes}{setup}");
    for told in &one.changes {
        change(out, told);
    }
    let _ = writeln!(out, "  proposals that wait or cannot stand: {}", one.proposals.len());
    for touched in one.proposals.iter().take(LISTED) {
        let why = touched.breaks.as_deref().unwrap_or("waits");
        let (id, record) = (safe(&touched.proposal), safe(&touched.record));
        let _ = writeln!(out, "    {id}  {record}  {}  {}", touched.stage, safe(why));
    }
    if one.proposals.len() > LISTED {
        let _ = writeln!(out, "    and {} more: --json lists all", one.proposals.len() - LISTED);
    }
    let id = safe(one.id.as_deref().unwrap_or_default());
    let _ = writeln!(out, "  to let it stay: countersign drift accept {id} --by NAME --reason WORDS");
}

fn change(out: &mut String, told: &Told) {
    let mark = if told.freezes { "freezes" } else { "told   " };
    let _ = writeln!(out, "  {mark}  {}: {}", told.change.kind, safe(&told.words));
    for place in &told.policy {
        let _ = writeln!(out, "           {}:{}: {}", safe(&place.file), place.line, safe(&place.key));
    }
    if told.freezes {
        let _ = writeln!(out, "           {}", safe(&told.suggestion));
    }
}

/// One row for each change.
pub fn csv(report: &Report) -> String {
    let rows = report.objects.iter().flat_map(|one| {
        let since = one.since.as_deref().unwrap_or_default();
        one.changes.iter().map(move |told| {
            let change = &told.change;
            line(&[
                &one.object,
                since,
                &change.kind.to_string(),
                change.field.as_ref().map(|field| field.as_str()).unwrap_or_default(),
                change.before.as_deref().unwrap_or_default(),
                change.after.as_deref().unwrap_or_default(),
                if told.freezes { "yes" } else { "no" },
                &told.words,
                &lines(told),
            ])
        })
    });
    std::iter::once(line(&HEAD)).chain(rows).collect()
}

fn lines(told: &Told) -> String {
    let place = |place: &crate::config::policies::Mention| format!("{}:{}", place.file, place.line);
    told.policy.iter().map(place).collect::<Vec<_>>().join(", ")
}

/// As a page: what differs, and the proposals that wait or cannot stand.
pub fn page(report: &Report) -> Page {
    let state = |one: &OfObject| match (&one.since, one.frozen_lanes.is_empty()) {
        (None, _) => format!("{}: as {} accepted it at {}", one.object, one.accepted_by, one.accepted_at),
        (Some(since), true) => format!("{}: differs since {since}; nothing waits", one.object),
        (Some(since), false) => {
            format!("{}: differs since {since}; frozen: {}", one.object, one.frozen_lanes.join(", "))
        }
    };
    let change = |one: &OfObject, told: &Told| {
        let (freezes, fix) = match told.freezes {
            true => ("freezes", told.suggestion.clone()),
            false => ("told", String::new()),
        };
        vec![
            Cell::Name(one.object.clone()),
            Cell::Name(freezes.to_owned()),
            Cell::Text(told.words.clone()),
            Cell::Text(lines(told)),
            Cell::Text(fix),
        ]
    };
    let changes = report.objects.iter().flat_map(|one| one.changes.iter().map(move |told| change(one, told)));
    let proposals = report.objects.iter().flat_map(|one| &one.proposals).map(|touched| {
        vec![
            Cell::Name(touched.proposal.clone()),
            Cell::Name(touched.record.clone()),
            Cell::Name(touched.stage.to_owned()),
            Cell::Text(touched.breaks.clone().unwrap_or_else(|| "waits".to_owned())),
        ]
    });
    let changes = Table {
        title: "What differs from what was accepted".to_owned(),
        empty: "Nothing.",
        head: vec!["Object", "Effect", "Change", "Policy lines", "What to do"],
        rows: changes.collect(),
    };
    let proposals = Table {
        title: "Proposals that wait or cannot stand".to_owned(),
        empty: "None.",
        head: vec!["Proposal", "Record", "Stage", "Why"],
        rows: proposals.collect(),
    };
    Page {
        title: "Changes of the org below the lanes".to_owned(),
        words: report.objects.iter().map(state).collect(),
        tables: vec![changes, proposals],
    }
}
