//! When a state is stale, and where a stale state goes.
//!
//! A state that the policy gives days moves one step back in the lifecycle after so many days in
//! which nothing happened. Parts of the records may have days of their own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::FieldPolicy;
use crate::domain::{condition::Condition, condition::Truth, record::RecordSnapshot};

/// A part of the records with days of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecaySegment {
    /// Its name in reports.
    pub name: String,
    /// Which records belong to it.
    pub when: Condition,
    /// Days by state; a state that is not named does not decay here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub after_days: BTreeMap<String, Decimal>,
}

/// After how many quiet days a record's state is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window<'a> {
    /// The policy names none: the state stays.
    None,
    /// Nobody can say to which part the record belongs.
    Unknown {
        /// The part that could not be told.
        segment: &'a str,
    },
    /// So many days.
    Days {
        /// How many.
        days: Decimal,
        /// The part of the records; `None` for all that belong to no part.
        segment: Option<&'a str>,
    },
}

impl FieldPolicy {
    /// The days of a state for this record. A part that nobody can tell stops the search: to go on
    /// would be to guess that the record does not belong to it.
    pub fn decay_window(&self, state: &str, record: &RecordSnapshot, now: Timestamp) -> Window<'_> {
        for part in &self.decay_segments {
            match part.when.holds(record, now) {
                Truth::No => {}
                Truth::Unknown => return Window::Unknown { segment: &part.name },
                Truth::Yes => return days(&part.after_days, state, Some(&part.name)),
            }
        }
        days(&self.decay_after_days, state, None)
    }

    /// The state before this one, if a stale record goes back at all: nothing leaves a terminal
    /// state, and what only something else leads to is no way back either.
    pub fn decay_target(&self, state: &str) -> Option<&str> {
        let before = self.place(state).filter(|_| !self.is_terminal(state))?.checked_sub(1)?;
        let target = self.lifecycle.get(before)?;
        (!self.is_terminal(target) && !self.never_target.contains(target)).then_some(target)
    }

    /// Every state that decays somewhere, in order.
    pub fn decaying(&self) -> impl Iterator<Item = &str> {
        let named = |state: &&String| {
            let parts = self.decay_segments.iter().map(|part| &part.after_days);
            std::iter::once(&self.decay_after_days).chain(parts).any(|days| days.contains_key(*state))
        };
        self.lifecycle
            .iter()
            .filter(named)
            .filter(|state| self.decay_target(state).is_some())
            .map(String::as_str)
    }
}

fn days<'a>(of: &BTreeMap<String, Decimal>, state: &str, segment: Option<&'a str>) -> Window<'a> {
    of.get(state).map_or(Window::None, |days| Window::Days { days: *days, segment })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules() -> FieldPolicy {
        let text = json!({
            "tier": "reviewed", "lifecycle": ["New", "Open", "Won", "Warm", "Lost"], "terminal": ["Won", "Lost"],
            "never_target": ["Open"], "decay_after_days": { "Open": "30", "Warm": "10", "New": "5", "Won": "1" },
            "decay_segments": [
                { "name": "named accounts", "when": { "test": { "field": "Name",
                    "operator": { "is_any_of": ["Example Widgets Ltd"] } } }, "after_days": { "Open": "60" } },
                { "name": "big", "when": { "test": { "field": "Amount", "operator": { "above": "10" } } },
                    "after_days": { "Open": "90" } },
            ],
        });
        serde_json::from_value(text).unwrap()
    }

    fn record(name: Option<&str>, amount: Option<&str>) -> RecordSnapshot {
        let fields = amount.map(|amount| json!({ "Amount": { "type": "decimal", "value": amount } }));
        let text = json!({ "object": "Opportunity", "record": "006Cs0000000001IAA", "state": "live", "name": name,
            "fields": fields.unwrap_or_else(|| json!({})), "promotion_seq": "0", "modified_at": "1970-01-01T00:00:00Z" });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn the_first_part_that_holds_gives_the_days_and_an_unknown_one_stops_the_search() {
        let rules = rules();
        let window =
            |state, name, amount| rules.decay_window(state, &record(name, amount), Timestamp::UNIX_EPOCH);
        let days = |days: i64, segment| Window::Days { days: days.into(), segment };
        assert_eq!(window("Open", Some("Example Widgets Ltd"), Some("99")), days(60, Some("named accounts")));
        assert_eq!(window("Open", Some("Other Example Ltd"), Some("99")), days(90, Some("big")));
        assert_eq!(window("Open", Some("Other Example Ltd"), Some("9")), days(30, None));
        assert_eq!(
            window("Warm", Some("Example Widgets Ltd"), Some("9")),
            Window::None,
            "not named in the part"
        );
        assert_eq!(window("Open", None, Some("9")), Window::Unknown { segment: "named accounts" });
        assert_eq!(window("Open", Some("Other Example Ltd"), None), Window::Unknown { segment: "big" });
        assert_eq!(window("Lost", Some("Other Example Ltd"), Some("9")), Window::None);
    }

    #[test]
    fn a_stale_state_goes_one_step_back_and_never_out_of_or_into_an_end() {
        let rules = rules();
        let targets: Vec<_> =
            ["New", "Open", "Won", "Warm", "Lost", "Other"].map(|state| rules.decay_target(state)).into();
        assert_eq!(targets, [None, Some("New"), None, None, None, None]);
        assert_eq!(rules.decaying().collect::<Vec<_>>(), ["Open"]);
        let free = FieldPolicy { terminal: vec!["Lost".into()], ..rules };
        assert_eq!(free.decay_target("Won"), None, "the state before it is reserved");
        assert_eq!(free.decay_target("Warm"), Some("Won"));
    }
}
