//! Which users may edit governed fields, and through which profile or permission set.
//!
//! Source: Object Reference (`FieldPermissions`, `ObjectPermissions`, `PermissionSet`,
//! `PermissionSetAssignment`). Field permissions take View Setup and Configuration. A field that is not
//! permissionable, such as a required one, has no field permission: whoever may edit the object may edit it.
//! Users are counted for each set first; names are asked for where they are few. Without View
//! Setup and Configuration a user sees its own assignments alone, which is told as not shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{Lanes, hidden, text};
use crate::{
    domain::{FieldName, ObjectName},
    salesforce::{Reader, SalesforceError, reader::RowPages, soql_text::literal},
};

/// Most sets in one query: Salesforce takes URLs of 16,384 bytes.
const MOST_IDS: usize = 300;
/// Most assignments whose users are named.
pub const MOST_NAMES: u64 = 500;

/// What gives a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Giver {
    /// A profile: each user has one.
    Profile,
    /// A permission set.
    PermissionSet,
    /// What a permission set group gives, worked out by the org.
    Group,
}

impl Giver {
    /// By the type of the set and the profile to which it belongs.
    fn of(kind: &str, profile: Option<&str>) -> Self {
        match (kind, profile) {
            (_, Some(_)) => Self::Profile,
            ("Group", None) => Self::Group,
            _ => Self::PermissionSet,
        }
    }
}

/// A profile or permission set, and how many may use what it gives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Set {
    /// What it is.
    pub is: Giver,
    /// Name of the profile, or API name of the set; data.
    pub name: String,
    /// It has Modify All Data: whoever has it may change the rules themselves.
    pub administers: bool,
    /// Active users; `None` where the org does not show them.
    pub users: Option<u64>,
}

/// A governed field and a set that lets its users edit it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Grant {
    /// Object.
    pub object: ObjectName,
    /// Governed field.
    pub field: FieldName,
    /// Id of the set.
    #[serde(skip)]
    pub set_id: String,
    /// The set.
    pub set: Set,
    /// It lets its users edit the object as well. Else they need that from another set.
    pub with_object: bool,
}

/// A user who may edit a governed field, by all their sets together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Editor {
    /// Object.
    pub object: ObjectName,
    /// Governed field.
    pub field: FieldName,
    /// The name that the user logs in with: personal data.
    pub username: String,
    /// Full name: personal data.
    pub name: String,
    /// Names of the sets that give the field.
    pub through: Vec<String>,
}

/// Who may edit governed fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Access {
    /// By object, field and set.
    pub grants: Vec<Grant>,
    /// Profiles and sets with Modify All Data.
    pub administrators: Vec<Set>,
    /// The users, where they were asked for, shown, and few enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub editors: Option<Vec<Editor>>,
    /// Assignments of the sets in question, where they are shown.
    pub assignments: Option<u64>,
}

/// What the rows of permissions say.
#[derive(Default)]
struct Given {
    /// Set to the fields that it opens, `Lead.Status`.
    fields: BTreeMap<String, BTreeSet<String>>,
    /// Set to the objects that it lets its users edit.
    objects: BTreeMap<String, BTreeSet<String>>,
}

impl Given {
    /// Who edits the object of a field that takes no field permission.
    fn opens(&self, set: &str, (object, field): (&str, &str), permissionable: bool) -> bool {
        let has = |all: &BTreeMap<String, BTreeSet<String>>, name: &str| {
            all.get(set).is_some_and(|names| names.contains(name))
        };
        match permissionable {
            true => has(&self.fields, &format!("{object}.{field}")),
            false => has(&self.objects, object),
        }
    }

    fn edits(&self, set: &str, object: &str) -> bool {
        self.objects.get(set).is_some_and(|objects| objects.contains(object))
    }
}

