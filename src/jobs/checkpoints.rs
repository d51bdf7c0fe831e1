//! Checkpoints at intervals: at once, then whenever entries were added, and a last one at the stop.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::ledger::checkpoint::Keeper;

/// Writes checkpoints until it is stopped. One that fails is told and tried again with the next.
pub async fn run(mut keeper: Keeper, every: Duration, stop: CancellationToken) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_last = tokio::select! {
            () = stop.cancelled() => true,
            _ = ticks.tick() => false,
        };
        match keeper.write().await {
            Ok(Some(note)) => {
                metrics::counter!("countersign_checkpoints_total").increment(1);
                tracing::info!(entries = note.checkpoint.size, "checkpoint written");
            }
            Ok(None) => {}
            Err(error) => {
                metrics::counter!("countersign_checkpoint_failures_total").increment(1);
                tracing::error!(code = error.code(), "no checkpoint was written: {error}");
            }
        }
        if is_last {
            return;
        }
    }
}
