//! Promotions and notices as they stand: the outbox, read.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ledger, LedgerError, Tx, append::number, db, proposals::stage_of};
use crate::domain::{ObjectName, Plan, Promotion, PromotionId, ProposalId, RecordId};

/// A notice that has not been written to its record yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRecord {
    /// Object.
    pub object: ObjectName,
    /// Record.
    pub record: RecordId,
    /// The proposal that it speaks of.
    pub proposal_id: ProposalId,
    /// The outcome in words.
    pub text: String,
}

/// Most ids in one statement.
const CHUNK: usize = 500;

fn from_row(row: &db::Row) -> Result<Promotion, LedgerError> {
    let body: String = row.try_get(0)?;
    Ok(serde_json::from_str(&body)?)
}

async fn one(connection: &mut db::Connection, id: &PromotionId) -> Result<Option<Promotion>, LedgerError> {
    let row = db::query("SELECT body FROM promotion WHERE id = ?").bind(id.as_str());
    row.fetch_optional(connection).await?.as_ref().map(from_row).transpose()
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

impl Tx<'_> {
    /// A promotion as this transaction sees it.
    pub async fn promotion(&mut self, id: &PromotionId) -> Result<Option<Promotion>, LedgerError> {
        if let Some(known) = self.promotions.get(id) {
            return Ok(Some(known.clone()));
        }
        // What waits to be written is known.
        let found = one(self.own_connection(), id).await?;
        if let Some(promotion) = &found {
            self.promotions.insert(id.clone(), promotion.clone());
        }
        Ok(found)
    }

    /// Reads promotions, and the stages of their proposals, that will be asked for one by one: many in
    /// one statement.
    pub async fn look_ahead<'a>(
        &mut self,
        ids: impl IntoIterator<Item = &'a PromotionId>,
    ) -> Result<(), LedgerError> {
        let ids: BTreeSet<&PromotionId> =
            ids.into_iter().filter(|id| !self.promotions.contains_key(*id)).collect();
        let ids: Vec<&PromotionId> = ids.into_iter().collect();
        for chunk in ids.chunks(CHUNK) {
            let marks = vec!["?"; chunk.len()].join(",");
            let sql = format!(
                "SELECT m.body, p.stage FROM promotion m LEFT JOIN proposal p ON p.id = m.proposal \
                 WHERE m.id IN ({marks})"
            );
            let query = chunk.iter().fold(db::query(sql), |query, id| query.bind(id.as_str()));
            for row in query.fetch_all(self.own_connection()).await? {
                let promotion = from_row(&row)?;
                let stage = row.try_get::<Option<String>>(1)?.and_then(|name| stage_of(&name));
                if let Some(stage) = stage {
                    // One that waits to be written is newer than the row.
                    self.stages.entry(promotion.plan.proposal_id.clone()).or_insert(stage);
                }
                self.promotions.insert(promotion.id.clone(), promotion);
            }
        }
        Ok(())
    }

    /// The open promotion of each of these records, where there is one.
    pub async fn open_promotions_for(
        &mut self,
        object: &ObjectName,
        records: &[RecordId],
    ) -> Result<BTreeMap<RecordId, PromotionId>, LedgerError> {
        let mut found = BTreeMap::new();
        for chunk in records.chunks(CHUNK) {
            let marks = vec!["?"; chunk.len()].join(",");
            let sql = format!(
                "SELECT record, id FROM promotion WHERE open = 1 AND object = ? AND record IN ({marks})"
            );
            let mut query = db::query(sql).bind(object.as_str());
            for record in chunk {
                query = query.bind(record.as_str());
            }
            for row in query.fetch_all(self.connection().await?).await? {
                let record: String = row.try_get(0)?;
                let record =
                    RecordId::parse(&record).map_err(|error| LedgerError::Damaged(error.to_string()))?;
                found.insert(record, PromotionId::new(row.try_get::<String>(1)?));
            }
        }
        Ok(found)
    }
}

