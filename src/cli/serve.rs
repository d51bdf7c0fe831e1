//! `countersign serve`: the daemon. It runs until it is told to stop.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args as ClapArgs;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{
    Exit, ExitWith, checkpoint,
    daemon::Daemon,
    doctor::{Check, Report, Setup, State, agents},
    front::Front,
    lead,
    org_side::{OrgSide, load_settings},
    place,
};
use crate::{
    clock::Clock,
    config::Settings,
    http::Status,
    ledger::{LedgerError, checkpoint::Keeper},
    salesforce::Reader,
    telemetry,
    workflow::{WorkflowError, anchor::Anchors},
};

/// Listens to change events, asks the gate, and promotes what is allowed.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Settings file; without it `config/countersign.toml`, then the environment.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where health and metrics answer, for example 127.0.0.1:8080; overrides the settings.
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Ends the process, as a kill would, at this point of its work; 0 only counts the points. Not in
    /// the shipped build.
    #[cfg(debug_assertions)]
    #[arg(long, hide = true, value_name = "POINT")]
    crash_at: Option<u64>,
}

/// Shortest and longest pause before a ledger that cannot be reached is opened again.
const PAUSE_LEAST: Duration = Duration::from_millis(500);
const PAUSE_MOST: Duration = Duration::from_secs(15);

/// How one turn of the daemon ended.
enum Turn {
    /// It was told to stop.
    Over(Exit),
    /// It stood by and the lead is free now; or it served, and then another replica took the lead, or the
    /// database was lost in the middle of a commit: everything is opened anew.
    Again,
}

/// Runs the daemon. The first signal lets the step under way end, the second does not. Where the
/// ledger is on a server, losing it or the lead does not end the process: it waits for its turn.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut settings = load_settings(args.config.as_deref())?;
    if args.http.is_some() {
        settings.http.listen = args.http;
    }
    telemetry::init_logs(settings.log.format, &settings.log.level)?;
    #[cfg(debug_assertions)]
    let _points = args.crash_at.map(super::crash_at::watch);
    let front = Front::open(&settings, Some(telemetry::init_metrics()?)).await?;
    let mut stop = StopSignals::new()?;
    let mut pause = PAUSE_LEAST;
    loop {
        let failed = match turn(&settings, &front, &mut stop).await {
            Ok(Turn::Over(exit)) => return Ok(exit),
            Ok(Turn::Again) => {
                pause = PAUSE_LEAST;
                continue;
            }
            Err(error) => error,
        };
        match ledger_failure(&failed) {
            Some(error) if lead::is_passing(error) && place::of(&settings.ledger)?.file().is_none() => {
                tracing::error!(code = error.code(), %error, "the ledger is opened again in a moment");
                front.say(Status::Waiting, vec![format!("{}: {error}", error.code())]);
            }
            _ => return Err(failed),
        }
        tokio::select! {
            () = stop.next() => return Ok(Exit::Done),
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSE_MOST);
    }
}

/// What the ledger said, somewhere under a failure.
fn ledger_failure(error: &anyhow::Error) -> Option<&LedgerError> {
    error.chain().find_map(|cause| match cause.downcast_ref::<WorkflowError>() {
        Some(WorkflowError::Ledger(error)) => Some(error),
        _ => cause.downcast_ref::<LedgerError>(),
    })
}

