//! A Salesforce org on loopback: real wire protocols, real rules, invented data.

mod bus;
mod deploy;
pub mod faults;
pub mod formula;
mod gate;
pub mod ids;
mod limits;
pub mod metadata;
pub mod model;
pub mod org;
pub mod pubsub;
mod save;
mod saver;
pub mod schema;
pub mod seed;
mod sessions;
pub mod settings;
pub mod soql;
mod state;
mod store;
mod transaction;
mod users;
pub mod write;

pub use bus::{ChangePage, InjectedChange};
pub use faults::{Fault, FaultAction, FaultMatch, FaultPoint, FaultSite, Faults};
pub use limits::{Stats, Usage};
pub use org::{Org, OrgError, OrgOptions};
pub use seed::Seed;
pub use sessions::{OAuthApp, SessionError, SessionInfo};
pub use settings::Settings;
pub use state::StateError;
pub use transaction::Transaction;
pub use users::{UserContext, UserInfo};
pub use write::{PRECONDITION_FAILED, RowError, RowResult, WriteOp, WriteOptions, WriteRow};
