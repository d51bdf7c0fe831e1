//! Is the record there, and can it still be changed?
//!
//! # Refuses
//! - `record-mismatch`: the record that was read is not the one proposed for.
//! - `record-missing`: the record does not exist or is not shared with the promoter.
//! - `record-deleted`: the record is in the recycle bin.
//! - `record-converted`: the lead was converted and is read-only.
//!
//! # Why
//! Salesforce would refuse the write later, with less helpful words, and a person would
//! have looked at the proposal for nothing.
//!
//! # Evidence used
//! The state of the record as it was read just now; of a record that is to be made, its parent's.
//!
//! # How to fix
//! - `record-mismatch`: propose again; this should not happen, so report it.
//! - `record-missing`: check the id, and share the record with the promoter.
//! - `record-deleted`: restore the record from the recycle bin, then propose again.
//! - `record-converted`: propose for the contact or opportunity that the lead became.
//!
//! # Setting
//! None.

use crate::{
    domain::RecordState,
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Refuses what no record can take.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let (proposal, record) = (input.proposal, input.record);
    let object = proposal.creates.as_ref().map_or(&proposal.object, |creates| &creates.parent);
    let name = || format!("{object} {}", proposal.record);
    if (object, &proposal.record) != (&record.object, &record.record) {
        findings.add(
            FindingCode::RecordMismatch,
            format!("the proposal is for {}, the record read is {} {}", name(), record.object, record.record),
            "the record that the proposal names",
        );
    }
    match record.state {
        RecordState::Live => {}
        RecordState::Missing => findings.add(
            FindingCode::RecordMissing,
            format!("{} does not exist or is not shared with the promoter", name()),
            "an existing record that the promoter can see",
        ),
        RecordState::Deleted => findings.add(
            FindingCode::RecordDeleted,
            format!("{} is in the recycle bin", name()),
            "the record restored from the recycle bin",
        ),
        RecordState::Converted => findings.add(
            FindingCode::RecordConverted,
            format!("{} was converted and is read-only", name()),
            "a record that is not converted",
        ),
    }
}
