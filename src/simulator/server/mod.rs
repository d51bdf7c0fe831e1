//! The simulated org on the network: REST and OAuth on one listener, Pub/Sub on another.

mod control;
mod control_events;
mod inside;
mod keys;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{Router, ServiceExt, http::Request, routing::any};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Identity, ServerTlsConfig};
use tower::{Layer as _, util::MapRequestLayer};
use tower_http::decompression::RequestDecompressionLayer;

use super::{Org, StateError, metadata_api, oauth, pubsub, rest};

pub use inside::Inside;
pub(super) use wire::Wire;

/// The version that the org tells clients to use.
pub const API_VERSION: &str = "67.0";

/// What every handler needs.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) org: Org,
    /// `http://127.0.0.1:PORT` or `https://localhost:PORT`.
    pub(super) instance_url: Arc<str>,
    /// Audiences of JWT assertions, without a trailing slash.
    pub(super) audiences: Arc<BTreeSet<String>>,
}

/// Where and how to serve.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// REST and OAuth.
    pub listen: SocketAddr,
    /// Pub/Sub.
    pub pubsub: SocketAddr,
    /// Both over TLS, with certificates made at start.
    pub tls: bool,
    /// Where the JWT key and the certificates are kept, and found again. `None`: a fresh
    /// private folder that is removed at the end.
    pub key_folder: Option<PathBuf>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { listen: loopback, pubsub: loopback, tls: false, key_folder: None }
    }
}

/// Why the org does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A key or certificate cannot be made, kept or read.
    #[error("keys in {folder}: {reason}")]
    Keys {
        /// Where.
        folder: String,
        /// Why.
        reason: String,
    },
}

impl ServerError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "org-address-unavailable",
            Self::Keys { .. } => "org-keys-unusable",
        }
    }
}

/// A running org. Dropping it stops the listeners at once.
#[derive(Debug)]
pub struct RunningOrg {
    /// The org behind the listeners.
    pub org: Org,
    /// Base of all REST and OAuth addresses.
    pub instance_url: String,
    /// `host:port` of Pub/Sub.
    pub pubsub_endpoint: String,
    /// Private key of the registered client, PEM.
    pub jwt_key_pem: String,
    /// The file that holds it.
    pub jwt_key_path: PathBuf,
    /// Certificate authority of the listeners, with TLS.
    pub ca_pem: Option<String>,
    /// The file that holds it.
    pub ca_path: Option<PathBuf>,
    stop: CancellationToken,
    rest: axum_server::Handle<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
    _keys: keys::Keys,
}

/// Starts both listeners and registers the client's key with the org.
pub async fn start(org: Org, options: ServerOptions) -> Result<RunningOrg, ServerError> {
    let keys = keys::Keys::open(options.key_folder.clone(), options.tls)?;
    org.set_oauth_certificate(&keys.jwt_public_pem);
    let rest_socket = listen(options.listen)?;
    let pubsub_socket = listen(options.pubsub)?;
    let (rest_at, pubsub_at) =
        (address(&rest_socket, options.listen)?, address(&pubsub_socket, options.pubsub)?);
    let scheme = if options.tls { "https" } else { "http" };
    let instance_url = format!("{scheme}://{}", shown(rest_at, options.tls));
    let site = Site {
        audiences: Arc::new(audiences(scheme, &instance_url, rest_at)),
        instance_url: instance_url.as_str().into(),
        org: org.clone(),
    };
    let stop = CancellationToken::new();
    let handle = axum_server::Handle::new();
    let rest = serve_rest(rest_socket, options.listen, site, &keys, handle.clone())?;
    let pubsub = serve_pubsub(pubsub_socket, options.pubsub, &org, &keys, stop.clone())?;
    Ok(RunningOrg {
        org,
        instance_url,
        pubsub_endpoint: shown(pubsub_at, options.tls),
        jwt_key_pem: keys.jwt_private_pem.clone(),
        jwt_key_path: keys.jwt_key_path(),
        ca_pem: keys.tls.as_ref().map(|tls| tls.ca_pem.clone()),
        ca_path: keys.tls.as_ref().map(|_| keys.ca_path()),
        stop,
        rest: handle,
        tasks: vec![rest, pubsub],
        _keys: keys,
    })
}

fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    let failed = |source| ServerError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

