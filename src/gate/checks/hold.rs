//! Is another promotion of the record under way?
//!
//! # Refuses
//! - `promotion-open`: another promotion of the same record has not ended. Nothing is lost:
//!   the proposal is judged again when it has.
//!
//! # Why
//! Until the outcome of a write is known, nobody can say what the record holds. One open
//! promotion per record keeps that question small.
//!
//! # Evidence used
//! The ledger's open promotions of the record.
//!
//! # How to fix
//! - `promotion-open`: wait; `countersign status` shows the open promotion.
//!
//! # Setting
//! None.

use crate::gate::{
    finding::{FindingCode, Findings},
    input::Input,
};

/// Reports an open promotion.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    if let Some(open) = &input.history.open_promotion {
        findings.add(
            FindingCode::PromotionOpen,
            format!("promotion {open} of this record has not ended"),
            "the end of that promotion",
        );
    }
}
