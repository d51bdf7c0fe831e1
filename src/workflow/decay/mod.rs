//! Scheduled decay: stale states are found, announced, and moved back once the time to object is over.
//!
//! Three steps, each of which can be repeated. [`due::look`] reads what is due and asks the gate.
//! [`announce`] records the manifest and one proposal for each record; people may hold records from
//! then on. [`run::run`] asks the gate again about each announced record and moves it through the
//! promotion protocol. Nothing else moves a state back by itself.

use jiff::{SignedDuration, Timestamp};

use super::{Context, WorkflowError};
use crate::{
    domain::{
        Actor, DecayManifest, DecayRun, DecayStep, Digest, Door, Evidence, FieldValue, IdError, Proposal,
        decay::{AGENT, LAST_ACTIVITY},
        event::Event,
    },
    ledger::{Announced, Ledger},
};

pub mod due;
pub mod report;
pub mod run;

pub use due::{Found, Look, look};

/// Why a decay run is not announced or not carried out.
#[derive(Debug, thiserror::Error)]
pub enum DecayError {
    /// An announced run has not ended.
    #[error(
        "run {} was announced and has not ended: `countersign decay run` carries it out from {} on, `countersign decay cancel` gives it up",
        .0.id.short(), .0.runs_from
    )]
    Open(Box<DecayRun>),
    /// Nothing was announced.
    #[error("no decay run is announced: `countersign decay announce` announces what is due")]
    NothingAnnounced,
    /// No run has this name.
    #[error("no decay run `{0}` is known: `countersign decay list` shows the known ones")]
    Unknown(String),
    /// The run has ended before.
    #[error("run {} has ended: `countersign decay report {}` shows how", .0.short(), .0.short())]
    Ended(Digest),
    /// The time to object is not over.
    #[error("run {} may not begin before {runs_from}: until then people may object", .id.short())]
    TooEarly {
        /// Which one.
        id: Digest,
        /// From when on.
        runs_from: Timestamp,
    },
    /// The rules are not those that the run was announced under.
    #[error(
        "run {} was announced under other rules than are in force: cancel it with `countersign decay cancel` and announce anew",
        .0.short()
    )]
    PolicyChanged(Digest),
    /// What the ledger holds is not what was announced.
    #[error("the proposals of run {} are not the announced ones: run `countersign verify`", .0.short())]
    NotAsAnnounced(Digest),
    /// A step failed; the command can be given again.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
}

impl DecayError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Open(_) => "decay-open",
            Self::NothingAnnounced => "decay-nothing-announced",
            Self::Unknown(_) => "decay-unknown",
            Self::Ended(_) => "decay-ended",
            Self::TooEarly { .. } => "decay-too-early",
            Self::PolicyChanged(_) => "decay-policy-changed",
            Self::NotAsAnnounced(_) => "decay-not-as-announced",
            Self::Workflow(error) => error.code(),
        }
    }
}

/// Records what is about to move, in one transaction. `None` when nothing is due. Refused while an
/// announced run has not ended, so that no record is announced twice.
pub async fn announce(
    context: &Context,
    look: &Look,
    (by, objection): (&str, SignedDuration),
) -> Result<Option<DecayRun>, DecayError> {
    if look.due.is_empty() {
        return Ok(None);
    }
    let manifest = look.manifest(context.ledger.org_id());
    let id = manifest.digest().map_err(WorkflowError::from)?;
    let run = DecayRun {
        id,
        at: look.at,
        by: by.to_owned(),
        runs_from: look.at.saturating_add(objection).unwrap_or(Timestamp::MAX),
        policy: context.rules.digest().clone(),
        totals: manifest.totals(),
    };
    let mut events = vec![Event::DecayAnnounced { run: run.clone() }];
    for found in &look.due {
        let proposal = proposal(found, &run.id, look.at).map_err(odd)?;
        events.push(Event::ProposalReceived { proposal });
    }
    let mut tx = context.ledger.begin("decay announced").await.map_err(WorkflowError::from)?;
    let known = tx.decay_runs().await.map_err(WorkflowError::from)?;
    if let Some(open) = known.into_iter().find(|known| known.counts.is_none()) {
        return Err(DecayError::Open(Box::new(open.run)));
    }
    tx.append_all(&events).await.map_err(WorkflowError::from)?;
    tx.commit().await.map_err(WorkflowError::from)?;
    Ok(Some(run))
}

/// The proposal of one step. Its evidence is the last thing that happened on the record.
fn proposal(found: &Found, run: &Digest, at: Timestamp) -> Result<Proposal, IdError> {
    let DecayStep { object, record, field, from, to, segment } = found.step.clone();
    let evidence = found.last_activity.map(|occurred_at| Evidence {
        kind: LAST_ACTIVITY.to_owned(),
        source: segment,
        occurred_at,
        link: None,
        digest: None,
    });
    Ok(Proposal {
        creates: None,
        id: DecayRun::proposal_id(run, &record)?,
        object,
        record,
        patch: [(field.clone(), FieldValue::text(to))].into(),
        base: [(field, FieldValue::text(from))].into(),
        confidence: None,
        reason: Some(found.words.clone()),
        evaluated_at: Some(at),
        expires_at: None,
        edited_from: None,
        requires_review: false,
        actor: Actor { run: Some(run.short().to_owned()), ..Actor::named(AGENT) },
        door: Door::Schedule,
        evidence: evidence.into_iter().collect(),
        received_at: at,
    })
}

/// The manifest that a run's proposals make, to hold it against what was announced.
fn manifest_of(context: &Context, run: &DecayRun, proposals: &[Proposal]) -> DecayManifest {
    let mut steps: Vec<DecayStep> = proposals.iter().filter_map(report::step_of).collect();
    steps.sort();
    DecayManifest { org: context.ledger.org_id().to_owned(), at: run.at, steps }
}

/// The run with this name, or the one that has not ended.
pub async fn find(ledger: &Ledger, name: Option<&str>) -> Result<Announced, DecayError> {
    let runs = ledger.decay_runs().await.map_err(WorkflowError::from)?;
    match name {
        None => runs.into_iter().rfind(|run| run.counts.is_none()).ok_or(DecayError::NothingAnnounced),
        Some(name) => {
            let named = |run: &Announced| name.len() >= 8 && run.run.id.as_str().starts_with(name);
            runs.into_iter().rfind(named).ok_or_else(|| DecayError::Unknown(name.to_owned()))
        }
    }
}

/// What cannot be: names and ids that were read are well formed.
fn odd(error: impl std::fmt::Display) -> WorkflowError {
    WorkflowError::Unexpected(error.to_string())
}
