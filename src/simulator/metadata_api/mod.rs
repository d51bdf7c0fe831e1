//! The Metadata API of the simulated org, as far as deploys go: SOAP and REST.
//!
//! [`archive`] opens the zip file, [`jobs`] runs deploys one after another beside the
//! network, [`report`] says how one went. [`soap`] and [`rest`] are the two ways in; both
//! give the same result, one as XML and one as JSON. Shapes follow recorded results of
//! real deploys; what nobody could confirm is listed in `deploy/unconfirmed.md`.

mod archive;
mod catalog;
mod jobs;
mod options;
mod report;
pub(super) mod rest;
mod run;
mod soap;
#[cfg(test)]
mod tests;

use axum::{Router, routing::post};

use super::server::Site;

pub(super) use jobs::Deploys;

/// The SOAP endpoint.
pub(super) fn router() -> Router<Site> {
    Router::new().route("/services/Soap/m/{version}", post(soap::handle))
}

/// The name of a Metadata API error, and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
