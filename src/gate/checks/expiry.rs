//! Has the end passed that the proposer set?
//!
//! # Refuses
//! - `proposal-expired`: the time in `AI_Proposal_Expires_At__c` has passed and nobody had
//!   approved by then.
//!
//! # Why
//! The proposer knows best how long its reasons hold: a quote ends, a quarter closes. The
//! policy's own limits stand beside it, and the earlier of the two ends the proposal. An
//! approval that came in time stands; how long it may wait is the policy's to say.
//!
//! # Evidence used
//! `AI_Proposal_Expires_At__c` as it was when the proposal was first seen, the time of the
//! decision, now.
//!
//! # How to fix
//! - `proposal-expired`: evaluate again and propose with a new id and a later end.
//!
//! # Setting
//! None; the org's rule `AI_GATE_14` refuses the same.

use crate::gate::{
    checks::approval::is_approved,
    finding::{FindingCode, Findings},
    input::Input,
};

/// Ends a proposal that nobody approved in the time that its proposer gave.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let Some(end) = input.proposal.expires_at else { return };
    let approved_at = input.approval.filter(|_| is_approved(input)).map(|approval| approval.decided_at);
    if approved_at.unwrap_or(input.now) > end {
        let late =
            approved_at.map_or("nobody has approved it".to_owned(), |at| format!("it was approved at {at}"));
        findings.add(
            FindingCode::ProposalExpired,
            format!("the proposal ended at {end}, and {late}"),
            "a decision before the end, or a new proposal with a later one",
        );
    }
}
