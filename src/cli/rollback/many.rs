//! A rollback of many promotions: shown, carried out with a progress bar, and reported.

use std::{collections::BTreeMap, io::Write as _, path::Path};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::print;
use crate::{
    cli::{Exit, org_side::OrgSide, output, show::safe},
    domain::{Choice, digest::canonical},
    gate::unwind::Manifest,
    package,
    workflow::{
        promote::Promoter,
        rollback_many::{self, Asked, End, Ended, Outcome},
    },
};

/// Shows what would be restored, what would be spared and why, and the digest that names it.
pub async fn plan(
    side: &OrgSide,
    choice: &Choice,
    (json, out): (bool, Option<&Path>),
) -> anyhow::Result<Exit> {
    let chosen = rollback_many::choose(&side.context, choice).await?;
    let manifest = rollback_many::plan(&side.context, &chosen).await?;
    let digest = manifest.digest()?;
    if let Some(path) = out {
        let mut file = output::create(path)?;
        file.write_all(canonical(&manifest)?.as_bytes())
            .with_context(|| format!("writing the manifest to `{}`", path.display()))?;
    }
    let automations = automations(side, &manifest);
    if json {
        let told = json!({ "digest": digest, "totals": print::totals(&manifest), "automations": automations,
            "chosen": choice, "manifest": manifest });
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        print!("{}", print::manifest(&manifest, &automations));
        println!("\nmanifest {digest}");
        if manifest.records.iter().any(|record| !record.steps.is_empty()) {
            println!(
                "apply it with: countersign rollback apply ... --manifest {digest} --by NAME --reason WORDS"
            );
        }
    }
    Ok(Exit::Done)
}

/// Carries it out. Exit code 4 when something was spared or changed meanwhile, 1 when the org refused.
pub async fn apply(side: &OrgSide, asked: Asked, json: bool) -> anyhow::Result<Exit> {
    let promoter = Promoter::new(side.context.clone(), side.promoter_writer());
    let bar = ProgressBar::no_length();
    bar.set_style(ProgressStyle::with_template(
        "{bar:30} {pos} of {len} undone, {elapsed} so far, {eta} to go",
    )?);
    let mut told = |total: usize, end: &End| {
        bar.set_length(u64::try_from(total).unwrap_or(0));
        bar.inc(1);
        if !matches!(end.outcome, Outcome::Restored | Outcome::Cancelled) && !json {
            bar.suspend(|| println!("{}", print::end(end)));
        }
    };
    let ended = rollback_many::apply(&side.context, &promoter, asked, &mut told).await?;
    bar.finish_and_clear();
    let calls = side.promoter.calls();
    let report = Report::of(&ended);
    if json {
        let ends: Vec<_> = ended.ends.iter().map(print::end_json).collect();
        let told = json!({ "manifest": ended.id, "went_on": ended.resumed, "restored": report.restored,
            "cancelled": report.cancelled, "spared": report.spared, "conflicted": report.conflicted, "failed": report.failed,
            "api_calls": calls, "ends": ends, "kept": print::kept_json(&ended.manifest) });
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(report.exit());
    }
    if ended.resumed {
        println!("this goes on with a rollback that was begun before");
    }
    print!("{}", print::kept(&ended.manifest));
    let cancelled = match report.cancelled {
        0 => String::new(),
        made => format!("cancelled {made} record(s), "),
    };
    println!(
        "restored {} promotion(s), {cancelled}spared {} field(s), conflicted {}, failed {}; {calls} API calls",
        report.restored, report.spared, report.conflicted, report.failed
    );
    if report.restored + report.cancelled > 0 {
        println!("rollback {}; the compensating promotions name it", safe(ended.id.short()));
    }
    Ok(report.exit())
}

/// The end in numbers.
pub struct Report {
    /// Promotions that were undone, in whole or in part.
    pub restored: usize,
    /// Records that were made and are cancelled.
    pub cancelled: usize,
    /// Fields that stay, and records that cannot be written.
    pub spared: usize,
    /// Undoings that the record's own change overtook.
    pub conflicted: usize,
    /// Undoings that the org refused, or that have not ended.
    pub failed: usize,
}

impl Report {
    /// Counts.
    pub fn of(ended: &Ended) -> Self {
        let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
        for end in &ended.ends {
            *counts.entry(end.outcome).or_default() += 1;
        }
        let count = |outcome| counts.get(&outcome).copied().unwrap_or(0);
        Self {
            restored: count(Outcome::Restored),
            cancelled: count(Outcome::Cancelled),
            spared: print::spared(&ended.manifest),
            conflicted: count(Outcome::Conflicted),
            failed: count(Outcome::Failed),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self { failed: 1.., .. } => Exit::Failed,
            Self { spared: 0, conflicted: 0, .. } => Exit::Done,
            _ => Exit::NeedsReview,
        }
    }
}

/// What fires on these writes, as far as it is known: the package's own flows and rules.
fn automations(side: &OrgSide, manifest: &Manifest) -> BTreeMap<String, Vec<String>> {
    let mut known = BTreeMap::new();
    for record in manifest.records.iter().filter(|record| !record.steps.is_empty()) {
        let object = record.object.as_str();
        if known.contains_key(object) {
            continue;
        }
        let mut names = package::triggered_flows(object);
        if let Some(contract) = side.context.contracts.made(object) {
            names.extend(package::making_rules(contract).into_iter().map(|rule| rule.name));
        }
        if let Some(contract) = side.context.contracts.find(object) {
            names.extend(package::expected_rules(contract).into_iter().map(|(name, _)| name));
        }
        known.insert(object.to_owned(), names);
    }
    known
}
