//! Did a person decide on exactly this, in time?
//!
//! # Refuses
//! - `approval-rejected`: a person refused the proposal.
//! - `approved-by-machine`: the decision was written by a machine user.
//! - `approval-for-other-proposal`: said for the reader, refuses nothing: the decision on the
//!   record was given for another proposal, so it does not count for this one.
//! - `approval-for-other-patch`: the decision was given for other values or another base.
//! - `approval-in-future`: the decision is more than five minutes ahead of our clock; it is
//!   judged again later.
//! - `approval-too-old`: the approval was given longer ago than the policy allows.
//! - `decision-overdue`: nobody decided within the time that the policy allows.
//! - `approved`: said for the reader, refuses nothing: a person approved exactly this.
//!
//! # Why
//! An approval is for one patch on one base and is used once. The daemon never approves,
//! and neither does an agent.
//!
//! # Evidence used
//! Who decided and when, as the platform stamped it; the digest of the patch and its base at
//! that time and now; the machine users; now.
//!
//! # How to fix
//! - `approval-rejected`: read the reviewer's words; propose something else.
//! - `approved-by-machine`: have a person decide, and take the reviewer permission from the
//!   machine user.
//! - `approval-for-other-proposal`: decide on the proposal that the record shows now.
//! - `approval-for-other-patch`: propose again; the values changed after the decision.
//! - `approval-in-future`: correct this machine's clock.
//! - `approval-too-old`: propose again and have it decided within the limit.
//! - `decision-overdue`: propose again if the change is still right.
//! - `approved`: nothing.
//!
//! # Setting
//! `approval_max_age_minutes` and `undecided_max_age_minutes` in `config/policies/*.toml`;
//! the machine users are the ones that the daemon signs in as.

use crate::{
    domain::{Approval, Decision},
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
        limits::{CLOCK_TOLERANCE, Limits, age_text},
    },
};

/// Judges the decision, or the lack of one.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let Some(Ok(limits)) = input.object_policy().map(Limits::of) else { return };
    let Some(approval) = input.approval else {
        overdue(input, limits, findings);
        return;
    };
    let who = &approval.decided_by;
    if approval.proposal_id != input.proposal.id {
        findings.add(
            FindingCode::ApprovalForOtherProposal,
            format!("{who} decided on proposal {}, not on this one", approval.proposal_id),
            format!("a decision on proposal {}", input.proposal.id),
        );
        overdue(input, limits, findings);
        return;
    }
    if input.history.machine_users.contains(who) {
        findings.add(
            FindingCode::ApprovedByMachine,
            format!("the decision was written by the machine user {who}"),
            "a person's decision",
        );
        return;
    }
    match approval.decision {
        Decision::Rejected => findings.add(
            FindingCode::ApprovalRejected,
            format!("{who} rejected it at {}", approval.decided_at),
            "an approval",
        ),
        Decision::Approved => approved(input, approval, limits, findings),
    }
}

/// True when a person approved this proposal, whatever else may stand in the way.
pub fn is_approved(input: &Input<'_>) -> bool {
    input.approval.is_some_and(|approval| {
        approval.decision == Decision::Approved && approval.proposal_id == input.proposal.id
    })
}

fn approved(input: &Input<'_>, approval: &Approval, limits: Limits, findings: &mut Findings) {
    let who = &approval.decided_by;
    // A patch without a digest is reported where the verdict is put together.
    if findings.patch_digest(input.proposal).as_ref().is_ok_and(|digest| *digest != approval.patch_digest) {
        findings.add(
            FindingCode::ApprovalForOtherPatch,
            format!(
                "{who} approved patch {}, and the patch or its base differs now",
                approval.patch_digest.short()
            ),
            "an approval of the current patch and base",
        );
        return;
    }
    let age = input.now.duration_since(approval.decided_at);
    if age > limits.approval_max_age {
        findings.add(
            FindingCode::ApprovalTooOld,
            format!("{who} approved it {} ago", age_text(age)),
            format!("an approval at most {} old", age_text(limits.approval_max_age)),
        );
    } else if approval.decided_at.duration_since(input.now) > CLOCK_TOLERANCE {
        findings.add(
            FindingCode::ApprovalInFuture,
            format!("{who} approved it at {}, which has not come", approval.decided_at),
            "a decision that is not in the future",
        );
    } else {
        findings.add(
            FindingCode::Approved,
            format!("{who} approved exactly this at {}", approval.decided_at),
            "nothing: this is for the reader",
        );
    }
}

fn overdue(input: &Input<'_>, limits: Limits, findings: &mut Findings) {
    let waiting = input.now.duration_since(input.proposal.received_at);
    if waiting > limits.undecided_max_age {
        findings.add(
            FindingCode::DecisionOverdue,
            format!("the proposal has waited {} for a decision", age_text(waiting)),
            format!("a decision within {}", age_text(limits.undecided_max_age)),
        );
    }
}
