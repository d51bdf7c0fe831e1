//! Checkpoints at intervals: at once, then whenever entries were added, and a last one at the stop.
//! The newest one is kept in the org as well, where the org has a place for it.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{ledger::checkpoint::Keeper, workflow::anchor::Anchors};

/// Checkpoints that were not written.
pub const CHECKPOINT_FAILURES: &str = "countersign_checkpoint_failures_total";
/// Checkpoints that the org did not keep.
pub const ANCHOR_FAILURES: &str = "countersign_anchor_failures_total";

/// How long the last anchor may hold up a stop. What is open then is settled at the next start.
const LAST_WITHIN: Duration = Duration::from_secs(10);

/// Writes checkpoints until it is stopped. One that fails is told and tried again with the next.
pub async fn run(mut keeper: Keeper, mut anchors: Option<Anchors>, every: Duration, stop: CancellationToken) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_first = true;
    loop {
        let is_last = tokio::select! {
            () = stop.cancelled() => true,
            _ = ticks.tick() => false,
        };
        write(&mut keeper).await;
        if let Some(anchors) = &mut anchors {
            anchor(&keeper, anchors, (is_first || is_last, &stop)).await;
        }
        if is_last {
            // What the anchor itself added is covered too.
            write(&mut keeper).await;
            return;
        }
        is_first = false;
    }
}

async fn write(keeper: &mut Keeper) {
    match keeper.write().await {
        Ok(Some(note)) => {
            metrics::counter!("countersign_checkpoints_total").increment(1);
            tracing::info!(entries = note.checkpoint.size, "checkpoint written");
        }
        Ok(None) => {}
        Err(error) => {
            metrics::counter!(CHECKPOINT_FAILURES).increment(1);
            tracing::error!(code = error.code(), "no checkpoint was written: {error}");
        }
    }
}

/// A stop ends the waiting for an anchor under way, after a while.
async fn anchor(keeper: &Keeper, anchors: &mut Anchors, (now, stop): (bool, &CancellationToken)) {
    let Some(newest) = keeper.newest() else { return };
    let impatient = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_WITHIN).await;
    };
    let kept = tokio::select! {
        kept = anchors.step(newest, keeper.signer(), now) => kept,
        () = impatient => return tracing::warn!("the org did not answer about a checkpoint before the stop"),
    };
    match kept {
        Ok(true) => {
            metrics::counter!("countersign_anchors_total").increment(1);
            tracing::info!(entries = newest.checkpoint.size, "checkpoint kept in the org");
        }
        Ok(false) => {}
        Err(error) => {
            metrics::counter!(ANCHOR_FAILURES).increment(1);
            tracing::error!(code = error.code(), "no checkpoint was kept in the org: {error}");
        }
    }
}
