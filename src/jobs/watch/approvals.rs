//! Proposals that wait for a person longer than expected, and those whose owner can decide nothing.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::alarm::{Alarm, Watchdog},
    ledger::{Ledger, LedgerError},
};

/// How many proposals are named.
const NAMED: usize = 3;

/// Those that wait too long.
pub(super) async fn stuck(
    ledger: &Ledger,
    after: SignedDuration,
    now: Timestamp,
) -> Result<Option<Alarm>, LedgerError> {
    let since = now.saturating_sub(after).unwrap_or(Timestamp::MIN);
    let waiting = ledger.waiting_since(ledger.place_before(since).await?).await?;
    Ok(waiting.oldest.map(|oldest| {
        let words = format!(
            "{} proposal(s) wait for a person for more than {} h, the oldest is {oldest}",
            waiting.count,
            after.as_hours()
        );
        Alarm::new(Watchdog::ApprovalsStuck, words)
    }))
}

/// Those whose owner can decide nothing, as the job `approvers` noted it.
pub(super) async fn idle(ledger: &Ledger) -> Result<Option<Alarm>, LedgerError> {
    let Some(found) = ledger.idle_approvers().await?.filter(|found| found.idle > 0) else { return Ok(None) };
    let named =
        found.first.iter().take(NAMED).map(|one| format!("{} ({} {})", one.proposal, one.code, one.owner));
    let named = named.collect::<Vec<_>>().join(", ");
    let words = format!(
        "the owners of {} of {} waiting record(s) can decide nothing at {}: {named}",
        found.idle, found.waiting, found.at
    );
    Ok(Some(Alarm::new(Watchdog::ApproverInactive, words)))
}
