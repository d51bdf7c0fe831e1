//! `countersign writers`: who writes governed fields, and what else may.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use super::{
    Exit,
    place::Place,
    show::{safe, table},
};
use crate::{
    domain::{
        Freeze,
        drift::Known,
        writers::{Row, WriterMap},
    },
    workflow::writers::BY,
};

/// Tell who writes governed fields, from the headers of change events, and which flows and triggers may.
///
/// A write by somebody else is heard only where the channel lets it through: the shipped channel carries
/// records with the pending flag, and without its filter every change. Counts are recorded once an hour,
/// a new writer at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Serialize)]
struct Report {
    writers: Vec<Row>,
    /// Writes of writers that found no room in the map.
    beyond: u64,
    fields: Vec<OfField>,
    automations: Vec<Runs>,
    quarantined: Vec<Freeze>,
}

/// How much of a field's changes went past the gate.
#[derive(Debug, Serialize)]
struct OfField {
    object: String,
    field: String,
    ours: u64,
    others: u64,
    /// Whole percent, rounded down.
    ungoverned_percent: u64,
}

/// Something of the org that runs when a record is saved and is not ours.
#[derive(Debug, Serialize)]
struct Runs {
    object: String,
    name: String,
}

/// Reads and prints.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let ledger = args.place.read().await?;
    let map = ledger.writers().await?.unwrap_or_default();
    let frozen = ledger.freezes().await?;
    let report = Report {
        fields: fields(&map),
        beyond: map.beyond,
        writers: map.rows,
        automations: ledger.grounds().await?.iter().flat_map(runs).collect(),
        quarantined: frozen.into_iter().filter(|freeze| freeze.by == BY).collect(),
    };
    if args.place.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", text(&report));
    }
    Ok(Exit::Done)
}

fn fields(map: &WriterMap) -> Vec<OfField> {
    let mut counts: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for row in &map.rows {
        let count = counts.entry((row.object.to_string(), row.field.to_string())).or_default();
        if row.ours { count.0 += row.writes } else { count.1 += row.writes }
    }
    let one = |((object, field), (ours, others)): ((String, String), (u64, u64))| OfField {
        object,
        field,
        ours,
        others,
        ungoverned_percent: others * 100 / (ours + others).max(1),
    };
    counts.into_iter().map(one).collect()
}

fn runs(known: &Known) -> Vec<Runs> {
    let all = known.drift.as_ref().map_or(&known.accepted, |(_, ground)| ground);
    let runs = all.automations.iter().flatten().filter(|(_, one)| one.active && !one.ours);
    runs.map(|(name, _)| Runs { object: all.object.to_string(), name: name.clone() }).collect()
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    if report.writers.is_empty() {
        out.push_str("no write of a governed field was heard yet\n");
    } else {
        let head = ["field", "user", "client", "writes", "first", "last"].map(str::to_owned).to_vec();
        let row = |row: &Row| {
            let user = if row.ours { "countersign".to_owned() } else { safe(&row.writer.user) };
            let field = format!("{}.{}", row.object, row.field);
            let (first, last) = (row.first.to_string(), row.last.to_string());
            vec![field, user, safe(&row.writer.client), row.writes.to_string(), first, last]
        };
        let rows: Vec<Vec<String>> = std::iter::once(head).chain(report.writers.iter().map(row)).collect();
        out.push_str(&table(&rows));
    }
    if report.beyond > 0 {
        let _ = writeln!(out, "and {} write(s) of writers that found no room", report.beyond);
    }
    for one in &report.fields {
        let all = one.ours + one.others;
        let _ = writeln!(
            out,
            "{}.{}: {} of {all} write(s) went past the gate ({} %)",
            safe(&one.object),
            safe(&one.field),
            one.others,
            one.ungoverned_percent
        );
    }
    for one in &report.automations {
        let _ = writeln!(out, "may write {}: {}", safe(&one.object), safe(&one.name));
    }
    for freeze in &report.quarantined {
        let (scope, why) = (safe(&freeze.scope.to_string()), safe(&freeze.reason));
        let _ = writeln!(out, "stopped since {}: {scope}: {why}", freeze.since);
    }
    out
}
