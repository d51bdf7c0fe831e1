//! The ledger's interface, to be filled.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use jiff::Timestamp;

use super::*;
use crate::domain::{Digest, ObjectName, Promotion, PromotionId, ProposalId, RecordId, event::Event};

/// One org's ledger. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    _shared: Arc<()>,
}

/// One transaction. Dropped without [`Tx::commit`], it leaves nothing behind.
pub struct Tx<'a> {
    _ledger: &'a Ledger,
}

fn not_yet<T>() -> Result<T, LedgerError> {
    Err(LedgerError::Database("not built yet".into()))
}

#[expect(clippy::unused_async, missing_docs, reason = "the bodies follow")]
impl Ledger {
    pub async fn open(_options: OpenOptions) -> Result<Self, LedgerError> {
        not_yet()
    }
    pub async fn open_read_only(_path: PathBuf) -> Result<Self, LedgerError> {
        not_yet()
    }
    pub fn org_id(&self) -> &str {
        ""
    }
    /// Takes the next epoch and appends `started`; writers of an older epoch are fenced.
    pub async fn lead(&self, _version: &str, _policy: &Digest) -> Result<Epoch, LedgerError> {
        not_yet()
    }
    pub async fn begin(&self, _name: &'static str) -> Result<Tx<'_>, LedgerError> {
        not_yet()
    }
    pub async fn replay_id(&self, _topic: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        not_yet()
    }
    pub async fn next_batches(&self, _after: i64, _max: usize) -> Result<Vec<StoredBatch>, LedgerError> {
        not_yet()
    }
    pub async fn processed_up_to(&self) -> Result<i64, LedgerError> {
        not_yet()
    }
    pub async fn proposal(&self, _id: &ProposalId) -> Result<Option<ProposalRecord>, LedgerError> {
        not_yet()
    }
    pub async fn proposals(&self, _filter: &ProposalFilter) -> Result<Vec<ProposalRecord>, LedgerError> {
        not_yet()
    }
    pub async fn proposals_for(
        &self,
        _records: &[(ObjectName, RecordId)],
    ) -> Result<Vec<ProposalRecord>, LedgerError> {
        not_yet()
    }
    pub async fn promotion(&self, _id: &PromotionId) -> Result<Option<PromotionRecord>, LedgerError> {
        not_yet()
    }
    pub async fn open_promotions(&self, _limit: usize) -> Result<Vec<Promotion>, LedgerError> {
        not_yet()
    }
    pub async fn promotions_for_record(
        &self,
        _object: &ObjectName,
        _record: &RecordId,
    ) -> Result<Vec<PromotionRecord>, LedgerError> {
        not_yet()
    }
    pub async fn promotions_of_proposal(
        &self,
        _id: &ProposalId,
    ) -> Result<Vec<PromotionRecord>, LedgerError> {
        not_yet()
    }
    pub async fn unconfirmed(&self, _limit: usize) -> Result<Vec<Promotion>, LedgerError> {
        not_yet()
    }
    pub async fn open_promotions_by_record(
        &self,
        _records: &[(ObjectName, RecordId)],
    ) -> Result<BTreeMap<(ObjectName, RecordId), PromotionId>, LedgerError> {
        not_yet()
    }
    pub async fn open_notices(&self, _limit: usize) -> Result<Vec<OpenNotice>, LedgerError> {
        not_yet()
    }
    pub async fn entries(&self, _after_seq: u64, _limit: usize) -> Result<Vec<StoredEntry>, LedgerError> {
        not_yet()
    }
    pub async fn entries_for_proposal(&self, _id: &ProposalId) -> Result<Vec<StoredEntry>, LedgerError> {
        not_yet()
    }
    pub async fn counts(&self) -> Result<Counts, LedgerError> {
        not_yet()
    }
}

#[expect(clippy::unused_async, missing_docs, reason = "the bodies follow")]
impl Tx<'_> {
    /// The entry's position. Events that contradict the entries before are refused one by one;
    /// the transaction stays usable after such a refusal.
    pub async fn append(&mut self, _event: &Event) -> Result<u64, LedgerError> {
        not_yet()
    }
    /// The last entry's position.
    pub async fn append_all(&mut self, _events: &[Event]) -> Result<u64, LedgerError> {
        not_yet()
    }
    /// The batch's place; `None` for a keepalive.
    pub async fn record_batch(&mut self, _batch: &InboxBatch) -> Result<Option<i64>, LedgerError> {
        not_yet()
    }
    pub async fn set_replay_id(
        &mut self,
        _topic: &str,
        _replay_id: Option<Vec<u8>>,
    ) -> Result<(), LedgerError> {
        not_yet()
    }
    pub async fn mark_processed(&mut self, _up_to: i64) -> Result<(), LedgerError> {
        not_yet()
    }
    /// Removes processed batches received before `limit`; how many went.
    pub async fn prune_inbox(&mut self, _limit: Timestamp) -> Result<u64, LedgerError> {
        not_yet()
    }
    pub async fn proposal(&mut self, _id: &ProposalId) -> Result<Option<ProposalRecord>, LedgerError> {
        not_yet()
    }
    pub async fn promotion(&mut self, _id: &PromotionId) -> Result<Option<PromotionRecord>, LedgerError> {
        not_yet()
    }
    pub async fn commit(self) -> Result<(), LedgerError> {
        not_yet()
    }
}
