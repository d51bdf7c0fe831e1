//! Erasing private parts: from the side table with their salts, from the projections that hold
//! copies, and from the inbox, which holds what the stream delivered.

use std::collections::BTreeMap;

use super::{
    Ledger, LedgerError, Tx,
    append::number,
    db::{self, Dialect},
    reconciliations::LIST,
    recorded::place_before,
    signals,
};
use crate::domain::{
    BreakGlassUse, PromotionId,
    digest::canonical,
    erasure::{About, Erasure, mask_approval, mask_promotion, mask_proposal, mask_verdict},
    event::Event,
};

/// Entries that one erasure entry speaks of at most.
const MOST: usize = 2_000;

/// Entries of a story. The kind as well, because a proposer may choose an id that looks like another
/// story.
const OWN: &str = "e.proposal = ?1 AND e.kind NOT IN ('frozen', 'unfrozen', 'signal_received', \
    'break_glass_used', 'policy_recorded', 'schema_recorded', 'rollback_begun', 'rollback_ended', \
    'reconciled', 'ground_accepted', 'drift_seen', 'lane_moved', 'writers_counted')";
const SIGNALS: &str = "e.proposal = ?1 AND e.kind = 'signal_received'";
const BREAK_GLASS: &str = "e.proposal = ?1 AND e.kind IN ('break_glass_used', 'notice_intended')";

/// What was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    /// Entries of which parts are gone.
    pub entries: u64,
    /// Values that are gone.
    pub values: u64,
    /// Batches of the inbox that are gone: they were worked on.
    pub batches: u64,
    /// The entries that speak of it.
    pub recorded: Vec<u64>,
}

/// Places and their private paths.
type Found = BTreeMap<u64, Vec<String>>;

