//! Decay by the schedule: what is due is announced, and what was announced is carried out.

use jiff::{SignedDuration, Timestamp};

use super::work::{Counts, count};
use crate::workflow::{
    Context, WorkflowError,
    decay::{self, DecayError},
    promote::Promoter,
};

/// How long a run that could not be carried out waits for the next slot, in seconds.
pub(super) const HOUR: i64 = 3600;

/// Announces what is due. While an announced run has not ended nothing is added to it.
pub async fn announce(
    context: &Context,
    (by, objection): (&str, SignedDuration),
    most: usize,
) -> Result<Counts, DecayError> {
    if open_since(context).await?.is_some() {
        return Ok(count("announced", 0));
    }
    let look = decay::look(context, most).await?;
    let announced = match decay::announce(context, &look, (by, objection)).await? {
        Some(run) => {
            let (id, records, from) = (run.id.short(), look.due.len(), run.runs_from);
            tracing::info!("decay {id} announced: {records} record(s), from {from} on");
            records
        }
        None => 0,
    };
    let mut counts = count("announced", announced as u64);
    counts.extend(count("spared", look.spared.len() as u64));
    Ok(counts)
}

/// Carries out the announced run. One whose rules have changed since is given up: nothing may move
/// on the ground of the old ones.
pub async fn carry_out(context: &Context, promoter: &Promoter) -> Result<Counts, DecayError> {
    match decay::run::run(context, promoter, None, &mut |_, _| {}).await {
        Ok(done) => {
            let runs = context.ledger.decay_runs().await.map_err(WorkflowError::from)?;
            let counted = runs.into_iter().find(|known| known.run.id == done.run.id);
            Ok(counted.and_then(|known| known.counts).unwrap_or_default())
        }
        Err(DecayError::NothingAnnounced) => Ok(Counts::new()),
        Err(DecayError::PolicyChanged(id)) => {
            decay::run::cancel(&context.ledger, Some(id.as_str())).await?;
            tracing::warn!("decay {} given up: the rules changed since it was announced", id.short());
            Ok(count("given_up", 1))
        }
        Err(error) => Err(error),
    }
}

/// The newest slot at which the announced run may be carried out.
pub async fn run_slot(context: &Context) -> Result<Option<Timestamp>, DecayError> {
    let from = open_since(context).await?;
    Ok(from.and_then(|from| newest_slot(from, context.clock.now())))
}

/// When the time to object is over, and each hour after that. `None`: it is not over.
fn newest_slot(from: Timestamp, now: Timestamp) -> Option<Timestamp> {
    if now < from {
        return None;
    }
    let hours = (now.as_second() - from.as_second()) / HOUR;
    from.checked_add(SignedDuration::from_secs(hours * HOUR)).ok()
}

/// From when on the announced run may be carried out, if there is one.
pub async fn open_since(context: &Context) -> Result<Option<Timestamp>, DecayError> {
    let runs = context.ledger.decay_runs().await.map_err(WorkflowError::from)?;
    Ok(runs.into_iter().find(|known| known.counts.is_none()).map(|known| known.run.runs_from))
}

#[cfg(test)]
mod tests {
    use super::newest_slot;

    #[test]
    fn no_slot_comes_before_the_time_to_object_is_over() {
        let slot = |from: &str, now: &str| {
            let at = |text: &str| format!("2026-05-20T{text}Z").parse().unwrap();
            newest_slot(at(from), at(now)).map(|slot| slot.to_string())
        };
        assert_eq!(slot("06:00:00.5", "06:00:00.2"), None, "in the same second");
        assert_eq!(slot("06:00:00.5", "06:00:00.5").unwrap(), "2026-05-20T06:00:00.5Z");
        assert_eq!(slot("06:00:00.5", "06:59:59").unwrap(), "2026-05-20T06:00:00.5Z");
        assert_eq!(slot("06:00:00", "08:59:59").unwrap(), "2026-05-20T08:00:00Z");
    }
}
