//! Anchors: checkpoints of the ledger that stand in the org too, so that neither whoever can write
//! the ledger's machine nor whoever can write the org rewrites history alone.
//!
//! An entry says what is about to be sent, a second one how it ended. Where that is not known, the
//! org is read: the record's key says which statement it is, and the org keeps each key once, so the
//! same one may be sent again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Context, WorkflowError};
use crate::{
    domain::{anchor::Anchor, event::Event},
    ledger::checkpoint::{Anchored, Checkpoint, CheckpointError, Note, Signer, Verifier, unmet},
    salesforce::{AnchorRow, Class, NewAnchor, Reader, Writer},
};

/// How many of the org's checkpoints are compared, from the largest on. One query gives them.
pub const MOST: usize = 1_000;

/// How long a refused anchor is not tried again.
const PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// Why the ledger is not led, or what could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The org's checkpoints speak against the ledger, or are forged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The ledger or Salesforce failed.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
}

/// The checkpoints of a ledger that stand in the org, the largest first; `None` where the org has no
/// place for them.
pub async fn read(reader: &Reader, org: &str) -> Result<Option<Vec<Anchored>>, WorkflowError> {
    let rows = reader.anchors(&Checkpoint::origin_of(org), MOST).await?;
    Ok(rows.map(|rows| rows.into_iter().map(anchored).collect()))
}

/// Those that one of the keys signed; the first that none did is an error.
pub fn believed(
    anchors: &[Anchored],
    org: &str,
    keys: &[Verifier],
) -> Result<Vec<Checkpoint>, CheckpointError> {
    anchors.iter().map(|anchor| anchor.read(org, keys).map(|note| note.checkpoint)).collect()
}

/// Refuses a ledger that is older, or another, than the org's checkpoints say. False where the org
/// has no place for them.
pub async fn guard(context: &Context, keys: &[Verifier]) -> Result<bool, AnchorError> {
    let org = context.ledger.org_id().to_owned();
    let known = context.ledger.anchors().await.map_err(WorkflowError::from)?.done;
    let Some(anchors) = read(&context.reader, &org).await? else {
        let words = "the org has no object AI_Checkpoint__c, or the promoter does not see it: deploy salesforce-metadata";
        match known {
            Some(_) => {
                tracing::error!(code = "anchors-gone", "checkpoints were kept in the org before; {words}")
            }
            None => tracing::warn!(code = "anchors-off", "no checkpoints are kept in the org: {words}"),
        }
        return Ok(false);
    };
    let checkpoints = believed(&anchors, &org, keys)?;
    if let Some(found) = unmet(&context.ledger, &checkpoints).await.map_err(WorkflowError::from)? {
        return Err(found.anchor_error().into());
    }
    if let Some(known) = known.filter(|known| !checkpoints.iter().any(|found| found.size == known.size)) {
        let size = known.size;
        tracing::error!(
            code = "anchor-missing",
            size,
            "a checkpoint that was kept in the org is there no more"
        );
    }
    tracing::info!(count = anchors.len(), "the ledger agrees with the checkpoints in the org");
    Ok(true)
}

/// Keeps checkpoints in the org.
pub struct Anchors {
    context: Context,
    writer: Writer,
    every: SignedDuration,
    /// Not before this time, after a refusal.
    wait: Option<Timestamp>,
}

impl Anchors {
    /// One each `every`, and when it is asked for. `writer` is the promoter's.
    pub fn new(context: Context, writer: Writer, every: Duration) -> Self {
        let every = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
        Self { context, writer, every, wait: None }
    }

    /// Ends what is open; then, when one is due or `now` asks for it, sends the newest checkpoint,
    /// unless nothing but anchors was added since the last one. True when one was kept.
    pub async fn step(&mut self, newest: &Note, signer: &Signer, now: bool) -> Result<bool, WorkflowError> {
        let at = self.context.clock.now();
        if self.wait.is_some_and(|wait| at < wait) {
            return Ok(false);
        }
        let ledger = &self.context.ledger;
        let known = ledger.anchors().await?;
        if let Some(open) = known.open {
            return self.settle(&open, signer).await;
        }
        let is_due = now || known.done.as_ref().is_none_or(|done| at.duration_since(done.at) >= self.every);
        let size = known.done.map_or(0, |done| done.size);
        let Some(anchor) = newest.checkpoint.anchor().filter(|anchor| is_due && anchor.size > size) else {
            return Ok(false);
        };
        if !ledger.grew_since(size).await? {
            return Ok(false);
        }
        self.record(&Event::AnchorIntended { anchor: anchor.clone() }).await?;
        self.send(&anchor, signer).await
    }

    /// Finds out what became of one, and sends it again when it is not there.
    async fn settle(&mut self, open: &Anchor, signer: &Signer) -> Result<bool, WorkflowError> {
        match self.context.reader.anchor(&open.key()).await? {
            Some(_) => self.done(open).await,
            None => self.send(open, signer).await,
        }
    }

    async fn send(&mut self, anchor: &Anchor, signer: &Signer) -> Result<bool, WorkflowError> {
        let checkpoint = Checkpoint::of_anchor(self.context.ledger.org_id(), anchor);
        let (origin, at) = (checkpoint.origin.clone(), checkpoint.at.clone());
        let new = NewAnchor {
            key: anchor.key(),
            origin,
            size: anchor.size,
            root: anchor.root.clone(),
            at,
            note: checkpoint.sign(signer).to_text(),
        };
        let Err(error) = self.writer.add_anchor(&new).await else { return self.done(anchor).await };
        // The answer may be about a copy that arrived before.
        if self.context.reader.anchor(&new.key).await?.is_some() {
            return self.done(anchor).await;
        }
        if error.class() == Class::Unknown {
            return Err(error.into());
        }
        let code = error.salesforce_code().unwrap_or_else(|| error.code()).to_owned();
        tracing::error!(code = "anchor-refused", %error, "no checkpoint was kept in the org");
        self.wait = self.context.clock.now().checked_add(PAUSE).ok();
        self.record(&Event::AnchorSettled { anchor: anchor.clone(), result: code }).await?;
        Ok(false)
    }

    async fn done(&mut self, anchor: &Anchor) -> Result<bool, WorkflowError> {
        self.record(&Event::AnchorSettled { anchor: anchor.clone(), result: "done".to_owned() }).await?;
        Ok(true)
    }

    async fn record(&self, event: &Event) -> Result<(), WorkflowError> {
        let mut tx = self.context.ledger.begin("anchor").await?;
        tx.append(event).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn anchored(row: AnchorRow) -> Anchored {
    Anchored { id: row.id, by: row.created_by, note: row.note, size: row.size, root: row.root }
}
