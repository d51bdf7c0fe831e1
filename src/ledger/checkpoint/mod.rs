//! Checkpoints: signed statements about the chain, kept outside the ledger.
//!
//! The chain alone finds a change by somebody who does not write all later entries anew. A signed
//! checkpoint finds that too, and one that is kept elsewhere finds a tail that was cut and an older
//! file that was put back.
//!
//! What is signed is the head of the RFC 6962 Merkle tree over the entries, not the hash of the last
//! one. An entry's hash is its leaf hash as it is, the head costs about one more hash for each
//! entry and a few dozen in memory, checkpoints of different sizes are compared in one walk, a part
//! of the chain can be tied to a later checkpoint, and the form (a signed note as C2SP describes it)
//! is one that transparency logs and their witnesses read.

mod anchored;
mod error;
mod key;
mod log;
mod note;
mod stand;
mod tree;

pub use anchored::{Anchored, unmet};
pub use error::CheckpointError;
pub use key::{Signer, Verifier};
pub use log::{Log, append, read};
pub use note::{Checkpoint, Note};
pub use stand::{Disagreement, Keeper, disagreement};
pub use tree::Tree;
