//! What kind of user an id is, read when it is told or judged, and kept nowhere.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Reader, SalesforceError, soql_text::literal};
use crate::domain::RecordId;

/// Most ids in one query: Salesforce takes URLs of 16,384 bytes.
const MOST_IDS: usize = 400;

/// The kind of user that people log in as. The others are the platform's own, or guests, or customers.
const STANDARD: &str = "Standard";

/// Licences whose users are programs. That these are all of them is unconfirmed; one that is missing
/// here is told as a person.
const PROGRAM_LICENCES: [&str; 3] =
    ["Salesforce Integration", "Analytics Cloud Integration User", "Cloud Integration User"];

/// A user. All texts are data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Full name: personal data.
    pub name: String,
    /// `UserType`, for example `Standard` or `AutomatedProcess`.
    pub kind: String,
    /// Name of the licence, where this identity sees it.
    pub licence: Option<String>,
    /// May log in.
    pub active: bool,
}

impl User {
    /// Whether the kind or the licence says that no person is behind it.
    pub fn is_program(&self) -> bool {
        let of_programs = |licence: &String| PROGRAM_LICENCES.contains(&licence.as_str());
        self.kind != STANDARD || self.licence.as_ref().is_some_and(of_programs)
    }

    /// What it is, in a word.
    pub fn is_called(&self) -> &'static str {
        match (self.is_program(), self.active) {
            (true, _) => "program",
            (false, true) => "person",
            (false, false) => "person, inactive",
        }
    }
}

impl Reader {
    /// The users with these ids, by id. Ids of other things, and of users that this identity does not
    /// see, are left out. Where the licence may not be read, it is asked for again without.
    pub async fn users(&self, ids: &[RecordId]) -> Result<BTreeMap<RecordId, User>, SalesforceError> {
        let columns = "Id, Name, UserType, IsActive";
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
        assert!(user(&json!({ "Id": "no id", "UserType": "Standard" })).is_none());
    }
}
