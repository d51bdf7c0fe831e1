//! One run beside the run before, for scripts and spreadsheets.

use serde_json::{Value, json};

use crate::{
    cli::{Exit, csv::line, reconcile::facts},
    domain::{Discrepancy, DiscrepancyKind, FieldValue, Reconciliation, reconciliation::Count},
};

const HEAD: [&str; 14] = [
    "kind",
    "code",
    "object",
    "record",
    "field",
    "before",
    "after",
    "by",
    "at",
    "age_hours",
    "proposal",
    "promotion",
    "repaired",
    "words",
];

const RATES_HEAD: [&str; 11] = [
    "by",
    "name",
    "proposals",
    "stands",
    "edited",
    "rejected",
    "overtaken",
    "overridden",
    "undone",
    "disagreed_permille",
    "by_programs",
];

/// A run, and what it is compared with.
pub struct Report {
    /// The run with its list.
    pub run: Reconciliation,
    /// The run before it.
    pub before: Option<Reconciliation>,
}

impl Report {
    /// Kinds that this run or the one before found, with both counts.
    pub fn counts(&self) -> Vec<(DiscrepancyKind, Count, Option<Count>)> {
        let before = |kind| self.before.as_ref().map(|before| before.count(kind));
        let told = |kind: &DiscrepancyKind| {
            self.run.count(*kind).found > 0 || before(*kind).is_some_and(|count| count.found > 0)
        };
        let kinds = DiscrepancyKind::ALL.into_iter().filter(told);
        kinds.map(|kind| (kind, self.run.count(kind), before(kind))).collect()
    }

    /// Whole hours from what happened to the run.
    pub fn age_hours(&self, one: &Discrepancy) -> Option<i64> {
        Some(self.run.at.duration_since(one.at?).as_hours().max(0))
    }

    /// For scripts.
    pub fn json(&self, calls: Option<u64>) -> Value {
        json!({ "run": self.run, "left_to_people": self.run.left_to_people(), "list_is_erased": self.run.is_erased(),
            "before": self.before.as_ref().map(|before| json!({ "id": before.id, "at": before.at, "counts": before.counts })),
            "advice": facts::advice(&self.run.facts), "api_calls": calls })
    }

    /// For spreadsheets: one row for each discrepancy.
    pub fn csv(&self) -> String {
        let rows = self.run.found.iter().map(|one| {
            let value =
                |value: &Option<FieldValue>| value.as_ref().map(ToString::to_string).unwrap_or_default();
            line(&[
                one.kind.name(),
                &one.code,
                one.object.as_str(),
                one.record.as_str(),
                one.field.as_ref().map(|field| field.as_str()).unwrap_or_default(),
                &value(&one.before),
                &value(&one.after),
                one.by.as_ref().map(|user| user.as_str()).unwrap_or_default(),
                &one.at.map(|at| at.to_string()).unwrap_or_default(),
                &self.age_hours(one).map(|hours| hours.to_string()).unwrap_or_default(),
                one.proposal.as_deref().unwrap_or_default(),
                one.promotion.as_ref().map(|id| id.as_str()).unwrap_or_default(),
                if one.repaired { "yes" } else { "no" },
                &one.words,
            ])
        });
        std::iter::once(line(&HEAD)).chain(rows).collect()
    }

    /// For spreadsheets: one row for each check, rule, agent and segment.
    pub fn rates_csv(&self) -> String {
        let rows = self.run.rates.iter().map(|rate| {
            let tally = &rate.tally;
            line(&[
                rate.by.name(),
                &rate.name,
                &tally.all().to_string(),
                &tally.stands.to_string(),
                &tally.edited.to_string(),
                &tally.rejected.to_string(),
                &tally.overtaken.to_string(),
                &tally.overridden.to_string(),
                &tally.undone.to_string(),
                &tally.permille().map(|permille| permille.to_string()).unwrap_or_default(),
                &tally.programs.to_string(),
            ])
        });
        std::iter::once(line(&RATES_HEAD)).chain(rows).collect()
    }

    /// 4 when something is left to people.
    pub fn exit(&self) -> Exit {
        match self.run.left_to_people() {
            0 => Exit::Done,
            _ => Exit::NeedsReview,
        }
    }
}
