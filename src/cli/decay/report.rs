//! One run in numbers: by fate, by segment, and beside the run before.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    cli::{Exit, csv::line},
    domain::DecayRun,
    ledger::Announced,
    workflow::decay::report::{End, Fate, counts},
};

const HEAD: [&str; 12] = [
    "object",
    "record",
    "field",
    "from",
    "to",
    "segment",
    "last_activity",
    "fate",
    "code",
    "words",
    "rolled_back",
    "proposal",
];

/// A run and everything that there is to tell of it.
pub struct Report {
    /// What was announced.
    pub run: DecayRun,
    /// Every record, in order.
    pub ends: Vec<End>,
    /// How many ended how.
    pub counts: BTreeMap<Fate, usize>,
    /// How many ended how, by object, step and segment.
    pub segments: BTreeMap<String, BTreeMap<Fate, usize>>,
    /// The run before, and how it ended.
    pub before: Option<Announced>,
}

impl Report {
    /// Counts. `runs` are all runs, oldest first.
    pub fn new(run: DecayRun, ends: Vec<End>, runs: &[Announced]) -> Self {
        let mut segments: BTreeMap<String, BTreeMap<Fate, usize>> = BTreeMap::new();
        for end in &ends {
            let step = &end.step;
            let name = format!("{}: {} > {} ({})", step.object, step.from, step.to, step.segment);
            *segments.entry(name).or_default().entry(end.fate).or_default() += 1;
        }
        let place = runs.iter().position(|known| known.run.id == run.id).unwrap_or(runs.len());
        let earlier = runs.get(..place).unwrap_or_default();
        let before = earlier.iter().rfind(|known| known.counts.is_some()).cloned();
        Self { counts: counts(&ends), run, ends, segments, before }
    }

    /// How many ended so.
    pub fn count(&self, fate: Fate) -> usize {
        self.counts.get(&fate).copied().unwrap_or(0)
    }

    /// How many ended so in the run before.
    pub fn count_before(&self, fate: Fate) -> Option<usize> {
        let counts = self.before.as_ref()?.counts.as_ref()?;
        Some(counts.get(fate.name()).and_then(|count| count.parse().ok()).unwrap_or(0))
    }

    /// For scripts.
    pub fn json(&self, calls: Option<u64>) -> Value {
        let named = |counts: &BTreeMap<Fate, usize>| -> BTreeMap<&'static str, usize> {
            counts.iter().map(|(fate, count)| (fate.name(), *count)).collect()
        };
        let segments: BTreeMap<&String, _> =
            self.segments.iter().map(|(name, counts)| (name, named(counts))).collect();
        json!({ "run": self.run, "counts": named(&self.counts), "segments": segments, "ends": self.ends,
            "before": self.before.as_ref().map(|known| json!({ "run": known.run, "counts": known.counts })),
            "api_calls": calls })
    }

    /// For spreadsheets: one row for each record.
    pub fn csv(&self) -> String {
        let rows = self.ends.iter().map(|end| {
            let step = &end.step;
            let at = end.last_activity.map(|at| at.to_string()).unwrap_or_default();
            line(&[
                step.object.as_str(),
                step.record.as_str(),
                step.field.as_str(),
                &step.from,
                &step.to,
                &step.segment,
                &at,
                end.fate.name(),
                &end.code,
                &end.words,
                if end.rolled_back { "yes" } else { "no" },
                end.proposal.as_str(),
            ])
        });
        std::iter::once(line(&HEAD)).chain(rows).collect()
    }

    /// 4 when something stayed or changed meanwhile, 1 when the org refused or something is open.
    pub fn exit(&self) -> Exit {
        match (self.count(Fate::Failed) + self.count(Fate::Open), self.count(Fate::Moved)) {
            (1.., _) => Exit::Failed,
            (0, moved) if moved == self.ends.len() => Exit::Done,
            _ => Exit::NeedsReview,
        }
    }
}
