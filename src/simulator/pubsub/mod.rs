//! The Pub/Sub API of the simulated org: `eventbus.v1` over gRPC.
//!
//! Topics and channels come from the deployed package, events from the org's bus. Where
//! Salesforce's behaviour is not confirmed, the org's settings have both answers.

mod access;
mod bitmap;
mod channel;
mod drift;
mod encoder;
mod filter;
mod line;
mod pull;
mod replay;
mod reset;
mod schema;
mod service;
mod status;
mod stream;

use crate::salesforce::pubsub::proto::pub_sub_server::PubSubServer;

use super::Org;

pub use drift::{DriftKind, SchemaDrift};
pub use line::{Line, Lines, Switch};
pub use pull::Pull;
pub use reset::Resettable;
pub use service::PubSubService;

/// What a deploy has against a filter expression.
pub(super) fn filter_problem(text: &str) -> Option<String> {
    let filter = match filter::Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => return Some(error.to_string()),
    };
    let related = filter
        .fields()
        .into_iter()
        .find(|name| name.contains('.') && !name.starts_with("ChangeEventHeader."));
    related.map(|name| format!("the filter expression follows a relationship: {name}"))
}

/// The service over an org, ready for `Server::add_service`.
pub fn service(org: Org) -> Resettable<PubSubServer<PubSubService>> {
    Resettable::new(PubSubServer::new(PubSubService::new(org)))
}
