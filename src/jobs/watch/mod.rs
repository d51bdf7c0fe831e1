//! Watchdogs: what goes wrong slowly, told before it stops the work.
//!
//! A look reads the ledger and the disk, and takes what the running daemon says of its stream and of
//! the org's API calls. It makes no API call. What costs calls is a job of its own and is read here as
//! it was noted. The daemon looks every `watch.every_seconds` and notes what it saw; `countersign watch`
//! looks again beside it, and tells when the daemon has not looked for long.

mod approvals;
mod disk;
mod growth;
pub mod silence;
#[cfg(test)]
mod tests;
mod timetable;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::keeper::Plan;
use crate::{
    clock::Clock,
    config::{Settings, WatchSettings},
    domain::alarm::{Alarm, Looked, Watchdog},
    ledger::{Ledger, LedgerError},
    telemetry::WATCH,
};

/// The daemon counts as silent when it has not noted anything for so many of its periods.
const PERIODS: u64 = 4;

/// What a look goes by.
#[derive(Clone)]
pub struct Limits {
    watch: WatchSettings,
    /// How long a proposal may wait for a person.
    stuck_after: SignedDuration,
    /// The timetable.
    plans: Vec<Plan>,
    /// Time between two heartbeats; `None`: the org is told none.
    heartbeat: Option<SignedDuration>,
}

impl Limits {
    /// Those of the settings.
    pub fn of(settings: &Settings) -> Self {
        let hours = i64::try_from(settings.reconcile.stuck_after_hours).unwrap_or(i64::MAX);
        Self {
            watch: settings.watch,
            stuck_after: SignedDuration::from_secs(hours.saturating_mul(3600)),
            plans: Plan::of(&settings.jobs, settings.inbox.keep_days.is_some()),
            heartbeat: settings.heartbeat.every_minutes.map(minutes),
        }
    }

    /// How long a daemon may be away before people look first; `None`: for ever.
    pub fn silent_after(&self) -> Option<SignedDuration> {
        let hours = Some(self.watch.silent_hours).filter(|hours| *hours > 0);
        hours.map(|hours| minutes(hours.saturating_mul(60)))
    }

    /// How often the daemon looks.
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.watch.every_seconds)
    }
}

fn minutes(minutes: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(minutes.saturating_mul(60)).unwrap_or(i64::MAX))
}

/// What the ledger and its disk tell.
pub async fn look(ledger: &Ledger, limits: &Limits, now: Timestamp) -> Result<Vec<Alarm>, LedgerError> {
    let mut alarms = Vec::new();
    alarms.extend(silence::review_only(ledger).await?);
    alarms.extend(silence::unheard(ledger, limits, now).await?);
    alarms.extend(disk::look(ledger, limits.watch.disk_free_mb));
    alarms.extend(growth::look(ledger, &limits.watch, now).await?);
    alarms.extend(timetable::look(ledger, limits, now).await?);
    for object in ledger.drifted().await? {
        let words = format!("the lanes of {object} wait: what they rest on has changed in the org");
        alarms.push(Alarm::new(Watchdog::DriftOpen, words));
    }
    alarms.extend(approvals::stuck(ledger, limits.stuck_after, now).await?);
    alarms.extend(approvals::idle(ledger).await?);
    Ok(alarms)
}

/// Why nobody can rely on what the daemon said last: it has not looked for long.
pub fn silent(looked: Option<&Looked>, limits: &Limits, now: Timestamp) -> Option<Alarm> {
    let Some(looked) = looked else {
        return Some(Alarm::new(Watchdog::DaemonSilent, "no daemon has looked at this ledger yet"));
    };
    let seconds = limits.watch.every_seconds.saturating_mul(PERIODS);
    let within = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let is_late = now.duration_since(looked.at) > within;
    is_late.then(|| Alarm::new(Watchdog::DaemonSilent, format!("no daemon has looked since {}", looked.at)))
}

/// What the running daemon says of what no ledger tells: its stream, and the org's API calls.
pub type Live = Box<dyn Fn(Timestamp) -> Vec<Alarm> + Send + Sync>;

/// What the daemon saw last, for whoever shows it.
#[derive(Clone, Default)]
pub struct Board {
    alarms: Arc<Mutex<Vec<Alarm>>>,
}

impl Board {
    /// What stands on it, one line for each, starting with a stable code.
    pub fn lines(&self) -> Vec<String> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).iter().map(Alarm::to_string).collect()
    }

    /// Puts these up. Says which watchdogs began and which ended.
    fn put(&self, alarms: Vec<Alarm>) -> (Vec<Alarm>, BTreeSet<Watchdog>) {
        let mut shown = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let codes = |alarms: &[Alarm]| alarms.iter().map(|alarm| alarm.code).collect::<BTreeSet<_>>();
        let (before, after) = (codes(&shown), codes(&alarms));
        let begun = alarms.iter().filter(|alarm| !before.contains(&alarm.code)).cloned().collect();
        *shown = alarms;
        (begun, before.difference(&after).copied().collect())
    }
}

/// The watchdogs of a running daemon.
pub struct Watchman {
    /// The ledger that is watched and told.
    pub ledger: Ledger,
    /// The time.
    pub clock: Clock,
    /// What is allowed.
    pub limits: Limits,
    /// What only the daemon knows.
    pub live: Live,
    /// Where it is shown.
    pub board: Board,
}

impl Watchman {
    /// Looks until it is stopped, first after one period: what a start has to make up for is no alarm.
    pub async fn run(self, stop: CancellationToken) {
        let every = self.limits.every();
        let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        show(&[]);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.step().await {
                tracing::error!(code = error.code(), "the watchdogs could not look: {error}");
            }
        }
    }

    /// One look: shown, told where it changed, and noted.
    async fn step(&self) -> Result<(), LedgerError> {
        let now = self.clock.now();
        let mut alarms = (self.live)(now);
        alarms.extend(look(&self.ledger, &self.limits, now).await?);
        show(&alarms);
        let looked = Looked { at: now, alarms: alarms.clone() };
        let (begun, ended) = self.board.put(alarms);
        for alarm in begun {
            tracing::warn!(code = alarm.code.name(), "{}", alarm.words);
        }
        for code in ended {
            tracing::info!(code = code.name(), "all quiet again");
        }
        let mut tx = self.ledger.begin("watchdogs looked").await?;
        tx.note_looked(&looked).await?;
        tx.commit().await
    }
}

/// One gauge for each watchdog: 1 while it found something.
fn show(alarms: &[Alarm]) {
    for dog in Watchdog::ALL.into_iter().filter(|dog| *dog != Watchdog::DaemonSilent) {
        let on = alarms.iter().any(|alarm| alarm.code == dog);
        metrics::gauge!(WATCH, "code" => dog.name()).set(if on { 1.0 } else { 0.0 });
    }
}
