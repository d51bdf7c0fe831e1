//! The connection's token, lent to the event stream.

use async_trait::async_trait;
use secrecy::SecretString;

use super::{
    Class, Connection, SalesforceError,
    pubsub::token::{Bearer, TokenError, TokenSource},
};

#[async_trait]
impl TokenSource for Connection {
    async fn bearer(&self) -> Result<Bearer, TokenError> {
        let token = self.token().await.map_err(refused)?;
        let org_id = match token.org_id {
            Some(org_id) => org_id,
            // Only a token made elsewhere can come without its org.
            None => self.identity().await.map_err(refused)?.org_id,
        };
        Ok(Bearer { token: token.secret, instance_url: token.instance_url, org_id })
    }

    async fn invalidate(&self, token: &SecretString) {
        self.forget(token).await;
    }
}

fn refused(error: SalesforceError) -> TokenError {
    let retryable = matches!(error.class(), Class::Retry | Class::Unknown);
    TokenError { code: error.code(), message: error.to_string(), retryable }
}