/// From opening everything to its end.
async fn turn(settings: &Settings, front: &Front, stop: &mut StopSignals) -> anyhow::Result<Turn> {
    let started = async {
        let (side, keeper, anchors) = prepare(settings.clone()).await?;
        let daemon = Daemon::start(&side, front).await?;
        anyhow::Ok((side, (keeper, anchors), daemon))
    };
    let opened = tokio::select! {
        biased;
        () = stop.next() => {
            tracing::info!("stopped before it served; nothing was begun");
            return Ok(Turn::Over(Exit::Done));
        }
        opened = started => opened,
    };
    let (side, (keeper, anchors), daemon) = opened?;
    let Some(mut daemon) = daemon else {
        // What was compared with checkpoints and org before the wait is old.
        side.context.ledger.close().await?;
        return Ok(Turn::Again);
    };
    if let Some((keeper, set)) = keeper.zip(side.settings.checkpoint.as_ref()) {
        daemon.keep_checkpoints(keeper, anchors, Duration::from_secs(set.every_seconds));
    }
    match front.address {
        Some(address) => tracing::info!(%address, "serving; health at /healthz and /readyz"),
        None => tracing::info!("serving; no HTTP address is set"),
    }
    let ended = tokio::select! {
        () = stop.next() => None,
        error = daemon.ended() => Some(error),
    };
    let gives_way = ended.is_some() && side.context.ledger.has_lease();
    match &ended {
        None => tracing::info!("stopping; a second signal stops at once"),
        Some(error) if gives_way => tracing::warn!(code = error.code(), %error, "giving way"),
        Some(error) => tracing::error!(code = error.code(), %error, "stopping: the daemon cannot go on"),
    }
    if gives_way {
        front.say(Status::Starting, Vec::new());
    }
    tokio::select! {
        stopped = daemon.stop() => match stopped {
            // What still hangs was told to stop, and its epoch is over.
            Err(error) if gives_way => tracing::warn!(%error, "a step did not end in time"),
            other => other?,
        },
        () = stop.next() => {
            tracing::warn!("stopped at once; what was under way is settled at the next start");
            return Ok(Turn::Over(Exit::Failed));
        }
    }
    side.context.ledger.close().await?;
    match ended {
        Some(_) if gives_way => Ok(Turn::Again),
        Some(error) => Err(error.into()),
        None => {
            // Lets the last log lines leave.
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok(Turn::Over(Exit::Done))
        }
    }
}

/// Everything that must hold before the lead is taken.
async fn prepare(settings: Settings) -> anyhow::Result<(OrgSide, Option<Keeper>, Option<Anchors>)> {
    let side = OrgSide::open(settings, Clock::system()).await?;
    let (set, context) = (side.settings.checkpoint.as_ref(), &side.context);
    let keeper = checkpoint::keeper(set, &context.ledger, &context.clock).await?;
    let anchors = checkpoint::anchors(set, &side).await?;
    side.check_policies().await?;
    guard(&side).await?;
    Ok((side, keeper, anchors))
}

/// Refuses to serve while a user that proposes could write a governed field by itself.
async fn guard(side: &OrgSide) -> anyhow::Result<()> {
    let setup = Reader::new(side.promoter.clone());
    let contracts: Vec<_> = side.context.governed().collect();
    let sight = Setup::look(&setup, &contracts, "AI_GATE_01").await;
    let identity = match &side.proposer {
        Some(connection) => Some(connection.identity().await?),
        None => None,
    };
    let mut report = Report::default();
    let proposer = side.proposer.as_ref().zip(identity.as_ref());
    agents::examine(&setup, &sight, (&contracts, proposer), &mut report).await;
    let agents: Vec<&Check> = report.checks.iter().filter(|check| check.area == "agents").collect();
    for check in agents.iter().filter(|check| check.state == State::Hidden) {
        tracing::warn!(code = check.code, "{}", check.message);
    }
    let open: Vec<&&Check> = agents.iter().filter(|check| check.state == State::Failed).collect();
    if side.settings.agents.allow_unguarded {
        for check in open {
            tracing::error!(code = check.code, "served all the same: {}", check.message);
        }
        return Ok(());
    }
    if open.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = open
        .iter()
        .map(|check| format!("  {}: {}\n    fix: {}", check.code, check.message, check.fix))
        .collect();
    let text =
        format!("agents-unguarded: an agent could write a governed field by itself:\n{}", lines.join("\n"));
    Err(ExitWith::usage(text).into())
}

/// SIGTERM and Ctrl-C, in the order in which they come.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Starts to listen for both.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The next one of either.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
