//! The table for spreadsheets: one row a changed field.

use super::story::Told;
use crate::cli::csv::line;

const HEAD: [&str; 20] = [
    "promotion",
    "intended_at",
    "entry",
    "entry_hash",
    "proposal",
    "object",
    "record",
    "field",
    "before",
    "after",
    "basis",
    "state",
    "undoes",
    "agent",
    "reason",
    "evidence",
    "findings",
    "policy",
    "approved_by",
    "approved_at",
];

/// Everything, with a heading.
pub fn table(told: &[Told]) -> String {
    let mut out = line(&HEAD);
    for one in told {
        let (evidence, findings) = (one.evidence.join("; "), one.findings.join("; "));
        for moved in &one.moved {
            out += &line(&[
                &one.promotion,
                &one.at,
                &one.seq,
                &one.hash,
                &one.proposal,
                &one.object,
                &one.record,
                &moved.field,
                &moved.before,
                &moved.after,
                one.basis,
                one.state,
                &one.undoes,
                &one.agent,
                &one.reason,
                &evidence,
                &findings,
                &one.policy,
                &one.approved_by,
                &one.approved_at,
            ]);
        }
    }
    out
}