impl Tx<'_> {
    /// The promotion that moved the number on which a plan rests: it landed, or a void write closed it.
    /// A plan that was read before that would end in a conflict with nobody.
    pub async fn used_number(&mut self, plan: &Plan) -> Result<Option<PromotionId>, LedgerError> {
        if plan.making.is_some() {
            // Where a record is made or cancelled no number is written: `record` is its parent.
            return Ok(None);
        }
        let sql = "SELECT body FROM promotion WHERE object = ? AND record = ? AND open = 0";
        let rows = db::query(sql).bind(plan.object.as_str()).bind(plan.record.as_str());
        for row in rows.fetch_all(self.connection().await?).await? {
            let earlier = from_row(&row)?;
            if earlier.plan.expected_seq == plan.expected_seq && earlier.moved_the_number() {
                return Ok(Some(earlier.id));
            }
        }
        Ok(None)
    }

    /// Those of these ids under which a notice has not been written to its record yet.
    pub async fn open_notices_among(
        &mut self,
        ids: &[ProposalId],
    ) -> Result<BTreeSet<ProposalId>, LedgerError> {
        let mut found = BTreeSet::new();
        for chunk in ids.chunks(CHUNK) {
            let marks = vec!["?"; chunk.len()].join(",");
            let sql = format!("SELECT proposal FROM notice WHERE proposal IN ({marks})");
            let query = chunk.iter().fold(db::query(sql), |query, id| query.bind(id.as_str()));
            for row in query.fetch_all(self.connection().await?).await? {
                let id = ProposalId::parse(&row.text(0)?);
                found.insert(id.map_err(|error| LedgerError::Damaged(error.to_string()))?);
            }
        }
        Ok(found)
    }
}

impl Ledger {
    /// A promotion as it stands.
    pub async fn promotion(&self, id: &PromotionId) -> Result<Option<Promotion>, LedgerError> {
        let mut reader = self.reader().await?;
        one(&mut reader, id).await
    }

    /// Promotions that have not ended, oldest first, at most `most`.
    pub async fn open_promotions(&self, most: usize) -> Result<Vec<Promotion>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows =
            db::query("SELECT body FROM promotion WHERE open = 1 ORDER BY seq LIMIT ?").bind(limit(most));
        rows.fetch_all(&mut reader).await?.iter().map(from_row).collect()
    }

    /// Landed promotions without proof, oldest first, at most `most`.
    pub async fn unconfirmed(&self, most: usize) -> Result<Vec<Promotion>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows =
            db::query("SELECT body FROM promotion WHERE open = 0 AND confirmed = 0 ORDER BY seq LIMIT ?");
        rows.bind(limit(most)).fetch_all(&mut reader).await?.iter().map(from_row).collect()
    }

    /// Every promotion that a proposal led to, rollbacks included, oldest first.
    pub async fn promotions_of_proposal(&self, id: &ProposalId) -> Result<Vec<Promotion>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows = db::query("SELECT body FROM promotion WHERE proposal = ? ORDER BY seq").bind(id.as_str());
        rows.fetch_all(&mut reader).await?.iter().map(from_row).collect()
    }

    /// Promotions that were intended after a place and up to another, oldest first.
    pub async fn promotions_in(&self, after: u64, up_to: u64) -> Result<Vec<Promotion>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows = db::query("SELECT body FROM promotion WHERE seq > ? AND seq <= ? ORDER BY seq");
        let rows = rows.bind(number(after)?).bind(number(up_to)?);
        rows.fetch_all(&mut reader).await?.iter().map(from_row).collect()
    }

    /// Notices that have not been written yet, oldest first, at most `most`.
    pub async fn open_notices(&self, most: usize) -> Result<Vec<NoticeRecord>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows = db::query("SELECT object, record, proposal, text FROM notice ORDER BY seq LIMIT ?");
        let damaged = |error: crate::domain::IdError| LedgerError::Damaged(error.to_string());
        rows.bind(limit(most))
            .fetch_all(&mut reader)
            .await?
            .iter()
            .map(|row| {
                Ok(NoticeRecord {
                    object: ObjectName::parse(&row.text(0)?).map_err(damaged)?,
                    record: RecordId::parse(&row.text(1)?).map_err(damaged)?,
                    proposal_id: ProposalId::parse(&row.text(2)?).map_err(damaged)?,
                    text: row.try_get(3)?,
                })
            })
            .collect()
    }
}
