//! What the ledger knows besides the proposal: freezes and drift in force, lanes that were moved, and
//! counts for budgets.
//!
//! Counts are read once for a batch and then kept up while its events are made, so that two
//! hundred proposals of one batch count each other.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{WorkflowError, brakes::Brakes, consider::Case, observe};
use crate::{
    domain::{
        Basis, Door, Drift, ObjectName, ObjectPolicy, Proposal,
        event::Event,
        freeze::Freeze,
        policy::{CountKey, Counted},
        shadow::lane::{LaneAct, LaneFact, facts},
    },
    gate::{
        Rules, Verdict,
        input::{COUNT_FACT, DISPUTED_FACT},
    },
    ledger::{ProposalRecord, Tx},
};

/// Freezes, drift, lanes and counts for one batch.
#[derive(Debug, Default)]
pub struct Tally {
    brakes: Brakes,
    /// Lanes that people let act, or that stepped back.
    lanes: Vec<LaneAct>,
    counts: BTreeMap<CountKey, Decimal>,
}

impl Tally {
    /// With what is in force for an object, and no counts.
    pub async fn open(tx: &mut Tx<'_>, object: &ObjectName) -> Result<Self, WorkflowError> {
        let brakes = Brakes::read(tx, [object]).await?;
        Ok(Self { brakes, lanes: tx.lanes().await?, counts: BTreeMap::new() })
    }

    /// Reads the counts that this proposal's budgets ask for, where they are not known yet.
    pub async fn load(
        &mut self,
        tx: &mut Tx<'_>,
        (rules, proposal): (&Rules, &Proposal),
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        for key in keys(policy_of(rules, &proposal.object), proposal) {
            if let Entry::Vacant(place) = self.counts.entry(key) {
                let count = tx.count(&proposal.object, place.key(), now).await?;
                place.insert(count);
            }
        }
        Ok(())
    }

    /// The counts as the gate takes them. What was counted when the proposal came in stays: what
    /// came in after it is not its fault. `taken_in` is when the ledger took the proposal in, if it
    /// did: a fresh count at `now` that reaches back so far has it among the others.
    pub fn counts(
        &self,
        (rules, proposal): (&Rules, &Proposal),
        last: Option<&Verdict>,
        (taken_in, now): (Option<Timestamp>, Timestamp),
    ) -> BTreeMap<String, Decimal> {
        let mut told = BTreeMap::new();
        for key in keys(policy_of(rules, &proposal.object), proposal) {
            let name = key.name();
            let proposals = key.of == Counted::Proposals;
            let before = last
                .filter(|_| proposals)
                .and_then(|last| last.facts.get(&format!("{COUNT_FACT}{name}"))?.parse().ok());
            let age = taken_in.map(|at| Decimal::from(now.duration_since(at).as_secs()));
            let within = age.is_some_and(|age| age <= key.minutes * Decimal::from(60));
            let own = Decimal::from(u8::from(proposals && within));
            let fresh = || self.counts.get(&key).map(|count| (*count - own).max(Decimal::ZERO));
            if let Some(count) = before.or_else(fresh) {
                told.insert(name, count);
            }
        }
        told
    }

    /// The freezes that reach this proposal.
    pub fn frozen(&self, proposal: &Proposal) -> Vec<Freeze> {
        self.brakes.frozen(proposal)
    }

    /// The drift that holds this proposal back.
    pub fn drift(&self, proposal: &Proposal) -> Option<Drift> {
        self.brakes.drift(proposal)
    }

    /// What was last said of the lanes of this proposal.
    pub fn lanes(&self, proposal: &Proposal, now: Timestamp) -> Vec<LaneFact> {
        facts(&self.lanes, proposal, now)
    }

