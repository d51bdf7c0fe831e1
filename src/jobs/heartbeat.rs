//! The heartbeat at its times. One that fails is told and tried again at the next.

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
        if let Err(error) = beat(&context, &heartbeat, &limits).await {
            tracing::error!(code = error.code(), "no heartbeat: {error}");
        }
    }
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
