//! What a transaction has appended and not handed to the database yet.
//!
//! Each statement is a hand-over to SQLite's thread, or a round trip to a server. So rows wait here and
//! go out many in one statement: before the database is asked anything that they could change, and
//! before the commit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{LedgerError, Tx, append::number, db, project::is_confirmed};
use crate::domain::{Promotion, PromotionId, ProposalId, Stage, digest::canonical};

/// Most rows of one statement. A power of two, see [`portions`].
const MOST: usize = 256;

/// A row of the chain.
pub(super) struct EntryRow {
    pub(super) seq: u64,
    pub(super) hash: String,
    pub(super) kind: String,
    pub(super) proposal: Option<String>,
    pub(super) text: String,
}

/// A part of an event that is kept beside the chain.
pub(super) struct Part {
    pub(super) seq: u64,
    pub(super) path: &'static str,
    pub(super) salt: [u8; 32],
    pub(super) value: String,
}

/// Rows that wait.
#[derive(Default)]
pub(super) struct Unwritten {
    pub(super) entries: Vec<EntryRow>,
    pub(super) parts: Vec<Part>,
    /// Promotions whose rows are not what the transaction knows of them.
    pub(super) promotions: BTreeSet<PromotionId>,
    /// The last stage of proposals, and since when.
    pub(super) stages: BTreeMap<ProposalId, (Stage, Timestamp)>,
}

impl Unwritten {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.parts.is_empty()
            && self.promotions.is_empty()
            && self.stages.is_empty()
    }

    /// Whether more of it would take memory and save nothing.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= MOST || self.parts.len() >= MOST
    }
}

impl Tx<'_> {
    /// Hands over what waits. The order holds: an entry stands before its private parts.
    pub(super) async fn write_out(&mut self) -> Result<(), LedgerError> {
        let Unwritten { entries, parts, promotions, stages } = std::mem::take(&mut self.unwritten);
        self.write_entries(&entries).await?;
        self.write_parts(&parts).await?;
        let known = promotions.iter().filter_map(|id| self.promotions.get(id));
        let rows = known.map(promotion_row).collect::<Result<Vec<_>, _>>()?;
        self.write_promotions(&rows).await?;
        let stages: Vec<_> = stages.into_iter().collect();
        self.write_stages(&stages).await
    }

    async fn write_entries(&mut self, rows: &[EntryRow]) -> Result<(), LedgerError> {
        for rows in portions(rows) {
            let marks = marks("(?, ?, ?, ?, ?)", rows.len());
            let sql = format!("INSERT INTO entry (seq, hash, kind, proposal, text) VALUES {marks}");
            let mut query = db::query(sql);
            for row in rows {
                query = query.bind(number(row.seq)?).bind(&row.hash).bind(&row.kind);
                query = query.bind(&row.proposal).bind(&row.text);
            }
            query.execute(self.own_connection()).await?;
        }
        Ok(())
    }

    async fn write_parts(&mut self, parts: &[Part]) -> Result<(), LedgerError> {
        for parts in portions(parts) {
            let marks = marks("(?, ?, ?, ?)", parts.len());
            let mut query = db::query(format!("INSERT INTO private (seq, path, salt, value) VALUES {marks}"));
            for part in parts {
                query = query.bind(number(part.seq)?).bind(part.path);
                query = query.bind(part.salt.as_slice()).bind(&part.value);
            }
            query.execute(self.own_connection()).await?;
        }
        Ok(())
    }

    async fn write_promotions(&mut self, rows: &[PromotionRow]) -> Result<(), LedgerError> {
        for rows in portions(rows) {
            let marks = marks("(?, ?, ?, ?)", rows.len());
            let mut query = db::query(format!(
                "UPDATE promotion SET open = v.column2, confirmed = v.column3, body = v.column4 \
                 FROM (VALUES {marks}) AS v WHERE promotion.id = v.column1"
            ));
            for row in rows {
                query = query.bind(&row.id).bind(row.open).bind(row.confirmed).bind(&row.body);
            }
            query.execute(self.own_connection()).await?;
        }
        Ok(())
    }

    async fn write_stages(&mut self, rows: &[(ProposalId, (Stage, Timestamp))]) -> Result<(), LedgerError> {
        for rows in portions(rows) {
            let marks = marks("(?, ?, ?, ?)", rows.len());
            let mut query = db::query(format!(
                "UPDATE proposal SET stage = v.column2, open = v.column3, updated_at = v.column4 \
                 FROM (VALUES {marks}) AS v WHERE proposal.id = v.column1"
            ));
            for (id, (stage, at)) in rows {
                query = query.bind(id.as_str()).bind(stage.name());
                query = query.bind(!stage.is_final()).bind(at.to_string());
            }
            query.execute(self.own_connection()).await?;
        }
        Ok(())
    }
}

/// The columns of a promotion that change.
struct PromotionRow {
    id: String,
    open: bool,
    confirmed: bool,
    body: String,
}

