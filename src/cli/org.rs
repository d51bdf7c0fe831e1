//! `countersign org`: a simulated Salesforce org on this machine.

use super::Exit;

/// Options of `countersign org`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one line of JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Starts the org and serves until it is told to stop.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let _ = args.json;
    anyhow::bail!("the simulated org is not built yet")
}
