//! From settings to connections, ledger and context: what most commands open first.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use secrecy::SecretString;

use super::ExitWith;
use crate::{
    clock::Clock,
    config::{self, Settings},
    domain::RecordId,
    gate::Rules,
    ledger::{Ledger, OpenOptions},
    salesforce::{Connection, ConnectionSettings, Credentials, Reader, Writer},
    workflow::{self, context::ContextParts},
};

/// Both identities and the ledger of one org, opened.
pub struct OrgSide {
    /// The settings in force.
    pub settings: Settings,
    /// Ledger, reader, rules and time.
    pub context: workflow::Context,
    /// The promoter's connection.
    pub promoter: Connection,
    /// The proposer's connection, where one is set.
    pub proposer: Option<Connection>,
}

impl OrgSide {
    /// Connects, pins the org, opens (or creates) the ledger and describes the governed objects.
    pub async fn open(settings: Settings, clock: Clock) -> anyhow::Result<Self> {
        let rules = load_rules(&settings)?;
        let promoter = connect(&settings, &settings.promoter, &clock)?;
        let identity = promoter.identity().await.context("connecting as the promoter")?;
        pin(&settings, &identity.org_id)?;
        let mut machine_users: Vec<RecordId> = vec![identity.user_id.clone()];
        let proposer = match &settings.proposer {
            Some(credentials) => {
                let connection = connect(&settings, credentials, &clock)?;
                let told = connection.identity().await.context("connecting as the proposer")?;
                pin(&settings, &told.org_id)?;
                machine_users.push(told.user_id);
                Some(connection)
            }
            None => None,
        };
        let ledger = Ledger::open(OpenOptions {
            path: settings.ledger.path.clone(),
            org_id: identity.org_id.clone(),
            clock: clock.clone(),
            create: true,
        })
        .await
        .context("opening the ledger")?;
        let reader = Reader::new(promoter.clone());
        let context = workflow::Context::new(ContextParts { ledger, reader, rules, clock, machine_users });
        context.describe().await.context("describing the governed objects")?;
        Ok(Self { settings, context, promoter, proposer })
    }

    /// The promoter's writer. Commands use it for rollbacks; the daemon for everything else.
    pub fn promoter_writer(&self) -> Writer {
        Writer::new(self.promoter.clone())
    }

    /// The proposer's writer, or an error that names the setting.
    pub fn proposer_writer(&self) -> anyhow::Result<Writer> {
        let proposer = self.proposer.clone().context(
            "no proposer is set: add a [proposer] section to the settings; the promoter never proposes",
        )?;
        Ok(Writer::new(proposer))
    }
}

/// Reads settings from a file (or the default place) and the environment.
pub fn load_settings(path: Option<&Path>) -> anyhow::Result<Settings> {
    config::load(path).map_err(|errors| ExitWith::usage(errors.to_string()).into())
}

/// Loads the policies that the settings name, or the ones that are built in.
pub fn load_rules(settings: &Settings) -> anyhow::Result<Rules> {
    let policy = config::policies::load(settings.policy.directory.as_deref()).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        ExitWith::usage(format!("the policies have {} problem(s):\n{}", lines.len(), lines.join("\n")))
    })?;
    Ok(Rules::new(policy)?)
}

/// One identity's connection.
pub fn connect(
    settings: &Settings,
    credentials: &config::Credentials,
    clock: &Clock,
) -> anyhow::Result<Connection> {
    let ca_pem = match &settings.org.ca_pem_path {
        Some(path) => Some(std::fs::read(path).with_context(|| format!("reading `{}`", path.display()))?),
        None => None,
    };
    let connection = Connection::new(ConnectionSettings {
        login_url: settings.org.login_url.clone(),
        instance_url: settings.org.instance_url.clone(),
        api_version: settings.org.api_version.clone(),
        credentials: credentials_of(credentials),
        org_id: settings.org.org_id.clone(),
        ca_pem,
        timeout: Duration::from_millis(settings.promotion.timeout_ms),
        clock: clock.clone(),
    })?;
    Ok(connection)
}

fn pin(settings: &Settings, found: &str) -> anyhow::Result<()> {
    match &settings.org.org_id {
        Some(expected) if expected != found => Err(ExitWith::usage(format!(
            "org-mismatch: `org.org_id` is {expected}, but the credentials belong to {found}; \
             correct the credentials or the pin"
        ))
        .into()),
        _ => Ok(()),
    }
}

/// Settings and the Salesforce client do not know each other; this joins their two forms.
fn credentials_of(set: &config::Credentials) -> Credentials {
    let secret = |secret: &config::Secret| SecretString::from(secret.expose().to_owned());
    match set {
        config::Credentials::Jwt { client_id, username, private_key_path, audience } => Credentials::Jwt {
            client_id: client_id.clone(),
            username: username.clone(),
            private_key_path: private_key_path.clone(),
            audience: audience.clone(),
        },
        config::Credentials::ClientCredentials { client_id, client_secret } => {
            Credentials::ClientCredentials {
                client_id: client_id.clone(),
                client_secret: secret(client_secret),
            }
        }
        config::Credentials::Refresh { client_id, client_secret, refresh_token } => Credentials::Refresh {
            client_id: client_id.clone(),
            client_secret: client_secret.as_ref().map(secret),
            refresh_token: secret(refresh_token),
        },
        config::Credentials::AccessToken { access_token } => {
            Credentials::AccessToken { access_token: secret(access_token) }
        }
    }
}
