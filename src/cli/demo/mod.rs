//! `countersign demo`: a simulated org, the daemon and a ledger in one process, and a story.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args as ClapArgs;

use super::{Exit, ExitWith, serve::StopSignals};

mod report;
mod review;
pub(super) mod settings;
mod story;
mod tamper;
mod world;

use report::Report;
use world::World;

/// Watch AI proposals go through gate, approval and compare-and-set, with no account and no server.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Leave when the story is over; exit code 0 only if every step went as told.
    #[arg(long)]
    once: bool,
    /// Print one JSON document with the steps instead of the story.
    #[arg(long)]
    json: bool,
    /// Keep the ledger in this new file; without it the ledger goes when the demo ends.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Where health and metrics answer.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    http: SocketAddr,
}

/// Tells the story; without `--once` it stays up until a signal.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    if let Some(path) = args.ledger.as_deref().filter(|path| path.exists()) {
        let path = path.display();
        let words = format!("`{path}` exists, and the story needs a ledger of its own: name a new file");
        return Err(ExitWith::usage(words).into());
    }
    let mut stop = StopSignals::new()?;
    let mut report = Report::new(args.json, !args.once);
    report.title("countersign: AI proposes, people countersign in Salesforce, a deterministic gate promotes");
    report.say("Starting a Salesforce org on this machine (invented data), and the daemon beside it.");
    let world = World::start(args.ledger, args.http).await?;
    report.say(&world.summary());
    let told = tokio::select! {
        told = story::tell(&world, &mut report) => told,
        () = stop.next() => Ok(()),
    };
    if let Err(error) = told {
        report.broke(&format!("{error:#}"));
    }
    let all_ok = report.finish(&world.next_steps());
    if !args.once {
        report.say("The demo stays up. Press Ctrl-C to end it.");
        stop.next().await;
    }
    world.stop().await?;
    Ok(if all_ok { Exit::Done } else { Exit::Failed })
}
