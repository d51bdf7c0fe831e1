//! Projections: what follows from an event, in the same transaction.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    LedgerError, Tx,
    append::number,
    db,
    stage::{may_follow, settlement_follows, stage_settled, when_sent},
};
use crate::domain::{
    Approval, ObjectName, Promotion, PromotionId, Proposal, ProposalId, RecordId, Settlement, Stage,
    digest::canonical, event::Event,
};

impl Tx<'_> {
    pub(super) async fn project(
        &mut self,
        event: &Event,
        seq: u64,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        match event {
            Event::ProposalReceived { proposal } => self.insert_proposal(proposal, seq, at).await,
            Event::SubmissionSettled { proposal_id, result } => {
                if result == "done" {
                    self.mark_landed(proposal_id, at).await
                } else {
                    Ok(())
                }
            }
            Event::VerdictReached { proposal_id, stage, verdict, .. } => {
                self.set_stage(proposal_id, *stage, at).await?;
                self.set_verdict(proposal_id, verdict).await
            }
            Event::DecisionObserved { approval } => self.set_approval(approval, at).await,
            Event::StageChanged { proposal_id, stage, .. } => self.set_stage(proposal_id, *stage, at).await,
            Event::PromotionIntended { promotion } => self.insert_promotion(promotion, seq, at).await,
            Event::PromotionsSent { promotions } => self.count_attempts(promotions).await,
            Event::PromotionSettled { promotion, settlement } => self.settle(promotion, settlement, at).await,
            Event::PromotionConfirmed { promotion, proof } => {
                let landed = |promotion: &mut Promotion| {
                    promotion.proof.clone_from(proof);
                    Ok(())
                };
                self.change_promotion(promotion, landed).await?;
                Ok(())
            }
            Event::NoticeIntended { object, record, proposal_id, text } => {
                self.put_notice((object, record), (proposal_id, text), seq).await
            }
            Event::NoticeSettled { proposal_id, .. } => {
                db::query("DELETE FROM notice WHERE proposal = ?")
                    .bind(proposal_id.as_str())
                    .execute(self.connection().await?)
                    .await?;
                Ok(())
            }
            Event::OutcomeWatched { watch } => self.put_watch(watch).await,
            Event::OutcomeLabelled { labelled } => self.put_label(labelled).await,
            Event::Started { .. }
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
            | Event::StreamReset { .. } => Ok(()),
        }
    }

    async fn count_attempts(&mut self, promotions: &[PromotionId]) -> Result<(), LedgerError> {
        for id in promotions {
            self.change_promotion(id, |promotion| {
                let state = when_sent(&promotion.settlement);
                promotion.settlement = state.ok_or_else(|| ended(promotion, Settlement::Sent.name()))?;
                promotion.attempts += 1;
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn put_notice(
        &mut self,
        (object, record): (&ObjectName, &RecordId),
        (proposal_id, text): (&ProposalId, &str),
        seq: u64,
    ) -> Result<(), LedgerError> {
        db::query(
            "INSERT INTO notice (proposal, object, record, text, seq) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (proposal) DO UPDATE SET object = ?2, record = ?3, text = ?4, seq = ?5",
        )
        .bind(proposal_id.as_str())
        .bind(object.as_str())
        .bind(record.as_str())
        .bind(text)
        .bind(number(seq)?)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    async fn insert_proposal(
        &mut self,
        proposal: &Proposal,
        seq: u64,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let landed = proposal.door == crate::domain::Door::Record;
        db::query(
            "INSERT INTO proposal (id, object, record, stage, open, fingerprint, patch, body, landed, \
             received_seq, updated_at) VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)",
        )
        .bind(proposal.id.as_str())
        .bind(proposal.object.as_str())
        .bind(proposal.record.as_str())
        .bind(Stage::Received.name())
        .bind(proposal.fingerprint()?.as_str().to_owned())
        .bind(proposal.patch_digest()?.as_str().to_owned())
        .bind(canonical(proposal)?)
        .bind(landed)
        .bind(number(seq)?)
        .bind(at.to_string())
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    async fn mark_landed(&mut self, id: &ProposalId, at: Timestamp) -> Result<(), LedgerError> {
        db::query("UPDATE proposal SET landed = 1, updated_at = ? WHERE id = ?")
            .bind(at.to_string())
            .bind(id.as_str())
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    async fn set_stage(&mut self, id: &ProposalId, to: Stage, at: Timestamp) -> Result<(), LedgerError> {
        let unknown = || LedgerError::Unknown { what: "proposal", id: id.to_string() };
        let from = self.stage(id).await?.ok_or_else(unknown)?;
        if !may_follow(from, to) {
            return Err(LedgerError::StageTransition { from, to });
        }
        self.put_stage(id, to, at);
        Ok(())
    }

    fn put_stage(&mut self, id: &ProposalId, to: Stage, at: Timestamp) {
        self.stages.insert(id.clone(), to);
        self.unwritten.stages.insert(id.clone(), (to, at));
    }

    async fn set_verdict(&mut self, id: &ProposalId, verdict: &Value) -> Result<(), LedgerError> {
        db::query("UPDATE proposal SET verdict = ? WHERE id = ?")
            .bind(canonical(verdict)?)
            .bind(id.as_str())
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    async fn set_approval(&mut self, approval: &Approval, at: Timestamp) -> Result<(), LedgerError> {
        let changed = db::query("UPDATE proposal SET approval = ?, updated_at = ? WHERE id = ?")
            .bind(canonical(approval)?)
            .bind(at.to_string())
            .bind(approval.proposal_id.as_str())
            .execute(self.connection().await?)
            .await?;
        match changed {
            0 => Err(LedgerError::Unknown { what: "proposal", id: approval.proposal_id.to_string() }),
            _ => Ok(()),
        }
    }

    async fn insert_promotion(
        &mut self,
        promotion: &Promotion,
        seq: u64,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let plan = &promotion.plan;
        if let Some(earlier) = self.used_number(plan).await? {
            let (promotion, number) = (promotion.id.clone(), plan.expected_seq);
            return Err(LedgerError::NumberUsed { promotion, number, earlier });
        }
        // A refused statement would end the whole transaction on PostgreSQL, so it is left out.
        let inserted = db::query(
            "INSERT INTO promotion (id, proposal, object, record, open, confirmed, seq, body) \
             VALUES (?, ?, ?, ?, 1, 0, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(promotion.id.as_str())
        .bind(plan.proposal_id.as_str())
        .bind(plan.object.as_str())
        .bind(plan.record.as_str())
        .bind(number(seq)?)
        .bind(canonical(promotion)?)
        .execute(self.connection().await?)
        .await?;
        if inserted == 0 {
            return Err(LedgerError::PromotionOpen(promotion.id.clone()));
        }
        if promotion.undoes.is_none() {
            db::query("UPDATE proposal SET promotion = ?, updated_at = ? WHERE id = ?")
                .bind(promotion.id.as_str())
                .bind(at.to_string())
                .bind(plan.proposal_id.as_str())
                .execute(self.connection().await?)
                .await?;
        }
        Ok(())
    }

    /// The stage of the proposal follows from how its own promotion ends; a rollback's end
    /// says nothing about it by itself.
    async fn settle(
        &mut self,
        id: &PromotionId,
        settlement: &Settlement,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let promotion = self
            .change_promotion(id, |promotion| {
                if !settlement_follows(&promotion.settlement, settlement) {
                    return Err(ended(promotion, settlement.name()));
                }
                promotion.settlement.clone_from(settlement);
                Ok(())
            })
            .await?;
        if promotion.undoes.is_some() {
            return Ok(());
        }
        let id = &promotion.plan.proposal_id;
        let unknown = || LedgerError::Unknown { what: "proposal", id: id.to_string() };
        let from = self.stage(id).await?.ok_or_else(unknown)?;
        if let Some(stage) = stage_settled(from, settlement) {
            self.put_stage(id, stage, at);
        }
        Ok(())
    }

    pub(super) async fn change_promotion(
        &mut self,
        id: &PromotionId,
        change: impl FnOnce(&mut Promotion) -> Result<(), LedgerError>,
    ) -> Result<Promotion, LedgerError> {
        let unknown = || LedgerError::Unknown { what: "promotion", id: id.to_string() };
        let mut promotion = self.promotion(id).await?.ok_or_else(unknown)?;
        change(&mut promotion)?;
        self.unwritten.promotions.insert(id.clone());
        self.promotions.insert(id.clone(), promotion.clone());
        Ok(promotion)
    }
}

/// Only what landed can lack its proof.
pub(super) fn is_confirmed(settlement: &Settlement, proof: &BTreeMap<String, String>) -> bool {
    settlement.is_final() && (*settlement != Settlement::Done || !proof.is_empty())
}

fn ended(promotion: &Promotion, to: &'static str) -> LedgerError {
    LedgerError::SettlementTransition {
        promotion: promotion.id.clone(),
        from: promotion.settlement.name(),
        to,
    }
}
