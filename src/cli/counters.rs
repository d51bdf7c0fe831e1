//! Counters that alerts ask about are there from the start, at zero: of one that appears with its first
//! event Prometheus sees no increase.

use crate::{
    domain::ownership::Ownership,
    gate::Outcome,
    jobs::checkpoints::{ANCHOR_FAILURES, CHECKPOINT_FAILURES},
    telemetry::VERDICTS,
    workflow::{
        break_glass::BREAK_GLASS_USES,
        writers::{NEW_WRITERS, QUARANTINES, UNLISTED_WRITES},
    },
};

/// Shows them. What counts already goes on.
pub fn begin(ownership: &Ownership) {
    metrics::counter!(VERDICTS, "outcome" => Outcome::Block.name()).increment(0);
    for name in [BREAK_GLASS_USES, CHECKPOINT_FAILURES, ANCHOR_FAILURES, NEW_WRITERS, QUARANTINES] {
        metrics::counter!(name).increment(0);
    }
    for (object, field) in ownership.fields.keys() {
        let labels = [("object", object.to_string()), ("field", field.to_string())];
        metrics::counter!(UNLISTED_WRITES, &labels).increment(0);
    }
}
