//! Scorecards: precision per agent, version, lane and segment, and what follows from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{of_days, rule_of};
use crate::{
    domain::{
        FieldName, Mode, ObjectName, Policy,
        policy::ShadowRule,
        shadow::{
            lane::{LaneAct, newest},
            score::{Advice, Tally, advise},
        },
    },
    ledger::{Counted, Ledger},
    workflow::WorkflowError,
};

/// What a lane of an agent does at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// It only records, as the policy says.
    Shadow,
    /// It acts, as the policy says.
    LiveByPolicy,
    /// It acts because a person let it.
    Live {
        /// Until then.
        until: Timestamp,
        /// Who let it.
        by: String,
    },
    /// A person let it act until a time that has passed.
    Ended {
        /// When that was.
        until: Timestamp,
    },
    /// It acted, and stepped back.
    SteppedBack {
        /// When.
        at: Timestamp,
        /// By whom.
        by: String,
    },
}

impl State {
    /// What the newest act and the policy say of a lane.
    pub fn of(act: Option<&LaneAct>, mode: Option<Mode>, now: Timestamp) -> Self {
        match (act.map(|act| (act, act.until)), mode) {
            (Some((act, Some(until))), _) if now < until => Self::Live { until, by: act.by.clone() },
            (Some((_, Some(until))), _) => Self::Ended { until },
            (Some((act, None)), _) => Self::SteppedBack { at: act.at, by: act.by.clone() },
            (None, Some(Mode::Live)) => Self::LiveByPolicy,
            (None, _) => Self::Shadow,
        }
    }

    /// Whether the lane acts.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. } | Self::LiveByPolicy)
    }
}

/// One line of a scorecard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Object.
    pub object: ObjectName,
    /// Field.
    pub field: FieldName,
    /// Who proposed.
    pub agent: String,
    /// In which version; empty when not told.
    pub version: String,
    /// The part of the records; `None` for all of them.
    pub segment: Option<String>,
    /// What the lane does at the moment.
    pub state: State,
    /// Labels counted.
    pub tally: Tally,
    /// What follows.
    pub advice: Advice,
    /// The rule that says so.
    #[serde(skip)]
    pub rule: ShadowRule,
}

/// Every line: for each lane, agent and version all records first, then the segments where there are
/// several. Labels within the window of the object's policy count.
pub async fn cards(ledger: &Ledger, policy: &Policy, now: Timestamp) -> Result<Vec<Card>, WorkflowError> {
    let acts = ledger.lanes().await?;
    let mut cards = Vec::new();
    for object in ledger.watched_objects(false).await? {
        let own = policy.objects.get(&object);
        let rule = rule_of(own);
        let counted = ledger.labels(&object, window(&rule, now)).await?;
        for ((field, agent, version), parts) in lanes(&counted) {
            let mode = own.and_then(|own| own.fields.get(&field)).map(|rules| rules.mode);
            let told = Some(version.as_str()).filter(|version| !version.is_empty());
            let act = newest(&acts, (&object, &field), (&agent, told));
            let state = State::of(act, mode, now);
            let card = |segment: Option<String>, tally: Tally| Card {
                object: object.clone(),
                field: field.clone(),
                agent: agent.clone(),
                version: version.clone(),
                segment,
                advice: advise(&tally, &rule, state.is_live()),
                state: state.clone(),
                tally,
                rule: rule.clone(),
            };
            cards.push(card(None, whole(&parts)));
            if parts.len() > 1 {
                cards.extend(parts.into_iter().map(|(segment, tally)| card(Some(segment), tally)));
            }
        }
    }
    Ok(cards)
}

/// From when on labels count.
pub(super) fn window(rule: &ShadowRule, now: Timestamp) -> Timestamp {
    now.saturating_sub(of_days(rule.window_days)).unwrap_or(Timestamp::MIN)
}

/// Field, agent and version.
type Lane = (FieldName, String, String);

/// Tallies by lane and segment.
pub(super) fn lanes(counted: &[Counted]) -> BTreeMap<Lane, BTreeMap<String, Tally>> {
    let mut lanes: BTreeMap<Lane, BTreeMap<String, Tally>> = BTreeMap::new();
    for one in counted {
        let lane = (one.field.clone(), one.agent.clone(), one.version.clone());
        let tally = lanes.entry(lane).or_default().entry(one.segment.clone()).or_default();
        tally.add(one.label, one.judged, one.count);
    }
    lanes
}

/// All parts together.
pub(super) fn whole(parts: &BTreeMap<String, Tally>) -> Tally {
    let mut whole = Tally::default();
    parts.values().for_each(|part| whole.join(part));
    whole
}