impl Reader {
    /// Who may edit these fields; `None` where the org does not show permissions. `named`: also who.
    pub(super) async fn access(&self, lanes: &Lanes, named: bool) -> Result<Option<Access>, SalesforceError> {
        let Some(given) = hidden(self.given(lanes).await)? else { return Ok(None) };
        let ids: BTreeSet<&String> = given.fields.keys().chain(given.objects.keys()).collect();
        let Some(mut sets) = hidden(self.sets(&ids.into_iter().collect::<Vec<_>>()).await)? else {
            return Ok(None);
        };
        let ids: Vec<String> = sets.keys().cloned().collect();
        let counts = self.counts(&ids).await?;
        for (id, set) in &mut sets {
            set.users = counts.as_ref().map(|counts| counts.get(id).copied().unwrap_or(0));
        }
        let mut access = Access {
            administrators: sets.values().filter(|set| set.administers).cloned().collect(),
            assignments: counts.map(|counts| counts.values().sum()),
            ..Access::default()
        };
        access.administrators.sort();
        for (object, fields) in lanes {
            let described = self.describe_all(object.as_str()).await?;
            for field in fields {
                let permissionable = described.fields.get(field.as_str()).is_none_or(|it| it.permissionable);
                let opens = |id: &&String| given.opens(id, (object.as_str(), field.as_str()), permissionable);
                access.grants.extend(sets.keys().filter(opens).map(|id| Grant {
                    object: object.clone(),
                    field: field.clone(),
                    set_id: id.clone(),
                    set: sets[id].clone(),
                    with_object: given.edits(id, object.as_str()),
                }));
            }
        }
        access.grants.sort();
        if named && access.assignments.is_some_and(|all| all <= MOST_NAMES) {
            access.editors = Some(self.editors(&ids, (&access.grants, &given)).await?);
        }
        Ok(Some(access))
    }

    async fn rows(&self, soql: String) -> Result<Vec<Value>, SalesforceError> {
        RowPages::new(self.clone(), soql).all().await
    }

    async fn given(&self, lanes: &Lanes) -> Result<Given, SalesforceError> {
        let mut given = Given::default();
        let objects: Vec<String> = lanes.keys().map(|object| literal(object.as_str())).collect();
        let named = |(object, fields): (&ObjectName, &BTreeSet<FieldName>)| {
            fields.iter().map(|field| literal(&format!("{object}.{field}"))).collect::<Vec<_>>()
        };
        let fields: Vec<String> = lanes.iter().flat_map(named).collect();
        for chunk in fields.chunks(MOST_IDS) {
            let soql = format!(
                "SELECT ParentId, Field FROM FieldPermissions WHERE PermissionsEdit = true \
                 AND SobjectType IN ({}) AND Field IN ({})",
                objects.join(", "),
                chunk.join(", ")
            );
            for row in self.rows(soql).await? {
                let fields = given.fields.entry(text(&row, "ParentId").to_owned()).or_default();
                fields.insert(text(&row, "Field").to_owned());
            }
        }
        let soql = format!(
            "SELECT ParentId, SobjectType FROM ObjectPermissions WHERE PermissionsEdit = true \
             AND SobjectType IN ({})",
            objects.join(", ")
        );
        for row in self.rows(soql).await? {
            let objects = given.objects.entry(text(&row, "ParentId").to_owned()).or_default();
            objects.insert(text(&row, "SobjectType").to_owned());
        }
        Ok(given)
    }

    /// The sets with these ids, and those with Modify All Data, by id.
    async fn sets(&self, ids: &[&String]) -> Result<BTreeMap<String, Set>, SalesforceError> {
        const COLUMNS: &str = "Id, Name, Type, Profile.Name, PermissionsModifyAllData";
        let mut found = BTreeMap::new();
        let all = format!("SELECT {COLUMNS} FROM PermissionSet WHERE PermissionsModifyAllData = true");
        let mut queries = vec![all];
        for chunk in ids.chunks(MOST_IDS) {
            let ids = list(chunk.iter().map(|id| id.as_str()));
            queries.push(format!("SELECT {COLUMNS} FROM PermissionSet WHERE Id IN ({ids})"));
        }
        for soql in queries {
            for row in self.rows(soql).await? {
                let profile = row.pointer("/Profile/Name").and_then(Value::as_str);
                let is = Giver::of(text(&row, "Type"), profile);
                let name = profile.unwrap_or_else(|| text(&row, "Name")).to_owned();
                let administers = row.get("PermissionsModifyAllData") == Some(&Value::Bool(true));
                let set = Set { is, name, administers, users: None };
                found.insert(text(&row, "Id").to_owned(), set);
            }
        }
        Ok(found)
    }

    /// Active users of each set; `None` where this identity sees its own assignments alone.
    async fn counts(&self, ids: &[String]) -> Result<Option<BTreeMap<String, u64>>, SalesforceError> {
        let own = self.connection().identity().await?.user_id;
        let others = format!(
            "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId != {} LIMIT 1",
            literal(own.as_str())
        );
        if hidden(self.query(&others).await)?.is_none_or(|rows| rows.is_empty()) {
            return Ok(None);
        }
        let mut counts = BTreeMap::new();
        for chunk in ids.chunks(MOST_IDS) {
            let soql = format!(
                "SELECT PermissionSetId, COUNT(AssigneeId) users FROM PermissionSetAssignment \
                 WHERE PermissionSetId IN ({}) AND Assignee.IsActive = true GROUP BY PermissionSetId",
                list(chunk.iter().map(String::as_str))
            );
            for row in self.query(&soql).await? {
                let users = row.get("users").and_then(Value::as_u64).unwrap_or(0);
                counts.insert(text(&row, "PermissionSetId").to_owned(), users);
            }
        }
        Ok(Some(counts))
    }

