//! The org's REST and OAuth without a network: a request in, a reply out, in the same process.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
    routing::any,
};
use tower::ServiceExt as _;

use super::{Site, oauth, rest};
use crate::simulator::Org;

/// An org that answers calls.
#[derive(Debug, Clone)]
pub struct Inside {
    router: Router,
}

impl Inside {
    /// Answers for this org under the address that it tells clients.
    pub fn new(org: Org, instance_url: &str) -> Self {
        let audiences = Arc::new([instance_url.to_owned()].into());
        let site = Site { org, instance_url: instance_url.into(), audiences };
        let router = Router::new()
            .merge(oauth::router())
            .route("/services/data/{*rest}", any(rest::http::handle))
            .with_state(site);
        Self { router }
    }

    /// Answers one call.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
