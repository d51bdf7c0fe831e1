//! The running daemon: stream, engine, schedule and HTTP, wired together. Used by `serve` and `demo`.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    counters, decay::objection, front::Front, lead::Lead, org_side::OrgSide, reconcile::options,
    recorder::Recorder,
};
use crate::{
    clock::Clock,
    domain::{Alarm, Watchdog, job::Job},
    http::{Probe, Readiness, Status},
    jobs::{
        self, checkpoints, drift, keeper,
        schedule::Schedule,
        watch::{Board, Limits, Live, Watchman, silence},
        work::Work,
    },
    ledger::{Ledger, checkpoint::Keeper},
    salesforce::{
        names,
        pubsub::{PubSubClient, PubSubSettings},
    },
    subscriber::{self, Pace, StreamHealth, SubscriberDeps},
    telemetry,
    workflow::{
        self, Engine, Health, WorkflowError, anchor::Anchors, engine::Waker, governor::Governor,
        heartbeat::Heartbeat, promote::Promoter, totals::Totals,
    },
};

/// How long a stop waits for the step under way.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// How long the first look at what lanes rest on may hold up the start.
const LOOK_WITHIN: Duration = Duration::from_secs(20);

/// A daemon that runs until it is stopped.
pub struct Daemon {
    /// Ledger, reader, rules and time.
    pub context: workflow::Context,
    /// Wakes or holds the engine.
    pub waker: Waker,
    /// What the engine says about itself.
    pub health: tokio::sync::watch::Receiver<Health>,
    /// What the stream says about itself.
    pub stream: Arc<StreamHealth>,
    schedule: Schedule,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    checkpoints: Option<(CancellationToken, JoinHandle<()>)>,
    /// Keeps the lease, also while the last step ends.
    kept: CancellationToken,
    keeping: JoinHandle<()>,
    over: mpsc::Receiver<WorkflowError>,
}

impl Daemon {
    /// Takes the lead of the ledger and starts everything. `None`: another replica had it, and now it is
    /// free; what `side` knows is older than that.
    pub async fn start(side: &OrgSide, front: &Front) -> anyhow::Result<Option<Self>> {
        let context = side.context.clone();
        let client = PubSubClient::connect(stream_settings(side)?, Arc::new(side.promoter.clone()))
            .context("connecting to the event stream")?;
        let (stop, kept) = (CancellationToken::new(), CancellationToken::new());
        let waker = Waker::default();
        let stream = Arc::new(StreamHealth::default());
        let late_after = i64::try_from(side.settings.stream.late_after_seconds).unwrap_or(i64::MAX);
        let recorder = Recorder::new(context.ledger.clone(), context.clock.clone(), waker.clone());
        let deps = SubscriberDeps {
            client: client.clone(),
            sink: Arc::new(recorder),
            topic: names::TOPIC.to_owned(),
            clock: context.clock.clone(),
            health: Arc::clone(&stream),
            pace: Pace::default(),
        };
        let linger = Duration::from_millis(side.settings.promotion.linger_ms);
        let engine = Engine::new(context.clone(), side.promoter_writer(), client, waker.clone());
        let api = side.settings.api;
        let governor = Governor::new(api.keep_free_percent, Duration::from_secs(api.look_again_seconds));
        let engine = engine.with_linger(linger).with_governor(governor.clone());
        let health = engine.health();
        let probe = DaemonProbe {
            ledger: context.ledger.clone(),
            health: health.clone(),
            stream: Arc::clone(&stream),
            clock: context.clock.clone(),
            late_after,
            board: Board::default(),
        };
        let watchman = watchman(side, &probe);
        // Only now: whoever cannot serve must not take the lead from somebody who can.
        let Some(lead) = Lead::take(side, front).await.context("taking the lead")? else { return Ok(None) };
        tracing::info!(epoch = lead.epoch, policy = context.rules.digest().short(), "leading");
        open_book(&context, &watchman.limits).await?;
        front.show(Arc::new(probe));
        let (ending, over) = mpsc::channel(4);
        let keeping = tokio::spawn(lead.keep(kept.child_token(), ending.clone()));
        // Before anything is judged: what the lanes rest on is known from the first promotion on.
        first_look(&context).await;
        let beating = beating(side, (&watchman.limits, governor), &stop).await?;
        let mut tasks = vec![
            tokio::spawn(subscriber::run(deps, stop.child_token())),
            tokio::spawn(run_engine(engine, stop.child_token(), ending)),
            tokio::spawn(subscriber::watch::run(
                Arc::clone(&stream),
                context.clock.clone(),
                late_after,
                stop.child_token(),
            )),
        ];
        tasks.extend(beating);
        tasks.push(tokio::spawn(watchman.run(stop.child_token())));
        tasks.extend(tend(front, &stop));
        let schedule = Schedule::start(waker.clone(), side.settings.sweep.every_seconds).await?;
        tasks.extend(scheduled(side, &schedule, &stop).await?);
        let checkpoints = None;
        Ok(Some(Self {
            context,
            waker,
            health,
            stream,
            schedule,
            stop,
            tasks,
            checkpoints,
            kept,
            keeping,
            over,
        }))
    }

