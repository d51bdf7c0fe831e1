//! The Pub/Sub API of the simulated org: `eventbus.v1` over gRPC.
//!
//! Topics and channels come from the deployed package, events from the org's bus. Where
//! Salesforce's behaviour is not confirmed, the org's settings have both answers.

mod access;
mod bitmap;
mod channel;
mod encoder;
mod filter;
mod replay;
mod reset;
mod schema;
mod service;
mod status;
mod stream;

use crate::salesforce::pubsub::proto::pub_sub_server::PubSubServer;

use super::Org;

pub use reset::Resettable;
pub use service::PubSubService;

/// The service over an org, ready for `Server::add_service`.
pub fn service(org: Org) -> Resettable<PubSubServer<PubSubService>> {
    Resettable::new(PubSubServer::new(PubSubService::new(org)))
}
