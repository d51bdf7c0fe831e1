//! Fields under watch: the projection, what is due, and labels counted for scorecards.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Ledger, LedgerError, Tx, db,
    proposals::{COLUMNS, ProposalRecord, from_row},
};
use crate::domain::{
    FieldName, ObjectName, ProposalId, RecordId,
    shadow::{Label, Labelled, Standing, Watch},
};

/// Most ids in one statement.
const CHUNK: usize = 500;

/// A watched field with its proposal.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The field.
    pub field: FieldName,
    /// It went on to people or to the record.
    pub live: bool,
    /// When the gate decided, in whole seconds since 1970.
    pub since: i64,
    /// When the watch ends, the same.
    pub due: i64,
    /// What became of it so far.
    pub standing: Standing,
    /// The proposal as it stands.
    pub proposal: ProposalRecord,
}

/// Watched fields that have the same of everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The field.
    pub field: FieldName,
    /// Who proposed.
    pub agent: String,
    /// In which version; empty when not told.
    pub version: String,
    /// The part of the records.
    pub segment: String,
    /// What was seen.
    pub label: Option<Label>,
    /// What a person said.
    pub judged: Option<Label>,
    /// How many.
    pub count: u32,
}

/// What names a row.
pub(super) fn key(proposal: &ProposalId, field: &FieldName) -> String {
    format!("{proposal} {field}")
}

/// Columns of a watch, put before those of its proposal.
fn columns() -> String {
    let rest = COLUMNS.trim_start_matches("SELECT ").replacen(
        "FROM proposal p",
        ", w.field, w.live, w.since, w.due, w.label, w.judged, w.labelled, w.settled \
         FROM watch w JOIN proposal p ON p.id = w.proposal",
        1,
    );
    format!("SELECT {rest}")
}

fn label(text: Option<String>) -> Result<Option<Label>, LedgerError> {
    let unknown = |text: &str| LedgerError::Damaged(format!("label `{text}`"));
    text.map(|text| Label::parse(&text).ok_or_else(|| unknown(&text))).transpose()
}

fn field(text: &str) -> Result<FieldName, LedgerError> {
    FieldName::parse(text).map_err(|error| LedgerError::Damaged(error.to_string()))
}

fn watched(row: &db::Row) -> Result<Watched, LedgerError> {
    Ok(Watched {
        proposal: from_row(row)?,
        field: field(&row.text(11)?)?,
        live: row.try_get(12)?,
        since: row.try_get(13)?,
        due: row.try_get(14)?,
        standing: Standing {
            label: label(row.try_get(15)?)?,
            judged: label(row.try_get(16)?)?,
            labelled: row.try_get(17)?,
            settled: row.try_get(18)?,
        },
    })
}

impl Tx<'_> {
    /// A later watch of the same proposal takes the place of the earlier one.
    pub(super) async fn put_watch(&mut self, watch: &Watch) -> Result<(), LedgerError> {
        for field in &watch.fields {
            db::query(
                "INSERT INTO watch (proposal, field, object, record, agent, version, segment, live, since, due, \
                 labelled, settled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0) \
                 ON CONFLICT (proposal, field) DO UPDATE SET object = ?3, record = ?4, agent = ?5, version = ?6, \
                 segment = ?7, live = ?8, since = ?9, due = ?10, label = NULL, judged = NULL, labelled = 0, settled = 0",
            )
            .bind(watch.proposal_id.as_str())
            .bind(field.as_str())
            .bind(watch.object.as_str())
            .bind(watch.record.as_str())
            .bind(&watch.agent)
            .bind(watch.version.as_deref().unwrap_or_default())
            .bind(&watch.segment)
            .bind(watch.live)
            .bind(watch.since.as_second())
            .bind(watch.due.as_second())
            .execute(self.own_connection())
            .await?;
        }
        Ok(())
    }

    pub(super) async fn put_label(&mut self, found: &Labelled) -> Result<(), LedgerError> {
        let unknown = || LedgerError::Unknown { what: "watch", id: key(&found.proposal_id, &found.field) };
        let row =
            db::query("SELECT label, judged, labelled, settled FROM watch WHERE proposal = ? AND field = ?")
                .bind(found.proposal_id.as_str())
                .bind(found.field.as_str())
                .fetch_optional(self.own_connection())
                .await?
                .ok_or_else(unknown)?;
        let mut standing = Standing {
            label: label(row.try_get(0)?)?,
            judged: label(row.try_get(1)?)?,
            labelled: row.try_get(2)?,
            settled: row.try_get(3)?,
        };
        standing.take(found);
        db::query(
            "UPDATE watch SET label = ?, judged = ?, labelled = ?, settled = ? WHERE proposal = ? AND field = ?",
        )
        .bind(standing.label.map(Label::name))
        .bind(standing.judged.map(Label::name))
        .bind(standing.labelled)
        .bind(standing.settled)
        .bind(found.proposal_id.as_str())
        .bind(found.field.as_str())
        .execute(self.own_connection())
        .await?;
        Ok(())
    }

    /// Watched fields of a proposal, in their order.
    pub async fn watches_of(&mut self, id: &ProposalId) -> Result<Vec<Watched>, LedgerError> {
        let sql = format!("{} WHERE w.proposal = ? ORDER BY w.field", columns());
        let rows = db::query(sql).bind(id.as_str()).fetch_all(self.connection().await?).await?;
        rows.iter().map(watched).collect()
    }

    /// Fields of these records whose watch has not ended, oldest first.
    pub async fn watches_on(
        &mut self,
        object: &ObjectName,
        records: &[RecordId],
    ) -> Result<Vec<Watched>, LedgerError> {
        let mut found = Vec::new();
        for chunk in records.chunks(CHUNK) {
            let marks = vec!["?"; chunk.len()].join(",");
            let sql = format!(
                "{} WHERE w.settled = 0 AND w.object = ? AND w.record IN ({marks}) ORDER BY w.since, w.proposal, w.field",
                columns()
            );
            let query = db::query(sql).bind(object.as_str());
            let query = chunk.iter().fold(query, |query, record| query.bind(record.as_str()));
            for row in query.fetch_all(self.connection().await?).await? {
                found.push(watched(&row)?);
            }
        }
        Ok(found)
    }
}

