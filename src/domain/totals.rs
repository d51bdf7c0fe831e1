//! Totals of a run, as they are kept in the org for its reports: numbers by part and outcome, no records.
//!
//! A run of twenty thousand records has some ten of them. They are part of what is intended, so that
//! the same rows go out again where nobody knows whether they arrived.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{digest::Digest, promotion::number_as_text};

/// Most parts that a run tells one by one. The smallest beyond it are told together.
pub const MOST_PARTS: usize = 25;

/// The part of what is told together.
pub const REST: &str = "all others";

/// What ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Scheduled decay. Parts are steps with their segment, outcomes are what became of the records.
    Decay,
    /// Org and ledger were compared. Parts are kinds of disagreement, and objects that were read.
    Reconciliation,
    /// The day's scorecards. Parts are lanes of agents, outcomes are what people made of the proposals.
    Precision,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Decay, Self::Reconciliation, Self::Precision];

    /// The name in the ledger and in keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decay => "decay",
            Self::Reconciliation => "reconciliation",
            Self::Precision => "precision",
        }
    }

    /// The name in the org, by which its reports filter.
    pub fn label(self) -> &'static str {
        match self {
            Self::Decay => "Decay",
            Self::Reconciliation => "Reconciliation",
            Self::Precision => "Precision",
        }
    }
}

/// One number of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Of which part of the run.
    pub part: String,
    /// How these ended.
    pub outcome: String,
    /// How many.
    #[serde(with = "number_as_text")]
    pub count: u64,
    /// Of how many; zero where a share says nothing.
    #[serde(with = "number_as_text")]
    pub of: u64,
    /// What a reader should know or do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Total {
    /// The share in percent, with one digit, rounded down.
    pub fn share(&self) -> Option<Decimal> {
        let permille = self.count.checked_mul(1_000)?.checked_div(self.of)?;
        Some(Decimal::new(i64::try_from(permille).ok()?, 1))
    }
}

/// All numbers of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTotals {
    /// What ran.
    pub source: Source,
    /// Which run: the digest of the manifest, of the list, or of the day.
    pub run: Digest,
    /// When it ended.
    pub ended_at: Timestamp,
    /// In the order of reports.
    pub rows: Vec<Total>,
}

impl RunTotals {
    /// What the org finds a row by: the same row of the same run has the same key.
    pub fn key(&self, place: usize) -> String {
        format!("{}-{}-{place}", self.source.name(), self.run)
    }

    /// The keys of all rows.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        (0..self.rows.len()).map(|place| self.key(place))
    }
}

/// Counts by part and outcome, each part with its outcomes in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts(Vec<(String, Vec<(String, u64)>)>);

impl Parts {
    /// Adds to a number.
    pub fn add(&mut self, part: &str, outcome: &str, count: u64) {
        let place = self.0.iter().position(|(name, _)| name == part).unwrap_or_else(|| {
            self.0.push((part.to_owned(), Vec::new()));
            self.0.len() - 1
        });
        let outcomes = &mut self.0[place].1;
        match outcomes.iter_mut().find(|(name, _)| name == outcome) {
            Some((_, known)) => *known += count,
            None => outcomes.push((outcome.to_owned(), count)),
        }
    }

    /// The rows, largest parts first, each number with its share of the part. The smallest parts beyond
    /// [`MOST_PARTS`] are told together, so that no run fills the org.
    pub fn rows(mut self) -> Vec<Total> {
        let size = |outcomes: &[(String, u64)]| outcomes.iter().map(|(_, count)| count).sum::<u64>();
        self.0.sort_by(|(one, left), (other, right)| (size(right), one).cmp(&(size(left), other)));
        let rest = Self(self.0.split_off(self.0.len().min(MOST_PARTS)));
        for (outcome, count) in rest.0.into_iter().flat_map(|(_, outcomes)| outcomes) {
            self.add(REST, &outcome, count);
        }
        let rows = self.0.into_iter().flat_map(|(part, outcomes)| {
            let of = size(&outcomes);
            outcomes.into_iter().map(move |(outcome, count)| Total {
                part: part.clone(),
                outcome,
                count,
                of,
                note: None,
            })
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_a_run_has_one_key_and_its_share() {
        let mut parts = Parts::default();
        for (part, outcome, count) in
            [("small", "moved", 1), ("big", "moved", 2), ("big", "spared", 1), ("big", "moved", 3)]
        {
            parts.add(part, outcome, count);
        }
        let run = Digest::of_bytes(b"run");
        let totals = RunTotals {
            source: Source::Decay,
            run: run.clone(),
            ended_at: Timestamp::UNIX_EPOCH,
            rows: parts.rows(),
        };
        let told: Vec<(&str, &str, u64, String)> = totals
            .rows
            .iter()
            .map(|row| (row.part.as_str(), row.outcome.as_str(), row.count, row.share().unwrap().to_string()))
            .collect();
        assert_eq!(
            told,
            [
                ("big", "moved", 5, "83.3".to_owned()),
                ("big", "spared", 1, "16.6".to_owned()),
                ("small", "moved", 1, "100.0".to_owned())
            ]
        );
        let keys: std::collections::BTreeSet<String> = totals.keys().collect();
        assert_eq!(keys.len(), 3);
        assert!(keys.contains(&format!("decay-{run}-0")), "{keys:?}");
        assert!(keys.iter().all(|key| key.len() <= 100), "as long as the field in the org");
    }

    #[test]
    fn many_parts_are_told_together_and_nothing_is_lost() {
        let mut parts = Parts::default();
        for place in 0..40_u64 {
            parts.add(&format!("part {place:02}"), "moved", place + 1);
            parts.add(&format!("part {place:02}"), "held", 1);
        }
        let rows = parts.rows();
        assert_eq!(rows.len(), (MOST_PARTS + 1) * 2);
        assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), 820 + 40);
        let rest: Vec<(&str, u64)> =
            rows.iter().filter(|row| row.part == REST).map(|row| (row.outcome.as_str(), row.count)).collect();
        assert_eq!(rest, [("moved", (1..=15).sum::<u64>()), ("held", 15)], "the fifteen smallest");
    }

    #[test]
    fn nothing_has_no_share() {
        let total = Total { part: "p".into(), outcome: "read".into(), count: 7, of: 0, note: None };
        assert_eq!(total.share(), None);
    }

    #[test]
    fn names_are_written_as_they_are_told() {
        for source in Source::ALL {
            assert_eq!(serde_json::to_value(source).unwrap(), source.name());
            assert_eq!(source.label().to_lowercase(), source.name());
        }
    }
}
