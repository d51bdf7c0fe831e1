//! The engine: intake, promotion and notices in turn, one at a time, woken without data.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Mutex, Notify, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use super::{
    Context, WorkflowError,
    governor::{Governor, Level, SELDOM},
    intake, make, notice,
    promote::{MOST_PER_STEP, Promoter},
};
use crate::salesforce::{Writer, pubsub::PubSubClient};

/// How long the engine sleeps when nobody wakes it.
const IDLE: Duration = Duration::from_secs(1);
/// How long a step waits for more work to come in, unless told otherwise.
const LINGER: Duration = Duration::from_millis(50);
/// Shortest and longest pause after a step that failed.
const PAUSE_LEAST: Duration = Duration::from_millis(250);
const PAUSE_MOST: Duration = Duration::from_secs(30);

/// Wakes the engine; it finds out by itself what there is to do.
#[derive(Clone, Default)]
pub struct Waker {
    work: Arc<Notify>,
    sweep: Arc<AtomicBool>,
    /// A sweep that nothing but the clock asks for.
    routine: Arc<AtomicBool>,
    turnstile: Arc<Mutex<()>>,
}

/// While it lives, the engine waits between two steps.
pub struct Held {
    _turn: OwnedMutexGuard<()>,
    waker: Waker,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.waker.wake();
    }
}

impl Waker {
    /// Something was recorded.
    pub fn wake(&self) {
        self.work.notify_one();
    }

    /// Everything pending should be read again.
    pub fn ask_sweep(&self) {
        self.sweep.store(true, Ordering::SeqCst);
        self.work.notify_one();
    }

    /// The clock says that it is time for a sweep; it may wait while API calls are scarce.
    pub fn ask_routine_sweep(&self) {
        self.routine.store(true, Ordering::SeqCst);
        self.work.notify_one();
    }

    /// Waits for the step under way and then holds the engine, so that several things can
    /// happen in the org before it looks again.
    pub async fn hold(&self) -> Held {
        Held { _turn: self.turnstile.clone().lock_owned().await, waker: self.clone() }
    }
}

/// What the engine says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Code and words of the failure that the engine is pausing on; `None` when all is well.
    pub trouble: Option<(String, String)>,
    /// What waits for the org's API calls, with its code and until when.
    pub waiting: Option<String>,
    /// Objects that are left alone, one line for each: code, object and what is wrong.
    pub paused: Vec<String>,
    /// Steps that did something, since start.
    pub steps: u64,
    /// Sweeps that finished, since start.
    pub sweeps: u64,
}

/// Runs the steps of one org.
pub struct Engine {
    context: Context,
    promoter: Promoter,
    notices: Writer,
    events: PubSubClient,
    waker: Waker,
    linger: Duration,
    governor: Governor,
    swept_at: Arc<std::sync::Mutex<Option<jiff::Timestamp>>>,
    health: tokio::sync::watch::Sender<Health>,
}

/// How a step left things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stepped {
    /// There was nothing to do.
    Idle,
    /// Something was done, and more may come in.
    Busy,
    /// There was more to do than one step takes.
    Full,
}

impl Engine {
    /// Joins the parts. `writer` is the promoter's.
    pub fn new(context: Context, writer: Writer, events: PubSubClient, waker: Waker) -> Self {
        let promoter = Promoter::new(context.clone(), writer.clone());
        let (health, _) = tokio::sync::watch::channel(Health::default());
        let (governor, swept_at) = (Governor::default(), Arc::default());
        Self { context, promoter, notices: writer, events, waker, linger: LINGER, governor, swept_at, health }
    }

    /// Leaves a share of the org's API calls to others.
    #[must_use]
    pub fn with_governor(self, governor: Governor) -> Self {
        Self { governor, ..self }
    }

    /// How long a step waits for more work, so that reads and writes go out in fuller calls.
    #[must_use]
    pub fn with_linger(self, linger: Duration) -> Self {
        Self { linger, ..self }
    }

