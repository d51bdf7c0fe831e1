//! A reconciliation: org and ledger were compared, and this is where they disagree.
//!
//! What was found holds record values, so the ledger keeps the list apart from the rest of the entry,
//! where it can be erased. The counts stay.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::facts::{FactsRow, Settled};
use super::{
    digest::{CanonicalError, Digest},
    ids::{FieldName, ObjectName, PromotionId, RecordId},
    promotion::number_as_text,
    value::FieldValue,
};

pub mod facts;

/// Most discrepancies that one run lists. The others are counted.
pub const MOST_LISTED: usize = 2_000;

/// What org and ledger disagree about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiscrepancyKind {
    /// The record carries a proposal, or a decision on one, that no event told of.
    MissedEvent,
    /// A proposal does not come to an end.
    ProposalStuck,
    /// Who would decide is no active user.
    ApproverInactive,
    /// A promotion was intended some time ago and has not ended.
    PromotionOpen,
    /// A promotion ended as done, and neither event nor record prove it.
    LandingUnproven,
    /// The record carries a mark or a number that no promotion of this ledger wrote.
    ForeignMark,
    /// A governed value is not the promoted one, and nothing says who changed it on purpose.
    UnexplainedChange,
    /// Somebody other than the daemon changed a promoted value, and the org stamped that.
    Overridden,
    /// The same, and it was a program.
    OverriddenByProgram,
}

impl DiscrepancyKind {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::MissedEvent,
        Self::ProposalStuck,
        Self::ApproverInactive,
        Self::PromotionOpen,
        Self::LandingUnproven,
        Self::ForeignMark,
        Self::UnexplainedChange,
        Self::Overridden,
        Self::OverriddenByProgram,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissedEvent => "missed-event",
            Self::ProposalStuck => "proposal-stuck",
            Self::ApproverInactive => "approver-inactive",
            Self::PromotionOpen => "promotion-open",
            Self::LandingUnproven => "landing-unproven",
            Self::ForeignMark => "foreign-mark",
            Self::UnexplainedChange => "unexplained-change",
            Self::Overridden => "overridden",
            Self::OverriddenByProgram => "overridden-by-program",
        }
    }

    /// What a person does about one that was not repaired.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::MissedEvent => {
                "propose anew under another id, or check AI Gate Pending on the record: then it is read"
            }
            Self::ProposalStuck => "ask the owner to decide, or let the proposer withdraw it",
            Self::ApproverInactive => "give the record to an active owner",
            Self::PromotionOpen => {
                "see that the daemon runs and may write: countersign status, countersign doctor"
            }
            Self::LandingUnproven => "compare the record's mark with countersign explain of the proposal",
            Self::ForeignMark => {
                "find out who else writes the stamps: countersign doctor; an older ledger may have been put back: countersign checkpoint"
            }
            Self::UnexplainedChange => {
                "ask whoever saved it; see that the flow Human Change is active: countersign doctor"
            }
            Self::Overridden => "nothing: people have the last word; look at the rates below",
            Self::OverriddenByProgram => "see which programs write the field: countersign writers --names",
        }
    }

    /// Whether somebody has to look at it. What was overridden is a fact and no fault.
    pub fn is_fault(self) -> bool {
        !matches!(self, Self::Overridden | Self::OverriddenByProgram)
    }
}

/// One place where they disagree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Discrepancy {
    /// About what.
    pub kind: DiscrepancyKind,
    /// Object.
    pub object: ObjectName,
    /// Record.
    pub record: RecordId,
    /// The governed field, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldName>,
    /// The proposal's id as it stands on the record or in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// The promotion that is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<PromotionId>,
    /// Stable code of what was seen.
    pub code: String,
    /// When it happened, or since when it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Which user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<RecordId>,
    /// The value before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<FieldValue>,
    /// The value now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<FieldValue>,
    /// The same in words.
    pub words: String,
    /// The run repaired it.
    pub repaired: bool,
}

impl Discrepancy {
    /// Whether a promoted value was changed on purpose, by a person or by a program.
    pub fn is_override(&self) -> bool {
        matches!(self.kind, DiscrepancyKind::Overridden | DiscrepancyKind::OverriddenByProgram)
    }
}

