//! The daily look for stale states: what was announced and may begin is carried out, and what is due
//! now is announced.
//!
//! The alarm only wakes; whether today's slot was served is asked of the ledger. So slots that were
//! missed collapse to one, and a restart or a second replica announces nothing twice.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Time, tz::TimeZone};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::workflow::{
    Context, WorkflowError,
    decay::{self, DecayError},
    promote::Promoter,
};

/// How the ledger names who announced it.
pub const BY: &str = "the schedule";

/// When, and how much.
#[derive(Debug, Clone)]
pub struct Daily {
    /// Time of day.
    pub at: Time,
    /// Its zone.
    pub zone: TimeZone,
    /// Time to object.
    pub objection: SignedDuration,
    /// Most records of one object and field.
    pub most: usize,
}

/// Serves the slots until it is stopped, at the start and whenever it is woken. A slot that fails is
/// told and tried again.
pub async fn run(
    context: Context,
    promoter: Promoter,
    daily: Daily,
    (wake, stop): (Arc<Notify>, CancellationToken),
) {
    let mut served = None;
    loop {
        match serve(&context, &promoter, &daily, served).await {
            Ok(slot) => served = slot.max(served),
            Err(error) => tracing::error!(code = error.code(), "decay was not served: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = wake.notified() => {}
        }
    }
}

/// One look: carries out what may begin, then announces what is due if the slot was not served.
/// `known` is a slot that this process served, also when nothing was due; tells the one it served.
pub async fn serve(
    context: &Context,
    promoter: &Promoter,
    daily: &Daily,
    known: Option<Timestamp>,
) -> Result<Option<Timestamp>, DecayError> {
    let runs = context.ledger.decay_runs().await.map_err(WorkflowError::from)?;
    let now = context.clock.now();
    if let Some(open) = runs.iter().find(|known| known.counts.is_none()) {
        if now < open.run.runs_from {
            return Ok(known);
        }
        carry_out(context, promoter).await?;
    }
    let announced = runs.iter().filter(|known| known.run.by == BY).map(|known| known.run.at).max();
    let Some(slot) = newest_slot(daily, now) else { return Ok(known) };
    if announced.max(known).is_some_and(|served| served >= slot) {
        return Ok(known);
    }
    let look = decay::look(context, daily.most).await?;
    if let Some(run) = decay::announce(context, &look, (BY, daily.objection)).await? {
        let records = look.due.len();
        tracing::info!(run = run.id.short(), records, runs_from = %run.runs_from, "decay announced");
    }
    Ok(Some(slot))
}

async fn carry_out(context: &Context, promoter: &Promoter) -> Result<(), DecayError> {
    match decay::run::run(context, promoter, None, &mut |_, _| {}).await {
        Ok(done) => {
            tracing::info!(run = done.run.id.short(), records = done.ends.len(), "decay carried out");
            Ok(())
        }
        // Rules that changed since: nothing may move on the ground of the old ones.
        Err(DecayError::PolicyChanged(id)) => {
            decay::run::cancel(&context.ledger, Some(id.as_str())).await?;
            tracing::warn!(run = id.short(), "decay given up: the rules changed since it was announced");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The newest slot that has come. In a day that skips the time of day, the moment after the skip.
fn newest_slot(daily: &Daily, now: Timestamp) -> Option<Timestamp> {
    let today = now.to_zoned(daily.zone.clone()).date();
    let slot = |date: jiff::civil::Date| {
        date.to_datetime(daily.at).to_zoned(daily.zone.clone()).ok().map(|zoned| zoned.timestamp())
    };
    slot(today).filter(|slot| *slot <= now).or_else(|| slot(today.checked_sub(1.day()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_slot_follows_the_zone_and_its_changes_of_the_clock() {
        let daily = |zone: &str, at: &str| Daily {
            at: at.parse().unwrap(),
            zone: TimeZone::get(zone).unwrap(),
            objection: SignedDuration::ZERO,
            most: 1,
        };
        let slot = |daily: &Daily, now: &str| newest_slot(daily, now.parse().unwrap()).unwrap().to_string();
        let berlin = daily("Europe/Berlin", "06:00");
        assert_eq!(slot(&berlin, "2026-07-01T03:59:59Z"), "2026-06-30T04:00:00Z", "before it: yesterday's");
        assert_eq!(slot(&berlin, "2026-07-01T04:00:00Z"), "2026-07-01T04:00:00Z");
        assert_eq!(slot(&berlin, "2026-12-01T05:00:00Z"), "2026-12-01T05:00:00Z", "winter time");
        let skipped = daily("Europe/Berlin", "02:30");
        assert_eq!(
            slot(&skipped, "2026-03-29T12:00:00Z"),
            "2026-03-29T01:30:00Z",
            "02:30 does not exist that day"
        );
    }
}
