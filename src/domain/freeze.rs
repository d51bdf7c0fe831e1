//! A freeze: people stop what would run, until they lift it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{FieldName, ObjectName, RecordId},
    proposal::Proposal,
};

/// What is stopped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Everything in the org.
    Org,
    /// One field of one object.
    Lane(ObjectName, FieldName),
    /// One record.
    Record(ObjectName, RecordId),
    /// Every proposal of one agent.
    Agent(String),
    /// What would run without a person. A person's approval goes through.
    Automatic,
}

impl Scope {
    /// Reads `org`, `automatic`, `lane:OBJECT.FIELD`, `record:OBJECT.ID` or `agent:NAME`. The error is what to
    /// write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || "write `org`, `automatic`, `lane:OBJECT.FIELD`, `record:OBJECT.ID` or `agent:NAME`".to_owned();
        match text {
            "org" => return Ok(Self::Org),
            "automatic" => return Ok(Self::Automatic),
            _ => {}
        }
        if let Some(agent) =
            text.strip_prefix("agent:").filter(|agent| !agent.is_empty() && agent.trim() == *agent)
        {
            return Ok(Self::Agent(agent.to_owned()));
        }
        if let Some((object, id)) = text.strip_prefix("record:").and_then(|record| record.split_once('.')) {
            let object = ObjectName::parse(object).map_err(|error| error.to_string())?;
            return Ok(Self::Record(object, RecordId::parse(id).map_err(|error| error.to_string())?));
        }
        let lane = text.strip_prefix("lane:").and_then(|lane| lane.split_once('.')).ok_or_else(wrong)?;
        let object = ObjectName::parse(lane.0).map_err(|error| error.to_string())?;
        let field = FieldName::parse(lane.1).map_err(|error| error.to_string())?;
        Ok(Self::Lane(object, field))
    }

    /// Whether it stops this proposal. What a reviewer edited is the reviewer's own, so a freeze of
    /// the agent does not reach it.
    pub fn stops(&self, proposal: &Proposal) -> bool {
        match self {
            Self::Org => true,
            Self::Lane(object, field) => *object == proposal.object && proposal.patch.contains_key(field),
            Self::Record(object, record) => *object == proposal.object && *record == proposal.record,
            Self::Agent(agent) => proposal.edited_from.is_none() && *agent == proposal.actor.agent,
            // Nobody can approve what stands on no record.
            Self::Automatic => !proposal.stands_on_its_record(),
        }
    }

    /// Whether it lets nothing but a person's approval through.
    pub fn asks_for_a_person(&self) -> bool {
        *self == Self::Automatic
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Org => out.write_str("org"),
            Self::Automatic => out.write_str("automatic"),
            Self::Lane(object, field) => write!(out, "lane:{object}.{field}"),
            Self::Record(object, record) => write!(out, "record:{object}.{record}"),
            Self::Agent(agent) => write!(out, "agent:{agent}"),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

/// A freeze in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// What is stopped.
    pub scope: Scope,
    /// Since when.
    pub since: Timestamp,
    /// Who stopped it, as told on the command line.
    pub by: String,
    /// Why, in a person's words.
    pub reason: String,
}

/// The freezes in force after these entries, oldest first. A freeze of what is frozen changes
/// nothing; lifting one that is not there neither.
pub fn in_force(changes: impl IntoIterator<Item = Change>) -> Vec<Freeze> {
    let mut frozen: Vec<Freeze> = Vec::new();
    for change in changes {
        match change {
            Change::Frozen(freeze) => {
                if !frozen.iter().any(|known| known.scope == freeze.scope) {
                    frozen.push(freeze);
                }
            }
            Change::Unfrozen(scope) => frozen.retain(|known| known.scope != scope),
        }
    }
    frozen
}

/// One entry about freezes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Something was stopped.
    Frozen(Freeze),
    /// It goes on.
    Unfrozen(Scope),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_written_as_they_are_read() {
        for text in [
            "org",
            "automatic",
            "lane:Lead.Status",
            "record:Lead.00QCs0000000001MAA",
            "agent:nightly-enricher",
            "agent:a b.c:d",
        ] {
            let scope = Scope::parse(text).unwrap();
            assert_eq!(scope.to_string(), text);
            let json = serde_json::to_value(&scope).unwrap();
            assert_eq!(json, text);
            assert_eq!(serde_json::from_value::<Scope>(json).unwrap(), scope);
        }
        for text in [
            "",
            "Org",
            "lane:",
            "lane:Lead",
            "lane:Lead.",
            "record:Lead",
            "record:Lead.x",
            "lane:.Status",
            "agent:",
            "agent: ",
            "agent: nightly",
            "x:y",
        ] {
            assert!(Scope::parse(text).is_err(), "{text}");
            assert!(serde_json::from_value::<Scope>(text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_lifted_is_not_in_force_and_twice_is_as_one() {
        let freeze = |text: &str, at: &str| {
            Change::Frozen(Freeze {
                scope: Scope::parse(text).unwrap(),
                since: at.parse().unwrap(),
                by: "somebody".into(),
                reason: "a test".into(),
            })
        };
        let (early, late) = ("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z");
        let lift = |text: &str| Change::Unfrozen(Scope::parse(text).unwrap());
        let left = in_force([
            lift("org"),
            freeze("org", early),
            freeze("lane:Lead.Status", early),
            freeze("org", late),
            lift("lane:Lead.Status"),
        ]);
        assert_eq!(left.len(), 1);
        assert_eq!((&left[0].scope, left[0].since.to_string().as_str()), (&Scope::Org, early));
        assert_eq!(in_force([freeze("org", early), lift("org")]), []);
    }
}