    /// Reads the counts for whatever proposals of this record may be judged.
    pub async fn prepare(
        &mut self,
        tx: &mut Tx<'_>,
        (rules, case): (&Rules, &Case<'_>),
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        if policy_of(rules, &case.reading.snapshot.object).is_none_or(|policy| policy.budgets.is_empty()) {
            return Ok(());
        }
        for known in &case.known {
            self.load(tx, (rules, &known.proposal), now).await?;
        }
        if let Some(first) = first_seen(case, now) {
            self.load(tx, (rules, &first), now).await?;
        }
        Ok(())
    }

    /// Keeps the counts up with events that are about to be recorded.
    pub fn follow(&mut self, rules: &Rules, case: &Case<'_>, events: &[Event]) {
        let mut received = None;
        for event in events {
            let known = case.known.iter().map(|known| &known.proposal);
            let (counted, proposal) = match event {
                Event::ProposalReceived { proposal } => {
                    received = Some(proposal);
                    (Counted::Proposals, received)
                }
                Event::PromotionIntended { promotion } if promotion.plan.basis == Basis::Auto => {
                    let mut known = known.chain(received);
                    (Counted::Promotions, known.find(|known| known.id == promotion.plan.proposal_id))
                }
                _ => continue,
            };
            let Some(proposal) = proposal else { continue };
            let mine: BTreeSet<CountKey> =
                keys(policy_of(rules, &proposal.object), proposal).into_iter().collect();
            for key in mine.into_iter().filter(|key| key.of == counted) {
                if let Some(count) = self.counts.get_mut(&key) {
                    *count += Decimal::ONE;
                }
            }
        }
    }
}

impl Tally {
    /// Counts a promotion of this proposal that is about to be recorded.
    pub fn count(&mut self, rules: &Rules, proposal: &Proposal) {
        let mine = keys(policy_of(rules, &proposal.object), proposal);
        let mine: BTreeSet<CountKey> = mine.into_iter().filter(|key| key.of == Counted::Promotions).collect();
        for key in mine {
            if let Some(count) = self.counts.get_mut(&key) {
                *count += Decimal::ONE;
            }
        }
    }
}

/// The proposal that stands on the record, where the ledger does not know it.
fn first_seen(case: &Case<'_>, now: Timestamp) -> Option<Proposal> {
    let id = case.reading.slot.proposal_id.as_deref()?;
    if case.known.iter().any(|known| known.proposal.id.as_str() == id) {
        return None;
    }
    observe::proposal(case.reading, id, (now, case.hint.as_ref())).ok()
}

fn policy_of<'a>(rules: &'a Rules, object: &ObjectName) -> Option<&'a ObjectPolicy> {
    rules.policy().objects.get(object)
}

fn keys(policy: Option<&ObjectPolicy>, proposal: &Proposal) -> Vec<CountKey> {
    let budgets = policy.map(|policy| policy.budgets.as_slice()).unwrap_or_default();
    budgets.iter().flat_map(|budget| budget.keys(proposal)).collect()
}

/// Agents of other open proposals for the record that hold other values for the same fields. Once
/// told in a verdict it stays told, also when the other proposals have ended.
pub fn disputed_by(proposal: &Proposal, others: &[ProposalRecord], last: Option<&Verdict>) -> Vec<String> {
    let told = last.and_then(|last| serde_json::from_str(last.facts.get(DISPUTED_FACT)?).ok());
    let mut agents: Vec<String> = told.unwrap_or_default();
    let differs = |other: &Proposal| {
        let mut fields = proposal.patch.iter();
        fields.any(|(field, value)| other.patch.get(field).is_some_and(|wanted| wanted != value))
    };
    let open = others.iter().filter(|other| !other.stage.is_final() && other.proposal.id != proposal.id);
    // An announced decay is no agent's opinion: it gives way to whatever is proposed.
    let agents_own = open.map(|other| &other.proposal).filter(|other| other.door != Door::Schedule);
    for other in agents_own {
        if other.actor.agent != proposal.actor.agent && differs(other) {
            agents.push(other.actor.agent.clone());
        }
    }
    agents.sort();
    agents.dedup();
    agents
}