    /// Each user with a set that opens a field and one that opens its object.
    async fn editors(
        &self,
        ids: &[String],
        (grants, given): (&[Grant], &Given),
    ) -> Result<Vec<Editor>, SalesforceError> {
        let mut users: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for chunk in ids.chunks(MOST_IDS) {
            let soql = format!(
                "SELECT PermissionSetId, Assignee.Username, Assignee.Name FROM PermissionSetAssignment \
                 WHERE PermissionSetId IN ({}) AND Assignee.IsActive = true",
                list(chunk.iter().map(String::as_str))
            );
            for row in self.rows(soql).await? {
                let within =
                    |path: &str| row.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
                let user = (within("/Assignee/Username"), within("/Assignee/Name"));
                users.entry(user).or_default().insert(text(&row, "PermissionSetId").to_owned());
            }
        }
        Ok(editors(&users, grants, given))
    }
}

/// Who has a set that opens a field and one that opens its object; `users`: username and name to sets.
fn editors(
    users: &BTreeMap<(String, String), BTreeSet<String>>,
    grants: &[Grant],
    given: &Given,
) -> Vec<Editor> {
    let mut editors: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for grant in grants {
        for (user, sets) in users.iter().filter(|(_, sets)| sets.contains(&grant.set_id)) {
            if sets.iter().any(|set| given.edits(set, grant.object.as_str())) {
                let key = (grant.object.clone(), grant.field.clone(), user.clone());
                editors.entry(key).or_default().push(grant.set.name.clone());
            }
        }
    }
    let editor =
        |((object, field, (username, name)), through)| Editor { object, field, username, name, through };
    editors.into_iter().map(editor).collect()
}

fn list<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    ids.map(literal).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// `both` opens object and field, `field` the field alone, `object` the object alone.
    fn given() -> Given {
        let all = |of: &[(&str, &str)]| {
            of.iter().map(|(set, name)| ((*set).to_owned(), names(&[name]))).collect::<BTreeMap<_, _>>()
        };
        Given {
            fields: all(&[("both", "Lead.Rating"), ("field", "Lead.Rating")]),
            objects: all(&[("both", "Lead"), ("object", "Lead")]),
        }
    }

    fn grant(set: &str) -> Grant {
        Grant {
            object: ObjectName::parse("Lead").unwrap(),
            field: FieldName::parse("Rating").unwrap(),
            set_id: set.to_owned(),
            set: Set { is: Giver::PermissionSet, name: set.to_uppercase(), administers: false, users: None },
            with_object: false,
        }
    }

    #[test]
    fn a_field_opens_by_its_own_permission_or_by_that_of_its_object() {
        let given = given();
        let opens = |set, permissionable| given.opens(set, ("Lead", "Rating"), permissionable);
        assert_eq!(
            ["both", "field", "object", "none"].map(|set| opens(set, true)),
            [true, true, false, false]
        );
        assert_eq!(
            ["both", "field", "object", "none"].map(|set| opens(set, false)),
            [true, false, true, false]
        );
        assert!(!given.opens("both", ("Lead", "Status"), true), "another field");
        assert!(!given.opens("both", ("Opportunity", "Rating"), false), "another object");
        assert_eq!(["both", "field", "object"].map(|set| given.edits(set, "Lead")), [true, false, true]);
        assert!(!given.edits("both", "Opportunity"));
    }

    #[test]
    fn who_edits_has_the_field_and_its_object_from_any_two_sets() {
        let of = |name: &str, sets: &[&str]| ((name.to_owned(), format!("{name} Example")), names(sets));
        let users = BTreeMap::from([
            of("ada", &["both"]),
            of("bo", &["field"]),
            of("cy", &["object"]),
            of("di", &["field", "object"]),
        ]);
        let told = editors(&users, &[grant("both"), grant("field")], &given());
        let told: Vec<_> = told.iter().map(|it| (it.username.as_str(), it.through.join(" "))).collect();
        assert_eq!(told, [("ada", "BOTH".to_owned()), ("di", "FIELD".to_owned())]);
    }

    #[test]
    fn what_gives_a_permission_is_told_apart() {
        assert_eq!(Giver::of("Profile", Some("Example Profile")), Giver::Profile);
        assert_eq!(Giver::of("Group", None), Giver::Group);
        assert_eq!(Giver::of("Regular", None), Giver::PermissionSet);
    }
}
