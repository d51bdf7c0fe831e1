//! What stops promotions whatever was decided: freezes by people, and changes of the org that nobody
//! has accepted. Read once for a batch.

use std::collections::{BTreeMap, BTreeSet};

use super::WorkflowError;
use crate::{
    domain::{Basis, Drift, Freeze, ObjectName, Promotion, Proposal},
    ledger::Tx,
};

/// Freezes in force, and drift by object.
#[derive(Debug, Default)]
pub struct Brakes {
    frozen: Vec<Freeze>,
    drifts: BTreeMap<ObjectName, Drift>,
}

impl Brakes {
    /// Reads what is in force for these objects.
    pub async fn read<'a>(
        tx: &mut Tx<'_>,
        objects: impl IntoIterator<Item = &'a ObjectName>,
    ) -> Result<Self, WorkflowError> {
        let mut drifts = BTreeMap::new();
        for object in objects.into_iter().collect::<BTreeSet<_>>() {
            drifts.extend(tx.drift(object).await?.map(|drift| (object.clone(), drift)));
        }
        Ok(Self { frozen: tx.freezes().await?, drifts })
    }

    /// The freezes that reach this proposal, and those that ask for a person.
    pub fn frozen(&self, proposal: &Proposal) -> Vec<Freeze> {
        let reaches = |freeze: &&Freeze| freeze.scope.stops(proposal) || freeze.scope.asks_for_a_person();
        self.frozen.iter().filter(reaches).cloned().collect()
    }

    /// The drift that holds this proposal back, with those of its changes that do.
    pub fn drift(&self, proposal: &Proposal) -> Option<Drift> {
        let drift = self.drifts.get(&proposal.object)?;
        let changes: Vec<_> = drift.stopping(proposal).cloned().collect();
        (!changes.is_empty()).then(|| Drift { changes, ..drift.clone() })
    }

    /// Whether this promotion has to wait. A rollback goes on: it is people's way back.
    pub async fn stop(&self, tx: &mut Tx<'_>, promotion: &Promotion) -> Result<bool, WorkflowError> {
        let none = self.frozen.is_empty() && !self.drifts.contains_key(&promotion.plan.object);
        if none || promotion.undoes.is_some() {
            return Ok(false);
        }
        let known = tx.proposal(&promotion.plan.proposal_id).await?;
        Ok(known.is_none_or(|known| {
            let (proposal, by_itself) = (&known.proposal, promotion.plan.basis == Basis::Auto);
            let stops = |freeze: &Freeze| {
                freeze.scope.stops(proposal) || by_itself && freeze.scope.asks_for_a_person()
            };
            self.frozen.iter().any(stops) || self.drift(proposal).is_some()
        }))
    }
}
