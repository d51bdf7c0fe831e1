//! How one identity gets a token.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::SalesforceError;

/// Seconds that an assertion is good for.
const ASSERTION_SECONDS: i64 = 180;

/// How one identity logs in.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// OAuth JWT bearer.
    Jwt {
        /// Consumer key.
        client_id: String,
        /// The user to log in as.
        username: String,
        /// RSA private key, PEM; read at each login, so that it can be replaced.
        private_key_path: PathBuf,
        /// `aud` claim; absent: the login URL.
        audience: Option<String>,
    },
    /// OAuth client credentials.
    ClientCredentials {
        /// Consumer key.
        client_id: String,
        /// Consumer secret.
        client_secret: SecretString,
    },
    /// OAuth refresh token.
    Refresh {
        /// Consumer key.
        client_id: String,
        /// Consumer secret, where the app wants one.
        client_secret: Option<SecretString>,
        /// Refresh token.
        refresh_token: SecretString,
    },
    /// A token made elsewhere; it cannot be renewed.
    AccessToken {
        /// Access token.
        access_token: SecretString,
    },
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

/// A form for the token endpoint.
pub(super) type Form = Vec<(&'static str, String)>;

impl Credentials {
    /// Whether a refused token can be replaced by logging in again.
    pub(super) fn renewable(&self) -> bool {
        !matches!(self, Self::AccessToken { .. })
    }

    /// The token request at `now`; `None` for a token made elsewhere.
    pub(super) fn form(&self, login_url: &str, now: Timestamp) -> Result<Option<Form>, SalesforceError> {
        Ok(Some(match self {
            Self::Jwt { client_id, username, private_key_path, audience } => {
                let claims = Claims {
                    iss: client_id,
                    sub: username,
                    aud: audience.as_deref().unwrap_or(login_url),
                    exp: now.as_second() + ASSERTION_SECONDS,
                };
                vec![
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
                    ("assertion", sign(&claims, private_key_path)?),
                ]
            }
            Self::ClientCredentials { client_id, client_secret } => vec![
                ("grant_type", "client_credentials".to_owned()),
                ("client_id", client_id.clone()),
                ("client_secret", client_secret.expose_secret().to_owned()),
            ],
            Self::Refresh { client_id, client_secret, refresh_token } => {
                let mut form = vec![
                    ("grant_type", "refresh_token".to_owned()),
                    ("client_id", client_id.clone()),
                    ("refresh_token", refresh_token.expose_secret().to_owned()),
                ];
                if let Some(secret) = client_secret {
                    form.push(("client_secret", secret.expose_secret().to_owned()));
                }
                form
            }
            Self::AccessToken { .. } => return Ok(None),
        }))
    }
}

fn sign(claims: &Claims<'_>, key: &Path) -> Result<String, SalesforceError> {
    let unusable = |what: String| SalesforceError::Setup {
        what,
        fix: "private_key_path must name the PEM of the RSA key whose certificate the app holds",
    };
    let pem = std::fs::read(key)
        .map_err(|error| unusable(format!("the private key {} cannot be read: {error}", key.display())))?;
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(&pem)
        .map_err(|_| unusable(format!("the private key {} is not an RSA key in PEM", key.display())))?;
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    jsonwebtoken::encode(&header, claims, &key)
        .map_err(|error| unusable(format!("the assertion cannot be signed: {error}")))
}

/// A token reply; the fields that no known client needs are not read.
#[derive(Deserialize)]
pub(super) struct TokenReply {
    pub access_token: SecretString,
    pub instance_url: String,
    #[serde(default)]
    pub id: Option<String>,
}

/// An OAuth refusal.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Reads a refusal of the token endpoint; `None` when the body is not one.
pub(super) fn refusal(body: &[u8]) -> Option<SalesforceError> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let fix = what_to_do(&refusal.error, &refusal.error_description.to_lowercase());
    Some(SalesforceError::LoginRefused {
        error: super::errors::shorten(&refusal.error),
        description: super::errors::shorten(&refusal.error_description),
        fix,
    })
}

/// Whether the assertion was too old for the server's clock.
pub(super) fn is_clock_skew(error: &SalesforceError) -> bool {
    matches!(error, SalesforceError::LoginRefused { error, description, .. }
        if error == "invalid_grant" && description.contains("expired authorization code"))
}

fn what_to_do(error: &str, description: &str) -> &'static str {
    let says = |text: &str| description.contains(text);
    match error {
        "invalid_client_id" => {
            "correct client_id: Setup > External Client App Manager > the app > OAuth settings"
        }
        "invalid_client" => {
            "correct client_id and client_secret: Setup > External Client App Manager > the app"
        }
        "unsupported_grant_type" => "turn this OAuth flow on in the app: Setup > External Client App Manager",
        "invalid_app_access" => {
            "assign the app's permission set or profile to the user: Setup > the app > Policies"
        }
        _ if says("approved this consumer") || says("admin approved") => {
            "pre-authorise the user: Setup > External Client App Manager > the app > Policies"
        }
        _ if says("audience") => {
            "set audience to https://login.salesforce.com (production) or https://test.salesforce.com (sandbox)"
        }
        _ if says("expired authorization code") => "correct this machine's clock",
        _ if says("invalid assertion") => {
            "upload the certificate of this private key to the app: Setup > External Client App Manager"
        }
        _ if says("inactive user") || says("frozen") => "activate or unfreeze the user: Setup > Users",
        _ if says("expired access/refresh token") => "log in again and store the new refresh token",
        _ if says("no client credentials user") => "name a Run As user in the app's client credentials flow",
        _ if says("not installed") => "correct org.login_url: this app belongs to another org",
        _ => "look at Setup > Login History for the reason",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_documented_refusal_says_what_to_do() {
        let cases = [
            ("invalid_grant", "user hasn't approved this consumer", "pre-authorise"),
            ("invalid_grant", "audience is invalid", "audience"),
            ("invalid_grant", "expired authorization code", "clock"),
            ("invalid_grant", "invalid assertion", "certificate"),
            ("invalid_grant", "inactive user", "activate"),
            ("invalid_grant", "expired access/refresh token", "log in again"),
            ("invalid_grant", "no client credentials user enabled", "Run As"),
            ("invalid_client_id", "client identifier invalid", "client_id"),
            ("invalid_client", "invalid client credentials", "client_secret"),
            ("invalid_app_access", "user is not admin approved to access this app", "assign"),
            ("invalid_grant", "External client app is not installed in this org", "login_url"),
            ("invalid_grant", "authentication failure", "Login History"),
        ];
        for (error, description, expected) in cases {
            let body = serde_json::json!({ "error": error, "error_description": description }).to_string();
            let told = refusal(body.as_bytes()).unwrap().to_string();
            assert!(told.contains(expected), "{told} must speak of {expected}");
        }
        assert!(refusal(b"<html>").is_none());
    }

    #[test]
    fn secrets_do_not_print() {
        let credentials = Credentials::Refresh {
            client_id: "app".to_owned(),
            client_secret: Some("canary-one".into()),
            refresh_token: "canary-two".into(),
        };
        assert!(!format!("{credentials:?}").contains("canary"));
    }
}
