//! The only Salesforce wire: identity, REST, collections, Pub/Sub, change events.

mod anchors;
pub mod auth;
pub mod avro;
mod bulk;
pub mod change_event;
pub mod changed;
mod classify;
mod collections;
mod connection;
mod contracts;
mod csv;
mod describe;
mod endpoint;
mod errors;
mod exchange;
mod ground;
mod heartbeat;
mod history;
mod inventory;
mod limits;
mod made;
pub mod names;
mod owners;
mod people;
pub mod pubsub;
mod reader;
mod reading;
mod record_types;
mod reply;
mod row;
pub mod rules;
mod sighting;
pub mod soql_text;
mod token_source;
mod totals;
pub mod trial;
mod writer;

#[cfg(test)]
mod tests;

pub use anchors::{AnchorRow, NewAnchor};
pub use auth::Credentials;
pub use changed::Sightings;
pub use classify::{Class, classify};
pub use connection::{Connection, ConnectionSettings, Identity};
pub use contracts::Contracts;
pub use describe::{DescribedField, DescribedValue, ObjectDescription};
pub use errors::SalesforceError;
pub use exchange::Exchange;
pub use history::TrackedChange;
pub use inventory::{
    Access, App, Apps, Editor, Giver, Grant, Inventory, Lanes, MOST_NAMES as MOST_EDITORS_NAMED, Set, Setter,
    SetterKind,
};
pub use limits::LimitInfo;
pub use made::MadeRow;
pub use owners::Idle;
pub use people::User;
pub use reader::{Pages, Reader};
pub use reading::{ProposalSlot, RecordReading, fields_of as governed_fields};
pub use record_types::RecordTypeInfo;
pub use row::{NewRow, RowOutcome, RowWrite};
pub use rules::GateRule;
pub use sighting::Sighting;
pub use totals::total_rows;
pub use writer::Writer;
