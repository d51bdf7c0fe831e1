//! The heartbeat: the org is told that the daemon is at work, so that its rules (`AI_GATE_23`) let nothing
//! run by itself when it is not.
//!
//! It stands on the daemon's own user and not in a custom setting: a rule reads both without a query, but
//! a custom setting is written with Customize Application (Salesforce Help, "Create Custom Settings
//! Records"), which the promoter must not have. The ledger
//! keeps an intent and a result like for every other outside write. One whose answer is lost is not
//! settled by reading: the next one says more.
//!
//! While the API budget is spent (`governor`) nothing is promoted, so the org need not hear of the daemon,
//! and heartbeats are held back. But not for long: the moment calls are free again the lanes go on, and an
//! org that has not heard of the daemon for its Silent Hours would refuse what runs by itself, for
//! good where the proposal then counts as stale. So one goes out, spent or not, before the last one
//! that arrived is half as old as the org or the daemon's own watchdog takes. Where nobody knows how long
//! the org waits, none is held back: a call in some minutes costs less than the lanes.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{
    Context, WorkflowError,
    governor::{Governor, Level},
};
use crate::{
    domain::{RecordId, event::Event},
    ledger::Heartbeats,
    salesforce::Writer,
};

/// How long an answer about the org's Silent Hours is good.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(6);

/// Tells the org. `writer` is the promoter's.
#[derive(Clone)]
pub struct Heartbeat {
    context: Context,
    writer: Writer,
    own_user: RecordId,
    governor: Governor,
    /// After how long a silence the org lets nothing run by itself, and when it said so.
    silent: Arc<Mutex<Option<Silent>>>,
}

#[derive(Debug, Clone, Copy)]
struct Silent {
    asked_at: Timestamp,
    after: Option<SignedDuration>,
}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// The time that was told.
    pub at: Timestamp,
    /// What stopped it: a stable code. `None`: it arrived.
    pub failed: Option<String>,
    /// The heartbeats before it.
    pub before: Heartbeats,
}

impl Heartbeat {
    /// For the user who promotes.
    pub fn new(context: Context, writer: Writer, own_user: RecordId, governor: Governor) -> Self {
        Self { context, writer, own_user, governor, silent: Arc::default() }
    }

    /// Whether the one that is due now may be left out, because the API budget is spent and the last
    /// one is young enough. `every`: when the next one is due; `own`: after how long the daemon's own
    /// watchdog takes it for silent.
    pub async fn may_wait(
        &self,
        every: SignedDuration,
        own: Option<SignedDuration>,
    ) -> Result<bool, WorkflowError> {
        let level = self.governor.level();
        if level != Level::Spent {
            return Ok(false);
        }
        let silent = *self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.context.ledger.heartbeats().await?.done;
        let next = self.context.clock.now().saturating_add(every).unwrap_or(Timestamp::MAX);
        Ok(waits((level, silent), (last, next), own))
    }

    /// Learns how long the org waits, now and then. Where it does not say, what was known stays known.
    async fn ask(&self) {
        let now = self.context.clock.now();
        let known = *self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_some_and(|known| now.duration_since(known.asked_at) < KNOWN_FOR) {
            return;
        }
        match self.context.reader.silent_after().await {
            Ok(after) => {
                let silent = Some(Silent { asked_at: now, after });
                *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = silent;
            }
            Err(error) => {
                tracing::warn!(code = error.code(), %error, "the org does not say how long it waits for a heartbeat");
            }
        }
    }

    /// One heartbeat: recorded, sent, and recorded how it ended.
    pub async fn beat(&self) -> Result<Beat, WorkflowError> {
        let before = self.context.ledger.heartbeats().await?;
        let at = self.context.clock.now();
        self.record(&Event::HeartbeatIntended { at }).await?;
        let failed = match self.writer.beat(&self.own_user, at).await {
            Ok(()) => None,
            Err(error) => {
                let code = error.salesforce_code().unwrap_or_else(|| error.code()).to_owned();
                tracing::error!(code = "heartbeat-refused", %error, "the org was not told that the daemon is at work");
                Some(code)
            }
        };
        if failed.is_none() {
            self.ask().await;
        }
        let result = failed.clone().unwrap_or_else(|| "done".to_owned());
        self.record(&Event::HeartbeatSettled { at, result }).await?;
        Ok(Beat { at, failed, before })
    }

    async fn record(&self, event: &Event) -> Result<(), WorkflowError> {
        let mut tx = self.context.ledger.begin("heartbeat").await?;
        tx.append(event).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Whether a heartbeat may be left out until `next`. `last`: the newest that arrived.
fn waits(
    (level, silent): (Level, Option<Silent>),
    (last, next): (Option<Timestamp>, Timestamp),
    own: Option<SignedDuration>,
) -> bool {
    let (Level::Spent, Some(silent), Some(last)) = (level, silent, last) else { return false };
    is_young(next.duration_since(last), [silent.after, own])
}

/// Whether a heartbeat of this age is less than half as old as any of these takes; `None` takes any age.
fn is_young(age: SignedDuration, limits: [Option<SignedDuration>; 2]) -> bool {
    limits.into_iter().flatten().all(|limit| age <= limit / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_is_old_at_half_of_what_is_taken() {
        let (hour, half) = (SignedDuration::from_hours, SignedDuration::from_mins(30));
        assert!(is_young(half, [Some(hour(1)), Some(hour(24))]));
        assert!(!is_young(half + SignedDuration::from_secs(1), [Some(hour(1)), Some(hour(24))]));
        assert!(!is_young(hour(13), [Some(hour(48)), Some(hour(24))]), "the watchdog is the first");
        assert!(is_young(hour(13), [Some(hour(48)), None]));
        assert!(is_young(hour(999), [None, None]), "nobody minds");
    }

    #[test]
    fn one_is_left_out_only_while_calls_are_spent_and_the_last_one_will_do() {
        let at = |minutes: i64| Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap();
        let silent = |hours: Option<i64>| {
            Some(Silent { asked_at: at(0), after: hours.map(SignedDuration::from_hours) })
        };
        let of = |level, silent, last, next| {
            waits((level, silent), (last, at(next)), Some(SignedDuration::from_hours(24)))
        };
        assert!(of(Level::Spent, silent(Some(2)), Some(at(0)), 60));
        assert!(
            !of(Level::Spent, silent(Some(2)), Some(at(0)), 61),
            "it would be too old when calls are free"
        );
        assert!(
            of(Level::Spent, silent(None), Some(at(0)), 12 * 60)
                && !of(Level::Spent, silent(None), Some(at(0)), 721)
        );
        for level in [Level::Free, Level::Scarce] {
            assert!(!of(level, silent(Some(2)), Some(at(0)), 1), "{level:?}");
        }
        assert!(!of(Level::Spent, None, Some(at(0)), 1), "nobody knows how long the org waits");
        assert!(!of(Level::Spent, silent(Some(2)), None, 1), "none has arrived yet");
    }
}