/// How the records of one object were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Page by page.
    Pages,
    /// By a bulk query job.
    Bulk,
}

impl Way {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Bulk => "bulk",
        }
    }
}

/// What was read of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Records that changed since then; absent: every record that ever had a proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When reading began. The next run goes on from here.
    pub at: Timestamp,
    /// How.
    pub way: Way,
    /// Records read.
    #[serde(with = "number_as_text")]
    pub records: u64,
}

/// How many of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Found.
    #[serde(with = "number_as_text")]
    pub found: u64,
    /// Of these, repaired.
    #[serde(with = "number_as_text")]
    pub repaired: u64,
}

/// What rates are told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateBy {
    /// The finding that decided the gate's first verdict.
    Check,
    /// Policy, field and tier.
    Rule,
    /// Who proposed.
    Agent,
    /// Field, and step where the field has a lifecycle.
    Segment,
}

impl RateBy {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Rule => "rule",
            Self::Agent => "agent",
            Self::Segment => "segment",
        }
    }
}

/// What people made of what was proposed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Approved or let run, and it stands.
    #[serde(with = "number_as_text")]
    pub stands: u64,
    /// A reviewer put another value in its place.
    #[serde(with = "number_as_text")]
    pub edited: u64,
    /// A reviewer said no.
    #[serde(with = "number_as_text")]
    pub rejected: u64,
    /// The field changed before anybody decided.
    #[serde(with = "number_as_text")]
    pub overtaken: u64,
    /// It was promoted, and then somebody set another value.
    #[serde(with = "number_as_text")]
    pub overridden: u64,
    /// It was promoted, and then rolled back.
    #[serde(with = "number_as_text")]
    pub undone: u64,
    /// It was promoted, and then a program set another value. People had no word on it.
    #[serde(default = "none", with = "number_as_text", skip_serializing_if = "is_none")]
    pub programs: u64,
}

fn none() -> u64 {
    0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_none(number: &u64) -> bool {
    *number == 0
}

impl Tally {
    /// Proposals that people had a word on.
    pub fn all(&self) -> u64 {
        self.stands + self.disagreed()
    }

    /// Those where their word was another one.
    pub fn disagreed(&self) -> u64 {
        self.edited + self.rejected + self.overtaken + self.overridden + self.undone
    }

    /// Tenths of a percent, rounded down. Nothing has no rate.
    pub fn permille(&self) -> Option<u64> {
        (self.disagreed() * 1_000).checked_div(self.all())
    }
}

/// One row of the rates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// By what.
    pub by: RateBy,
    /// Which one.
    pub name: String,
    /// How people decided.
    #[serde(flatten)]
    pub tally: Tally,
}

/// A run, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Names it: the digest of its time and its list.
    pub id: Digest,
    /// When it began.
    pub at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What was read, by object.
    pub reads: BTreeMap<ObjectName, Reading>,
    /// How many of each kind; kinds without any are absent.
    pub counts: BTreeMap<DiscrepancyKind, Count>,
    /// How often people disagreed.
    pub rates: Vec<Rate>,
    /// Days that the rates look back.
    #[serde(with = "number_as_text")]
    pub rates_days: u64,
    /// What people overrode in these days, and whom later facts confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<FactsRow>,
    /// Disagreements that this run found settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
    /// Digest of the list.
    pub list: Digest,
    /// Found and not in the list.
    #[serde(with = "number_as_text")]
    pub left_out: u64,
    /// The list, in order; empty once it was erased.
    #[serde(default)]
    pub found: Vec<Discrepancy>,
}

impl Reconciliation {
    /// What names a run.
    pub fn id_of(org: &str, at: Timestamp, list: &Digest) -> Result<Digest, CanonicalError> {
        Digest::of(&BTreeMap::from([
            ("at", at.to_string()),
            ("list", list.to_string()),
            ("org", org.to_owned()),
        ]))
    }

