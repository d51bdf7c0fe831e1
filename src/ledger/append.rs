//! Appending an event: private parts aside, canonical text, hash, projection.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    LedgerError, Tx, anchors, basis, decays, freezes, grounds, heartbeats, job_runs, lanes, reconciliations,
    rollbacks, signals, totals,
    unwritten::{EntryRow, Part},
    writers,
};
use crate::{
    clock,
    domain::{
        BreakGlassUse,
        digest::canonical,
        entry::{Entry, commitment},
        event::Event,
    },
};

impl Tx<'_> {
    /// Appends one event and changes the projections that follow from it. Returns its place.
    pub async fn append(&mut self, event: &Event) -> Result<u64, LedgerError> {
        let seq = self.head_seq + 1;
        let at = self.ledger.inner.clock.now();
        let mut public = serde_json::to_value(event)?;
        let private = take_private(seq, event, &mut public)?;
        let commit = private
            .iter()
            .map(|part| (part.path.to_owned(), commitment(&part.salt, part.path, &part.value).to_string()))
            .collect::<BTreeMap<_, _>>();
        let proposal = self.story_of(event).await?;
        let entry = Entry {
            v: "1".to_owned(),
            org: self.ledger.inner.org_id.clone(),
            seq: seq.to_string(),
            at: at.to_string(),
            epoch: self.epoch().to_string(),
            kind: event.kind().to_owned(),
            proposal,
            event: public,
            commit,
            prev: self.head_hash.to_string(),
        };
        let text = entry.text()?;
        let hash = Entry::hash_text(&text);
        let Entry { kind, proposal, .. } = entry;
        self.unwritten.entries.push(EntryRow { seq, hash: hash.to_string(), kind, proposal, text });
        self.unwritten.parts.extend(private);
        self.advance(seq, hash);
        self.project(event, seq, at).await?;
        if self.unwritten.is_full() {
            self.write_out().await?;
        }
        Ok(seq)
    }

    /// Appends events in order.
    pub async fn append_all(&mut self, events: &[Event]) -> Result<(), LedgerError> {
        for event in events {
            self.append(event).await?;
        }
        Ok(())
    }

    /// The proposal that an event belongs to: the run id of its story.
    async fn story_of(&mut self, event: &Event) -> Result<Option<String>, LedgerError> {
        let id = match event {
            Event::ProposalReceived { proposal } => proposal.id.to_string(),
            Event::SubmissionRefused { proposal_id, .. } => proposal_id.clone(),
            Event::SubmissionSettled { proposal_id, .. }
            | Event::VerdictReached { proposal_id, .. }
            | Event::StageChanged { proposal_id, .. }
            | Event::NoticeIntended { proposal_id, .. }
            | Event::NoticeSettled { proposal_id, .. } => proposal_id.to_string(),
            Event::DecisionObserved { approval } => approval.proposal_id.to_string(),
            Event::PromotionIntended { promotion } => promotion.plan.proposal_id.to_string(),
            Event::PromotionSettled { promotion, .. } | Event::PromotionConfirmed { promotion, .. } => {
                let known = self.promotion(promotion).await?;
                return Ok(known.map(|known| known.plan.proposal_id.to_string()));
            }
            Event::OutcomeWatched { watch } => watch.proposal_id.to_string(),
            Event::OutcomeLabelled { labelled } => labelled.proposal_id.to_string(),
            Event::LaneMoved { .. } => lanes::STORY.to_owned(),
            Event::BreakGlassUsed { used } => BreakGlassUse::story(&used.record),
            Event::SignalReceived { record, .. } => signals::story(record),
            Event::RollbackBegun { rollback } => rollbacks::story(&rollback.id),
            Event::RollbackEnded { rollback, .. } => rollbacks::story(rollback),
            Event::DecayAnnounced { .. } | Event::DecayEnded { .. } => decays::STORY.to_owned(),
            Event::Reconciled { .. } => reconciliations::STORY.to_owned(),
            Event::JobBegun { run } => job_runs::story(run.job),
            Event::JobEnded { job, .. } => job_runs::story(*job),
            Event::Frozen { .. } | Event::Unfrozen { .. } => freezes::STORY.to_owned(),
            Event::AnchorIntended { .. } | Event::AnchorSettled { .. } => anchors::STORY.to_owned(),
            Event::HeartbeatIntended { .. } | Event::HeartbeatSettled { .. } => heartbeats::STORY.to_owned(),
            Event::TotalsIntended { .. } | Event::TotalsSettled { .. } => totals::STORY.to_owned(),
            Event::GroundAccepted { ground, .. } | Event::DriftSeen { ground, .. } => {
                grounds::story(&ground.object)
            }
            Event::WritersCounted { .. } => writers::STORY.to_owned(),
            Event::PolicyRecorded { policy } => basis::story(&policy.digest()?),
            Event::SchemaRecorded { schema } => basis::story(&schema.digest()?),
            Event::Started { .. }
            | Event::PromotionsSent { .. }
            | Event::RestoreAccepted { .. }
            | Event::Erased { .. }
            | Event::StreamReset { .. } => return Ok(None),
        };
        Ok(Some(id))
    }
}

/// Takes the private parts out of the event's JSON. A part that is absent or null stays out.
fn take_private(seq: u64, event: &Event, public: &mut Value) -> Result<Vec<Part>, LedgerError> {
    let mut parts = Vec::new();
    for path in event.private_paths() {
        let Some((parent, key)) = path.rsplit_once('/') else { continue };
        let Some(Value::Object(map)) = public.pointer_mut(parent) else { continue };
        match map.remove(key) {
            None => {}
            Some(value) => {
                parts.push(Part { seq, path, salt: clock::salt(), value: canonical(&value)? });
            }
        }
    }
    Ok(parts)
}

/// SQLite's integers are signed.
pub(super) fn number(seq: u64) -> Result<i64, LedgerError> {
    i64::try_from(seq).map_err(|_| LedgerError::Damaged(format!("number {seq} is too large")))
}
