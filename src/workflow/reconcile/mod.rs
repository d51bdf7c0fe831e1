//! Reconciliation: org and ledger are compared, what is safe is repaired, the rest is listed.
//!
//! A look reads the records that changed since the run before and have, or had, a proposal. What an
//! event should have told and did not is taken in as the sweep takes it in, through the gate.
//! Nothing else is ever written: a value that somebody changed stays, because no policy names what it
//! should go back to. A run takes no input and may be repeated at any time.

use jiff::{SignedDuration, Timestamp};

use super::{Context, WorkflowError, promote::Promoter, sweep};
use crate::{
    domain::{Digest, Reconciliation, event::Event},
    ledger::Ledger,
};

mod compare;
mod facts;
mod found;
mod known;
mod look;
mod missed;
mod promotions;
mod provenance;
mod rates;
mod stuck;
#[cfg(test)]
mod tests;
mod way;

use found::Found;

/// A save may become visible some minutes after its stamp says that it was made, and two clocks are
/// never the same: each run looks back a little further than the run before began.
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);

/// How a run looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// With more records than this a bulk query reads them.
    pub bulk_above: u64,
    /// What changed less than this ago may still be under way.
    pub grace: SignedDuration,
    /// How long a proposal may wait before it is told.
    pub stuck_after: SignedDuration,
    /// How long a promotion may be without its end or its proof.
    pub proof_after: SignedDuration,
    /// Days that the rates look back.
    pub rates_days: u32,
    /// Read everything and not only what changed.
    pub full: bool,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Nothing was reconciled yet.
    #[error("nothing was reconciled yet: `countersign reconcile run` does it")]
    NoneYet,
    /// No run has this name.
    #[error("no reconciliation `{0}` is known: `countersign reconcile list` shows the known ones")]
    Unknown(String),
    /// The ledger failed.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
}

impl ReconcileError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::NoneYet => "reconcile-none-yet",
            Self::Unknown(_) => "reconcile-unknown",
            Self::Workflow(error) => error.code(),
        }
    }
}

/// What the parts of one run share.
struct Run<'a> {
    context: &'a Context,
    promoter: &'a Promoter,
    options: Options,
    /// When it began.
    at: Timestamp,
    /// The run before.
    before: Option<Reconciliation>,
    /// When the ledger began. What is older is not missed.
    ledger_began: Timestamp,
    found: Found,
}

impl Run<'_> {
    /// Whether something happened so lately that it may still be under way.
    fn is_fresh(&self, at: Timestamp) -> bool {
        self.at.duration_since(at) < self.options.grace
    }
}

/// Compares, repairs, and records what was found. `told` hears how many records were read.
pub async fn run(
    context: &Context,
    promoter: &Promoter,
    options: Options,
    told: &mut (dyn FnMut(u64) + Send),
) -> Result<Reconciliation, WorkflowError> {
    let at = context.clock.now();
    let mut runs = context.ledger.reconciliations().await?;
    let settled = facts::known(&runs);
    let mut run = Run {
        context,
        promoter,
        options,
        at,
        before: runs.pop(),
        ledger_began: context.ledger.began().await?.unwrap_or(at),
        found: Found::default(),
    };
    context.try_paused().await?;
    for contract in context.governed() {
        context.unless_paused((contract, None), look::object(&mut run, contract, told)).await?;
    }
    // What carries the flag, and what landed without a proof: the sweep reads both.
    sweep::run(context).await?;
    stuck::look(&mut run).await?;
    promotions::look(&mut run).await?;
    let (list, counts, left_out, reads) = run.found.into_parts();
    let mut overrides = context.ledger.overrides_since(rates::since(at, options.rates_days)).await?;
    overrides.extend(list.iter().filter(|one| one.is_override()).cloned());
    let rates = rates::rates(context, at, options.rates_days, &found::overridden(&overrides)).await?;
    let (facts, settled) = facts::look(context, at, &overrides, settled).await?;
    let digest = Digest::of(&list)?;
    let done = Reconciliation {
        id: Reconciliation::id_of(context.ledger.org_id(), at, &digest)?,
        at,
        ended_at: context.clock.now(),
        reads,
        counts,
        rates,
        rates_days: u64::from(options.rates_days),
        facts,
        settled,
        list: digest,
        left_out,
        found: list,
    };
    let mut tx = context.ledger.begin("reconciled").await?;
    tx.append(&Event::Reconciled { run: done.clone() }).await?;
    tx.commit().await?;
    Ok(done)
}

/// The run with this name, or the newest one, with its list, and the run before it.
pub async fn find(
    ledger: &Ledger,
    name: Option<&str>,
) -> Result<(Reconciliation, Option<Reconciliation>), ReconcileError> {
    let mut runs = ledger.reconciliations().await.map_err(WorkflowError::from)?;
    let place = match name {
        None => runs.len().checked_sub(1).ok_or(ReconcileError::NoneYet)?,
        Some(name) => {
            let named = |run: &Reconciliation| name.len() >= 8 && run.id.as_str().starts_with(name);
            runs.iter().rposition(named).ok_or_else(|| ReconcileError::Unknown(name.to_owned()))?
        }
    };
    let id = runs[place].id.clone();
    runs.truncate(place);
    let whole = ledger.reconciliation(&id).await.map_err(WorkflowError::from)?;
    let whole = whole.ok_or_else(|| ReconcileError::Unknown(id.to_string()))?;
    Ok((whole, runs.pop()))
}
