//! Where the stream's credentials come from.

use async_trait::async_trait;
use secrecy::SecretString;

/// What every call carries in its metadata.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// OAuth access token, without `Bearer`.
    pub token: SecretString,
    /// My Domain URL, with scheme.
    pub instance_url: String,
    /// 18-character org id.
    pub org_id: String,
}

/// No token could be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no access token: {message}")]
pub struct TokenError {
    /// Stable kebab-case code of the cause.
    pub code: &'static str,
    /// What happened and what to do, without secrets.
    pub message: String,
    /// Whether trying again later can help. A refused login cannot.
    pub retryable: bool,
}

impl TokenError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

/// Gives access tokens and takes back those that the server refused.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token that is believed to be good; logs in when there is none.
    async fn bearer(&self) -> Result<Bearer, TokenError>;
    /// Forgets `token`. Does nothing when a newer one is already in place.
    async fn invalidate(&self, token: &SecretString);
}
