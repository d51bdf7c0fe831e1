//! The events that the ledger is made of. Every stage, queue and report is a fold over them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    anchor::Anchor,
    approval::Approval,
    break_glass::BreakGlassUse,
    decay::DecayRun,
    digest::Digest,
    drift::{Acceptance, Drift, Ground},
    erasure::Erasure,
    evidence::Evidence,
    freeze::{Freeze, Scope},
    ids::{ObjectName, PromotionId, ProposalId, RecordId},
    job::{Job, JobEnd, JobRun},
    policy::Policy,
    promotion::{Promotion, Settlement},
    proposal::{Proposal, Stage},
    reconciliation::Reconciliation,
    restore::Restore,
    rollback::Rollback,
    schema::ObjectSchema,
    shadow::{Labelled, Watch, lane::LaneAct},
    totals::{RunTotals, Source},
    writers::WriterMap,
};

/// One fact. Its JSON holds no numbers; values of records and words of people sit only
/// at the paths that [`Event::private_paths`] names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A process became the ledger's writer.
    Started {
        /// Version of countersign.
        version: String,
        /// Digest of the policy in force.
        policy: Digest,
    },
    /// A proposal came in, with the base that it was first seen against.
    ProposalReceived {
        /// The proposal.
        proposal: Proposal,
    },
    /// A submission was refused at the door (a reused id with another body, for example).
    SubmissionRefused {
        /// The id that was given.
        proposal_id: String,
        /// Stable code.
        code: String,
        /// Fingerprint of what was sent, when it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fingerprint: Option<Digest>,
    },
    /// How a submission by command landed on the record: `done`, or the error's code.
    SubmissionSettled {
        /// Which proposal.
        proposal_id: ProposalId,
        /// `done`, or a code.
        result: String,
    },
    /// The gate decided. `verdict` is [`crate::gate::Verdict`] as JSON, kept as it was.
    VerdictReached {
        /// Which proposal.
        proposal_id: ProposalId,
        /// The stage that follows.
        stage: Stage,
        /// The whole verdict.
        verdict: Value,
        /// What it rested on besides proposal, policy and schema: [`crate::gate::Recorded`] as JSON.
        /// Absent in entries of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<Value>,
    },
    /// Rules that verdicts rest on, once for each digest.
    PolicyRecorded {
        /// The rules.
        policy: Policy,
    },
    /// What the org says about an object, once for each digest that verdicts rest on.
    SchemaRecorded {
        /// The object as it was described.
        schema: ObjectSchema,
    },
    /// A person's decision was read from the platform.
    DecisionObserved {
        /// The decision.
        approval: Approval,
    },
    /// A proposal moved without a verdict of its own (superseded, expired, stale).
    StageChanged {
        /// Which proposal.
        proposal_id: ProposalId,
        /// The new stage.
        stage: Stage,
        /// Stable code of the reason.
        code: String,
        /// The proposal that took its place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        successor: Option<ProposalId>,
    },
    /// A write is about to be made: the before-image and the whole plan.
    PromotionIntended {
        /// The promotion in state `intended`.
        promotion: Promotion,
    },
    /// A send of these promotions starts now. Committed before the request leaves.
    PromotionsSent {
        /// Which promotions.
        promotions: Vec<PromotionId>,
    },
    /// What is known about a promotion after a reply or a read.
    PromotionSettled {
        /// Which promotion.
        promotion: PromotionId,
        /// How it stands.
        settlement: Settlement,
    },
    /// Proof that it landed, from the echo event or a later read.
    PromotionConfirmed {
        /// Which promotion.
        promotion: PromotionId,
        /// For example `by`, `transaction_key`, `commit_number`.
        proof: BTreeMap<String, String>,
    },
    /// A notice (pending flag off, outcome in words) is about to be written to a record.
    NoticeIntended {
        /// Object.
        object: ObjectName,
        /// Record.
        record: RecordId,
        /// The proposal that it speaks of.
        proposal_id: ProposalId,
        /// The outcome in words, starting with a stable code.
        text: String,
    },
    /// How a notice ended: `done`, or the error's code.
    NoticeSettled {
        /// The proposal that it spoke of.
        proposal_id: ProposalId,
        /// `done`, or a code.
        result: String,
    },
    /// Somebody used break-glass.
    BreakGlassUsed {
        /// Who, when, where and why.
        used: BreakGlassUse,
    },
    /// A system told what happened on a record.
    SignalReceived {
        /// Object.
        object: ObjectName,
        /// Record.
        record: RecordId,
        /// What happened.
        signal: Evidence,
        /// Which system, as told on the command line.
        by: String,
    },
    /// People stopped something.
    Frozen {
        /// What, since when, by whom and why.
        freeze: Freeze,
    },
    /// People let it go on.
    Unfrozen {
        /// What.
        scope: Scope,
        /// Who, as told on the command line.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// People accepted a ledger that is not the one its checkpoints speak of.
    RestoreAccepted {
        /// What they accepted.
        restore: Restore,
    },
    /// A checkpoint is about to be written into the org.
    AnchorIntended {
        /// What it says.
        anchor: Anchor,
    },
    /// How that ended: `done`, or the error's code.
    AnchorSettled {
        /// What it says.
        anchor: Anchor,
        /// `done`, or a code.
        result: String,
    },
    /// The totals of a run are about to be written into the org.
    TotalsIntended {
        /// What they say.
        totals: RunTotals,
    },
    /// How that ended: `done`, or the error's code.
    TotalsSettled {
        /// What ran.
        source: Source,
        /// Which run.
        run: Digest,
        /// `done`, or a code.
        result: String,
    },
    /// The daemon is about to tell the org that it is at work.
    HeartbeatIntended {
        /// The time that it tells.
        at: Timestamp,
    },
    /// How that ended: `done`, or the error's code.
    HeartbeatSettled {
        /// The time that it told.
        at: Timestamp,
        /// `done`, or a code.
        result: String,
    },
    /// People erased private parts of earlier entries.
    Erased {
        /// What, why and by whom.
        erasure: Erasure,
    },
    /// People put back what was promoted.
    RollbackBegun {
        /// Who, why, and what was shown.
        rollback: Rollback,
    },
    /// A rollback came to its end.
    RollbackEnded {
        /// Which one.
        rollback: Digest,
        /// How many promotions ended how: `restored`, `conflicted`, `failed`.
        counts: BTreeMap<String, String>,
    },
    /// Stale states are about to move back; their proposals follow.
    DecayAnnounced {
        /// What, by whom and from when on.
        run: DecayRun,
    },
    /// A decay run came to its end.
    DecayEnded {
        /// Which one.
        run: Digest,
        /// How many records ended how: `moved`, `spared`, `held`, `conflicted`, `failed`.
        counts: BTreeMap<String, String>,
    },
    /// Org and ledger were compared.
    Reconciled {
        /// What was read, found and repaired.
        run: Reconciliation,
    },
    /// What the lanes of an object may rest on: as it was at the start of service, or as people accepted it.
    GroundAccepted {
        /// What was accepted.
        ground: Ground,
        /// Who, when and why.
        acceptance: Acceptance,
    },
    /// The org differs from what was accepted, or does so no more.
    DriftSeen {
        /// The differences.
        drift: Drift,
        /// What is there now.
        ground: Ground,
    },
    /// A scheduled job, or one that somebody asked for, began.
    JobBegun {
        /// Which, for which moment, by whom.
        run: JobRun,
    },
    /// It came to its end, or was stopped by an error.
    JobEnded {
        /// Which job.
        job: Job,
        /// For which moment.
        slot: Timestamp,
        /// Which try at it.
        #[serde(with = "super::promotion::number_as_text")]
        attempt: u64,
        /// How.
        end: JobEnd,
    },
    /// A judged proposal's fields are watched from now on.
    OutcomeWatched {
        /// Which, for whom and until when.
        watch: Watch,
    },
    /// What became of a watched field was found, or a person judged the case.
    OutcomeLabelled {
        /// What, when and by whom.
        labelled: Labelled,
    },
    /// People let a lane of an agent act until a day, or it stepped back.
    LaneMoved {
        /// Which, whereto, by whom and why.
        act: LaneAct,
    },
    /// Who writes governed fields, as far as it was heard; the newest entry holds everything.
    WritersCounted {
        /// The whole map.
        map: WriterMap,
        /// When.
        at: Timestamp,
    },
    /// The event stream could not be resumed; everything pending was read again.
    StreamReset {
        /// Topic.
        topic: String,
        /// Stable code of the reason.
        code: String,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// The kind's name as it is stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::ProposalReceived { .. } => "proposal_received",
            Self::SubmissionRefused { .. } => "submission_refused",
            Self::SubmissionSettled { .. } => "submission_settled",
            Self::VerdictReached { .. } => "verdict_reached",
            Self::PolicyRecorded { .. } => "policy_recorded",
            Self::SchemaRecorded { .. } => "schema_recorded",
            Self::DecisionObserved { .. } => "decision_observed",
            Self::StageChanged { .. } => "stage_changed",
            Self::PromotionIntended { .. } => "promotion_intended",
            Self::PromotionsSent { .. } => "promotions_sent",
            Self::PromotionSettled { .. } => "promotion_settled",
            Self::PromotionConfirmed { .. } => "promotion_confirmed",
            Self::NoticeIntended { .. } => "notice_intended",
            Self::NoticeSettled { .. } => "notice_settled",
            Self::BreakGlassUsed { .. } => "break_glass_used",
            Self::SignalReceived { .. } => "signal_received",
            Self::Frozen { .. } => "frozen",
            Self::Unfrozen { .. } => "unfrozen",
            Self::RestoreAccepted { .. } => "restore_accepted",
            Self::AnchorIntended { .. } => "anchor_intended",
            Self::AnchorSettled { .. } => "anchor_settled",
            Self::TotalsIntended { .. } => "totals_intended",
            Self::TotalsSettled { .. } => "totals_settled",
            Self::HeartbeatIntended { .. } => "heartbeat_intended",
            Self::HeartbeatSettled { .. } => "heartbeat_settled",
            Self::Erased { .. } => "erased",
            Self::RollbackBegun { .. } => "rollback_begun",
            Self::RollbackEnded { .. } => "rollback_ended",
            Self::DecayAnnounced { .. } => "decay_announced",
            Self::DecayEnded { .. } => "decay_ended",
            Self::Reconciled { .. } => "reconciled",
            Self::GroundAccepted { .. } => "ground_accepted",
            Self::DriftSeen { .. } => "drift_seen",
            Self::JobBegun { .. } => "job_begun",
            Self::JobEnded { .. } => "job_ended",
            Self::OutcomeWatched { .. } => "outcome_watched",
            Self::OutcomeLabelled { .. } => "outcome_labelled",
            Self::LaneMoved { .. } => "lane_moved",
            Self::WritersCounted { .. } => "writers_counted",
            Self::StreamReset { .. } => "stream_reset",
        }
    }

    /// JSON pointers to the parts that hold record values or people's words. The ledger
    /// keeps them beside the chain, as salted commitments, so that they can be erased.
    pub fn private_paths(&self) -> &'static [&'static str] {
        match self {
            Self::ProposalReceived { .. } => {
                &["/proposal/patch", "/proposal/base", "/proposal/reason", "/proposal/evidence"]
            }
            Self::VerdictReached { .. } => {
                &["/verdict/findings", "/verdict/facts", "/verdict/plan", "/input"]
            }
            Self::DecisionObserved { .. } => &["/approval/comments"],
            Self::PromotionIntended { .. } => &["/promotion/plan/changes", "/promotion/plan/stamps"],
            Self::PromotionSettled { .. } => &["/settlement/message", "/settlement/reason"],
            Self::NoticeIntended { .. } => &["/text"],
            Self::BreakGlassUsed { .. } => &["/used/reason"],
            Self::SignalReceived { .. } => &["/signal"],
            Self::Frozen { .. } => &["/freeze/reason"],
            Self::RestoreAccepted { .. } => &["/restore/reason"],
            Self::Erased { .. } => &["/erasure/reason"],
            Self::RollbackBegun { .. } => &["/rollback/reason"],
            Self::Reconciled { .. } => &["/run/found"],
            Self::GroundAccepted { .. } => &["/acceptance/reason"],
            Self::OutcomeLabelled { .. } => &["/labelled/value", "/labelled/reason"],
            Self::LaneMoved { .. } => &["/act/reason"],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests;
