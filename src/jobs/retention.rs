//! Lets go of what the stream delivered and the engine has worked on, some days later.

use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    ledger::{Ledger, LedgerError},
};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(3600);

/// Looks at once and then every hour, until told to stop. A failure is told, and tried again at the
/// next look.
pub async fn run(ledger: Ledger, days: u32, clock: Clock, stop: CancellationToken) {
    loop {
        match prune(&ledger, days, &clock).await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, days, "batches of the inbox that were worked on are gone"),
            Err(error) => tracing::warn!(code = error.code(), %error, "the inbox was not pruned"),
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Removes what was received so many days ago and worked on, and says how many batches that were.
pub async fn prune(ledger: &Ledger, days: u32, clock: &Clock) -> Result<u64, LedgerError> {
    let age = SignedDuration::from_hours(24 * i64::from(days));
    let Ok(limit) = clock.now().checked_sub(age) else { return Ok(0) };
    let mut tx = ledger.begin("inbox pruned").await?;
    let gone = tx.prune_inbox(limit).await?;
    tx.commit().await?;
    Ok(gone)
}
