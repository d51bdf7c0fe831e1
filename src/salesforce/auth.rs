//! How one identity gets a token.

use std::path::PathBuf;

use secrecy::SecretString;

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
