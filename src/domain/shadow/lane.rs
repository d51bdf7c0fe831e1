//! A lane of one agent that people let act until a day, or that stepped back to recording only.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    ids::{FieldName, ObjectName},
    proposal::Proposal,
};

/// Somebody let a lane of one agent act, or it stepped back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneAct {
    /// Object.
    pub object: ObjectName,
    /// Field.
    pub field: FieldName,
    /// Whose proposals. What one agent has shown says nothing about another one.
    pub agent: String,
    /// Only those of this version; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// It acts until then; absent: it only records from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who: a name as told on the command line, or [`super::WATCHER`].
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, in words.
    pub reason: String,
    /// The numbers that it rests on, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, String>,
}

impl LaneAct {
    /// Whether it lets the lane act at that time.
    pub fn acts(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// The lane, as commands and reports write it.
    pub fn lane(&self) -> String {
        format!("{}.{}", self.object, self.field)
    }

    fn is_in(&self, (object, field): (&ObjectName, &FieldName)) -> bool {
        self.object == *object && self.field == *field
    }

    fn is_about(&self, other: &Self) -> bool {
        (&self.object, &self.field, &self.agent) == (&other.object, &other.field, &other.agent)
    }

    /// Whether `other`, which came later, leaves nothing of it: it is about the same, or about all versions.
    fn is_over(&self, other: &Self) -> bool {
        self.is_about(other) && (other.version.is_none() || other.version == self.version)
    }
}

/// The newest act for a proposed field, as the gate sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneFact {
    /// The field.
    pub field: FieldName,
    /// It acts until then; absent: it stepped back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who let it act, or what stepped it back.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The acts that still say something, oldest first. `acts` are all of them in their order.
pub fn standing(acts: impl IntoIterator<Item = LaneAct>) -> Vec<LaneAct> {
    let mut left: Vec<LaneAct> = Vec::new();
    for act in acts {
        left.retain(|earlier| !earlier.is_over(&act));
        left.push(act);
    }
    left
}

/// The newest act for an agent's lane, in this version.
pub fn newest<'a>(
    acts: &'a [LaneAct],
    lane: (&ObjectName, &FieldName),
    (agent, version): (&str, Option<&str>),
) -> Option<&'a LaneAct> {
    let of_version = |act: &LaneAct| act.version.is_none() || act.version.as_deref() == version;
    acts.iter().rfind(|act| act.is_in(lane) && act.agent == agent && of_version(act))
}

/// The facts for a proposal's fields, in the order of the fields. What a reviewer edited is the
/// reviewer's own: it may go where the proposals of any agent may, and no agent's step back reaches it.
pub fn facts(acts: &[LaneAct], proposal: &Proposal, now: Timestamp) -> Vec<LaneFact> {
    let mut facts = Vec::new();
    let actor = &proposal.actor;
    for field in proposal.patch.keys() {
        let lane = (&proposal.object, field);
        let found = match proposal.edited_from {
            Some(_) => acts.iter().filter(|act| act.is_in(lane) && act.acts(now)).max_by_key(|act| act.until),
            None => newest(acts, lane, (&actor.agent, actor.version.as_deref())),
        };
        facts.extend(found.map(|act| LaneFact {
            field: field.clone(),
            until: act.until,
            by: act.by.clone(),
            at: act.at,
        }));
    }
    facts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn act(agent: &str, version: Option<&str>, until: Option<&str>) -> LaneAct {
        LaneAct {
            object: ObjectName::parse("Lead").unwrap(),
            field: FieldName::parse("Status").unwrap(),
            agent: agent.into(),
            version: version.map(Into::into),
            until: until.map(|day| day.parse().unwrap()),
            by: "somebody".into(),
            at: "2026-05-01T00:00:00Z".parse().unwrap(),
            reason: "a test".into(),
            numbers: BTreeMap::new(),
        }
    }

    fn proposal(agent: &str, version: Option<&str>, edited: bool) -> Proposal {
        let mut text = json!({
            "id": "p-1", "object": "Lead", "record": "00QCs0000000001MAA", "requires_review": false,
            "patch": { "Status": { "type": "text", "value": "Won" } }, "base": {}, "door": "record",
            "actor": { "agent": agent }, "received_at": "2026-05-20T12:00:00Z",
        });
        if let Some(version) = version {
            text["actor"]["version"] = version.into();
        }
        if edited {
            text["edited_from"] = "p-0".into();
        }
        serde_json::from_value(text).unwrap()
    }

    const LATER: Option<&str> = Some("2026-06-01T00:00:00Z");

    /// Until when the proposal's lane acts; outer `None` where nothing was said.
    fn found(acts: &[LaneAct], proposal: &Proposal) -> Option<Option<Timestamp>> {
        let now = "2026-05-20T12:00:00Z".parse().unwrap();
        facts(&standing(acts.to_vec()), proposal, now).first().map(|fact| fact.until)
    }

    #[test]
    fn a_lane_is_a_field_of_an_object() {
        let act = act("a", None, None);
        assert_eq!(act.lane(), "Lead.Status");
        let name = |object: &str, field: &str| {
            act.is_in((&ObjectName::parse(object).unwrap(), &FieldName::parse(field).unwrap()))
        };
        assert!(name("Lead", "Status"));
        assert!(!name("Lead", "Rating") && !name("Opportunity", "Status") && !name("Opportunity", "Rating"));
    }

    #[test]
    fn the_newest_act_for_agent_and_version_counts() {
        let later = LATER.map(|day| day.parse().unwrap());
        let acts = [act("a", None, LATER), act("b", None, None), act("a", Some("2"), None)];
        assert_eq!(found(&acts, &proposal("a", None, false)), Some(later));
        assert_eq!(found(&acts, &proposal("a", Some("1"), false)), Some(later));
        assert_eq!(found(&acts, &proposal("a", Some("2"), false)), Some(None), "this version stepped back");
        assert_eq!(found(&acts, &proposal("b", Some("2"), false)), Some(None));
        assert_eq!(found(&acts, &proposal("c", None, false)), None);
        let only = [act("a", Some("2"), LATER)];
        assert_eq!(found(&only, &proposal("a", Some("1"), false)), None, "another version has shown nothing");
        assert_eq!(found(&only, &proposal("a", None, false)), None);
        let back = [act("a", Some("2"), LATER), act("a", None, None)];
        assert_eq!(found(&back, &proposal("a", Some("2"), false)), Some(None), "all versions stepped back");
        assert_eq!(standing(back).len(), 1);
    }

    #[test]
    fn a_reviewers_edit_follows_any_act_in_force_and_no_step_back() {
        let ended = Some("2026-05-20T12:00:00Z");
        let edit = proposal("005Cs0000000003IAA", None, true);
        assert_eq!(found(&[act("a", None, None)], &edit), None);
        assert_eq!(found(&[act("a", None, ended)], &edit), None, "it has ended at this moment");
        assert!(found(&[act("a", None, LATER), act("b", None, None)], &edit).flatten().is_some());
    }
}
