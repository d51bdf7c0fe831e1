//! Folding the events again.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Report,
    kept::Kept,
    step::{Print, Step},
};
use crate::{
    domain::{
        Stage,
        event::Event,
        shadow::{Standing, Watch},
    },
    ledger::{
        stage::{may_follow, settlement_follows, stage_settled, when_sent},
        watches,
    },
};

/// A proposal as it stands.
#[derive(Default)]
pub(super) struct Proposal {
    /// Digest of the columns that never change.
    pub(super) fixed: Print,
    pub(super) stage: Option<Stage>,
    pub(super) verdict: Option<Print>,
    pub(super) approval: Option<Print>,
    pub(super) promotion: Option<String>,
    pub(super) landed: bool,
    pub(super) updated_at: String,
}

/// What follows from the events.
#[derive(Default)]
pub(super) struct Fold {
    pub(super) proposals: BTreeMap<String, Proposal>,
    pub(super) promotions: BTreeMap<String, (u64, Kept)>,
    /// Records with an open promotion.
    open: BTreeSet<(String, String)>,
    /// Object, record, text and place, by proposal.
    pub(super) notices: BTreeMap<String, [String; 4]>,
    /// Fields under watch, by proposal and field.
    pub(super) watches: BTreeMap<String, (Watch, Standing)>,
}

impl Fold {
    pub(super) fn step(&mut self, (seq, at): (u64, String), step: Step, report: &mut Report) {
        match step {
            Step::Received { id, fixed, landed } => {
                let stage = Some(Stage::Received);
                let row = Proposal { fixed, stage, landed, updated_at: at, ..Proposal::default() };
                if self.proposals.insert(id.clone(), row).is_some() {
                    report.damage("proposal-twice", Some(seq), format!("`{id}` was received before"));
                }
            }
            Step::Verdict { id, stage, text } => {
                self.go(&id, stage, (seq, &at), report);
                self.change(&id, &at, |row| row.verdict = Some(text));
            }
            Step::Approval { id, text } => self.change(&id, &at, |row| row.approval = Some(text)),
            Step::Intended { id, kept } => self.intended(id, (seq, &at), *kept, report),
            Step::Other(event) => self.event((seq, &at), *event, report),
        }
    }

    fn event(&mut self, (seq, at): (u64, &str), event: Event, report: &mut Report) {
        match event {
            Event::SubmissionSettled { proposal_id, result } if result == "done" => {
                self.change(proposal_id.as_str(), at, |row| row.landed = true);
            }
            Event::StageChanged { proposal_id, stage, .. } => {
                self.go(proposal_id.as_str(), stage, (seq, at), report);
            }
            Event::NoticeIntended { object, record, proposal_id, text } => {
                let cells = [object.to_string(), record.to_string(), text, seq.to_string()];
                self.notices.insert(proposal_id.to_string(), cells);
            }
            Event::NoticeSettled { proposal_id, .. } => {
                self.notices.remove(proposal_id.as_str());
            }
            Event::OutcomeWatched { watch } => {
                for field in &watch.fields {
                    let key = watches::key(&watch.proposal_id, field);
                    self.watches.insert(key, (watch.clone(), Standing::default()));
                }
            }
            Event::OutcomeLabelled { labelled } => {
                let key = watches::key(&labelled.proposal_id, &labelled.field);
                match self.watches.get_mut(&key) {
                    Some((_, standing)) => standing.take(&labelled),
                    None => report.damage("watch-unknown", Some(seq), format!("`{key}` was never watched")),
                }
            }
            Event::PromotionsSent { .. }
            | Event::PromotionSettled { .. }
            | Event::PromotionConfirmed { .. } => self.promotion(seq, at, event, report),
            Event::ProposalReceived { .. }
            | Event::VerdictReached { .. }
            | Event::DecisionObserved { .. }
            | Event::PromotionIntended { .. }
            | Event::SubmissionSettled { .. }
            | Event::Started { .. }
            | Event::PolicyRecorded { .. }
            | Event::SignalReceived { .. }
            | Event::Frozen { .. }
            | Event::Unfrozen { .. }
            | Event::SchemaRecorded { .. }
            | Event::SubmissionRefused { .. }
            | Event::BreakGlassUsed { .. }
            | Event::RestoreAccepted { .. }
            | Event::AnchorIntended { .. }
            | Event::AnchorSettled { .. }
            | Event::TotalsIntended { .. }
            | Event::TotalsSettled { .. }
            | Event::HeartbeatIntended { .. }
            | Event::HeartbeatSettled { .. }
            | Event::Erased { .. }
            | Event::RollbackBegun { .. }
            | Event::RollbackEnded { .. }
            | Event::DecayAnnounced { .. }
            | Event::DecayEnded { .. }
            | Event::Reconciled { .. }
            | Event::GroundAccepted { .. }
            | Event::DriftSeen { .. }
            | Event::JobBegun { .. }
            | Event::JobEnded { .. }
            | Event::LaneMoved { .. }
            | Event::WritersCounted { .. }
            | Event::StreamReset { .. } => {}
        }
    }

