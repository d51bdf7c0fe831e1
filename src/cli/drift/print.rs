//! The report for people.

use std::fmt::Write as _;

use super::report::{OfObject, Report, Told};
use crate::cli::show::safe;

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
