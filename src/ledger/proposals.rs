//! Proposals as they stand: reading the projection.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::{Ledger, LedgerError, Tx, db};
use crate::domain::{Approval, Digest, ObjectName, PromotionId, Proposal, ProposalId, RecordId, Stage};

/// A proposal with everything that is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposalRecord {
    /// The proposal as it was first seen.
    pub proposal: Proposal,
    /// [`Proposal::fingerprint`].
    pub fingerprint: Digest,
    /// [`Proposal::patch_digest`].
    pub patch: Digest,
    /// Where it stands.
    pub stage: Stage,
    /// The gate's last verdict.
    pub verdict: Option<Value>,
    /// The last decision that was observed.
    pub approval: Option<Approval>,
    /// Its own promotion, once intended.
    pub promotion: Option<PromotionId>,
    /// It stands, or stood, on its record.
    pub landed: bool,
    /// A notice about it is on its way.
    pub notice_open: bool,
    /// Place of its first entry.
    pub received_seq: u64,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Which proposals to list. Newest first, unless the filter says otherwise.
#[derive(Debug, Clone, Default)]
pub struct ProposalFilter {
    /// Only this stage.
    pub stage: Option<Stage>,
    /// At most so many; 0 gives none.
    pub limit: usize,
    /// Those that came in first.
    pub oldest_first: bool,
}

/// Columns that [`from_row`] reads.
pub(super) const COLUMNS: &str = "SELECT p.body, p.fingerprint, p.patch, p.stage, p.verdict, p.approval, p.promotion, \
    p.landed, n.proposal IS NOT NULL, p.received_seq, p.updated_at \
    FROM proposal p LEFT JOIN notice n ON n.proposal = p.id ";

/// Most ids in one statement.
const CHUNK: usize = 500;

pub(super) fn from_row(row: &db::Row) -> Result<ProposalRecord, LedgerError> {
    let json = |column: usize| -> Result<Option<Value>, LedgerError> {
        let text: Option<String> = row.try_get(column)?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    };
    let body: String = row.try_get(0)?;
    let stage: String = row.try_get(3)?;
    let updated: String = row.try_get(10)?;
    let damaged = |what: &str| LedgerError::Damaged(format!("proposal {what}"));
    Ok(ProposalRecord {
        proposal: serde_json::from_str(&body)?,
        fingerprint: Digest::from_hex(row.try_get::<String>(1)?),
        patch: Digest::from_hex(row.try_get::<String>(2)?),
        stage: stage_of(&stage).ok_or_else(|| damaged("stage"))?,
        verdict: json(4)?,
        approval: json(5)?.map(serde_json::from_value).transpose()?,
        promotion: row.try_get::<Option<String>>(6)?.map(PromotionId::new),
        landed: row.try_get(7)?,
        notice_open: row.try_get(8)?,
        received_seq: u64::try_from(row.try_get::<i64>(9)?).map_err(|_| damaged("place"))?,
        updated_at: updated.parse().map_err(|_| damaged("time"))?,
    })
}

/// The stage with this name.
pub(super) fn stage_of(name: &str) -> Option<Stage> {
    Stage::ALL.iter().copied().find(|stage| stage.name() == name)
}

async fn one(connection: &mut db::Connection, id: &str) -> Result<Option<ProposalRecord>, LedgerError> {
    let sql = format!("{COLUMNS} WHERE p.id = ?");
    let row = db::query(sql).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(from_row).transpose()
}

