//! What goes into the ledger beside events, and what comes out of it.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    clock::Clock,
    domain::{
        Approval, Digest, ObjectName, Promotion, PromotionId, Proposal, ProposalId, RecordId, Stage,
        entry::Entry,
    },
};

/// A writer's number. It grows with every process that takes the lead.
pub type Epoch = u64;

/// How to open a ledger.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The database file.
    pub path: PathBuf,
    /// The org whose ledger it is, 18 characters. A file of another org is refused.
    pub org_id: String,
    /// Where the times of entries come from.
    pub clock: Clock,
    /// Create the file when it is missing.
    pub create: bool,
}

/// One response of the event stream, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxBatch {
    /// Topic.
    pub topic: String,
    /// When it came.
    pub received_at: Timestamp,
    /// How many events it holds.
    pub events: u32,
    /// The response, raw. Empty for a keepalive: then only the replay id is kept.
    pub payload: Vec<u8>,
    /// Where the stream resumes after it; `None` leaves the stored replay id as it is.
    pub replay_id: Option<Vec<u8>>,
}

/// A batch with its place in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBatch {
    /// Place, from 1, without gaps.
    pub id: i64,
    /// The batch.
    pub batch: InboxBatch,
}

/// A proposal with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRecord {
    /// The proposal.
    pub proposal: Proposal,
    /// [`Proposal::fingerprint`].
    pub fingerprint: Digest,
    /// [`Proposal::patch_digest`].
    pub patch: Digest,
    /// Where it stands.
    pub stage: Stage,
    /// The last verdict, as JSON of `gate::Verdict`.
    pub verdict: Option<Value>,
    /// The last decision that was observed.
    pub approval: Option<Approval>,
    /// The last promotion that carries it out (never a rollback).
    pub promotion: Option<PromotionId>,
    /// Entry that received it.
    pub received_seq: u64,
    /// When the last entry about it was appended.
    pub updated_at: Timestamp,
    /// The last notice to the record.
    pub notice: Option<NoticeState>,
}

/// How a notice stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeState {
    /// The outcome in words.
    pub text: String,
    /// `done` or a code; `None` while it is open.
    pub result: Option<String>,
}

/// A notice that has to be written to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenNotice {
    /// Object.
    pub object: ObjectName,
    /// Record.
    pub record: RecordId,
    /// The proposal that it speaks of.
    pub proposal_id: ProposalId,
    /// The outcome in words.
    pub text: String,
    /// Entry that intended it.
    pub intended_seq: u64,
}

/// A promotion with its place in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionRecord {
    /// The promotion with attempts, settlement and proof as the entries tell them.
    pub promotion: Promotion,
    /// Entry of the intent.
    pub intended_seq: u64,
    /// When the intent was appended.
    pub intended_at: Timestamp,
    /// Entry of the last settlement, if any.
    pub settled_seq: Option<u64>,
    /// When the last entry about it was appended.
    pub updated_at: Timestamp,
}

/// Which proposals to list. Newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProposalFilter {
    /// Only this stage.
    pub stage: Option<Stage>,
    /// Only this object.
    pub object: Option<ObjectName>,
    /// Only this record.
    pub record: Option<RecordId>,
    /// Only proposals whose stage is not final.
    pub open_only: bool,
    /// At most so many; 0 means 100.
    pub limit: usize,
    /// Only proposals received before this entry: the `received_seq` of the last one of the page before.
    pub before: Option<u64>,
}

/// An entry with its hash and its private parts put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Position in the chain.
    pub seq: u64,
    /// The entry as it is hashed.
    pub entry: Entry,
    /// Its hash.
    pub hash: Digest,
    /// The event with its private parts; erased parts are missing.
    pub event: Value,
    /// Paths of private parts that are no longer there.
    pub missing: Vec<String>,
}

/// The last entry of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its position; 0 for an empty ledger.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// The epoch in force; 0 when nobody has led yet.
    pub epoch: Epoch,
}

/// A summary for `status`, health and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Proposals by stage; stages without any are left out.
    pub stages: BTreeMap<Stage, u64>,
    /// The last entry.
    pub head: Head,
    /// Inbox batches that are not processed.
    pub unprocessed: u64,
    /// Promotions that are not final.
    pub open_promotions: u64,
    /// Done promotions without proof of landing.
    pub unconfirmed: u64,
    /// Notices that are not settled.
    pub open_notices: u64,
    /// When the oldest proposal that waits for a person came in.
    pub oldest_awaiting: Option<Timestamp>,
}