    fn intended(&mut self, id: String, (seq, at): (u64, &str), kept: Kept, report: &mut Report) {
        if !self.open.insert(record_of(&kept)) {
            let what = format!("record {} has two open promotions", kept.record);
            report.damage("promotion-two-open", Some(seq), what);
        }
        if !kept.is_undo {
            self.change(&kept.proposal, at, |row| row.promotion = Some(id.clone()));
        }
        self.promotions.insert(id, (seq, kept));
    }

    fn promotion(&mut self, seq: u64, at: &str, event: Event, report: &mut Report) {
        match event {
            Event::PromotionsSent { promotions } => {
                for id in promotions {
                    if let Some((_, promotion)) = self.promotions.get_mut(id.as_str()) {
                        promotion.attempts += 1;
                        match when_sent(&promotion.settlement) {
                            Some(state) => promotion.settlement = state,
                            None => report.damage("sent-after-end", Some(seq), format!("promotion `{id}`")),
                        }
                    }
                }
            }
            Event::PromotionSettled { promotion, settlement } => {
                let Some((_, known)) = self.promotions.get_mut(promotion.as_str()) else {
                    report.damage(
                        "promotion-unknown",
                        Some(seq),
                        format!("`{promotion}` was never intended"),
                    );
                    return;
                };
                if !settlement_follows(&known.settlement, &settlement) {
                    let (from, to) = (known.settlement.name(), settlement.name());
                    let what = format!("promotion `{promotion}` goes from {from} to {to}");
                    report.damage("settlement-transition", Some(seq), what);
                }
                if settlement.is_final() {
                    self.open.remove(&record_of(known));
                }
                let own = (!known.is_undo).then(|| known.proposal.clone());
                known.settlement.clone_from(&settlement);
                let stage = own.as_ref().and_then(|id| self.proposals.get(id)).and_then(|row| row.stage);
                let stage = stage.and_then(|from| stage_settled(from, &settlement));
                if let (Some(proposal), Some(stage)) = (own, stage) {
                    self.change(&proposal, at, |row| row.stage = Some(stage));
                }
            }
            Event::PromotionConfirmed { promotion, proof } => {
                if let Some((_, known)) = self.promotions.get_mut(promotion.as_str()) {
                    known.proof = proof;
                }
            }
            _ => {}
        }
    }

    fn go(&mut self, id: &str, to: Stage, (seq, at): (u64, &str), report: &mut Report) {
        let from = self.proposals.get(id).and_then(|row| row.stage);
        match from {
            None => report.damage("proposal-unknown", Some(seq), format!("`{id}` was never received")),
            Some(from) if !may_follow(from, to) => {
                let what = format!("`{id}` goes from {} to {}", from.name(), to.name());
                report.damage("stage-transition", Some(seq), what);
            }
            Some(_) => {}
        }
        self.change(id, at, |row| row.stage = Some(to));
    }

    fn change(&mut self, id: &str, at: &str, change: impl FnOnce(&mut Proposal)) {
        if let Some(row) = self.proposals.get_mut(id) {
            change(row);
            at.clone_into(&mut row.updated_at);
        }
    }
}

fn record_of(kept: &Kept) -> (String, String) {
    (kept.object.clone(), kept.record.clone())
}
