//! A daemon that comes back after a long silence lets nothing run by itself until a person says so.
//!
//! The org went on without it: people, flows and other writers changed records, and what agents proposed
//! meanwhile rests on a world that nobody watched. What a person approves goes through, for a person has
//! looked. The freeze is an entry like every other one, and lifted by `countersign unfreeze automatic`.

use jiff::{SignedDuration, Timestamp};

use super::Limits;
use crate::{
    domain::{Alarm, Freeze, Scope, Watchdog, alarm::Looked, event::Event},
    ledger::{Ledger, LedgerError},
};

/// Who freezes, as the ledger names it.
pub const BY: &str = "countersign";

/// Called by who has just taken the lead, before anything is judged. True when it froze what would run
/// by itself. A ledger that no daemon has watched yet was not silent.
pub async fn wake(ledger: &Ledger, limits: &Limits, now: Timestamp) -> Result<bool, LedgerError> {
    let Some(looked) = ledger.looked().await? else { return Ok(false) };
    let hours = i64::try_from(limits.watch.silent_hours).unwrap_or(i64::MAX);
    let silent = now.duration_since(looked.at);
    if hours == 0 || silent.as_hours() < hours {
        return Ok(false);
    }
    let mut tx = ledger.begin("woken after a silence").await?;
    let known = tx.freezes().await?;
    let is_new = !known.iter().any(|known| known.scope == Scope::Automatic);
    if is_new {
        let reason = format!(
            "no daemon was at work for {} h, since {}: look at what happened meanwhile, then lift this",
            silent.as_hours(),
            looked.at
        );
        let freeze = Freeze { scope: Scope::Automatic, since: now, by: BY.to_owned(), reason };
        tx.append(&Event::Frozen { freeze }).await?;
    }
    // In the same transaction: who lifts it at once does not meet it again at the next start.
    tx.note_looked(&Looked { at: now, alarms: looked.alarms }).await?;
    tx.commit().await?;
    if is_new {
        let hours = SignedDuration::as_hours(&silent);
        tracing::warn!(
            code = Watchdog::ReviewOnly.name(),
            "no daemon was at work for {hours} h: nothing runs by itself until somebody lifts it: \
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
