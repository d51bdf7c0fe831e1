//! Outcomes in words, each starting with a stable code.

use crate::{
    domain::Stage,
    gate::{Outcome, Verdict},
    ledger::ProposalRecord,
};

/// The verdict in one line, for the record's outcome field.
pub fn outcome_words(verdict: &Verdict) -> String {
    let outcome = match verdict.outcome {
        Outcome::Promote => "promote",
        Outcome::Review => "review",
        Outcome::Block => "refused",
        Outcome::Hold => "hold",
        Outcome::Shadow => "shadow",
        Outcome::Superseded => "superseded",
        Outcome::Expired => "expired",
        Outcome::Stale => "stale",
        Outcome::Rejected => "rejected",
        Outcome::AlreadyDone => "already-done",
    };
    match verdict.deciding() {
        Some(finding) => {
            format!("{outcome}: {}: {}; it takes {}", finding.code, finding.message, finding.would_change)
        }
        None => outcome.to_owned(),
    }
}

/// How a proposal ended, from what the ledger holds.
pub fn last_words(record: &ProposalRecord) -> String {
    let verdict: Option<Verdict> = record.verdict.clone().and_then(|json| serde_json::from_value(json).ok());
    match (record.stage, verdict) {
        (Stage::Refused | Stage::Stale | Stage::Expired | Stage::Rejected, Some(verdict))
            if verdict.outcome != Outcome::Promote =>
        {
            outcome_words(&verdict)
        }
        (stage, _) => format!("{}: this proposal has ended; send a new proposal id", stage.name()),
    }
}