impl Tx<'_> {
    /// A proposal as this transaction sees it.
    pub async fn proposal(&mut self, id: &ProposalId) -> Result<Option<ProposalRecord>, LedgerError> {
        one(self.connection().await?, id.as_str()).await
    }

    /// The same by an id that stands on a record; ids that are none find nothing.
    pub async fn proposal_by_text(&mut self, id: &str) -> Result<Option<ProposalRecord>, LedgerError> {
        one(self.connection().await?, id).await
    }

    /// The same for many ids.
    pub async fn proposals_by_text(
        &mut self,
        ids: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, ProposalRecord>, LedgerError> {
        let ids: Vec<&str> = ids.iter().copied().collect();
        let mut found = BTreeMap::new();
        for chunk in ids.chunks(CHUNK) {
            let marks = vec!["?"; chunk.len()].join(",");
            let query = db::query(format!("{COLUMNS} WHERE p.id IN ({marks})"));
            let query = chunk.iter().fold(query, |query, id| query.bind(*id));
            for row in query.fetch_all(self.connection().await?).await? {
                let record = from_row(&row)?;
                found.insert(record.proposal.id.to_string(), record);
            }
        }
        Ok(found)
    }

    /// Only the stage of a proposal, without its body.
    pub(super) async fn stage(&mut self, id: &ProposalId) -> Result<Option<Stage>, LedgerError> {
        if let Some(known) = self.stages.get(id) {
            return Ok(Some(*known));
        }
        let row = db::query("SELECT stage FROM proposal WHERE id = ?").bind(id.as_str());
        // A stage that waits to be written is known.
        let Some(row) = row.fetch_optional(self.own_connection()).await? else { return Ok(None) };
        let stage =
            stage_of(&row.text(0)?).ok_or_else(|| LedgerError::Damaged("proposal stage".to_owned()))?;
        self.stages.insert(id.clone(), stage);
        Ok(Some(stage))
    }

    /// The open proposals of these records.
    pub async fn proposals_for(
        &mut self,
        object: &ObjectName,
        records: &[RecordId],
    ) -> Result<BTreeMap<RecordId, Vec<ProposalRecord>>, LedgerError> {
        let mut found: BTreeMap<RecordId, Vec<ProposalRecord>> = BTreeMap::new();
        for chunk in records.chunks(CHUNK) {
            let marks = vec!["?"; chunk.len()].join(",");
            let sql = format!("{COLUMNS} WHERE p.open = 1 AND p.object = ? AND p.record IN ({marks})");
            let mut query = db::query(sql).bind(object.as_str());
            for record in chunk {
                query = query.bind(record.as_str());
            }
            for row in query.fetch_all(self.connection().await?).await? {
                let record = from_row(&row)?;
                found.entry(record.proposal.record.clone()).or_default().push(record);
            }
        }
        Ok(found)
    }
}

impl Ledger {
    /// Proposals of an object that are open and not on their way, oldest first, at most `most`.
    pub async fn waiting(
        &self,
        object: &ObjectName,
        most: usize,
    ) -> Result<Vec<ProposalRecord>, LedgerError> {
        let sql = format!(
            "{COLUMNS} WHERE p.open = 1 AND p.object = ? AND p.promotion IS NULL ORDER BY p.received_seq LIMIT ?"
        );
        let query = db::query(sql).bind(object.as_str()).bind(i64::try_from(most).unwrap_or(i64::MAX));
        let mut reader = self.reader().await?;
        query.fetch_all(&mut reader).await?.iter().map(from_row).collect()
    }

    /// A proposal as it stands.
    pub async fn proposal(&self, id: &ProposalId) -> Result<Option<ProposalRecord>, LedgerError> {
        let mut reader = self.reader().await?;
        one(&mut reader, id.as_str()).await
    }

    /// Proposals that match, in the order that the filter says.
    pub async fn proposals(&self, filter: &ProposalFilter) -> Result<Vec<ProposalRecord>, LedgerError> {
        let condition = if filter.stage.is_some() { "WHERE p.stage = ?" } else { "WHERE ? IS NULL" };
        let order = if filter.oldest_first { "ASC" } else { "DESC" };
        let sql = format!("{COLUMNS} {condition} ORDER BY p.received_seq {order} LIMIT ?");
        let query = db::query(sql)
            .bind(filter.stage.map(Stage::name))
            .bind(i64::try_from(filter.limit).unwrap_or(i64::MAX));
        let mut reader = self.reader().await?;
        query.fetch_all(&mut reader).await?.iter().map(from_row).collect()
    }
}
