//! The daemon's word to the org that it is at work, on its own user: validation rules see `$User` without
//! a query, and no other user's record is touched.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde_json::{Value, json};

use super::{
    Reader, SalesforceError, Writer,
    connection::Call,
    describe::switches,
    names::{
        ObjectContract,
        heartbeat::{AT, OBJECT},
        setting,
    },
    soql_text::literal,
};
use crate::domain::RecordId;

impl Writer {
    /// Writes the time. It may be sent twice: the later one counts.
    pub async fn beat(&self, own_user: &RecordId, at: Timestamp) -> Result<(), SalesforceError> {
        let path = self.connection().data(&format!("sobjects/{OBJECT}/{own_user}"));
        let body = json!({ AT: at.to_string() });
        let reply = self.connection().send(&Call::with_body(Method::PATCH, &path, &body)).await?;
        if reply.is_success() { Ok(()) } else { Err(reply.error()) }
    }
}

impl Reader {
    /// After how long a silence the org lets nothing run by itself; `None`: it asks for no heartbeat.
    pub async fn silent_after(&self) -> Result<Option<SignedDuration>, SalesforceError> {
        let (field, object, record) = (setting::SILENT_HOURS, setting::OBJECT, literal(setting::RECORD));
        let soql = format!("SELECT {field} FROM {object} WHERE DeveloperName = {record}");
        let rows = self.query(&soql).await?;
        Ok(rows.first().and_then(|row| hours(row.get(field)?)))
    }

    /// Governed fields that may change without a person: their switch is on, `Lead.Status`.
    pub async fn automatic_lanes(
        &self,
        contracts: &[&'static ObjectContract],
    ) -> Result<Vec<String>, SalesforceError> {
        let lanes = || contracts.iter().flat_map(|of| of.lanes.iter().map(|lane| (of.object, lane)));
        let names: Vec<&'static str> = lanes().map(|(_, lane)| lane.auto_switch).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let on = switches(self.connection(), &names).await?;
        let is_on = lanes().filter(|(_, lane)| on.contains(&lane.auto_switch));
        Ok(is_on.map(|(object, lane)| format!("{object}.{}", lane.field)).collect())
    }

    /// When the daemon's user was last heard of, as the org has it.
    pub async fn heard_at(&self, own_user: &RecordId) -> Result<Option<Timestamp>, SalesforceError> {
        let soql = format!("SELECT {AT} FROM {OBJECT} WHERE Id = {}", literal(own_user.as_str()));
        let rows = self.query(&soql).await?;
        Ok(rows.first().and_then(|row| row.get(AT)?.as_str()?.parse().ok()))
    }
}

/// Hours above zero, to the minute.
fn hours(value: &Value) -> Option<SignedDuration> {
    let hours: Decimal = value.as_number()?.to_string().parse().ok()?;
    let minutes = (hours * Decimal::from(60)).to_i64().filter(|minutes| *minutes > 0)?;
    Some(SignedDuration::from_mins(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_and_zero_hours_ask_for_nothing() {
        assert_eq!(hours(&json!(24)), Some(SignedDuration::from_hours(24)));
        assert_eq!(hours(&json!(1.5)), Some(SignedDuration::from_mins(90)));
        for nothing in [json!(0), json!(0.0), json!(-1), Value::Null, json!("24")] {
            assert_eq!(hours(&nothing), None, "{nothing}");
        }
    }
}
