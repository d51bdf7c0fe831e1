//! The nouns of countersign: pure data with its legal values and transitions.
//!
//! Nothing here does I/O, reads a clock, draws a random number or iterates in
//! an unordered way. Times are arguments, money and confidence are decimals.

pub mod actor;
pub mod alarm;
pub mod anchor;
pub mod approval;
pub mod break_glass;
pub mod canonical_text;
pub mod condition;
pub mod creation;
pub mod decay;
pub mod digest;
pub mod drift;
pub mod entry;
pub mod erasure;
pub mod event;
pub mod evidence;
pub mod freeze;
pub mod ids;
pub mod job;
pub mod ownership;
pub mod policy;
pub mod promotion;
pub mod proposal;
pub mod quality;
pub mod reconciliation;
pub mod record;
pub mod restore;
pub mod rollback;
pub mod schema;
pub mod shadow;
pub mod totals;
pub mod value;
pub mod writers;

pub use actor::{Actor, Door};
pub use alarm::{Alarm, Watchdog};
pub use approval::{Approval, Decision};
pub use break_glass::BreakGlassUse;
pub use condition::{Condition, Truth};
pub use creation::{Cancel, Creation, Making};
pub use decay::{DecayManifest, DecayRun, DecayStep};
pub use digest::{CanonicalError, Digest};
pub use drift::{Drift, Ground};
pub use evidence::Evidence;
pub use freeze::{Freeze, Scope};
pub use ids::{FieldName, IdError, ObjectName, PromotionId, ProposalId, RecordId};
pub use policy::{FieldPolicy, Mode, ObjectPolicy, Path, Policy, Tier};
pub use promotion::{Basis, Change, Plan, Promotion, Settlement, Stamps};
pub use proposal::{Proposal, Stage};
pub use reconciliation::{Discrepancy, DiscrepancyKind, Reconciliation};
pub use record::{Hold, Quiet, RecordSnapshot, RecordState};
pub use rollback::{Choice, Rollback, RollbackStep};
pub use schema::{FieldSchema, FieldType, ObjectSchema, RecordTypeSchema};
pub use value::FieldValue;
