//! The only Salesforce wire: identity, REST, collections, Pub/Sub, change events.

pub mod auth;
pub mod avro;
pub mod change_event;
mod classify;
mod connection;
mod errors;
pub mod names;
pub mod pubsub;
mod reader;
mod reading;
mod row;
pub mod soql_text;
mod writer;

pub use auth::Credentials;
pub use classify::{Class, classify};
pub use connection::{Connection, ConnectionSettings, Identity, LimitInfo};
pub use errors::SalesforceError;
pub use reader::{PendingPages, Reader};
pub use reading::{ProposalSlot, RecordReading};
pub use row::{RowOutcome, RowWrite};
pub use writer::Writer;
