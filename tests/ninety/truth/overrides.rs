//! Disagreements: leads that hold another value than was promoted last, as each nightly run must list them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Judged;
use crate::{reports::Reports, world::World};

/// A run reads what was saved since so long before the run before.
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);
/// What was saved less than this ago may still be under way.
const GRACE: SignedDuration = SignedDuration::from_mins(2);
/// What a program overrode is listed as such.
const PROGRAM: &str = "overridden-by-program";

/// One disagreement: lead, mark of the promotion, who, when, from and to.
pub type Override = (String, String, Whose, Timestamp, String, String);

/// A user, and whether that is a program.
pub type Whose = (String, bool);

/// What the run at `at` must list, after one at `before`.
fn expected(world: &World, at: Timestamp, before: Option<Timestamp>) -> Vec<Override> {
    let mut found = Vec::new();
    for lead in &world.leads {
        let mut commits = world.history.on(lead).filter(|commit| commit.at <= at).collect::<Vec<_>>();
        let Some(saved) = commits.last().map(|commit| commit.at) else { continue };
        let was_read = before.is_none_or(|before| saved >= before - OVERLAP);
        if !was_read || at.duration_since(saved) < GRACE {
            continue;
        }
        commits.retain(|commit| commit.set("Status").is_some());
        let ours = |commit: &&&crate::history::Commit| world.history.is_ours(commit);
        let (Some(last), Some(promoted)) = (commits.last(), commits.iter().rfind(ours)) else { continue };
        if last.is("Status") != promoted.is("Status") {
            let mark = promoted.mark().expect("every write of ours has one");
            found.push((
                lead.clone(),
                mark,
                (last.user.clone(), world.history.is_by_program(last)),
                last.at,
                last.was("Status"),
                last.is("Status"),
            ));
        }
    }
    found.sort();
    found
}

/// Holds every run's list against the story. Gives what all of them must list, oldest first.
pub fn judge(world: &World, reports: &Reports, judged: &mut Judged) -> Vec<Override> {
    let mut all = Vec::new();
    let mut before = None;
    let known = reports.json(&["reconcile", "list"]);
    let runs = known.as_array().expect("a list");
    let slots = world.diary.runs_of("reconcile");
    judged.same("reconciliations", slots.len(), runs.len());
    for slot in slots {
        let run = runs.iter().find(|run| run["at"].as_str() == Some(&slot.to_string()));
        let Some(run) = run else {
            judged.wrong.push(format!("no reconciliation of {slot}"));
            continue;
        };
        let id = run["id"].as_str().expect("an id");
        let report = reports.json(&["reconcile", "report", id]);
        let list = report["run"]["found"].as_array().expect("a list");
        let truth = expected(world, slot, before);
        all.extend(truth.iter().cloned());
        let (overridden, others): (Vec<&Value>, Vec<&Value>) =
            list.iter().partition(|one| one["kind"] == "overridden" || one["kind"] == PROGRAM);
        let mut told: Vec<Override> = overridden.into_iter().map(read).collect();
        told.sort();
        for _ in &truth {
            judged.saw("an override was listed");
        }
        judged.same(&format!("overridden in the run of {slot}"), truth, told);
        judged.same(&format!("faults in the run of {slot}"), Vec::<&Value>::new(), others);
        before = Some(slot);
    }
    all
}

/// The marks of all promotions that were overridden, and whether only programs did it.
pub fn marks(all: &[Override]) -> BTreeMap<String, bool> {
    let mut marks = BTreeMap::new();
    for (_, mark, (_, by_program), ..) in all {
        *marks.entry(mark.clone()).or_insert(true) &= by_program;
    }
    marks
}

fn read(one: &Value) -> Override {
    let word = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let at = word("at").parse().unwrap_or_default();
    let by = (word("by"), one["kind"] == PROGRAM);
    (word("record"), word("promotion"), by, at, value(&one["before"]), value(&one["after"]))
}

/// A value as lists hold it.
fn value(value: &Value) -> String {
    value["value"].as_str().map_or_else(|| value.to_string(), str::to_owned)
}
