//! The ledger of a command that needs no org: opened beside the daemon, also for writing.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{org_side::load_settings, status};
use crate::{
    clock::Clock,
    config::{self, LedgerSettings, Secret},
    ledger::{self, Ledger, LedgerError, OpenOptions},
};

/// Where the ledger is, and how to answer.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Ledger: a file, or the URL of a PostgreSQL database; without it the one of the settings.
    #[arg(long, value_name = "PLACE")]
    pub ledger: Option<String>,
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
        let place = given(self.ledger.clone(), self.config.as_deref())?;
        let org_id = Ledger::open_read_only(&place).await?.org_id().to_owned();
        let options = OpenOptions { place, org_id, clock: clock.clone(), create: false };
        Ok(told(Ledger::open(options).await?))
    }
}

/// The given place, or the one of the settings.
pub fn given(ledger: Option<String>, config: Option<&Path>) -> anyhow::Result<ledger::Place> {
    match ledger {
        Some(text) => Ok(at(text, config)?),
        None => Ok(of(&load_settings(config)?.ledger)?),
    }
}

/// A place as a command line names it. Only its password comes from the settings.
pub fn at(text: String, config: Option<&Path>) -> Result<ledger::Place, LedgerError> {
    let place = ledger::Place::parse(&text)?;
    match place.file() {
        Some(_) => Ok(place),
        None => Ok(place.with_password(secret(config::ledger_password(config).as_ref()))),
    }
}

/// The place that settings name.
pub fn of(settings: &LedgerSettings) -> Result<ledger::Place, LedgerError> {
    Ok(ledger::Place::parse(&settings.path)?.with_password(secret(settings.password.as_ref())))
}

fn secret(secret: Option<&Secret>) -> Option<SecretString> {
    secret.map(|secret| SecretString::from(secret.expose().to_owned()))
}

/// Tells people that the schema was brought forward.
pub fn told(ledger: Ledger) -> Ledger {
    if let Some((from, to)) = ledger.migrated() {
        eprintln!(
            "the ledger at {} was brought from schema {from} to {to}; older versions of countersign refuse it now",
            ledger.place()
        );
    }
    ledger
}
