//! What a replay found: what stayed, what would have turned out otherwise, and what people did.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::{Again, Replayed, Skipped};
use crate::{
    domain::{Change, Digest, FieldValue, ProposalId},
    gate::{Outcome, Rules},
};

/// Most examples of one kind that are told one by one.
const MOST_EXAMPLES: usize = 5;
/// Most differing verdicts that are told one by one.
const MOST_DIFFERING: usize = 20;

/// What became of a proposal in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// A person approved it.
    Approved,
    /// A person refused it.
    Rejected,
    /// It was promoted with no person.
    RanByItself,
    /// It was promoted and put back.
    RolledBack,
    /// Nobody decided on it.
    Undecided,
}

impl Fate {
    /// In words for reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::RanByItself => "ran by itself",
            Self::RolledBack => "rolled back",
            Self::Undecided => "undecided",
        }
    }
}

/// Proposals whose outcome would have been another one in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flip {
    /// The outcome of then.
    #[serde(serialize_with = "name")]
    pub was: Outcome,
    /// The outcome under the candidates.
    #[serde(serialize_with = "name")]
    pub now: Outcome,
    /// How many proposals. A proposal counts once, at its first verdict that turns out otherwise.
    pub proposals: u64,
    /// What became of them.
    pub fates: BTreeMap<Fate, u64>,
    /// Codes that decided under the candidates.
    pub because: BTreeMap<&'static str, u64>,
    /// By how much Amount would have moved with no person, up and down added up.
    pub amount: Decimal,
    /// The first few.
    pub examples: Vec<ProposalId>,
}

/// A verdict that is not what was recorded, under the rules of then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Place in the chain.
    pub seq: u64,
    /// Whose verdict.
    pub proposal: ProposalId,
    /// The outcome that was recorded.
    #[serde(serialize_with = "name")]
    pub was: Outcome,
    /// The outcome of today.
    #[serde(serialize_with = "name")]
    pub now: Outcome,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Digest of the candidates; `None` under the rules of then.
    pub candidate: Option<Digest>,
    /// Verdicts that were made again.
    pub replayed: u64,
    /// With the same bytes, or the same outcome under candidates.
    pub same: u64,
    /// Verdicts that could not be made again, by reason.
    pub skipped: BTreeMap<Skipped, u64>,
    /// Under the rules of then: how many verdicts are not what was recorded,
    pub differing: u64,
    /// and the first of them.
    pub differing_first: Vec<Differing>,
    /// Under candidates: what turns out otherwise.
    #[serde(serialize_with = "values")]
    pub flips: BTreeMap<(Outcome, Outcome), Flip>,
}

fn name<S: Serializer>(outcome: &Outcome, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(outcome.name())
}

fn values<S: Serializer>(flips: &BTreeMap<(Outcome, Outcome), Flip>, out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(flips.values())
}

impl Report {
    pub(super) fn new(candidate: Option<&Rules>) -> Self {
        Self {
            candidate: candidate.map(|rules| rules.digest().clone()),
            replayed: 0,
            same: 0,
            skipped: BTreeMap::new(),
            differing: 0,
            differing_first: Vec::new(),
            flips: BTreeMap::new(),
        }
    }

    /// `seen` holds the proposals that turned out otherwise already, as short digests, so that
    /// memory stays small.
    pub(super) fn count(&mut self, one: Replayed, seen: &mut BTreeSet<u64>) {
        let again = match &one.result {
            Err(reason) => return *self.skipped.entry(*reason).or_default() += 1,
            Ok(again) => again,
        };
        self.replayed += 1;
        let same = if self.candidate.is_some() { again.outcome == one.was } else { again.same_bytes };
        if same {
            self.same += 1;
        } else if self.candidate.is_some() {
            if seen.insert(short(&one.proposal)) {
                self.flip(&one, again);
            }
        } else {
            self.differing += 1;
            if self.differing_first.len() < MOST_DIFFERING {
                let (seq, proposal) = (one.seq, one.proposal.clone());
                self.differing_first.push(Differing { seq, proposal, was: one.was, now: again.outcome });
            }
        }
    }

    fn flip(&mut self, one: &Replayed, again: &Again) {
        let flip = self.flips.entry((one.was, again.outcome)).or_insert_with(|| Flip {
            was: one.was,
            now: again.outcome,
            proposals: 0,
            fates: BTreeMap::new(),
            because: BTreeMap::new(),
            amount: Decimal::ZERO,
            examples: Vec::new(),
        });
        flip.proposals += 1;
        *flip.fates.entry(one.fate).or_default() += 1;
        if let Some(code) = again.because {
            *flip.because.entry(code).or_default() += 1;
        }
        let moved =
            again.by_itself.iter().filter_map(amount_moved).fold(flip.amount, Decimal::saturating_add);
        flip.amount = moved;
        if flip.examples.len() < MOST_EXAMPLES {
            flip.examples.push(one.proposal.clone());
        }
    }

    /// Reviews that people would have been spared (above zero) or asked for in addition.
    pub fn reviews_spared(&self) -> i64 {
        let asked = |outcome: Outcome| i64::from(outcome == Outcome::Review);
        let of = |flip: &Flip| {
            (asked(flip.was) - asked(flip.now)) * i64::try_from(flip.proposals).unwrap_or(i64::MAX)
        };
        self.flips.values().map(of).sum()
    }

    /// Proposals that would run with no person although a person refused them or put them back.
    pub fn against_people(&self) -> u64 {
        let runs = self.flips.values().filter(|flip| flip.now == Outcome::Promote);
        let wrong = [Fate::Rejected, Fate::RolledBack];
        runs.flat_map(|flip| wrong.iter().filter_map(|fate| flip.fates.get(fate))).sum()
    }

    /// Whether anything would run that did not.
    pub fn is_looser(&self) -> bool {
        self.flips.values().any(|flip| flip.now == Outcome::Promote)
    }
}

/// The first eight bytes of the id's digest.
fn short(id: &ProposalId) -> u64 {
    let digest = Digest::of_bytes(id.as_str().as_bytes());
    digest.as_str().get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or_default()
}

fn amount_moved(change: &Change) -> Option<Decimal> {
    let number = |value: &FieldValue| match value {
        FieldValue::Decimal(number) => Some(*number),
        FieldValue::Null => Some(Decimal::ZERO),
        _ => None,
    };
    if change.field.as_str() != "Amount" {
        return None;
    }
    Some((number(&change.after)?.checked_sub(number(&change.before)?)?).abs())
}