impl Tx<'_> {
    /// Erases every private part about something, and records that. What has not ended is refused;
    /// by age, it is left out. Finding nothing is no error and leaves no entry.
    pub async fn erase(&mut self, asked: Erasure) -> Result<Erased, LedgerError> {
        let proposals = self.affected(&asked.about).await?;
        let mut found = Found::new();
        for story in &proposals {
            self.find(OWN, story, &mut found).await?;
        }
        match &asked.about {
            About::Record { record, .. } => {
                self.find(SIGNALS, &signals::story(record), &mut found).await?;
                let story = BreakGlassUse::story(record);
                self.refuse_open_notice(&story).await?;
                self.find(BREAK_GLASS, &story, &mut found).await?;
            }
            About::Before { before } => {
                let head = self.head_seq;
                let last = place_before(self.connection().await?, head, *before).await?;
                let which = "e.kind IN ('signal_received', 'break_glass_used', 'reconciled') \
                             AND e.seq <= CAST(?1 AS BIGINT)";
                self.find(which, &last.to_string(), &mut found).await?;
            }
            About::Proposal { .. } => {}
        }
        self.find_lists(&asked.about, &proposals, &mut found).await?;
        let mut erased = Erased { entries: found.len() as u64, ..Erased::default() };
        for seq in found.keys() {
            let gone = db::query("DELETE FROM private WHERE seq = ?").bind(number(*seq)?);
            erased.values += gone.execute(self.connection().await?).await?;
        }
        for story in &proposals {
            self.mask(story).await?;
        }
        let found: Vec<(u64, Vec<String>)> = found.into_iter().collect();
        for part in found.chunks(MOST) {
            let paths = part.iter().map(|(seq, paths)| (seq.to_string(), paths.clone())).collect();
            let event = Event::Erased { erasure: Erasure { paths, ..asked.clone() } };
            erased.recorded.push(self.append(&event).await?);
        }
        let limit = match &asked.about {
            About::Before { before } => *before,
            _ => asked.at,
        };
        erased.batches = self.prune_inbox(limit).await?;
        Ok(erased)
    }

    /// The proposals that it is about.
    async fn affected(&mut self, about: &About) -> Result<Vec<String>, LedgerError> {
        // Only what ended: its stage, its promotions and what is on its way to its record.
        let open = "(p.open = 1 OR EXISTS (SELECT 1 FROM promotion m WHERE m.proposal = p.id AND m.open = 1) \
                    OR EXISTS (SELECT 1 FROM notice n WHERE n.proposal = p.id))";
        let (which, words) = match about {
            About::Record { object, record } => {
                // Ids are unique in an org: what was to be made below the record speaks of it too.
                let which = "(p.object = ? OR p.body ->> '$.creates.parent' IS NOT NULL) AND p.record = ?";
                (which, vec![object.to_string(), record.to_string()])
            }
            About::Proposal { proposal_id } => ("p.id = ?", vec![proposal_id.to_string()]),
            About::Before { before } => {
                let older = match self.connection().await?.dialect() {
                    Dialect::Sqlite => "p.open = 0 AND julianday(p.updated_at) < julianday(?)",
                    Dialect::Postgres => "p.open = 0 AND p.updated_at::timestamptz < CAST(? AS timestamptz)",
                };
                (older, vec![before.to_string()])
            }
        };
        let sql = format!("SELECT p.id, {open} FROM proposal p WHERE {which} ORDER BY p.received_seq");
        let query = words.into_iter().fold(db::query(sql), db::Query::bind);
        let mut affected = Vec::new();
        for row in query.fetch_all(self.connection().await?).await? {
            let (id, is_open): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
            match about {
                _ if !is_open => affected.push(id),
                About::Before { .. } => {}
                _ => return Err(LedgerError::ErasureOpen(id)),
            }
        }
        match about {
            About::Proposal { proposal_id } if affected.is_empty() => {
                Err(LedgerError::Unknown { what: "proposal", id: proposal_id.to_string() })
            }
            _ => Ok(affected),
        }
    }

    async fn refuse_open_notice(&mut self, story: &str) -> Result<(), LedgerError> {
        let row = db::query("SELECT 1 FROM notice WHERE proposal = ?").bind(story);
        match row.fetch_optional(self.connection().await?).await? {
            Some(_) => Err(LedgerError::ErasureOpen(story.to_owned())),
            None => Ok(()),
        }
    }

    /// The private parts of the entries for which `which` holds.
    async fn find(&mut self, which: &str, word: &str, into: &mut Found) -> Result<(), LedgerError> {
        let sql = format!(
            "SELECT v.seq, v.path FROM private v JOIN entry e ON e.seq = v.seq WHERE {which} ORDER BY v.seq, v.path"
        );
        let rows = db::query(sql).bind(word).fetch_all(self.connection().await?).await?;
        for row in rows {
            let seq = u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0);
            let paths: &mut Vec<String> = into.entry(seq).or_default();
            let path: String = row.try_get(1)?;
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        Ok(())
    }

    /// The lists of reconciliations that speak of the same: what stands in one goes with it.
    async fn find_lists(
        &mut self,
        about: &About,
        proposals: &[String],
        into: &mut Found,
    ) -> Result<(), LedgerError> {
        let record = match about {
            About::Record { record, .. } => Some(record),
            About::Proposal { .. } | About::Before { .. } => None,
        };
        for seq in self.lists_about(record, proposals).await? {
            into.insert(seq, vec![LIST.to_owned()]);
        }
        Ok(())
    }

    /// Takes the copies out of the projections of a proposal. The rows are then what a fold over the
    /// entries gives when their parts are gone.
    async fn mask(&mut self, id: &str) -> Result<(), LedgerError> {
        let Some(record) = self.proposal_by_text(id).await? else { return Ok(()) };
        let (mut proposal, mut verdict, mut approval) = (record.proposal, record.verdict, record.approval);
        mask_proposal(&mut proposal);
        verdict.iter_mut().for_each(mask_verdict);
        approval.iter_mut().for_each(mask_approval);
        db::query(
            "UPDATE proposal SET fingerprint = ?, patch = ?, body = ?, verdict = ?, approval = ? WHERE id = ?",
        )
        .bind(proposal.fingerprint()?.to_string())
        .bind(proposal.patch_digest()?.to_string())
        .bind(canonical(&proposal)?)
        .bind(verdict.as_ref().map(canonical).transpose()?)
        .bind(approval.as_ref().map(canonical).transpose()?)
        .bind(id)
        .execute(self.connection().await?)
        .await?;
        let rows = db::query("SELECT id FROM promotion WHERE proposal = ?").bind(id);
        for row in rows.fetch_all(self.connection().await?).await? {
            let promotion = PromotionId::new(row.try_get::<String>(0)?);
            self.change_promotion(&promotion, |promotion| {
                mask_promotion(promotion);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
}

impl Ledger {
    /// Takes what was deleted out of the files as well: SQLite's write-ahead log, PostgreSQL's tables,
    /// which are written anew. `false` when another process was in the way just then; the next call
    /// does it, and for a file the daemon does. PostgreSQL's own log and backups are not reached.
    pub async fn forget(&self) -> Result<bool, LedgerError> {
        let Some(writer) = &self.inner.writer else { return Err(LedgerError::ReadOnly) };
        let mut writer = writer.lock().await;
        if writer.connection.dialect() == Dialect::Postgres {
            return rewrite_tables(&mut writer.connection).await;
        }
        let row = db::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut writer.connection).await?;
        Ok(row.try_get::<i64>(0)? == 0)
    }
}

/// Plain `VACUUM` leaves the bytes of deleted rows in their pages until something is written over them.
async fn rewrite_tables(connection: &mut db::Connection) -> Result<bool, LedgerError> {
    // To anybody but the owner, `VACUUM` says that it is done and does nothing.
    let sql = "SELECT bool_and(pg_has_role(c.relowner, 'USAGE')) FROM pg_class c \
               WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = 'private'";
    if !db::query(sql).fetch_one(connection).await?.try_get::<bool>(0)? {
        return Ok(false);
    }
    connection.raw("SET statement_timeout = 0").await?;
    let mut done = true;
    for table in ["private", "proposal", "promotion", "inbox"] {
        match connection
            .raw_for_long(format!("VACUUM (FULL, ANALYZE) {table}"))
            .await
            .map_err(LedgerError::from)
        {
            Ok(()) => {}
            Err(LedgerError::Busy) => done = false,
            Err(error) => return Err(error),
        }
    }
    connection.raw("SET statement_timeout = '60s'").await?;
    Ok(done)
}