fn promotion_row(promotion: &Promotion) -> Result<PromotionRow, LedgerError> {
    Ok(PromotionRow {
        id: promotion.id.to_string(),
        open: !promotion.settlement.is_final(),
        confirmed: is_confirmed(&promotion.settlement, &promotion.proof),
        body: canonical(promotion)?,
    })
}

fn marks(row: &str, count: usize) -> String {
    vec![row; count].join(", ")
}

/// Rows in portions whose sizes are powers of two, so that there are few different statements and
/// each stays prepared.
fn portions<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = 1_usize << rows.len().min(MOST).checked_ilog2()?;
        let (portion, rest) = rows.split_at(size);
        rows = rest;
        Some(portion)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{RecordId, Settlement, event::Event},
        ledger::tests::{append, open, over_both, promotion, proposal, verified},
    };

    #[test]
    fn portions_hold_every_row_in_order_and_have_few_sizes() {
        for count in [0, 1, 2, 3, 255, 256, 257, 1000] {
            let rows: Vec<usize> = (0..count).collect();
            let sizes: Vec<usize> = portions(&rows).map(<[usize]>::len).collect();
            assert!(sizes.iter().all(|size| size.is_power_of_two() && *size <= MOST), "{count}: {sizes:?}");
            assert_eq!(portions(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        }
    }

    fn settled(id: &str, settlement: Settlement) -> Event {
        Event::PromotionSettled { promotion: PromotionId::new(id), settlement }
    }

    async fn what_waits_is_known_in_its_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path()).await;
        let (id, of) = (PromotionId::new("m-1"), ProposalId::parse("p-1").unwrap());
        let begun = [
            Event::ProposalReceived { proposal: proposal("p-1") },
            Event::PromotionIntended { promotion: promotion("m-1", "p-1") },
            Event::PromotionsSent { promotions: vec![id.clone()] },
        ];
        append(&ledger, &begun).await.unwrap();
        for kept in [false, true] {
            let mut tx = ledger.begin("test").await.unwrap();
            let (proposal_id, stage, code) = (of.clone(), Stage::Expired, "test".to_owned());
            tx.append(&Event::StageChanged { proposal_id, stage, code, successor: None }).await.unwrap();
            tx.look_ahead([&id]).await.unwrap();
            assert_eq!(tx.stage(&of).await.unwrap(), Some(Stage::Expired), "newer than the row");
            tx.append(&settled("m-1", Settlement::Done)).await.unwrap();
            assert!(!tx.unwritten.is_empty(), "neither of them asks for a statement");
            assert_eq!(tx.promotion(&id).await.unwrap().unwrap().settlement, Settlement::Done);
            let (object, records) = (proposal("p-1").object, [proposal("p-1").record]);
            let open = tx.open_promotions_for(&object, &records).await.unwrap();
            assert_eq!(open.len(), 0, "whoever asks the database finds it too");
            assert_eq!(tx.proposal(&of).await.unwrap().unwrap().stage, Stage::Promoted);
            assert!(tx.unwritten.is_empty());
            if kept {
                tx.commit().await.unwrap();
            }
            let stands = ledger.proposal(&of).await.unwrap().unwrap().stage;
            assert_eq!(stands == Stage::Promoted, kept, "a transaction that is dropped leaves nothing");
        }
        assert_eq!(verified(folder.path()).await.findings, []);
    }

    async fn more_than_one_statement_takes_are_written_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path()).await;
        let record =
            |n: usize| RecordId::parse(&RecordId::complete(&format!("00Q{n:012}")).unwrap()).unwrap();
        let ids: Vec<PromotionId> = (0..700).map(|n| PromotionId::new(format!("m-{n}"))).collect();
        let mut begun = Vec::new();
        for n in 0..700 {
            let mut received = proposal(&format!("p-{n}"));
            received.record = record(n);
            let mut intended = promotion(&format!("m-{n}"), &format!("p-{n}"));
            intended.plan.record = record(n);
            begun.push(Event::ProposalReceived { proposal: received });
            begun.push(Event::PromotionIntended { promotion: intended });
        }
        append(&ledger, &begun).await.unwrap();
        let mut tx = ledger.begin("test").await.unwrap();
        tx.look_ahead(&ids).await.unwrap();
        tx.append(&Event::PromotionsSent { promotions: ids.clone() }).await.unwrap();
        for (n, id) in ids.iter().enumerate() {
            let reason = "a rule, in words".to_owned();
            let end = if n % 2 == 0 { Settlement::Done } else { Settlement::Stale { reason } };
            tx.append(&settled(id.as_str(), end)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let counts = ledger.counts().await.unwrap();
        assert_eq!((counts.stages[&Stage::Promoted], counts.stages[&Stage::Stale]), (350, 350));
        assert_eq!((counts.promotions_open, counts.promotions_unconfirmed), (0, 350));
        let report = verified(folder.path()).await;
        assert_eq!((report.findings, report.entries), (vec![], 2101));
    }

    over_both!(what_waits_is_known_in_its_transaction, more_than_one_statement_takes_are_written_in_order);
}