fn address(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr, ServerError> {
    listener.local_addr().map_err(|source| ServerError::Listen { address: asked, source })
}

/// `host:port`. Under TLS a loopback address is named `localhost`: clients disagree on
/// addresses as server names.
fn shown(address: SocketAddr, tls: bool) -> String {
    if tls && address.ip().is_loopback() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

fn audiences(scheme: &str, instance_url: &str, at: SocketAddr) -> BTreeSet<String> {
    let port = at.port();
    BTreeSet::from([
        "https://login.salesforce.com".to_owned(),
        "https://test.salesforce.com".to_owned(),
        instance_url.to_owned(),
        format!("{scheme}://127.0.0.1:{port}"),
        format!("{scheme}://localhost:{port}"),
    ])
}

fn serve_rest(
    socket: TcpListener,
    asked: SocketAddr,
    site: Site,
    keys: &keys::Keys,
    handle: axum_server::Handle<SocketAddr>,
) -> Result<JoinHandle<()>, ServerError> {
    let app = Router::new()
        .merge(oauth::router())
        .merge(control::router())
        .merge(metadata_api::router().layer(axum::extract::DefaultBodyLimit::max(60 * 1024 * 1024)))
        .route("/services/data", any(rest::http::handle))
        .route("/services/data/", any(rest::http::handle))
        .route("/services/data/{*rest}", any(rest::http::handle))
        .layer(RequestDecompressionLayer::new())
        .with_state(site);
    let app = MapRequestLayer::new(single_slash).layer(app);
    let app = ServiceExt::<Request<_>>::into_make_service_with_connect_info::<SocketAddr>(app);
    let failed = |source| ServerError::Listen { address: asked, source };
    let server = axum_server::from_tcp(socket).map_err(failed)?.handle(handle).acceptor(wire::WireAcceptor);
    Ok(match &keys.tls {
        None => tokio::spawn(async move { report("rest", server.serve(app).await) }),
        Some(tls) => {
            let tls = tls.server_config();
            let server =
                server.map(|wires| axum_server::tls_rustls::RustlsAcceptor::new(tls).acceptor(wires));
            tokio::spawn(async move { report("rest", server.serve(app).await) })
        }
    })
}

/// The Salesforce CLI asks for `//services/..`, which a real org answers.
fn single_slash<B>(mut request: Request<B>) -> Request<B> {
    let uri = request.uri();
    if uri.path().starts_with("//") {
        let path = uri.path().trim_start_matches('/');
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = format!("/{path}{query}").parse() {
            *request.uri_mut() = uri;
        }
    }
    request
}

fn report(listener: &str, ended: Result<(), std::io::Error>) {
    if let Err(error) = ended {
        tracing::error!(listener, %error, "a listener of the simulated org ended");
    }
}

fn serve_pubsub(
    socket: TcpListener,
    asked: SocketAddr,
    org: &Org,
    keys: &keys::Keys,
    stop: CancellationToken,
) -> Result<JoinHandle<()>, ServerError> {
    let failed = |source| ServerError::Listen { address: asked, source };
    let socket = tokio::net::TcpListener::from_std(socket).map_err(failed)?;
    let mut server = tonic::transport::Server::builder();
    if let Some(tls) = &keys.tls {
        let identity = Identity::from_pem(&tls.certificate_pem, &tls.key_pem);
        server = server
            .tls_config(ServerTlsConfig::new().identity(identity))
            .map_err(|error| failed(std::io::Error::other(error)))?;
    }
    let incoming = pubsub::Lines::new(socket, keys.tls.is_none());
    let service = pubsub::service(org.clone());
    Ok(tokio::spawn(async move {
        let serving = server.add_service(service).serve_with_incoming(incoming);
        tokio::select! {
            // Open streams do not keep the org from stopping.
            () = stop.cancelled() => {}
            ended = serving => report("pubsub", ended.map_err(std::io::Error::other)),
        }
    }))
}

impl RunningOrg {
    /// A fresh access token for a seeded user.
    pub fn access_token(&self, role: &str) -> Option<String> {
        let user = self.org.user(role)?;
        let lifetime = Duration::from_secs(self.org.settings().session_seconds);
        Some(self.org.open_session(&user.user_id, lifetime))
    }

    /// What `countersign org --json` prints.
    pub fn contract(&self) -> Value {
        let app = self.org.oauth_app();
        let users = self.org.users();
        let users = users.iter().map(|user| {
            let token = self.access_token(&user.role);
            let about = json!({ "user_id": user.user_id, "username": user.username, "access_token": token });
            (user.role.clone(), about)
        });
        let mut contract = json!({
            "instance_url": self.instance_url,
            "pubsub_endpoint": self.pubsub_endpoint,
            "org_id": self.org.org_id(),
            "api_version": API_VERSION,
            "oauth": {
                "client_id": app.client_id,
                "client_secret": app.client_secret,
                "jwt_key_pem_path": self.jwt_key_path,
                "token_url": format!("{}/services/oauth2/token", self.instance_url),
            },
            "users": users.collect::<serde_json::Map<_, _>>(),
        });
        if let (Some(path), Some(map)) = (&self.ca_path, contract.as_object_mut()) {
            map.insert("ca_pem_path".to_owned(), json!(path));
        }
        contract
    }

    /// Ends the listeners and open connections, then saves the state.
    pub async fn shutdown(mut self) -> Result<(), StateError> {
        self.stop.cancel();
        self.rest.graceful_shutdown(Some(Duration::from_secs(1)));
        for task in std::mem::take(&mut self.tasks) {
            // A task that panicked has said so already.
            let _ = tokio::time::timeout(Duration::from_secs(3), task).await;
        }
        self.org.save_state()
    }
}

impl Drop for RunningOrg {
    fn drop(&mut self) {
        self.stop.cancel();
        self.rest.shutdown();
        for task in &self.tasks {
            task.abort();
        }
    }
}
