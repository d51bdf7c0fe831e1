//! A replay for people: as text for a terminal and as Markdown for a pull request.

use std::fmt::Write as _;

use crate::workflow::replay::{Flip, Report};

/// For a terminal.
pub fn text(report: &Report, minutes: u32) -> String {
    let mut out = headline(report);
    out.push('\n');
    for (reason, count) in &report.skipped {
        let _ = writeln!(out, "  {count} could not be made again: {}", words(reason));
    }
    for one in &report.differing_first {
        let (was, now) = (one.was.name(), one.now.name());
        let _ = writeln!(out, "  entry {}: proposal {} was {was} and is {now}", one.seq, one.proposal);
    }
    for flip in report.flips.values() {
        let _ = writeln!(out, "\n{} → {}: {} proposal(s)", flip.was.name(), flip.now.name(), flip.proposals);
        let _ = writeln!(out, "  what people did   {}", fates(flip));
        if !flip.because.is_empty() {
            let _ = writeln!(out, "  because           {}", because(flip));
        }
        if !flip.amount.is_zero() {
            let _ = writeln!(out, "  Amount moved      {} with no person", flip.amount.normalize());
        }
        let examples: Vec<&str> = flip.examples.iter().map(|id| id.as_str()).collect();
        let _ = writeln!(out, "  for example       {}", examples.join(", "));
    }
    for line in conclusions(report, minutes) {
        let _ = write!(out, "\n{line}");
    }
    out.push('\n');
    out
}

/// For a pull request. Ids are of a shape that cannot be markup.
pub fn markdown(report: &Report, minutes: u32) -> String {
    let mut out = format!("### Replay\n\n{}\n", headline(report));
    for (reason, count) in &report.skipped {
        let _ = writeln!(out, "- {count} could not be made again: {}", words(reason));
    }
    for one in &report.differing_first {
        let (was, now) = (one.was.name(), one.now.name());
        let _ = writeln!(out, "- entry {}: proposal `{}` was {was} and is {now}", one.seq, one.proposal);
    }
    if !report.flips.is_empty() {
        out += "\n| Was | Would be | Proposals | What people did | Because | Amount moved | For example |\n|---|---|---|---|---|---|---|\n";
    }
    for flip in report.flips.values() {
        let example = flip.examples.first().map_or_else(String::new, |id| format!("`{id}`"));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {example} |",
            flip.was.name(),
            flip.now.name(),
            flip.proposals,
            fates(flip),
            because(flip),
            flip.amount.normalize()
        );
    }
    for line in conclusions(report, minutes) {
        let _ = write!(out, "\n{line}\n");
    }
    out
}

fn headline(report: &Report) -> String {
    let Report { replayed, same, .. } = report;
    match &report.candidate {
        None => format!(
            "{replayed} decisions made again under the rules of then: {same} with the recorded bytes, {} with others",
            report.differing
        ),
        Some(digest) => format!(
            "{replayed} decisions made again under the candidates {}: {same} with the same outcome",
            digest.short()
        ),
    }
}

fn conclusions(report: &Report, minutes: u32) -> Vec<String> {
    if report.candidate.is_none() {
        return Vec::new();
    }
    let spared = report.reviews_spared();
    let total = spared.unsigned_abs() * u64::from(minutes);
    let time = format!("{} h {} min at {minutes} min each", total / 60, total % 60);
    let mut lines = vec![match spared {
        0 => "people are asked as often as before".to_owned(),
        1.. => format!("{spared} review(s) fewer: {time}"),
        _ => format!("{} review(s) more: {time}", spared.unsigned_abs()),
    }];
    match report.against_people() {
        0 => {}
        wrong => lines
            .push(format!("{wrong} proposal(s) would run although a person refused them or put them back")),
    }
    lines
}

fn fates(flip: &Flip) -> String {
    let each: Vec<String> =
        flip.fates.iter().map(|(fate, count)| format!("{count} {}", fate.name())).collect();
    each.join(", ")
}

fn because(flip: &Flip) -> String {
    let each: Vec<String> = flip.because.iter().map(|(code, count)| format!("{code} ({count})")).collect();
    each.join(", ")
}

fn words(reason: &crate::workflow::replay::Skipped) -> &'static str {
    use crate::workflow::replay::Skipped;
    match reason {
        Skipped::InputGone => "what they rested on was not kept",
        Skipped::Erased => "what they rested on was erased",
        Skipped::PolicyGone => "the rules of then were not kept",
        Skipped::SchemaGone => "the description of the object was not kept",
        Skipped::OtherGate => "another revision of the gate made them",
    }
}
