//! Looking at what lanes rest on, and recording what differs from what people accepted.
//!
//! Fields, values and permissions are compared with each description, which every sweep asks for. What
//! runs on save takes three more calls for each object, so it is looked at by a job. The describe's
//! `If-Modified-Since` is not used: whether it moves with a permission is unconfirmed.

use std::collections::BTreeMap;

use super::{Context, WorkflowError, observe::object_name};
use crate::{
    domain::{
        Drift, Ground, ObjectName,
        drift::{Automation, START_OF_SERVICE, advance},
        event::Event,
    },
    salesforce::names::ObjectContract,
};

/// Lanes that wait because the org changed, by `object`.
pub const FROZEN_LANES: &str = "countersign_drift_frozen_lanes";

/// What one look at an object found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Object.
    pub object: ObjectName,
    /// Whether the promoter could see rules, flows and triggers.
    pub sees_setup: bool,
    /// What is in force now.
    pub drift: Option<Drift>,
}

/// Looks at everything that the governed objects' lanes rest on. Safe to run at any time, and twice.
pub async fn look(context: &Context) -> Result<Vec<Looked>, WorkflowError> {
    let mut all = Vec::new();
    for contract in context.governed() {
        context.describe_one(contract).await?;
        let automations = context.reader.automations(contract.object).await?;
        let sees_setup = automations.is_some();
        let drift = note(context, contract, automations).await?;
        all.push(Looked { object: object_name(contract.object)?, sees_setup, drift });
    }
    Ok(all)
}

/// Compares the last description with what was accepted, and records what is new. Without
/// `automations`, those that were seen last stand. Tells what is in force.
pub async fn note(
    context: &Context,
    contract: &ObjectContract,
    automations: Option<BTreeMap<String, Automation>>,
) -> Result<Option<Drift>, WorkflowError> {
    let object = object_name(contract.object)?;
    let Some(described) = context.schema(&object).await else { return Ok(None) };
    let Some(ground) = &described.ground else { return Ok(None) };
    let seen = Ground { automations, ..ground.clone() };
    let rules = context.rules.policy().objects.get(&object);
    let now = context.clock.now();
    // Most looks find nothing new, and take no turn at the ledger.
    let known = context.ledger.ground(&object).await?;
    if !advance(known.as_ref(), &seen, rules, now)?.is_empty() {
        let mut tx = context.ledger.begin("ground looked at").await?;
        let known = tx.ground(&object).await?;
        let events = advance(known.as_ref(), &seen, rules, now)?;
        tx.append_all(&events).await?;
        tx.commit().await?;
        events.iter().for_each(tell);
    }
    let known = context.ledger.ground(&object).await?;
    let drift = known.as_ref().and_then(|known| known.in_force()).cloned();
    let lanes = ground.fields.keys().chain(known.iter().flat_map(|known| known.accepted.fields.keys()));
    let lanes: std::collections::BTreeSet<_> = lanes.collect();
    let frozen = lanes.iter().filter(|lane| drift.as_ref().is_some_and(|drift| drift.freezes(lane))).count();
    metrics::gauge!(FROZEN_LANES, "object" => object.to_string())
        .set(f64::from(u32::try_from(frozen).unwrap_or(u32::MAX)));
    Ok(drift)
}

/// Names and values of the change are the org's own: they stand in the report and not in the log.
fn tell(event: &Event) {
    match event {
        Event::GroundAccepted { ground, acceptance } if acceptance.by == START_OF_SERVICE => {
            tracing::info!(object = %ground.object, "what the lanes rest on was seen for the first time");
        }
        Event::DriftSeen { drift, .. } if drift.changes.is_empty() => {
            tracing::info!(object = %drift.object, "the org is again as it was accepted");
        }
        Event::DriftSeen { drift, .. } => {
            for change in &drift.changes {
                let (code, object) = (change.kind.as_str(), &drift.object);
                if change.freezes() {
                    tracing::error!(code, %object, "the org changed; lanes wait for a person: countersign drift report");
                } else {
                    tracing::info!(code, %object, "the org changed; nothing waits for it");
                }
            }
        }
        _ => {}
    }
}
