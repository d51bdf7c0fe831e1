//! Whether a person or a program set a value. What a program wrote is no person's verdict.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::ids::RecordId;

/// What kind of user made a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// A person, as far as the org or the settings say.
    Person,
    /// An integration, or the platform itself.
    Program,
    /// Nobody knows which user it was, or the org does not say what kind of user it is. It counts as a
    /// person: entries of older versions say nothing, and neither does an org that hides its users.
    #[default]
    Unknown,
}

impl Who {
    /// Whether nothing is known, so that entries need not say it.
    pub fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

/// Users whom the settings name as programs or people, by id or username. They outrank what the org's
/// licences suggest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    programs: BTreeSet<String>,
    people: BTreeSet<String>,
}

impl Named {
    /// From two lists, separated by commas: ids of 15 or 18 characters, and usernames. The error names the
    /// part that is neither, or that stands in both lists.
    pub fn parse(programs: &str, people: &str) -> Result<Self, String> {
        let named = Self { programs: list(programs)?, people: list(people)? };
        match named.programs.intersection(&named.people).next() {
            Some(both) => Err(format!("`{both}` stands in both lists")),
            None => Ok(named),
        }
    }

    /// What the settings say of a user; `None` where they do not name it. Without a username only ids are
    /// compared.
    pub fn of(&self, id: &RecordId, username: Option<&str>) -> Option<Who> {
        let username = username.map(str::to_lowercase);
        let names = |list: &BTreeSet<String>| {
            list.contains(id.as_str()) || username.as_ref().is_some_and(|name| list.contains(name))
        };
        match (names(&self.programs), names(&self.people)) {
            // One list has the id and the other one the username of the same user. Whoever is a program in
            // one of them gives no verdict.
            (true, _) => Some(Who::Program),
            (false, true) => Some(Who::Person),
            (false, false) => None,
        }
    }
}

fn list(text: &str) -> Result<BTreeSet<String>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(one).collect()
}

/// Usernames have no letter case.
fn one(part: &str) -> Result<String, String> {
    if part.contains('@') {
        return Ok(part.to_lowercase());
    }
    let id = RecordId::complete(part).ok().filter(|id| id.starts_with("005"));
    id.ok_or_else(|| format!("`{part}` is neither the id of a user nor a username"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> RecordId {
        RecordId::parse(text).unwrap()
    }

    #[test]
    fn ids_of_both_lengths_and_usernames_are_found() {
        let named = Named::parse("005Cs0000000003, Night-Sync@Example.com", "desk@example.com").unwrap();
        assert_eq!(named.of(&id("005Cs0000000003IAA"), None), Some(Who::Program));
        let other = id("005Cs0000000001IAA");
        assert_eq!(named.of(&other, Some("night-sync@example.com")), Some(Who::Program));
        assert_eq!(named.of(&other, Some("Desk@example.com")), Some(Who::Person));
        assert_eq!(named.of(&other, Some("somebody@example.com")), None);
        assert_eq!(named.of(&other, None), None);
        assert_eq!(Named::parse("", " , ").unwrap(), Named::default());
    }

    #[test]
    fn what_names_no_user_and_what_is_both_is_refused() {
        for bad in ["night-sync", "00QCs0000000001MAA", "005Cs00000"] {
            assert!(Named::parse(bad, "").unwrap_err().contains(bad), "{bad}");
        }
        assert!(Named::parse("a@example.com", "A@example.com").unwrap_err().contains("both"));
        let twice = Named::parse("005Cs0000000003IAA", "sync@example.com").unwrap();
        assert_eq!(twice.of(&id("005Cs0000000003IAA"), Some("sync@example.com")), Some(Who::Program));
    }

    #[test]
    fn entries_name_it_so() {
        for (who, text) in [(Who::Person, "person"), (Who::Program, "program"), (Who::Unknown, "unknown")] {
            assert_eq!(serde_json::to_value(who).unwrap(), text);
        }
        assert_eq!(Who::default(), Who::Unknown);
    }
}
