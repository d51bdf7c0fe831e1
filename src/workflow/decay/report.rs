//! How an announced run ended, record by record: a fold over its proposals and promotions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::DecayError;
use crate::{
    domain::{
        DecayRun, DecayStep, Promotion, PromotionId, Proposal, ProposalId, Settlement, Stage, decay::GENERAL,
    },
    gate::{FindingCode, Verdict},
    ledger::{Ledger, ProposalRecord},
    workflow::WorkflowError,
};

/// What became of an announced record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Announced; the run has not come to it, or its write has not ended.
    Open,
    /// It moved back.
    Moved,
    /// The gate let it stay: something happened, or a rule protects it.
    Spared,
    /// People hold or froze it, or it was busy with something else.
    Held,
    /// It changed under the write.
    Conflicted,
    /// The org refused.
    Failed,
    /// The run was given up before it came to it.
    Cancelled,
}

impl Fate {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Moved => "moved",
            Self::Spared => "spared",
            Self::Held => "held",
            Self::Conflicted => "conflicted",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One announced record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct End {
    /// The announced step.
    pub step: DecayStep,
    /// The proposal that carries it; `countersign explain` tells its story.
    pub proposal: ProposalId,
    /// The last thing that had happened on the record when it was announced.
    pub last_activity: Option<Timestamp>,
    /// What became of it.
    pub fate: Fate,
    /// Stable code of the reason; empty where it moved or is open.
    pub code: String,
    /// The reason in words; data.
    pub words: String,
    /// It moved and was put back since.
    pub rolled_back: bool,
}

/// Every announced record of a run. A proposal whose values were erased is left out.
pub async fn ends(ledger: &Ledger, run: &DecayRun) -> Result<Vec<End>, DecayError> {
    let known = ledger.proposals_of_run(&run.id).await.map_err(WorkflowError::from)?;
    let ids: Vec<PromotionId> = known.iter().filter_map(|known| known.promotion.clone()).collect();
    let mut promotions = BTreeMap::new();
    for chunk in ids.chunks(1000) {
        let found = ledger.promotions_by_id(chunk).await.map_err(WorkflowError::from)?;
        promotions.extend(found.into_iter().map(|promotion| (promotion.id.clone(), promotion)));
    }
    Ok(known.iter().filter_map(|known| end(known, &promotions)).collect())
}

/// How many ended how.
pub fn counts(ends: &[End]) -> BTreeMap<Fate, usize> {
    let mut counts = BTreeMap::new();
    for end in ends {
        *counts.entry(end.fate).or_default() += 1;
    }
    counts
}

/// The announced step that a proposal carries.
pub fn step_of(proposal: &Proposal) -> Option<DecayStep> {
    let (field, to) = proposal.patch.first_key_value()?;
    let segment = proposal.evidence.first().map_or(GENERAL, |evidence| evidence.source.as_str());
    Some(DecayStep {
        object: proposal.object.clone(),
        record: proposal.record.clone(),
        field: field.clone(),
        from: proposal.base.get(field)?.as_text()?.to_owned(),
        to: to.as_text()?.to_owned(),
        segment: segment.to_owned(),
    })
}

fn end(known: &ProposalRecord, promotions: &BTreeMap<PromotionId, Promotion>) -> Option<End> {
    let verdict = known.verdict.clone().and_then(|text| serde_json::from_value::<Verdict>(text).ok());
    let decided = verdict.as_ref().and_then(Verdict::deciding);
    let settled = known.promotion.as_ref().and_then(|id| promotions.get(id));
    let (fate, code, words) = match (known.stage, settled) {
        (Stage::Received | Stage::Promoting, _) => (Fate::Open, String::new(), String::new()),
        (Stage::Promoted | Stage::RolledBack, Some(_)) => (Fate::Moved, String::new(), String::new()),
        (_, Some(promotion)) => of_settlement(&promotion.settlement),
        (_, None) => match decided {
            Some(finding) => (fate_of(finding.code), finding.code.to_string(), finding.message.clone()),
            None => (Fate::Cancelled, "decay-cancelled".to_owned(), "the run was given up".to_owned()),
        },
    };
    Some(End {
        step: step_of(&known.proposal)?,
        proposal: known.proposal.id.clone(),
        last_activity: known.proposal.evidence.first().map(|evidence| evidence.occurred_at),
        fate,
        code,
        words,
        rolled_back: known.stage == Stage::RolledBack,
    })
}

fn fate_of(code: FindingCode) -> Fate {
    match code {
        FindingCode::ManualOverride | FindingCode::Frozen | FindingCode::PromotionOpen => Fate::Held,
        FindingCode::BaseMoved => Fate::Conflicted,
        _ => Fate::Spared,
    }
}

fn of_settlement(settlement: &Settlement) -> (Fate, String, String) {
    match settlement {
        Settlement::Stale { reason } => (Fate::Conflicted, "stale".to_owned(), reason.clone()),
        Settlement::Conflict { mark } => {
            (Fate::Conflicted, "foreign-mark".to_owned(), format!("the record carries the mark `{mark}`"))
        }
        Settlement::Refused { code, message } => (Fate::Failed, code.clone(), message.clone()),
        Settlement::Gone => (Fate::Failed, "record-gone".to_owned(), "the record is gone".to_owned()),
        open => (Fate::Open, String::new(), open.name().to_owned()),
    }
}
