//! What verdicts rest on, kept once: policies and descriptions of objects, under their digests.

use super::{Ledger, LedgerError, Tx, db};
use crate::domain::{Digest, ObjectSchema, Policy, entry::Entry, event::Event};

/// Under which story an entry stands that keeps something with this digest.
pub(super) fn story(digest: &Digest) -> String {
    format!("basis:{digest}")
}

impl Ledger {
    /// The rules of the process that last became the writer; `None` before the first one.
    pub async fn policy_in_force(&self) -> Result<Option<Policy>, LedgerError> {
        let mut reader = self.reader().await?;
        let newest = db::query("SELECT text FROM entry WHERE kind = 'started' ORDER BY seq DESC LIMIT 1");
        let Some(row) = newest.fetch_optional(&mut reader).await? else { return Ok(None) };
        let Event::Started { policy, .. } = event(&row.text(0)?)? else { return Ok(None) };
        let kept =
            db::query("SELECT text FROM entry WHERE proposal = ? AND kind = 'policy_recorded' LIMIT 1");
        let Some(row) = kept.bind(story(&policy)).fetch_optional(&mut reader).await? else { return Ok(None) };
        match event(&row.text(0)?)? {
            Event::PolicyRecorded { policy } => Ok(Some(policy)),
            _ => Ok(None),
        }
    }
}

/// The event of an entry; neither kind has private parts.
fn event(text: &str) -> Result<Event, LedgerError> {
    let entry: Entry = serde_json::from_str(text)?;
    Ok(serde_json::from_value(entry.event)?)
}

impl Tx<'_> {
    /// Keeps the rules, unless they are kept already.
    pub async fn keep_policy(&mut self, digest: &Digest, policy: &Policy) -> Result<(), LedgerError> {
        if !self.keeps(digest).await? {
            self.append(&Event::PolicyRecorded { policy: policy.clone() }).await?;
        }
        Ok(())
    }

    /// Keeps what the org says about an object, unless it is kept already.
    pub async fn keep_schema(&mut self, digest: &Digest, schema: &ObjectSchema) -> Result<(), LedgerError> {
        if !self.keeps(digest).await? {
            self.append(&Event::SchemaRecorded { schema: schema.clone() }).await?;
        }
        Ok(())
    }

    /// The kind counts as well: a proposer may choose an id that looks like such a story.
    async fn keeps(&mut self, digest: &Digest) -> Result<bool, LedgerError> {
        let found = db::query(
            "SELECT 1 FROM entry WHERE proposal = ? AND kind IN ('policy_recorded', 'schema_recorded') LIMIT 1",
        )
        .bind(story(digest));
        Ok(found.fetch_optional(self.connection().await?).await?.is_some())
    }
}
