//! One identity's connection to one org.

use std::time::Duration;

use super::{Credentials, SalesforceError};
use crate::{clock::Clock, domain::RecordId};

/// What a [`Connection`] is made from.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// Where tokens are asked for.
    pub login_url: String,
    /// The only place that a token may be for; absent: Salesforce's own hosts.
    pub instance_url: Option<String>,
    /// REST API version, for example `67.0`.
    pub api_version: String,
    /// How to log in.
    pub credentials: Credentials,
    /// PEM of a certificate authority to trust besides the machine's.
    pub ca_pem: Option<Vec<u8>>,
    /// How long one call may take.
    pub timeout: Duration,
    /// The time, for assertions.
    pub clock: Clock,
}

/// Who a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub user_id: RecordId,
    /// The user's name for logins.
    pub username: String,
    /// 18-character org id.
    pub org_id: String,
    /// Base URL of the org.
    pub instance_url: String,
}

/// The org's daily API calls as the last reply told them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitInfo {
    /// Calls in the last 24 hours.
    pub used: u64,
    /// Most calls.
    pub max: u64,
}

/// One identity: a cached token, one login at a time, and a count of calls.
#[derive(Debug, Clone)]
pub struct Connection {}

impl Connection {
    /// Checks the settings; logs in at the first call.
    pub fn new(settings: ConnectionSettings) -> Result<Self, SalesforceError> {
        let _ = settings;
        Ok(Self {})
    }

    /// Who this is, by asking the org.
    pub async fn identity(&self) -> Result<Identity, SalesforceError> {
        Err(not_built())
    }

    /// API calls made so far; token calls are not counted.
    pub fn calls(&self) -> u64 {
        0
    }

    /// The last limits that a reply told.
    pub fn limits(&self) -> Option<LimitInfo> {
        None
    }
}

pub(super) fn not_built() -> SalesforceError {
    SalesforceError::Setup { what: "not built yet".to_owned(), fix: "wait" }
}
