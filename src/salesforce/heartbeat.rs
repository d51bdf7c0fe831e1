//! The daemon's word to the org that it is at work, on its own user: validation rules see `$User` without
//! a query, and no other user's record is touched.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;

use super::{
    SalesforceError, Writer,
    connection::Call,
    names::heartbeat::{AT, OBJECT},
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