    /// What the engine says about itself, as it changes.
    pub fn health(&self) -> tokio::sync::watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// Runs until told to stop; the step under way is finished first. The error is one that
    /// running again cannot cure.
    pub async fn run(self, stop: CancellationToken) -> Result<(), WorkflowError> {
        let mut pause = PAUSE_LEAST;
        self.waker.ask_sweep();
        while !stop.is_cancelled() {
            match self.stepped().await {
                Ok(Stepped::Full) => pause = PAUSE_LEAST,
                Ok(Stepped::Busy) => {
                    pause = PAUSE_LEAST;
                    self.rest(&stop, self.linger).await;
                }
                Ok(Stepped::Idle) => {
                    pause = PAUSE_LEAST;
                    // What wakes it while nothing else is going on is worked on at once, alone if need
                    // be; what comes in meanwhile goes together.
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = self.waker.work.notified() => {}
                        () = tokio::time::sleep(IDLE) => {}
                    }
                }
                Err(error) => {
                    self.report(&error);
                    if error.ends_the_process() {
                        return Err(error);
                    }
                    self.rest(&stop, pause).await;
                    pause = (pause * 2).min(PAUSE_MOST);
                }
            }
        }
        Ok(())
    }

    async fn rest(&self, stop: &CancellationToken, time: Duration) {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// One round. True when there may be more to do at once.
    pub async fn step(&self) -> Result<bool, WorkflowError> {
        Ok(self.stepped().await? != Stepped::Idle)
    }

    async fn stepped(&self) -> Result<Stepped, WorkflowError> {
        let _turn = self.waker.turnstile.lock().await;
        let mut busy = false;
        // Who has nothing to write would not learn from a transaction that another one leads.
        self.context.ledger.check_lead().await?;
        let level = self.governor.look(&self.context).await?;
        self.tell_waiting().await?;
        if level == Level::Spent {
            return Ok(Stepped::Idle);
        }
        if self.sweep_is_due(level) {
            let swept = intake::sweep_all(&self.context, &self.events)
                .await
                .inspect_err(|_| self.waker.ask_sweep())?;
            tracing::info!(pending = swept.pending, confirmed = swept.confirmed, "sweep finished");
            self.health.send_modify(|health| health.sweeps += 1);
            self.note_sweep();
            busy = true;
        }
        // What was decided is carried out, also while the inbox cannot be read.
        let taken = intake::step(&self.context, &self.events).await;
        let judged = make::step(&self.context).await?;
        let progress = self.promoter.step().await?;
        intake::held(&self.context).await?;
        let told = match level {
            Level::Free => notice::step(&self.context, &self.notices).await?,
            _ => 0,
        };
        let taken = taken?;
        busy |= judged > 0 || taken.events > 0 || progress.finished > 0 || told > 0;
        let paused = self.context.paused();
        self.health.send_modify(|health| {
            health.sweeps += u64::from(taken.sweep);
            health.paused =
                paused.iter().map(|(object, why)| format!("{}: {object}: {}", why.code, why.words)).collect();
            health.trouble = None;
            health.steps += u64::from(busy);
        });
        // Only what ended counts: what cannot end now must not keep the engine spinning.
        let full = taken.full || progress.finished >= MOST_PER_STEP || told >= notice::MOST_PER_STEP;
        Ok(match (full, busy) {
            (true, _) => Stepped::Full,
            (false, true) => Stepped::Busy,
            (false, false) => Stepped::Idle,
        })
    }

    /// A sweep that something asked for comes first; one that the clock asked for comes seldom while API
    /// calls are scarce.
    fn sweep_is_due(&self, level: Level) -> bool {
        let asked = self.waker.sweep.swap(false, Ordering::SeqCst);
        let routine = self.waker.routine.swap(false, Ordering::SeqCst);
        let last = *self.swept_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.context.clock.now();
        let long_ago = last.is_none_or(|last| now.duration_since(last) >= SELDOM);
        asked || (routine && (level == Level::Free || long_ago))
    }

    fn note_sweep(&self) {
        let now = self.context.clock.now();
        *self.swept_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Health and ledger say what waits; the ledger only when it has changed.
    async fn tell_waiting(&self) -> Result<(), WorkflowError> {
        let words = self.governor.words();
        if self.health.borrow().waiting == words {
            return Ok(());
        }
        let mut tx = self.context.ledger.begin("what waits").await?;
        tx.note_waiting(words.as_deref().unwrap_or_default()).await?;
        tx.commit().await?;
        self.health.send_modify(|health| health.waiting.clone_from(&words));
        Ok(())
    }

    fn report(&self, error: &WorkflowError) {
        let words = match error.ends_the_process() {
            true => "a step failed for good",
            false => "a step failed and will be run again",
        };
        tracing::error!(code = error.code(), %error, "{words}");
        let trouble = Some((error.code().to_owned(), error.to_string()));
        self.health.send_modify(|health| health.trouble.clone_from(&trouble));
    }
}
