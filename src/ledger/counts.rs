//! Counting what came in, or ran with no person, within a time: what budgets are compared with.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    LedgerError, Tx,
    append::number,
    db::{self, Dialect},
    recorded::place_before,
};
use crate::domain::{
    ObjectName,
    policy::{CountKey, Counted, Per},
};

impl Tx<'_> {
    /// How many there are at this time. The cost follows what came in within the minutes, because
    /// only those entries are read.
    pub async fn count(
        &mut self,
        object: &ObjectName,
        key: &CountKey,
        now: Timestamp,
    ) -> Result<Decimal, LedgerError> {
        let minutes = key.minutes.to_i64().unwrap_or(i64::MAX / 120);
        let since = now.checked_sub(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MIN);
        let head = self.head_seq;
        let after = place_before(self.connection().await?, head, since).await?;
        let kind = match key.of {
            Counted::Proposals => "e.kind = 'proposal_received'",
            Counted::Promotions => {
                "e.kind = 'promotion_intended' AND e.text ->> '$.event.promotion.plan.basis' = 'auto'"
            }
        };
        let dialect = self.connection().await?.dialect();
        let whose = match key.per {
            Per::Agent => "p.body ->> '$.actor.agent' = ?",
            Per::Lane if dialect == Dialect::Sqlite => {
                "EXISTS (SELECT 1 FROM json_each(p.body, '$.patch') f WHERE f.key = ?)"
            }
            Per::Lane => "? IN (SELECT json_object_keys(doc(p.body) -> 'patch'))",
            Per::Record => "p.record = ?",
            Per::Object => "p.object = ?",
        };
        let sql = format!(
            "SELECT count(*) FROM entry e JOIN proposal p ON p.id = e.proposal \
             WHERE e.seq > ? AND {kind} AND p.object = ? AND {whose}"
        );
        let row = db::query(sql)
            .bind(number(after)?)
            .bind(object.as_str())
            .bind(&key.whose)
            .fetch_one(self.connection().await?)
            .await?;
        Ok(Decimal::from(row.try_get::<i64>(0)?))
    }
}
