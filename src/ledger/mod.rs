//! The ledger: the only SQL of countersign.
//!
//! Entries ([`crate::domain::entry::Entry`]) are the truth. Their text is canonical and hash
//! chained, private parts lie beside the chain as salted commitments. Proposals, promotions
//! and notices are rows that a fold over the events makes in the same transaction; dropping
//! them and folding again gives the same rows.

mod error;
mod skeleton;
mod types;

pub use error::{Illegal, LedgerError};
pub use skeleton::{Ledger, Tx};
pub use types::{
    Counts, Epoch, Head, InboxBatch, NoticeState, OpenNotice, OpenOptions, PromotionRecord, ProposalFilter,
    ProposalRecord, StoredBatch, StoredEntry,
};
