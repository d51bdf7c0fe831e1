//! `countersign serve`: the daemon. It runs until it is told to stop.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args as ClapArgs;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{
    Exit, ExitWith, checkpoint,
    daemon::Daemon,
    doctor::{Check, Report, Setup, State, agents},
    org_side::{OrgSide, load_settings},
};
use crate::{clock::Clock, config::Settings, ledger::checkpoint::Keeper, salesforce::Reader, telemetry};

/// Listens to change events, asks the gate, and promotes what is allowed.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Settings file; without it `config/countersign.toml`, then the environment.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where health and metrics answer, for example 127.0.0.1:8080; overrides the settings.
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
}

/// Runs the daemon. The first signal lets the step under way end, the second does not.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut settings = load_settings(args.config.as_deref())?;
    if args.http.is_some() {
        settings.http.listen = args.http;
    }
    telemetry::init_logs(settings.log.format, &settings.log.level)?;
    let metrics = telemetry::init_metrics()?;
    let mut stop = StopSignals::new()?;
    let opened = tokio::select! {
        biased;
        () = stop.next() => {
            tracing::info!("stopped before it served; nothing was begun");
            return Ok(Exit::Done);
        }
        opened = prepare(settings) => opened,
    };
    let (side, keeper) = opened?;
    let mut daemon = Daemon::start(&side, Some(metrics)).await?;
    if let Some((keeper, set)) = keeper.zip(side.settings.checkpoint.as_ref()) {
        daemon.keep_checkpoints(keeper, Duration::from_secs(set.every_seconds));
    }
    match daemon.http {
        Some(address) => tracing::info!(%address, "serving; health at /healthz and /readyz"),
        None => tracing::info!("serving; no HTTP address is set"),
    }
    let ended = tokio::select! {
        () = stop.next() => None,
        error = daemon.ended() => Some(error),
    };
    match &ended {
        None => tracing::info!("stopping; a second signal stops at once"),
        Some(error) => tracing::error!(code = error.code(), %error, "stopping: the daemon cannot go on"),
    }
    tokio::select! {
        stopped = daemon.stop() => stopped?,
        () = stop.next() => {
            tracing::warn!("stopped at once; what was under way is settled at the next start");
            return Ok(Exit::Failed);
        }
    }
    side.context.ledger.close().await?;
    // Lets the last log lines leave.
    tokio::time::sleep(Duration::from_millis(10)).await;
    match ended {
        None => Ok(Exit::Done),
        Some(error) => Err(error.into()),
    }
}

/// Everything that must hold before the lead is taken.
async fn prepare(settings: Settings) -> anyhow::Result<(OrgSide, Option<Keeper>)> {
    let side = OrgSide::open(settings, Clock::system()).await?;
    let (set, context) = (side.settings.checkpoint.as_ref(), &side.context);
    let keeper = checkpoint::keeper(set, &context.ledger, &context.clock).await?;
    side.check_policies().await?;
    guard(&side).await?;
    Ok((side, keeper))
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
