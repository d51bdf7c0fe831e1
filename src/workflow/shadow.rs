//! Shadow mode: proposals that are only recorded, what people do without knowing of them, and what
//! follows for the lane.
//!
//! A watch begins with the verdict. `seen` labels from change events and from what people changed since
//! the last look; `due` ends watches, reading the records of those without a label; `back` lets lanes
//! step back that turned bad. `card` counts. Nothing here is written to the org.

use jiff::SignedDuration;

use crate::{
    domain::{Actor, ObjectPolicy, event::Event, policy::ShadowRule, shadow::Watch},
    gate::{Input, Outcome, limits::days},
};

pub mod act;
pub mod back;
pub mod card;
pub mod due;
mod seen;
#[cfg(test)]
mod tests;

pub use seen::{changed, seen};

/// The watch that begins with a verdict: on every changed field of what is only recorded, and on the
/// measured ones of what goes on, with the `first` verdict about it. What a reviewer edited, the
/// schedule proposed or is to be made says nothing about an agent's lane.
pub fn begin(input: &Input<'_>, outcome: Outcome, first: bool) -> Option<Event> {
    let proposal = input.proposal;
    if input.scheduled() || input.makes() || proposal.edited_from.is_some() {
        return None;
    }
    let live = match outcome {
        Outcome::Shadow => false,
        Outcome::Promote | Outcome::Review | Outcome::Hold if first => true,
        _ => return None,
    };
    let policy = input.object_policy()?;
    let measured = |field| !live || policy.shadow.is_some() || input.lane(field).is_some();
    let changed = input.governed().filter(|(field, _, after)| input.record.value(field) != Some(*after));
    let fields: Vec<_> =
        changed.filter(|(field, ..)| measured(field)).map(|(field, ..)| field.clone()).collect();
    if fields.is_empty() {
        return None;
    }
    let rule = policy.shadow_rule();
    let Actor { agent, version, .. } = proposal.actor.clone();
    let due = input.now.saturating_add(label_time(&rule)).unwrap_or(jiff::Timestamp::MAX);
    let watch = Watch {
        proposal_id: proposal.id.clone(),
        object: proposal.object.clone(),
        record: proposal.record.clone(),
        fields,
        agent,
        version,
        segment: rule.segment(input.record, input.now).to_owned(),
        live,
        since: input.now,
        due,
    };
    Some(Event::OutcomeWatched { watch })
}

/// The rule of an object, also of one that no policy names any more.
pub(super) fn rule_of(policy: Option<&ObjectPolicy>) -> ShadowRule {
    policy.map(ObjectPolicy::shadow_rule).unwrap_or_default()
}

/// For how long a field is watched.
pub(super) fn label_time(rule: &ShadowRule) -> SignedDuration {
    of_days(rule.label_days)
}

fn of_days(number: rust_decimal::Decimal) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days(number).unwrap_or(14)))
}
