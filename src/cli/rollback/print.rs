//! Manifest and end of a rollback of many, for people and for scripts.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use crate::{
    cli::show::{safe, table},
    domain::FieldValue,
    gate::unwind::{Kept, Manifest, RecordUndo, Why},
    salesforce::GateRule,
    workflow::rollback_many::End,
};

/// Most rows of the table; the whole manifest goes to a file.
const MOST_ROWS: usize = 200;

/// How much of a lane goes back and stays.
#[derive(Default)]
struct Lane {
    restore: usize,
    keep: usize,
}

fn lanes(manifest: &Manifest) -> BTreeMap<String, Lane> {
    let mut lanes: BTreeMap<String, Lane> = BTreeMap::new();
    for record in &manifest.records {
        for change in record.steps.iter().flat_map(|step| &step.restore) {
            lanes.entry(format!("{}.{}", record.object, change.field)).or_default().restore += 1;
        }
        for kept in &record.kept {
            lanes.entry(format!("{}.{}", record.object, kept.field)).or_default().keep += 1;
        }
    }
    lanes
}

/// Records and promotions by object, fields by lane.
pub fn totals(manifest: &Manifest) -> Value {
    let lanes: BTreeMap<String, Value> = lanes(manifest)
        .into_iter()
        .map(|(name, lane)| (name, json!({ "restore": lane.restore, "spare": lane.keep })))
        .collect();
    let mut objects: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for record in &manifest.records {
        let count = objects.entry(record.object.to_string()).or_default();
        count.0 += 1;
        count.1 += record.steps.len();
    }
    let objects: BTreeMap<String, Value> = objects
        .into_iter()
        .map(|(name, (records, undone))| (name, json!({ "records": records, "promotions_undone": undone })))
        .collect();
    json!({ "lanes": lanes, "objects": objects, "spared": spared(manifest) })
}

/// Fields that stay, and records that cannot be written.
pub fn spared(manifest: &Manifest) -> usize {
    let held = |record: &&RecordUndo| record.obstacle.is_some() || record.open.is_some();
    let kept: usize = manifest.records.iter().map(|record| record.kept.len()).sum();
    kept + manifest.records.iter().filter(held).count()
}

/// The manifest as a table with its totals.
pub fn manifest(manifest: &Manifest, automations: &BTreeMap<String, Vec<String>>) -> String {
    let mut rows = vec![["record", "promotion", "field", "what happens"].map(str::to_owned).to_vec()];
    for record in &manifest.records {
        rows.extend(record_rows(record));
    }
    let more = rows.len().saturating_sub(MOST_ROWS + 1);
    rows.truncate(MOST_ROWS + 1);
    let mut out = if rows.len() > 1 { table(&rows) } else { "nothing to undo\n".to_owned() };
    if more > 0 {
        let _ = writeln!(out, "and {more} more; --out FILE writes all of it");
    }
    for (name, lane) in lanes(manifest) {
        let _ = writeln!(out, "{name}: {} to restore, {} to spare", lane.restore, lane.keep);
    }
    for (object, names) in automations {
        let records = manifest.records.iter().filter(|one| one.object.as_str() == object);
        let (records, writes) =
            records.fold((0, 0), |(records, writes), one| (records + 1, writes + one.steps.len()));
        let _ = writeln!(
            out,
            "{object}: {records} record(s), {writes} write(s). They fire what every write fires: the org's own \
             flows, triggers and rules on {object}, and of the package {}",
            names.join(", ")
        );
    }
    out
}

fn record_rows(record: &RecordUndo) -> Vec<Vec<String>> {
    let place = format!("{} {}", record.object, record.record);
    let row = |promotion: &str, field: &str, what: String| {
        vec![place.clone(), promotion.to_owned(), field.to_owned(), what]
    };
    let mut rows = Vec::new();
    if let Some(obstacle) = record.obstacle {
        rows.push(row("", "", format!("spare: {obstacle}")));
    }
    if let Some(open) = &record.open {
        rows.push(row(open.as_str(), "", "spare: this promotion has not ended yet".to_owned()));
    }
    for step in &record.steps {
        rows.extend(step.restore.iter().map(|change| {
            let word = if record.cancels { "cancel" } else { "restore" };
            let what = format!("{word}: {} → {}", value(&change.before), value(&change.after));
            row(step.promotion.as_str(), change.field.as_str(), what)
        }));
    }
    rows.extend(record.kept.iter().map(|kept| row(kept.promotion.as_str(), kept.field.as_str(), why(kept))));
    rows.extend(record.already.iter().map(|(promotion, field)| {
        row(promotion.as_str(), field.as_str(), "nothing: it holds the value from before".to_owned())
    }));
    rows
}

fn value(value: &FieldValue) -> String {
    safe(&value.to_string())
}

fn why(kept: &Kept) -> String {
    match &kept.why {
        Why::NewerEdit { found: Some(found) } => {
            format!("spare: `{}` is newer than what we wrote", value(found))
        }
        Why::NewerEdit { found: None } => "spare: the field cannot be read".to_owned(),
        Why::LaterPromotion { promotion, proposal } => {
            format!("spare: the later promotion {promotion} (proposal {proposal}) was not chosen")
        }
        Why::OutOfReach { kept: org } => format!(
            "spare: the org keeps `{}` as the previous value and lets no rollback put back another ({}); \
             `{}` can be put back by hand",
            value(org),
            GateRule::RollbackValue.code(),
            value(&kept.before)
        ),
    }
}

/// What stayed, a line each.
pub fn kept(manifest: &Manifest) -> String {
    let mut out = String::new();
    for record in &manifest.records {
        let rest = RecordUndo { steps: Vec::new(), already: Vec::new(), ..record.clone() };
        for row in record_rows(&rest) {
            let cells: Vec<&str> = row.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
            let _ = writeln!(out, "{}", cells.join("  "));
        }
    }
    out
}

/// What stayed, for scripts.
pub fn kept_json(manifest: &Manifest) -> Vec<Value> {
    let one = |record: &RecordUndo| {
        json!({ "object": record.object, "record": record.record, "kept": record.kept,
            "obstacle": record.obstacle, "open": record.open })
    };
    let held =
        |record: &&RecordUndo| !record.kept.is_empty() || record.obstacle.is_some() || record.open.is_some();
    manifest.records.iter().filter(held).map(one).collect()
}

/// One undoing that did not end well, in a line.
pub fn end(end: &End) -> String {
    let words = safe(&end.words);
    format!("{}  {} {}  {}: {words}", end.outcome.name(), end.object, end.record, end.undone)
}

/// One undoing, for scripts.
pub fn end_json(end: &End) -> Value {
    json!({ "object": end.object, "record": end.record, "undone": end.undone, "promotion": end.by,
        "result": end.outcome.name(), "words": end.words })
}
