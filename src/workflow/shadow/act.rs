//! What people do: judge a case, let a lane act until a day, take it back.

use jiff::Timestamp;

use super::{back::numbers, card};
use crate::{
    domain::{
        Actor, FieldName, ObjectName, Policy, ProposalId, Tier,
        event::Event,
        shadow::{Label, Labelled, lane::LaneAct, score::Tally, who::Who},
    },
    ledger::Ledger,
    workflow::WorkflowError,
};

/// Longest time for which a lane may be let act, in days.
pub const MOST_DAYS: i64 = 366;

/// Why an act of a person is refused.
#[derive(Debug, thiserror::Error)]
pub enum ShadowError {
    /// No field of the proposal is or was watched.
    #[error("proposal `{0}` was never watched: `countersign shadow list` shows those that were")]
    NotWatched(String),
    /// Not one of its fields.
    #[error("proposal `{0}` does not propose {1}: name one of its watched fields with --field")]
    NoSuchField(String, String),
    /// The policy does not name the lane.
    #[error("no policy names {0}.{1}: `countersign check` shows what is governed")]
    NotGoverned(ObjectName, FieldName),
    /// No proposal may ever change the field.
    #[error("{0}.{1} has the tier `{2}`: letting it act would change nothing")]
    TierForbids(ObjectName, FieldName, &'static str),
    /// The end is not ahead, or too far.
    #[error("--until {0} is not within {MOST_DAYS} days from now: trust has an end")]
    UntilOutOfRange(Timestamp),
    /// There is nothing to take back.
    #[error("{0}.{1} of `{2}` does not act: `countersign shadow report` shows what does")]
    NotLive(ObjectName, FieldName, String),
    /// A step failed; the command can be given again.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
}

impl ShadowError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::NotWatched(_) => "shadow-not-watched",
            Self::NoSuchField(..) => "shadow-no-such-field",
            Self::NotGoverned(..) => "shadow-lane-not-governed",
            Self::TierForbids(..) => "shadow-tier-forbids",
            Self::UntilOutOfRange(_) => "shadow-until-out-of-range",
            Self::NotLive(..) => "shadow-not-live",
            Self::Workflow(error) => error.code(),
        }
    }
}

/// Who does it, why and when.
pub struct Person<'a> {
    /// As told on the command line.
    pub by: &'a str,
    /// In words.
    pub reason: &'a str,
    /// Now.
    pub at: Timestamp,
}

/// Judges a case: every watched field of the proposal, or the one that is named. Judging again replaces
/// what was said before.
pub async fn judge(
    ledger: &Ledger,
    (id, field): (&ProposalId, Option<&FieldName>),
    label: Label,
    person: &Person<'_>,
) -> Result<Vec<Labelled>, ShadowError> {
    let mut tx = ledger.begin("case judged").await.map_err(WorkflowError::from)?;
    let watches = tx.watches_of(id).await.map_err(WorkflowError::from)?;
    if watches.is_empty() {
        return Err(ShadowError::NotWatched(id.to_string()));
    }
    let mut said = Vec::new();
    for watched in watches.iter().filter(|watched| field.is_none_or(|field| watched.field == *field)) {
        said.push(Labelled {
            proposal_id: id.clone(),
            field: watched.field.clone(),
            label,
            by: person.by.to_owned(),
            who: Who::Unknown,
            at: person.at,
            last: false,
            value: None,
            reason: Some(person.reason.to_owned()),
        });
    }
    if let (true, Some(field)) = (said.is_empty(), field) {
        return Err(ShadowError::NoSuchField(id.to_string(), field.to_string()));
    }
    for labelled in &said {
        let event = Event::OutcomeLabelled { labelled: labelled.clone() };
        tx.append(&event).await.map_err(WorkflowError::from)?;
    }
    tx.commit().await.map_err(WorkflowError::from)?;
    Ok(said)
}

/// Lets an agent's lane act until a time. The tier stays what it is: a reviewed field stays reviewed.
/// The scorecard of that moment stands in the entry.
pub async fn promote(
    ledger: &Ledger,
    policy: &Policy,
    (lane, agent): ((&ObjectName, &FieldName), &Actor),
    until: Timestamp,
    person: &Person<'_>,
) -> Result<LaneAct, ShadowError> {
    let (object, field) = lane;
    let rules = policy.objects.get(object).and_then(|own| own.fields.get(field));
    let rules = rules.ok_or_else(|| ShadowError::NotGoverned(object.clone(), field.clone()))?;
    if rules.tier == Tier::ReadOnly {
        return Err(ShadowError::TierForbids(object.clone(), field.clone(), rules.tier.name()));
    }
    let days = until.duration_since(person.at).as_hours();
    if until <= person.at || days >= MOST_DAYS * 24 {
        return Err(ShadowError::UntilOutOfRange(until));
    }
    let act = moved(lane, agent, Some(until), person);
    record(ledger, policy, act).await
}

/// Takes an agent's lane back to recording only.
pub async fn take_back(
    ledger: &Ledger,
    policy: &Policy,
    (lane, agent): ((&ObjectName, &FieldName), &Actor),
    person: &Person<'_>,
) -> Result<LaneAct, ShadowError> {
    let acts = ledger.lanes().await.map_err(WorkflowError::from)?;
    let mode = policy.objects.get(lane.0).and_then(|own| own.fields.get(lane.1)).map(|rules| rules.mode);
    let newest = crate::domain::shadow::lane::newest(&acts, lane, (&agent.agent, agent.version.as_deref()));
    if !card::State::of(newest, mode, person.at).is_live() {
        return Err(ShadowError::NotLive(lane.0.clone(), lane.1.clone(), agent.agent.clone()));
    }
    let act = moved(lane, agent, None, person);
    record(ledger, policy, act).await
}

fn moved(
    (object, field): (&ObjectName, &FieldName),
    agent: &Actor,
    until: Option<Timestamp>,
    person: &Person<'_>,
) -> LaneAct {
    LaneAct {
        object: object.clone(),
        field: field.clone(),
        agent: agent.agent.clone(),
        version: agent.version.clone(),
        until,
        by: person.by.to_owned(),
        at: person.at,
        reason: person.reason.to_owned(),
        numbers: std::collections::BTreeMap::new(),
    }
}

async fn record(ledger: &Ledger, policy: &Policy, act: LaneAct) -> Result<LaneAct, ShadowError> {
    let mut tally = Tally::default();
    for card in card::cards(ledger, policy, act.at).await? {
        let version = act.version.as_deref().is_none_or(|version| version == card.version);
        let mine = (&card.object, &card.field, &card.agent) == (&act.object, &act.field, &act.agent);
        if mine && version && card.segment.is_none() {
            tally.join(&card.tally);
        }
    }
    let act = LaneAct { numbers: numbers(&tally), ..act };
    let mut tx = ledger.begin("lane moved").await.map_err(WorkflowError::from)?;
    tx.append(&Event::LaneMoved { act: act.clone() }).await.map_err(WorkflowError::from)?;
    tx.commit().await.map_err(WorkflowError::from)?;
    Ok(act)
}