    /// Writes checkpoints from now on, the last one at the stop, when nothing else writes any more.
    pub fn keep_checkpoints(&mut self, keeper: Keeper, anchors: Option<Anchors>, every: Duration) {
        let stop = CancellationToken::new();
        let task = tokio::spawn(checkpoints::run(keeper, anchors, every, stop.clone()));
        self.checkpoints = Some((stop, task));
    }

    /// Waits for what ends the daemon although nobody asked it to stop.
    pub async fn ended(&mut self) -> WorkflowError {
        match self.over.recv().await {
            Some(error) => error,
            // Everything ended because it was told to.
            None => std::future::pending().await,
        }
    }

    /// Stops in order: no new events, the step under way ends, then everything is down.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        for task in self.tasks {
            tokio::time::timeout(STOP_WITHIN, task)
                .await
                .context("a step did not end in time; what it began is settled at the next start")??;
        }
        self.schedule.stop().await?;
        if let Some((stop, task)) = self.checkpoints {
            stop.cancel();
            tokio::time::timeout(STOP_WITHIN, task).await.context("the last checkpoint took too long")??;
        }
        self.kept.cancel();
        self.keeping.await?;
        Ok(())
    }
}

/// The jobs of the timetable.
async fn scheduled(
    side: &OrgSide,
    schedule: &Schedule,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let mut tasks = Vec::new();
    for plan in keeper::Plan::of(&side.settings.jobs, side.settings.inbox.keep_days.is_some()) {
        if plan.job == Job::Totals && !has_totals(side).await {
            continue;
        }
        let ends = (woken(schedule).await?, stop.child_token());
        tasks.push(tokio::spawn(keeper::keep(work(side), plan, ends)));
    }
    Ok(tasks)
}

/// Told once: an org whose package is older goes without.
async fn has_totals(side: &OrgSide) -> bool {
    let has = work(side).totals.has_place().await;
    if !has {
        tracing::warn!(
            code = "totals-off",
            "the org's reports get no totals of runs: it has no object AI_Run_Total__c, or the promoter does not see it; deploy salesforce-metadata and start again"
        );
    }
    has
}

/// What tells the org that the daemon is at work, where the settings ask for it. The first one goes out
/// before anything is promoted; one that fails holds nothing up.
async fn beating(
    side: &OrgSide,
    (limits, governor): (&Limits, Governor),
    stop: &CancellationToken,
) -> anyhow::Result<Option<JoinHandle<()>>> {
    let Some(minutes) = side.settings.heartbeat.every_minutes else { return Ok(None) };
    let own_user = side.promoter.identity().await.context("asking who the promoter is")?.user_id;
    let (context, limits) = (side.context.clone(), limits.clone());
    let heartbeat = Heartbeat::new(context.clone(), side.promoter_writer(), own_user, governor);
    match tokio::time::timeout(LOOK_WITHIN, jobs::heartbeat::beat(&context, &heartbeat, &limits)).await {
        Ok(Err(error)) if error.ends_the_process() => return Err(error.into()),
        Ok(Err(error)) => tracing::error!(code = error.code(), "no heartbeat: {error}"),
        Ok(Ok(())) => {}
        Err(_) => tracing::warn!("no heartbeat: the org did not answer in time"),
    }
    let every = Duration::from_secs(minutes.saturating_mul(60));
    let kept = jobs::heartbeat::run((context, heartbeat), (every, limits), stop.child_token());
    Ok(Some(tokio::spawn(kept)))
}

/// The watchdogs, with what only the running daemon knows.
fn watchman(side: &OrgSide, probe: &DaemonProbe) -> Watchman {
    let (health, stream, late_after) = (probe.health.clone(), Arc::clone(&probe.stream), probe.late_after);
    let live: Live = Box::new(move |now| {
        let late = stream.snapshot().trouble(now, late_after);
        let late = late.map(|(code, words)| Alarm::new(Watchdog::StreamLate, format!("{code}: {words}")));
        let waiting = health.borrow().waiting.clone();
        late.into_iter().chain(waiting.map(|words| Alarm::new(Watchdog::ApiBudget, words))).collect()
    });
    Watchman {
        ledger: probe.ledger.clone(),
        clock: probe.clock.clone(),
        limits: Limits::of(&side.settings),
        live,
        board: probe.board.clone(),
    }
}

