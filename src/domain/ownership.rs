//! Who answers for a governed field, and who may write it besides the gate. Reports and warnings go by it;
//! no verdict does, so a list that changes makes no decision another one.

use std::collections::BTreeMap;

use super::{
    ids::{FieldName, ObjectName, RecordId},
    writers::{BY_HAND, Writer},
};

/// The fields that somebody answers for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ownership {
    /// By object and field.
    pub fields: BTreeMap<(ObjectName, FieldName), Owned>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Who answers for it, in words.
    pub owner: String,
    /// Whether people may set it by hand in Salesforce.
    pub by_hand: bool,
    /// Programs that may write it past the gate.
    pub writers: Vec<Listed>,
    /// Flows, triggers and rules that may, as `countersign writers` names them.
    pub automations: Vec<Automation>,
}

/// A user that may write past the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The user.
    pub user: RecordId,
    /// Only through this client; absent: through any.
    pub client: Option<String>,
    /// Why, in words.
    pub why: String,
}

/// Something of the org that may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Automation {
    /// Kind and name, for example `flow Lead_Assignment`.
    pub name: String,
    /// Why, in words.
    pub why: String,
}

/// What the list says of a writer on a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It came through the gate.
    Gate,
    /// It is listed, and why.
    Listed(&'a str),
    /// A person by hand, as its client says, where that is allowed.
    ByHand,
    /// Nobody listed it.
    Unlisted,
    /// Nobody answers for the field, so there is no list.
    Unowned,
}

impl Standing<'_> {
    /// Stable code in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Listed(_) => "listed",
            Self::ByHand => "by-hand",
            Self::Unlisted => "not-listed",
            Self::Unowned => "no-owner",
        }
    }
}

impl Ownership {
    /// What is known of a field.
    pub fn of(&self, object: &ObjectName, field: &FieldName) -> Option<&Owned> {
        self.fields.get(&(object.clone(), field.clone()))
    }

    /// How a writer stands on a field; `ours`: it is a promotion of the daemon.
    pub fn standing(
        &self,
        (object, field): (&ObjectName, &FieldName),
        writer: &Writer,
        ours: bool,
    ) -> Standing<'_> {
        if ours {
            return Standing::Gate;
        }
        let Some(owned) = self.of(object, field) else { return Standing::Unowned };
        let fits = |listed: &&Listed| {
            listed.user.as_str() == writer.user
                && listed.client.as_ref().is_none_or(|client| *client == writer.client)
        };
        match owned.writers.iter().find(fits) {
            Some(listed) => Standing::Listed(&listed.why),
            None if owned.by_hand && writer.client == BY_HAND => Standing::ByHand,
            None => Standing::Unlisted,
        }
    }

    /// How something that runs when a record of the object is saved stands. It may be listed at any field
    /// of the object: which fields it sets is not known here.
    pub fn runs(&self, object: &str, name: &str) -> Standing<'_> {
        let mut owned = self.fields.iter().filter(|((of, _), _)| of.as_str() == object).peekable();
        if owned.peek().is_none() {
            return Standing::Unowned;
        }
        let mut all = owned.flat_map(|(_, owned)| &owned.automations);
        all.find(|one| one.name == name).map_or(Standing::Unlisted, |one| Standing::Listed(&one.why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNC: &str = "005Cs0000000009IAA";
    const OTHER: &str = "005Cs0000000008IAA";

    fn ownership(by_hand: bool, client: Option<&str>) -> Ownership {
        let listed = Listed {
            user: RecordId::parse(SYNC).unwrap(),
            client: client.map(str::to_owned),
            why: "the nightly sync".to_owned(),
        };
        let flow =
            Automation { name: "flow Example_Assignment".to_owned(), why: "routes new leads".to_owned() };
        let owned = Owned {
            owner: "Revenue Operations".to_owned(),
            by_hand,
            writers: vec![listed],
            automations: vec![flow],
        };
        Ownership { fields: BTreeMap::from([((object("Lead"), field("Status")), owned)]) }
    }

    fn object(name: &str) -> ObjectName {
        ObjectName::parse(name).unwrap()
    }

    fn field(name: &str) -> FieldName {
        FieldName::parse(name).unwrap()
    }

    fn code(list: &Ownership, place: (&str, &str), who: (&str, &str), ours: bool) -> &'static str {
        let writer = Writer { user: who.0.to_owned(), client: who.1.to_owned() };
        list.standing((&object(place.0), &field(place.1)), &writer, ours).code()
    }

    #[test]
    fn a_writer_stands_as_the_list_says() {
        let list = ownership(true, None);
        let status = ("Lead", "Status");
        assert_eq!(code(&list, status, (SYNC, "rest"), false), "listed");
        assert_eq!(code(&list, status, (SYNC, BY_HAND), false), "listed", "through any client");
        assert_eq!(code(&list, status, (OTHER, "rest"), false), "not-listed");
        assert_eq!(code(&list, status, (OTHER, BY_HAND), false), "by-hand");
        assert_eq!(code(&list, status, (OTHER, "rest"), true), "gate");
        assert_eq!(code(&list, ("Lead", "Rating"), (SYNC, "rest"), false), "no-owner");
        assert_eq!(code(&list, ("Opportunity", "Status"), (SYNC, "rest"), false), "no-owner");
        assert_eq!(code(&Ownership::default(), status, (SYNC, "rest"), true), "gate", "also without a list");
    }

    #[test]
    fn a_client_narrows_and_people_may_be_kept_out() {
        let list = ownership(false, Some("rest Example Sync"));
        let status = ("Lead", "Status");
        assert_eq!(code(&list, status, (SYNC, "rest Example Sync"), false), "listed");
        assert_eq!(code(&list, status, (SYNC, "rest"), false), "not-listed");
        assert_eq!(code(&list, status, (SYNC, BY_HAND), false), "not-listed");
        assert_eq!(code(&list, status, (OTHER, BY_HAND), false), "not-listed");
    }

    #[test]
    fn what_runs_on_save_is_listed_by_object() {
        let list = ownership(true, None);
        assert_eq!(list.runs("Lead", "flow Example_Assignment"), Standing::Listed("routes new leads"));
        assert_eq!(list.runs("Lead", "flow Another"), Standing::Unlisted);
        assert_eq!(list.runs("Opportunity", "flow Example_Assignment"), Standing::Unowned);
    }
}
