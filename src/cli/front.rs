//! The daemon's HTTP side for the whole life of the process: it answers while the daemon waits for
//! its database, stands by, serves, and gives way.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::console;
use crate::{
    config::Settings,
    http::{self, Probe, Readiness, Status},
};

/// Answers with whatever holds at the time.
#[derive(Clone)]
struct Board {
    shown: Arc<RwLock<Arc<dyn Probe>>>,
}

#[async_trait::async_trait]
impl Probe for Board {
    async fn readiness(&self) -> Readiness {
        let shown = Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner));
        shown.readiness().await
    }
}

/// Says the same each time.
struct Fixed(Readiness);

#[async_trait::async_trait]
impl Probe for Fixed {
    async fn readiness(&self) -> Readiness {
        self.0.clone()
    }
}

/// The HTTP side. It ends when this is dropped.
pub struct Front {
    /// Where it answers, when it does.
    pub address: Option<SocketAddr>,
    /// For the daemon to tidy up.
    pub metrics: Option<PrometheusHandle>,
    board: Board,
    _stop: DropGuard,
}

impl Front {
    /// Starts to answer; nothing is served yet.
    pub async fn open(settings: &Settings, metrics: Option<PrometheusHandle>) -> anyhow::Result<Self> {
        let starting = Fixed(Readiness::without_work(Status::Starting, Vec::new()));
        let board = Board { shown: Arc::new(RwLock::new(Arc::new(starting))) };
        let stop = CancellationToken::new();
        let address = match settings.http.listen {
            Some(listen) => {
                let probe: Arc<dyn Probe> = Arc::new(board.clone());
                let door = console::door(settings, &probe);
                let has_console = door.is_some();
                let server = http::start(listen, probe, metrics.clone(), door, stop.child_token()).await;
                let address = server.with_context(|| format!("listening on {listen}"))?.address;
                if has_console {
                    console::announce(address);
                }
                Some(address)
            }
            None => None,
        };
        Ok(Self { address, metrics, board, _stop: stop.drop_guard() })
    }

    /// From now on this is asked.
    pub fn show(&self, probe: Arc<dyn Probe>) {
        *self.board.shown.write().unwrap_or_else(PoisonError::into_inner) = probe;
    }

    /// From now on the answer is this one.
    pub fn say(&self, status: Status, troubles: Vec<String>) {
        self.show(Arc::new(Fixed(Readiness::without_work(status, troubles))));
    }
}