    /// How many of a kind.
    pub fn count(&self, kind: DiscrepancyKind) -> Count {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// Whether its list was erased.
    pub fn is_erased(&self) -> bool {
        self.found.is_empty() && self.counts.values().any(|count| count.found > 0)
    }

    /// Found, not repaired, and somebody has to look at it.
    pub fn left_to_people(&self) -> u64 {
        let faults = self.counts.iter().filter(|(kind, _)| kind.is_fault());
        faults.map(|(_, count)| count.found.saturating_sub(count.repaired)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discrepancy() -> Discrepancy {
        Discrepancy {
            kind: DiscrepancyKind::MissedEvent,
            object: ObjectName::parse("Lead").unwrap(),
            record: RecordId::parse(&RecordId::complete("00QDp0000012345").unwrap()).unwrap(),
            field: None,
            proposal: None,
            promotion: None,
            code: "record-pending".to_owned(),
            at: None,
            by: None,
            before: None,
            after: None,
            words: "no event told of it".to_owned(),
            repaired: false,
        }
    }

    #[test]
    fn each_kind_has_one_name_and_a_next_step() {
        for kind in DiscrepancyKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert!(kind.next_step().len() > 20, "{}", kind.name());
        }
        let faults = DiscrepancyKind::ALL.into_iter().filter(|kind| kind.is_fault()).count();
        assert_eq!(faults, 7, "all but what was overridden");
    }

    #[test]
    fn ways_and_rates_are_named_as_they_are_written() {
        for way in [Way::Pages, Way::Bulk] {
            assert_eq!(serde_json::to_value(way).unwrap(), way.name());
        }
        for by in [RateBy::Check, RateBy::Rule, RateBy::Agent, RateBy::Segment] {
            assert_eq!(serde_json::to_value(by).unwrap(), by.name());
        }
    }

    #[test]
    fn rates_are_whole_numbers_and_nothing_has_none() {
        assert_eq!(Tally::default().permille(), None);
        let tally = Tally { stands: 2, edited: 1, ..Tally::default() };
        assert_eq!((tally.all(), tally.disagreed(), tally.permille()), (3, 1, Some(333)));
        let all =
            Tally { edited: 1, rejected: 1, overtaken: 1, overridden: 1, undone: 1, ..Tally::default() };
        assert_eq!(all.permille(), Some(1_000));
        let each = Tally {
            edited: 2,
            rejected: 30,
            overtaken: 400,
            overridden: 5_000,
            undone: 60_000,
            stands: 7,
            programs: 800_000,
        };
        assert_eq!((each.disagreed(), each.all()), (65_432, 65_439), "programs are nobody's word");
    }

    #[test]
    fn what_was_overridden_is_left_to_nobody() {
        let at = Timestamp::UNIX_EPOCH;
        let list = Digest::of_bytes(b"list");
        let count = |found, repaired| Count { found, repaired };
        let run = Reconciliation {
            id: Reconciliation::id_of("00D", at, &list).unwrap(),
            at,
            ended_at: at,
            reads: BTreeMap::new(),
            counts: BTreeMap::from([
                (DiscrepancyKind::MissedEvent, count(3, 2)),
                (DiscrepancyKind::Overridden, count(5, 0)),
            ]),
            rates: Vec::new(),
            rates_days: 90,
            facts: Vec::new(),
            settled: Vec::new(),
            list: list.clone(),
            left_out: 0,
            found: Vec::new(),
        };
        assert_eq!(run.left_to_people(), 1);
        assert_eq!(run.count(DiscrepancyKind::MissedEvent), count(3, 2));
        assert_eq!(run.count(DiscrepancyKind::ProposalStuck), count(0, 0), "none of that kind");
        assert!(run.is_erased(), "counted and not there");
        let none = Reconciliation {
            counts: BTreeMap::from([(DiscrepancyKind::MissedEvent, count(0, 0))]),
            ..run.clone()
        };
        assert!(!none.is_erased() && none.left_to_people() == 0, "nothing was found");
        let open = BTreeMap::from([(DiscrepancyKind::MissedEvent, count(3, 0))]);
        let listed = Reconciliation { counts: open, found: vec![discrepancy()], ..run.clone() };
        assert!(!listed.is_erased() && listed.left_to_people() == 3);
        assert_ne!(
            run.id,
            Reconciliation::id_of("00D", "1970-01-01T00:00:01Z".parse().unwrap(), &list).unwrap()
        );
    }
}
