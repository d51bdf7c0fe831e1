//! What kind of user an id is. Names are told and kept nowhere; whether it is a program or a person stands
//! in the ledger where a label rests on it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Reader, SalesforceError, soql_text::literal};
use crate::domain::{RecordId, shadow::who::Who};

/// Most ids in one query: Salesforce takes URLs of 16,384 bytes.
const MOST_IDS: usize = 400;

/// Kinds of users that people log in as: of the company, and its customers and partners.
const OF_PEOPLE: [&str; 7] = [
    "Standard",
    "PowerPartner",
    "CustomerSuccess",
    "PowerCustomerSuccess",
    "CspLitePortal",
    "CsnOnly",
    "SelfService",
];
/// Kinds of users that no person logs in as. A kind that is in neither list says nothing.
const OF_PROGRAMS: [&str; 3] = ["AutomatedProcess", "CloudIntegrationUser", "Guest"];

/// Licences whose users are programs. That these are all of them is unconfirmed; one that is missing
/// here is told as a person.
const PROGRAM_LICENCES: [&str; 3] =
    ["Salesforce Integration", "Analytics Cloud Integration User", "Cloud Integration User"];

/// A user. All texts are data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Full name: personal data.
    pub name: String,
    /// The name that it logs in with: personal data.
    pub username: Option<String>,
    /// `UserType`, for example `Standard` or `AutomatedProcess`.
    pub kind: String,
    /// Name of the licence, where this identity sees it.
    pub licence: Option<String>,
    /// May log in.
    pub active: bool,
}

impl User {
    /// What the kind and the licence say of it. A licence that is not seen says nothing.
    pub fn who(&self) -> Who {
        let of_programs = |licence: &String| PROGRAM_LICENCES.contains(&licence.as_str());
        let is_in = |kinds: &[&str]| kinds.iter().any(|kind| kind.eq_ignore_ascii_case(&self.kind));
        if is_in(&OF_PROGRAMS) || self.licence.as_ref().is_some_and(of_programs) {
            Who::Program
        } else if is_in(&OF_PEOPLE) {
            Who::Person
        } else {
            Who::Unknown
        }
    }

    /// What it is, in a word or two.
    pub fn is_called(&self) -> &'static str {
        match (self.who(), self.active) {
            (Who::Program, _) => "program",
            (Who::Person, true) => "person",
            (Who::Person, false) => "person, inactive",
            (Who::Unknown, _) => "unknown",
        }
    }
}

impl Reader {
    /// The users with these ids, by id. Ids of other things, and of users that this identity does not
    /// see, are left out. Where the licence may not be read, it is asked for again without.
    pub async fn users(&self, ids: &[RecordId]) -> Result<BTreeMap<RecordId, User>, SalesforceError> {
        let columns = "Id, Name, Username, UserType, IsActive";
        match self.users_with(&format!("{columns}, Profile.UserLicense.Name"), ids).await {
            Err(error) if matches!(error.salesforce_code(), Some("INVALID_TYPE" | "INVALID_FIELD")) => {
                self.users_with(columns, ids).await
            }
            other => other,
        }
    }

    async fn users_with(
        &self,
        columns: &str,
        ids: &[RecordId],
    ) -> Result<BTreeMap<RecordId, User>, SalesforceError> {
        let mut found = BTreeMap::new();
        for chunk in ids.chunks(MOST_IDS) {
            let wanted: Vec<String> = chunk.iter().map(|id| literal(id.as_str())).collect();
            let soql = format!("SELECT {columns} FROM User WHERE Id IN ({})", wanted.join(", "));
            found.extend(self.query(&soql).await?.iter().filter_map(user));
        }
        Ok(found)
    }
}

fn user(row: &Value) -> Option<(RecordId, User)> {
    let text = |path: &str| row.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let id = RecordId::parse(&RecordId::complete(&text("/Id")?).ok()?).ok()?;
    let user = User {
        name: text("/Name").unwrap_or_default(),
        username: text("/Username"),
        kind: text("/UserType")?,
        licence: text("/Profile/UserLicense/Name"),
        active: row.get("IsActive") == Some(&Value::Bool(true)),
    };
    Some((id, user))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kind_and_licence_tell_programs_from_people() {
        let told = |kind: &str, licence: Option<&str>| {
            let profile = licence.map(|name| json!({ "UserLicense": { "Name": name } }));
            let row = json!({ "Id": "005Cs0000000001IAA", "Name": "Olivia Example", "UserType": kind,
                "IsActive": true, "Profile": profile });
            user(&row).unwrap().1.is_called()
        };
        assert_eq!(told("Standard", Some("Salesforce")), "person");
        assert_eq!(told("Standard", None), "person", "a licence that is not seen says nothing");
        assert_eq!(told("Standard", Some("Salesforce Integration")), "program");
        assert_eq!(told("AutomatedProcess", None), "program");
        assert_eq!(told("CloudIntegrationUser", None), "program");
        assert_eq!(told("PowerPartner", Some("Partner Community")), "person");
        assert_eq!(told("SomethingNew", Some("Salesforce")), "unknown");
        assert_eq!(told("SomethingNew", Some("Salesforce Integration")), "program");
        assert!(user(&json!({ "Id": "no id", "UserType": "Standard" })).is_none());
    }
}
