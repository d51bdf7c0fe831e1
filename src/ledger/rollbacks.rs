//! Choosing what is rolled back, and the rollbacks that were begun, read back from the entries.

use serde_json::Value;

use super::{
    Ledger, LedgerError, Tx,
    append::number,
    db::{self, Sql},
    queries::put_back,
    recorded::place_before,
};
use crate::domain::{
    Choice, Digest, ObjectName, Promotion, PromotionId, ProposalId, RecordId, Rollback, entry::Entry,
};

/// The story of a rollback.
pub(super) fn story(id: &Digest) -> String {
    format!("rollback:{id}")
}

/// A promotion that landed, with what its choice may rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// The promotion.
    pub promotion: Promotion,
    /// Who proposed it.
    pub agent: String,
    /// The policy that its last verdict rests on.
    pub policy: Option<Digest>,
}

/// A rollback that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Who, why, and what was shown.
    pub rollback: Rollback,
    /// It came to its end.
    pub ended: bool,
}

/// What is asked of the text columns; what is not asked for is NULL. The two databases take lists
/// apart in different ways.
macro_rules! chosen {
    ($changes:literal, $field:literal, $findings:literal, $code:literal) => {
        concat!(
            "SELECT m.body, p.body ->> '$.actor.agent', p.verdict ->> '$.policy' \
             FROM promotion m JOIN proposal p ON p.id = m.proposal \
             WHERE m.open = 0 AND m.body ->> '$.settlement.state' = 'done' AND m.body ->> '$.undoes' IS NULL \
             AND m.seq > ?1 AND m.seq <= ?2 AND (?3 IS NULL OR m.proposal = ?3) \
             AND (?4 IS NULL OR p.body ->> '$.actor.agent' = ?4) \
             AND (?5 IS NULL OR p.body ->> '$.actor.run' = ?5) \
             AND (?6 IS NULL OR m.object = ?6) AND (?7 IS NULL OR m.record = ?7) \
             AND (?8 IS NULL OR m.object = ?8) AND (?9 IS NULL OR EXISTS (SELECT 1 FROM ",
            $changes,
            " c WHERE c.value ->> ",
            $field,
            " = ?9)) AND (?10 IS NULL OR EXISTS (SELECT 1 FROM ",
            $findings,
            " f WHERE f.value ->> ",
            $code,
            " = ?10)) ORDER BY m.seq"
        )
    };
}

const CHOSEN: Sql = Sql::Either(
    chosen!(
        "json_each(m.body, '$.plan.changes')",
        "'$.field'",
        "json_each(p.verdict, '$.findings')",
        "'$.code'"
    ),
    chosen!(
        "json_array_elements(doc(m.body) #> '{plan,changes}')",
        "'field'",
        "json_array_elements(doc(p.verdict) #> '{findings}')",
        "'code'"
    ),
);

/// Promotions on records that are bound as pairs of object and record.
macro_rules! written_on {
    ($pairs:literal) => {
        concat!(
            "SELECT m.body, p.body ->> '$.actor.agent', p.verdict ->> '$.policy' FROM ",
            $pairs,
            " LEFT JOIN proposal p ON p.id = m.proposal \
             WHERE m.open = 1 OR m.body ->> '$.settlement.state' = 'done' ORDER BY m.seq"
        )
    };
}

const WRITTEN_ON: Sql = Sql::Either(
    written_on!(
        "(SELECT DISTINCT value ->> 0 AS object, value ->> 1 AS record FROM json_each(?)) w \
         CROSS JOIN promotion m ON m.object = w.object AND m.record = w.record"
    ),
    written_on!(
        "(SELECT DISTINCT value ->> 0 AS object, value ->> 1 AS record FROM json_array_elements(?::json)) w \
         JOIN promotion m ON m.object = w.object AND m.record = w.record"
    ),
);

const BY_ID: Sql = Sql::Either(
    "SELECT body FROM promotion WHERE id IN (SELECT value FROM json_each(?)) ORDER BY seq",
    "SELECT body FROM promotion WHERE id IN (SELECT json_array_elements_text(?::json)) ORDER BY seq",
);

