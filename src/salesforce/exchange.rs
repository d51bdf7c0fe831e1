//! One request and its reply: the place where the network can be left out.

use super::{SalesforceError, reply::broken};

/// Carries requests to an org. The network is one way; a simulated org in the same process is
/// another, which can lose, delay and repeat what it carries.
#[async_trait::async_trait]
pub trait Exchange: Send + Sync + std::fmt::Debug {
    /// Sends a request and waits for the head of its reply. The error says whether the request
    /// may have been carried out: [`SalesforceError::NotSent`] means that it was not. `host` is for it.
    async fn exchange(
        &self,
        request: reqwest::Request,
        host: &str,
    ) -> Result<reqwest::Response, SalesforceError>;
}

/// The network.
#[derive(Debug)]
pub(super) struct Http(pub(super) reqwest::Client);

#[async_trait::async_trait]
impl Exchange for Http {
    async fn exchange(
        &self,
        request: reqwest::Request,
        host: &str,
    ) -> Result<reqwest::Response, SalesforceError> {
        self.0.execute(request).await.map_err(|error| broken(host, &error))
    }
}
