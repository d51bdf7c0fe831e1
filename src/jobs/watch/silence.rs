//! A daemon that comes back after a long silence lets nothing run by itself until a person says so.
//!
//! The org went on without it: people, flows and other writers changed records, and what agents proposed
//! meanwhile rests on a world that nobody watched. What a person approves goes through, for a person has
//! looked. The freeze is an entry like every other one, and lifted by `countersign unfreeze automatic`.

use jiff::Timestamp;

use super::Limits;
use crate::{
    domain::{Alarm, Freeze, Scope, Watchdog, alarm::Looked, event::Event},
    ledger::{Ledger, LedgerError},
};

/// So many heartbeats may be missed.
const MISSED: i32 = 3;

/// Who freezes, as the ledger names it.
pub const BY: &str = "countersign";

/// Called by who has just taken the lead, before anything is judged. True when it froze what would run
/// by itself. A ledger that no daemon has watched yet was not silent.
pub async fn wake(ledger: &Ledger, limits: &Limits, now: Timestamp) -> Result<bool, LedgerError> {
    let Some(looked) = ledger.looked().await? else { return Ok(false) };
    let Some(after) = limits.silent_after() else { return Ok(false) };
    if now.duration_since(looked.at) < after {
        return Ok(false);
    }
    freeze(ledger, (looked.at, now)).await
}

/// Freezes what would run by itself, because nobody watched the org between these two. True when it was
/// not frozen before.
pub async fn freeze(ledger: &Ledger, (since, now): (Timestamp, Timestamp)) -> Result<bool, LedgerError> {
    let hours = now.duration_since(since).as_hours();
    let mut tx = ledger.begin("woken after a silence").await?;
    let is_new = !tx.freezes().await?.iter().any(|known| known.scope == Scope::Automatic);
    if is_new {
        let reason = format!(
            "nobody watched the org for {hours} h, since {since}: look at what happened meanwhile, then lift this"
        );
        let freeze = Freeze { scope: Scope::Automatic, since: now, by: BY.to_owned(), reason };
        tx.append(&Event::Frozen { freeze }).await?;
    }
    // In the same transaction: who lifts it at once does not meet it again at the next start.
    tx.note_looked(&Looked { at: now, alarms: Vec::new() }).await?;
    tx.commit().await?;
    if is_new {
        tracing::warn!(
            code = Watchdog::ReviewOnly.name(),
            "nobody watched the org for {hours} h: nothing runs by itself until somebody lifts it: \
             countersign unfreeze automatic"
        );
    }
    Ok(is_new)
}

/// Whether nothing runs by itself now.
pub(super) async fn review_only(ledger: &Ledger) -> Result<Option<Alarm>, LedgerError> {
    let frozen = ledger.freezes().await?;
    let freeze = frozen.into_iter().find(|freeze| freeze.scope == Scope::Automatic);
    Ok(freeze.map(|freeze| {
        let words = format!("nothing runs by itself since {}; {} froze it", freeze.since, freeze.by);
        Alarm::new(Watchdog::ReviewOnly, words)
    }))
}

/// Whether the org was not told for long that the daemon is at work.
pub(super) async fn unheard(
    ledger: &Ledger,
    limits: &Limits,
    now: Timestamp,
) -> Result<Option<Alarm>, LedgerError> {
    let Some(every) = limits.heartbeat else { return Ok(None) };
    let known = ledger.heartbeats().await?;
    let is_late = known.done.is_some_and(|done| now.duration_since(done) > every.saturating_mul(MISSED));
    let words = match (known.failed, known.done) {
        (Some(code), _) => format!("the org refused to hear that the daemon is at work: {code}"),
        (None, Some(done)) if is_late => format!("the org has not heard of the daemon since {done}"),
        _ => return Ok(None),
    };
    Ok(Some(Alarm::new(Watchdog::HeartbeatLate, words)))
}
