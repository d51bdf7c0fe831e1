//! Lets go of what the stream delivered and the engine has worked on, some days later.

use jiff::SignedDuration;

use crate::{
    clock::Clock,
    ledger::{Ledger, LedgerError},
};

/// Removes what was received so many days ago and worked on, and says how many batches that were.
pub async fn prune(ledger: &Ledger, days: u32, clock: &Clock) -> Result<u64, LedgerError> {
    let age = SignedDuration::from_hours(24 * i64::from(days));
    let Ok(limit) = clock.now().checked_sub(age) else { return Ok(0) };
    let mut tx = ledger.begin("inbox pruned").await?;
    let gone = tx.prune_inbox(limit).await?;
    tx.commit().await?;
    Ok(gone)
}
