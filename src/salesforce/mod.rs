//! The only Salesforce wire: identity, REST, collections, Pub/Sub, change events.

pub mod names;
pub mod pubsub;
