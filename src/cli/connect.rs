//! From settings to a connection. Settings and the Salesforce client do not know each other;
//! this joins their two forms.

use std::time::Duration;

use anyhow::Context as _;
use secrecy::SecretString;

use crate::{
    clock::Clock,
    config::{self, Settings},
    salesforce::{Connection, ConnectionSettings, Credentials, pubsub::PubSubSettings},
};

/// One identity's connection; nothing is sent yet.
pub fn connect(
    settings: &Settings,
    credentials: &config::Credentials,
    clock: &Clock,
) -> anyhow::Result<Connection> {
    let connection = Connection::new(ConnectionSettings {
        login_url: settings.org.login_url.clone(),
        instance_url: settings.org.instance_url.clone(),
        api_version: settings.org.api_version.clone(),
        credentials: credentials_of(credentials),
        org_id: settings.org.org_id.clone(),
        ca_pem: authority(settings)?,
        timeout: Duration::from_millis(settings.promotion.timeout_ms),
        clock: clock.clone(),
    })?;
    Ok(connection)
}

/// How the event stream is reached.
pub fn stream_settings(settings: &Settings) -> anyhow::Result<PubSubSettings> {
    let mut stream = PubSubSettings::new(settings.org.pubsub_endpoint.clone());
    stream.ca_pem = authority(settings)?;
    Ok(stream)
}

fn authority(settings: &Settings) -> anyhow::Result<Option<Vec<u8>>> {
    let Some(path) = &settings.org.ca_pem_path else { return Ok(None) };
    let pem = std::fs::read(path).with_context(|| format!("reading org.ca_pem_path `{}`", path.display()))?;
    Ok(Some(pem))
}

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
