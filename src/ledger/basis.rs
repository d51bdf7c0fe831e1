//! What verdicts rest on, kept once: policies and descriptions of objects, under their digests.

use super::{LedgerError, Tx, db};
use crate::domain::{Digest, ObjectSchema, Policy, event::Event};

/// Under which story an entry stands that keeps something with this digest.
pub(super) fn story(digest: &Digest) -> String {
    format!("basis:{digest}")
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
