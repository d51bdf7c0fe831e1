//! A decay run: which stale states are about to move back, announced before anything moves.
//!
//! What is announced is one proposal for each record, through the door of the schedule. A run carries
//! out these and no others.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    digest::{CanonicalError, Digest},
    ids::{FieldName, IdError, ObjectName, ProposalId, RecordId},
};

/// Who proposes what the schedule proposes.
pub const AGENT: &str = "countersign-decay";
/// The kind of evidence that tells the last thing that happened on a record.
pub const LAST_ACTIVITY: &str = "last-activity";
/// The part of the records that belongs to no segment.
pub const GENERAL: &str = "general";

/// One record's step back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DecayStep {
    /// Object.
    pub object: ObjectName,
    /// Record.
    pub record: RecordId,
    /// The lifecycle field.
    pub field: FieldName,
    /// The stale state.
    pub from: String,
    /// The state before it.
    pub to: String,
    /// The part of the records that gave the days, or [`GENERAL`].
    pub segment: String,
}

/// What is announced. The same steps at the same time have the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecayManifest {
    /// The org.
    pub org: String,
    /// When it was made.
    pub at: Timestamp,
    /// Record by record, in order.
    pub steps: Vec<DecayStep>,
}

impl DecayManifest {
    /// What names it: the SHA-256 of its canonical form.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of(self)
    }

    /// How many records, by object, state and segment.
    pub fn totals(&self) -> BTreeMap<String, String> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for step in &self.steps {
            let DecayStep { object, from, to, segment, .. } = step;
            *counts.entry(format!("{object}: {from} > {to} ({segment})")).or_default() += 1;
        }
        counts.into_iter().map(|(name, count)| (name, count.to_string())).collect()
    }
}

/// A decay run that was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecayRun {
    /// Digest of the manifest.
    pub id: Digest,
    /// When it was announced.
    pub at: Timestamp,
    /// Who announced it: a name as told on the command line, or the schedule.
    pub by: String,
    /// Nothing moves before this: the time to object.
    pub runs_from: Timestamp,
    /// The rules that it rests on.
    pub policy: Digest,
    /// How many records, by object, state and segment.
    pub totals: BTreeMap<String, String>,
}

impl DecayRun {
    /// What every proposal of the run starts with.
    pub fn prefix(id: &Digest) -> String {
        format!("decay:{}:", id.short())
    }

    /// The proposal for a record.
    pub fn proposal_id(id: &Digest, record: &RecordId) -> Result<ProposalId, IdError> {
        ProposalId::parse(&format!("{}{record}", Self::prefix(id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_named_by_its_content_and_counted_by_state_and_segment() {
        let step = |record: &str, segment: &str| DecayStep {
            object: ObjectName::parse("Lead").unwrap(),
            record: RecordId::parse(record).unwrap(),
            field: FieldName::parse("Status").unwrap(),
            from: "Working - Contacted".into(),
            to: "Open - Not Contacted".into(),
            segment: segment.into(),
        };
        let steps = vec![
            step("00QCs0000000001MAA", GENERAL),
            step("00QCs0000000002MAA", GENERAL),
            step("00QCs0000000003MAA", "big"),
        ];
        let manifest = DecayManifest { org: "00D".into(), at: Timestamp::UNIX_EPOCH, steps };
        let told: Vec<_> = manifest.totals().into_iter().collect();
        assert_eq!(
            told,
            [
                ("Lead: Working - Contacted > Open - Not Contacted (big)".to_owned(), "1".to_owned()),
                ("Lead: Working - Contacted > Open - Not Contacted (general)".to_owned(), "2".to_owned()),
            ]
        );
        let id = manifest.digest().unwrap();
        let mut other = manifest.clone();
        other.steps.pop();
        assert_ne!(other.digest().unwrap(), id);
        let proposal = DecayRun::proposal_id(&id, &manifest.steps[0].record).unwrap();
        assert!(proposal.as_str().starts_with(&DecayRun::prefix(&id)));
        let of_others = DecayRun::prefix(&other.digest().unwrap());
        assert!(of_others.starts_with("decay:") && !proposal.as_str().starts_with(&of_others));
    }
}
