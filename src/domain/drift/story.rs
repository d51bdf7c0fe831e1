//! What the ledger hears when the ground of an object was looked at.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Drift, Ground, compare};
use crate::domain::{digest::CanonicalError, event::Event, policy::ObjectPolicy};

/// Who accepts a ground that nobody has seen before.
pub const START_OF_SERVICE: &str = "the start of service";

/// That a ground is what lanes may rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Who: a person as told on the command line, or [`START_OF_SERVICE`].
    pub by: String,
    /// Why, in a person's words; data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What the ledger knows of an object's ground.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What the lanes may rest on.
    pub accepted: Ground,
    /// Who accepted it.
    pub acceptance: Acceptance,
    /// What was seen to differ since, and the ground that was seen then.
    pub drift: Option<(Drift, Ground)>,
}

impl Known {
    /// The drift in force; none when the org went back by itself.
    pub fn in_force(&self) -> Option<&Drift> {
        self.drift.as_ref().map(|(drift, _)| drift).filter(|drift| !drift.changes.is_empty())
    }
}

/// What has to be recorded after a look. Nothing, when nothing is new: safe to run twice.
///
/// What is seen for the first time is accepted: the whole ground, or what runs on save, when the
/// promoter could not look into Setup before. When it cannot any more, what it saw last stands.
pub fn advance(
    known: Option<&Known>,
    seen: &Ground,
    rules: Option<&ObjectPolicy>,
    now: Timestamp,
) -> Result<Vec<Event>, CanonicalError> {
    let by_start = || Acceptance { by: START_OF_SERVICE.to_owned(), reason: None, at: now };
    let Some(known) = known else {
        return Ok(vec![Event::GroundAccepted { ground: seen.clone(), acceptance: by_start() }]);
    };
    let mut events = Vec::new();
    let mut accepted = known.accepted.clone();
    let mut seen = seen.clone();
    if seen.automations.is_none() {
        let last = known.drift.as_ref().map_or(&known.accepted, |(_, ground)| ground);
        seen.automations.clone_from(&last.automations);
    }
    if accepted.automations.is_none() && seen.automations.is_some() {
        accepted.automations.clone_from(&seen.automations);
        events.push(Event::GroundAccepted { ground: accepted.clone(), acceptance: by_start() });
    }
    let changes = compare(&accepted, &seen, rules);
    let before = known.in_force();
    // An acceptance ends what was in force, so what still differs is said again after it.
    let told = before.filter(|_| events.is_empty()).map_or(&[][..], |drift| &drift.changes);
    if changes != told {
        let since = before.map_or(now, |drift| drift.since);
        let drift = Drift { object: seen.object.clone(), since, ground: seen.digest()?, changes };
        events.push(Event::DriftSeen { drift, ground: seen });
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{
        drift::{Automation, AutomationKind, ChangeKind, compare::tests::ground},
        ids::FieldName,
    };

    fn at(minute: u8) -> Timestamp {
        format!("2026-05-20T12:{minute:02}:00Z").parse().unwrap()
    }

    /// Folds events as the ledger does.
    fn fold(known: Option<Known>, events: Vec<Event>) -> Option<Known> {
        events.into_iter().fold(known, |known, event| match (event, known) {
            (Event::GroundAccepted { ground, acceptance }, _) => {
                Some(Known { accepted: ground, acceptance, drift: None })
            }
            (Event::DriftSeen { drift, ground }, Some(known)) => {
                Some(Known { drift: Some((drift, ground)), ..known })
            }
            (other, _) => panic!("{other:?}"),
        })
    }

    fn flow(version: &str) -> BTreeMap<String, Automation> {
        let (name, version) = ("Old_Flow".to_owned(), version.to_owned());
        let flow = Automation { kind: AutomationKind::Flow, name, active: true, ours: false, version };
        BTreeMap::from([(flow.key(), flow)])
    }

    fn kinds(known: Option<&Known>) -> Vec<ChangeKind> {
        let drift = known.and_then(Known::in_force);
        drift.map(|drift| drift.changes.iter().map(|change| change.kind).collect()).unwrap_or_default()
    }

    #[test]
    fn the_first_ground_is_accepted_and_looking_again_says_nothing() {
        let first = advance(None, &ground(), None, at(0)).unwrap();
        let known = fold(None, first);
        assert_eq!(known.as_ref().unwrap().acceptance.by, START_OF_SERVICE);
        assert_eq!(advance(known.as_ref(), &ground(), None, at(1)).unwrap(), []);
    }

    #[test]
    fn a_difference_is_told_one_time_and_ends_when_the_org_goes_back() {
        let mut known = fold(None, advance(None, &ground(), None, at(0)).unwrap());
        let mut other = ground();
        other.fields.remove(&FieldName::parse("Status").unwrap());
        known = fold(known.clone(), advance(known.as_ref(), &other, None, at(1)).unwrap());
        assert_eq!(kinds(known.as_ref()), [ChangeKind::FieldGone]);
        assert_eq!(advance(known.as_ref(), &other, None, at(2)).unwrap(), [], "nothing new");
        other.updateable = false;
        known = fold(known.clone(), advance(known.as_ref(), &other, None, at(3)).unwrap());
        assert_eq!(kinds(known.as_ref()), [ChangeKind::FieldGone, ChangeKind::ObjectNotWritable]);
        let drift = known.as_ref().and_then(Known::in_force).unwrap();
        assert_eq!(drift.since, at(1), "since the first difference");
        known = fold(known.clone(), advance(known.as_ref(), &ground(), None, at(4)).unwrap());
        assert_eq!(kinds(known.as_ref()), []);
        assert_eq!(advance(known.as_ref(), &ground(), None, at(5)).unwrap(), []);
    }

    #[test]
    fn what_is_hidden_now_stands_as_it_was_seen_last() {
        let with = |automations| Ground { automations, ..ground() };
        let mut known = fold(None, advance(None, &with(None), None, at(0)).unwrap());
        known = fold(known.clone(), advance(known.as_ref(), &with(Some(flow("1"))), None, at(1)).unwrap());
        assert_eq!(kinds(known.as_ref()), [], "what is seen for the first time is accepted");
        assert_eq!(advance(known.as_ref(), &with(None), None, at(2)).unwrap(), []);
        known = fold(known.clone(), advance(known.as_ref(), &with(Some(flow("2"))), None, at(3)).unwrap());
        assert_eq!(kinds(known.as_ref()), [ChangeKind::AutomationChanged]);
        assert_eq!(advance(known.as_ref(), &with(None), None, at(4)).unwrap(), [], "hiding it lifts nothing");
    }

    #[test]
    fn a_first_look_into_setup_lifts_no_freeze() {
        let mut known = fold(None, advance(None, &ground(), None, at(0)).unwrap());
        let mut other = ground();
        other.updateable = false;
        known = fold(known.clone(), advance(known.as_ref(), &other, None, at(1)).unwrap());
        other.automations = Some(flow("1"));
        known = fold(known.clone(), advance(known.as_ref(), &other, None, at(2)).unwrap());
        assert_eq!(kinds(known.as_ref()), [ChangeKind::ObjectNotWritable]);
        assert_eq!(known.as_ref().and_then(Known::in_force).unwrap().since, at(1));
    }
}
