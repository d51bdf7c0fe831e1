//! The daemon's own HTTP side: health, readiness and metrics, and the console where its password is set.
//! Nothing here changes anything.

mod console;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use console::{Console, Door, Page};

/// What a daemon is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It opens its ledger and logs in.
    Starting,
    /// Another replica leads; this one waits to take over.
    Standby,
    /// It leads.
    Serving,
    /// It cannot reach its ledger, and tries again.
    Waiting,
}

/// Whether the daemon does its work right now, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// What it is at.
    pub status: Status,
    /// It leads, and everything runs.
    pub ready: bool,
    /// One line for each thing that does not, starting with a stable code.
    pub troubles: Vec<String>,
    /// What goes wrong slowly, while the work goes on: one line for each, starting with the code of the
    /// watchdog.
    pub warnings: Vec<String>,
    /// Seconds since the event stream last said anything; `null` before the first time.
    pub stream_silent_seconds: Option<i64>,
    /// Batches that are recorded and not yet worked on.
    pub inbox_waiting: u64,
    /// Promotions that have not ended.
    pub promotions_open: u64,
    /// What waits for the org's API calls, starting with a stable code, and until when.
    pub waiting: Option<String>,
}

impl Readiness {
    /// Of a daemon that does no work.
    pub fn without_work(status: Status, troubles: Vec<String>) -> Self {
        let (ready, stream_silent_seconds) = (false, None);
        Self {
            status,
            ready,
            troubles,
            warnings: Vec::new(),
            waiting: None,
            stream_silent_seconds,
            inbox_waiting: 0,
            promotions_open: 0,
        }
    }

    /// A replica that stands by is as it should be.
    fn is_well(&self) -> bool {
        self.ready || (self.status == Status::Standby && self.troubles.is_empty())
    }
}

/// Answers the readiness question at the time it is asked.
#[async_trait::async_trait]
pub trait Probe: Send + Sync {
    /// Looks now.
    async fn readiness(&self) -> Readiness;
}

#[derive(Clone)]
struct Shared {
    probe: Arc<dyn Probe>,
    metrics: Option<PrometheusHandle>,
    console: Option<Door>,
}

/// A server that has its port and answers until it is told to stop.
pub struct Server {
    /// The address that it listens on.
    pub address: SocketAddr,
    /// Ends when the server has stopped.
    pub task: tokio::task::JoinHandle<std::io::Result<()>>,
}

/// Starts to listen. Without a `console` its address says how to switch it on. The error is the operating system's, for example an address in use.
pub async fn start(
    listen: SocketAddr,
    probe: Arc<dyn Probe>,
    metrics: Option<PrometheusHandle>,
    console: Option<Door>,
    stop: CancellationToken,
) -> std::io::Result<Server> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let app = router(Shared { probe, metrics, console });
    let task = tokio::spawn(async move {
        axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await
    });
    Ok(Server { address, task })
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_page))
        .route("/console", any(console::first))
        .route("/console/", any(console::first))
        .route("/console/{*path}", any(console::other))
        .with_state(shared)
}

/// 200 while the daemon does its work or stands by, 503 with the reasons while it does neither.
async fn readyz(State(shared): State<Shared>) -> Response {
    let readiness = shared.probe.readiness().await;
    let status = if readiness.is_well() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn metrics_page(State(shared): State<Shared>) -> Response {
    let Some(handle) = shared.metrics else { return StatusCode::NOT_FOUND.into_response() };
    let plain = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(header::CONTENT_TYPE, plain)], handle.render()).into_response()
}