impl Ledger {
    /// Those of these records that have a watch which has not ended.
    pub async fn watched_records(
        &self,
        object: &ObjectName,
        records: &[RecordId],
    ) -> Result<BTreeSet<RecordId>, LedgerError> {
        let mut found = BTreeSet::new();
        let mut reader = self.reader().await?;
        for chunk in records.chunks(CHUNK) {
            let marks = vec!["?"; chunk.len()].join(",");
            let sql = format!(
                "SELECT DISTINCT record FROM watch WHERE settled = 0 AND object = ? AND record IN ({marks})"
            );
            let query = db::query(sql).bind(object.as_str());
            let query = chunk.iter().fold(query, |query, record| query.bind(record.as_str()));
            for row in query.fetch_all(&mut reader).await? {
                let id = RecordId::parse(&row.text(0)?);
                found.insert(id.map_err(|error| LedgerError::Damaged(error.to_string()))?);
            }
        }
        Ok(found)
    }

    /// Fields that were only recorded and whose watch ends until then, the earliest first, at most `most`.
    pub async fn watches_due(&self, until: Timestamp, most: u32) -> Result<Vec<Watched>, LedgerError> {
        let sql = format!(
            "{} WHERE w.settled = 0 AND w.live = 0 AND w.due <= ? ORDER BY w.due, w.proposal, w.field LIMIT ?",
            columns()
        );
        let query = db::query(sql).bind(until.as_second()).bind(most);
        let mut reader = self.reader().await?;
        query.fetch_all(&mut reader).await?.iter().map(watched).collect()
    }

    /// Fields that went on to people or to the record, and of which the ledger knows more than their label
    /// says: they were decided, promoted, put back, ended, or their watch ends until then. What a program did
    /// while a proposal waited is not its end. At most `most`.
    pub async fn watches_moved(&self, until: Timestamp, most: u32) -> Result<Vec<Watched>, LedgerError> {
        let sql = format!(
            "{} WHERE w.settled = 0 AND w.live = 1 AND (w.due <= ? OR p.stage = 'rolled-back' \
             OR ((w.label IS NULL OR w.label = 'program') AND (p.stage = 'promoted' OR p.open = 0))) \
             ORDER BY w.due, w.proposal, w.field LIMIT ?",
            columns()
        );
        let query = db::query(sql).bind(until.as_second()).bind(most);
        let mut reader = self.reader().await?;
        query.fetch_all(&mut reader).await?.iter().map(watched).collect()
    }

    /// Objects of which fields are or were watched; with `open` only those with a watch that has not ended.
    pub async fn watched_objects(&self, open: bool) -> Result<Vec<ObjectName>, LedgerError> {
        let which = if open { "WHERE settled = 0" } else { "" };
        let sql = format!("SELECT DISTINCT object FROM watch {which} ORDER BY object");
        let mut reader = self.reader().await?;
        let rows = db::query(sql).fetch_all(&mut reader).await?;
        let read = |row: &db::Row| {
            ObjectName::parse(&row.text(0)?).map_err(|error| LedgerError::Damaged(error.to_string()))
        };
        rows.iter().map(read).collect()
    }

    /// Labels of an object that were found since then, and what waits for one, counted.
    pub async fn labels(&self, object: &ObjectName, since: Timestamp) -> Result<Vec<Counted>, LedgerError> {
        let query = db::query(
            "SELECT field, agent, version, segment, label, judged, count(*) FROM watch \
             WHERE object = ? AND (labelled >= ? OR (labelled = 0 AND settled = 0)) \
             GROUP BY field, agent, version, segment, label, judged \
             ORDER BY field, agent, version, segment, label, judged",
        )
        .bind(object.as_str())
        .bind(since.as_second());
        let mut reader = self.reader().await?;
        let mut counted = Vec::new();
        for row in query.fetch_all(&mut reader).await? {
            counted.push(Counted {
                field: field(&row.text(0)?)?,
                agent: row.try_get(1)?,
                version: row.try_get(2)?,
                segment: row.try_get(3)?,
                label: label(row.try_get(4)?)?,
                judged: label(row.try_get(5)?)?,
                count: u32::try_from(row.try_get::<i64>(6)?).unwrap_or(u32::MAX),
            });
        }
        Ok(counted)
    }

    /// The newest watched fields of an object, at most `most`; only those without any label with `open`.
    pub async fn watches(
        &self,
        object: &ObjectName,
        (open, most): (bool, u32),
    ) -> Result<Vec<Watched>, LedgerError> {
        let which = if open {
            "AND w.judged IS NULL AND (w.label IS NULL OR w.label IN ('untouched', 'unclear', 'program', 'undone'))"
        } else {
            ""
        };
        let sql = format!(
            "{} WHERE w.object = ? {which} ORDER BY w.since DESC, w.proposal, w.field LIMIT ?",
            columns()
        );
        let query = db::query(sql).bind(object.as_str()).bind(most);
        let mut reader = self.reader().await?;
        query.fetch_all(&mut reader).await?.iter().map(watched).collect()
    }
}
