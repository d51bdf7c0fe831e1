//! The heartbeat: the org is told that the daemon is at work, so that its rules (`AI_GATE_23`) let nothing
//! run by itself when it is not.
//!
//! It stands on the daemon's own user and not in a custom setting: a rule reads both without a query, but
//! a custom setting is written with Customize Application (Salesforce Help, "Create Custom Settings
//! Records"), which the promoter must not have. The ledger
//! keeps an intent and a result like for every other outside write. One whose answer is lost is not
//! settled by reading: the next one says more.

use jiff::Timestamp;

use super::{Context, WorkflowError};
use crate::{
    domain::{RecordId, event::Event},
    ledger::Heartbeats,
    salesforce::Writer,
};

/// Tells the org. `writer` is the promoter's.
#[derive(Clone)]
pub struct Heartbeat {
    context: Context,
    writer: Writer,
    own_user: RecordId,
}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// The time that was told.
    pub at: Timestamp,
    /// What stopped it: a stable code. `None`: it arrived.
    pub failed: Option<String>,
    /// The heartbeats before it.
    pub before: Heartbeats,
}

impl Heartbeat {
    /// For the user who promotes.
    pub fn new(context: Context, writer: Writer, own_user: RecordId) -> Self {
        Self { context, writer, own_user }
    }

    /// One heartbeat: recorded, sent, and recorded how it ended.
    pub async fn beat(&self) -> Result<Beat, WorkflowError> {
        let before = self.context.ledger.heartbeats().await?;
        let at = self.context.clock.now();
        self.record(&Event::HeartbeatIntended { at }).await?;
        let failed = match self.writer.beat(&self.own_user, at).await {
            Ok(()) => None,
            Err(error) => {
                let code = error.salesforce_code().unwrap_or_else(|| error.code()).to_owned();
                tracing::error!(code = "heartbeat-refused", %error, "the org was not told that the daemon is at work");
                Some(code)
            }
        };
        let result = failed.clone().unwrap_or_else(|| "done".to_owned());
        self.record(&Event::HeartbeatSettled { at, result }).await?;
        Ok(Beat { at, failed, before })
    }

    async fn record(&self, event: &Event) -> Result<(), WorkflowError> {
        let mut tx = self.context.ledger.begin("heartbeat").await?;
        tx.append(event).await?;
        tx.commit().await?;
        Ok(())
    }
}
