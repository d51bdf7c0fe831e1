//! The heartbeat at its times. One that fails is told and tried again at the next; while the API budget is
//! spent those are left out that can wait.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::watch::{Limits, silence};
use crate::workflow::{Context, WorkflowError, heartbeat::Heartbeat};

/// Tells the org at intervals until it is stopped. The first one was sent at the start.
pub async fn run(
    (context, heartbeat): (Context, Heartbeat),
    (every, limits): (Duration, Limits),
    stop: CancellationToken,
) {
    let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let done = match waits(&heartbeat, &limits, every).await {
            Ok(true) => {
                tracing::info!(
                    code = "heartbeat-held-back",
                    "the API budget is spent and the last one is young"
                );
                continue;
            }
            Ok(false) => beat(&context, &heartbeat, &limits).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::error!(code = error.code(), "no heartbeat: {error}");
        }
    }
}

/// Whether the one that is due may be left out.
async fn waits(heartbeat: &Heartbeat, limits: &Limits, every: Duration) -> Result<bool, WorkflowError> {
    let every = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
    heartbeat.may_wait(every, limits.silent_after()).await
}

/// One heartbeat. The first one that arrives after a long while ends a silence: a daemon that could not
/// reach the org has not seen what happened there, and people look first.
pub async fn beat(context: &Context, heartbeat: &Heartbeat, limits: &Limits) -> Result<(), WorkflowError> {
    let beat = heartbeat.beat().await?;
    if let (None, Some(before)) = (&beat.failed, beat.before.done) {
        let silent = beat.at.duration_since(before);
        if silent >= limits.silent_after().unwrap_or(SignedDuration::MAX) {
            silence::freeze(&context.ledger, (before, beat.at)).await?;
        }
    }
    Ok(())
}