impl Ledger {
    /// Landed promotions that are no rollbacks and that the choice means, oldest first. The policy is
    /// the caller's to compare, and whether they were undone already too.
    pub async fn chosen(&self, choice: &Choice) -> Result<Vec<Landed>, LedgerError> {
        let mut reader = self.reader().await?;
        let head = super::meta::read_head(&mut reader).await?.0;
        let after = match choice.since {
            Some(since) => place_before(&mut reader, head, since).await?,
            None => 0,
        };
        let up_to = match choice.until {
            Some(until) => place_before(&mut reader, head, until).await?,
            None => head,
        };
        let (object, record) = pair(choice.record.as_ref());
        let (lane_object, field) = pair(choice.lane.as_ref());
        let query = db::query(CHOSEN)
            .bind(number(after)?)
            .bind(number(up_to)?)
            .bind(choice.proposal.as_ref().map(ProposalId::as_str))
            .bind(choice.agent.as_deref())
            .bind(choice.run.as_deref())
            .bind(object.map(ObjectName::as_str))
            .bind(record.map(RecordId::as_str))
            .bind(lane_object.map(ObjectName::as_str))
            .bind(field.map(|field| field.as_str()))
            .bind(choice.rule.as_deref());
        query.fetch_all(&mut reader).await?.iter().map(landed).collect()
    }

    /// Promotions of these records that landed, rollbacks included, or have not ended; oldest first.
    pub async fn written_on(&self, records: &[(ObjectName, RecordId)]) -> Result<Vec<Landed>, LedgerError> {
        let rows = db::query(WRITTEN_ON).bind(serde_json::to_string(records)?);
        let mut reader = self.reader().await?;
        rows.fetch_all(&mut reader).await?.iter().map(landed).collect()
    }

    /// How these promotions stand now, in the order of their ids' first sight.
    pub async fn promotions_by_id(&self, ids: &[PromotionId]) -> Result<Vec<Promotion>, LedgerError> {
        let rows = db::query(BY_ID).bind(serde_json::to_string(ids)?);
        let mut reader = self.reader().await?;
        let found = rows.fetch_all(&mut reader).await?;
        found.iter().map(|row| Ok(serde_json::from_str(&row.text(0)?)?)).collect()
    }

    /// The rollback that was begun under this manifest.
    pub async fn rollback(&self, id: &Digest) -> Result<Option<Begun>, LedgerError> {
        let mut reader = self.reader().await?;
        begun(&mut reader, id).await
    }
}

impl Tx<'_> {
    /// The same as this transaction sees it.
    pub async fn rollback(&mut self, id: &Digest) -> Result<Option<Begun>, LedgerError> {
        begun(self.connection().await?, id).await
    }

    /// Every promotion that a proposal led to, rollbacks included, oldest first.
    pub async fn promotions_of_proposal(&mut self, id: &ProposalId) -> Result<Vec<Promotion>, LedgerError> {
        let sql = "SELECT body FROM promotion WHERE proposal = ? ORDER BY seq";
        let rows = db::query(sql).bind(id.as_str()).fetch_all(self.connection().await?).await?;
        rows.iter().map(|row| Ok(serde_json::from_str(&row.text(0)?)?)).collect()
    }
}

fn pair<A, B>(both: Option<&(A, B)>) -> (Option<&A>, Option<&B>) {
    both.map_or((None, None), |(one, other)| (Some(one), Some(other)))
}

fn landed(row: &db::Row) -> Result<Landed, LedgerError> {
    Ok(Landed {
        promotion: serde_json::from_str(&row.text(0)?)?,
        agent: row.try_get::<Option<String>>(1)?.unwrap_or_default(),
        policy: row.try_get::<Option<String>>(2)?.map(Digest::from_hex),
    })
}

async fn begun(connection: &mut db::Connection, id: &Digest) -> Result<Option<Begun>, LedgerError> {
    // The kind as well: a proposer may choose an id that looks like this story.
    let rows = db::query(
        "SELECT seq, text, kind FROM entry WHERE proposal = ? \
         AND kind IN ('rollback_begun', 'rollback_ended') ORDER BY seq",
    )
    .bind(story(id))
    .fetch_all(&mut *connection)
    .await?;
    let mut found: Option<Begun> = None;
    for row in rows {
        if row.text(2)? == "rollback_ended" {
            if let Some(begun) = &mut found {
                begun.ended = true;
            }
            continue;
        }
        let seq = u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0);
        let entry: Entry = serde_json::from_str(&row.text(1)?)?;
        let mut event = entry.event;
        put_back(connection, seq, &mut event).await?;
        let mut rollback = event.get_mut("rollback").map(Value::take).unwrap_or_default();
        if rollback.get("reason").is_none() {
            rollback["reason"] = "(erased)".into();
        }
        found = Some(Begun { rollback: serde_json::from_value(rollback)?, ended: false });
    }
    Ok(found)
}
