//! The only Salesforce wire: identity, REST, collections, Pub/Sub, change events.

pub mod avro;
pub mod names;
pub mod pubsub;
