//! The ledger of a command that needs no org: opened beside the daemon, also for writing.

use std::path::PathBuf;

use super::status;
use crate::{
    clock::Clock,
    ledger::{Ledger, OpenOptions},
};

/// Where the ledger is, and how to answer.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Ledger file; without it the one of the settings.
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    pub json: bool,
}

impl Place {
    /// For reading only.
    pub async fn read(&self) -> anyhow::Result<Ledger> {
        status::open(self.ledger.clone(), self.config.clone()).await
    }

    /// For adding entries beside the daemon, which keeps the lead.
    pub async fn write(&self, clock: &Clock) -> anyhow::Result<Ledger> {
        let (ledger, path) = status::open_at(self.ledger.clone(), self.config.as_deref()).await?;
        let org_id = ledger.org_id().to_owned();
        Ok(Ledger::open(OpenOptions { path, org_id, clock: clock.clone(), create: false }).await?)
    }
}