/// What keeps house beside the work: lanes that only record are looked at, and the counters are kept small.
fn tend(front: &Front, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    if let Some(metrics) = front.metrics.clone() {
        let tidy = move || metrics.run_upkeep();
        tasks.push(tokio::spawn(telemetry::upkeep(telemetry::UPKEEP_EVERY, stop.child_token(), tidy)));
    }
    tasks
}

/// What is recorded before anything is judged: the rules, and how long nobody was awake. Counters begin.
async fn open_book(context: &workflow::Context, limits: &Limits) -> Result<(), WorkflowError> {
    counters::begin(&context.ownership);
    context.keep_rules().await?;
    silence::wake(&context.ledger, limits, context.clock.now()).await?;
    Ok(())
}

/// A look that fails or takes long holds nothing up: each sweep looks at fields, and the job looks again.
async fn first_look(context: &workflow::Context) {
    match tokio::time::timeout(LOOK_WITHIN, drift::look(context)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(code = error.code(), %error, "what the lanes rest on was not looked at");
        }
        Err(_) => tracing::warn!("what the lanes rest on was not looked at: the org did not answer in time"),
    }
}

/// What scheduled jobs work with.
pub fn work(side: &OrgSide) -> Work {
    Work {
        context: side.context.clone(),
        promoter: Promoter::new(side.context.clone(), side.promoter_writer()),
        totals: Totals::new(side.context.clone(), side.promoter_writer()),
        objection: objection(side.settings.decay.objection_hours),
        most_decays: side.settings.decay.most_records,
        reconcile: options(&side.settings.reconcile),
        keep_days: side.settings.inbox.keep_days,
    }
}

/// What a job waits for: it is woken every minute.
async fn woken(schedule: &Schedule) -> anyhow::Result<Arc<Notify>> {
    let wake = Arc::new(Notify::new());
    schedule.each_minute(Arc::clone(&wake)).await?;
    Ok(wake)
}

async fn run_engine(engine: Engine, stop: CancellationToken, ending: mpsc::Sender<WorkflowError>) {
    if let Err(error) = engine.run(stop).await {
        // Nobody listens any more when the daemon is being stopped.
        let _ = ending.try_send(error);
    }
}

fn stream_settings(side: &OrgSide) -> anyhow::Result<PubSubSettings> {
    let ca_pem = match &side.settings.org.ca_pem_path {
        Some(path) => Some(std::fs::read(path)?),
        None => None,
    };
    Ok(PubSubSettings { ca_pem, ..PubSubSettings::new(side.settings.org.pubsub_endpoint.clone()) })
}

struct DaemonProbe {
    ledger: Ledger,
    health: tokio::sync::watch::Receiver<Health>,
    stream: Arc<StreamHealth>,
    clock: Clock,
    late_after: i64,
    board: Board,
}

#[async_trait::async_trait]
impl Probe for DaemonProbe {
    async fn readiness(&self) -> Readiness {
        let mut troubles = Vec::new();
        let health = self.health.borrow().clone();
        if let Some((code, words)) = health.trouble {
            troubles.push(format!("{code}: {words}"));
        }
        troubles.extend(health.paused);
        let waiting = health.waiting.clone();
        troubles.extend(waiting.iter().filter(|words| words.starts_with("api-budget-spent")).cloned());
        if health.sweeps == 0 {
            troubles.push(
                "first-sweep-pending: what happened while the daemon was down is being read".to_owned(),
            );
        }
        let now = self.clock.now();
        let stream = self.stream.snapshot();
        if let Some((code, words)) = stream.trouble(now, self.late_after) {
            troubles.push(format!("{code}: {words}"));
        }
        let (inbox_waiting, promotions_open) = match self.ledger.counts().await {
            Ok(counts) => (counts.inbox_waiting, counts.promotions_open),
            Err(error) => {
                troubles.push(format!("{}: {error}", error.code()));
                (0, 0)
            }
        };
        Readiness {
            status: Status::Serving,
            ready: troubles.is_empty(),
            troubles,
            warnings: self.board.lines(),
            stream_silent_seconds: stream.silent_seconds(now),
            inbox_waiting,
            promotions_open,
            waiting,
        }
    }
}
