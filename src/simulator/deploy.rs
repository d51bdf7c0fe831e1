//! Puts the package into an org: fields, permission sets, settings, and the rows that every org starts with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{
    ids,
    metadata::{Package, STANDARD_SETS},
    model::{FieldKind, ObjectDef, Row},
    org::{Org, OrgError},
    schema,
    sessions::OAuthApp,
    state::State,
    users::{
        ADMIN_PROFILE, API_PROFILE, Access, INTEGRATION_PROFILE, LICENCES, PEOPLE, PROFILES, REVIEWERS,
        UserInfo, given,
    },
};
use crate::{clock, domain::FieldValue, salesforce::names::setting};

mod sets;

/// The queue that the demo's leads can wait in.
const QUEUE: &str = "AI_Review_Queue";
/// The public group whose members may decide on every record.
const GROUP: &str = "AI_Reviewers";

/// Standard objects with the package's fields after their own, custom metadata types and custom objects.
pub(super) fn objects(package: &Package, state: &mut State) -> Result<Vec<Arc<ObjectDef>>, OrgError> {
    let mut objects = schema::standard_objects();
    let mut custom = |object: &str, fields: &[super::model::FieldDef]| {
        let mut fields = fields.to_vec();
        for field in &mut fields {
            let id = state.component_id("CustomField", "00N", &format!("{object}.{}", field.name));
            // The 15-character form, as schema documents carry it.
            field.custom_id = id.get(..15).map(str::to_owned);
        }
        fields
    };
    for (name, added) in &package.objects {
        let object = objects
            .iter_mut()
            .find(|object| object.name == *name)
            .ok_or_else(|| OrgError::UnknownObject(name.clone()))?;
        object.fields.extend(custom(name, &added.fields));
        if !added.record_types.is_empty() {
            object.fields.push(schema::record_type_field());
        }
    }
    for (set, values) in &package.standard_sets {
        let fields = STANDARD_SETS.iter().find(|(name, _)| name == set).map_or(&[][..], |(_, fields)| fields);
        for (object, field) in fields {
            let object = objects.iter_mut().find(|known| known.name == *object);
            let field = object.and_then(|object| object.fields.iter_mut().find(|known| known.name == *field));
            if let Some(FieldKind::Picklist(offered, _)) = field.map(|field| &mut field.kind) {
                offered.clone_from(values);
            }
        }
    }
    for (name, added) in &package.metadata_types {
        let label = added.label.as_deref().unwrap_or(name);
        objects.push(schema::own_object(name, label, custom(name, &added.fields)));
    }
    Ok(objects.into_iter().map(Arc::new).collect())
}

/// A new client app with a random secret.
pub(super) fn oauth_app() -> OAuthApp {
    OAuthApp {
        client_id: format!("3MVG9{}", clock::random_id().replace('-', "")),
        client_secret: clock::random_id().replace('-', "").to_uppercase(),
        certificate_pem: None,
        run_as_user: None,
        approved_users: BTreeSet::new(),
    }
}

/// Indexes loaded rows and adds what is missing: people, status tables, permission sets, settings.
pub(super) fn fill(state: &mut State, objects: &[Arc<ObjectDef>], package: &Package, now: Timestamp) {
    for object in objects {
        state.table_mut(object).index(object);
    }
    let mut org = Filler { state, objects, now, author: String::new() };
    if org.state.people.is_empty() {
        org.people();
        org.organization();
        org.statuses();
        org.superiors();
        org.groups();
    }
    org.author = org.state.people.get("admin").cloned().unwrap_or_default();
    org.permission_sets(package);
    org.profile_sets();
    org.object_permissions(package);
    org.settings(package);
    org.notification_types(package);
    org.record_types(package);
}

/// What each seeded user may do, with this package deployed.
pub(super) fn access(
    state: &State,
    objects: &[Arc<ObjectDef>],
    package: &Package,
) -> BTreeMap<String, (UserInfo, Arc<Access>)> {
    let mut all = BTreeMap::new();
    for (role, first, last, profile, sets) in PEOPLE {
        let Some(user_id) = state.people.get(*role) else { continue };
        let info = UserInfo {
            role: (*role).to_owned(),
            user_id: user_id.clone(),
            username: username(role),
            name: format!("{first} {last}"),
            profile: (*profile).to_owned(),
            permission_sets: package
                .permission_sets
                .iter()
                .map(|set| set.name.clone())
                .filter(|set| given(sets, set))
                .collect(),
        };
        let access = Access::new(profile, sets, objects, package);
        all.insert(user_id.clone(), (info, Arc::new(access)));
    }
    all
}

/// Turns a switch of the one settings record, as an admin would.
pub(super) fn set_setting(org: &Org, field: &str, on: bool) -> bool {
    let Some(object) = org.object(setting::OBJECT) else { return false };
    let Some(field) = object.field(field) else { return false };
    let _turn = org.0.gate.enter();
    let mut state = org.write_state();
    let table = state.table_mut(&object);
    let record = table.rows(false).into_iter().find(|row| is_default(row));
    let Some(record) = record else { return false };
    let mut row = (*record).clone();
    row.insert(field.name.clone(), FieldValue::Bool(on));
    let Some(id) = row.get("Id").and_then(FieldValue::as_text).map(str::to_owned) else { return false };
    table.put(&id, Some(Arc::new(row)), None);
    true
}

/// Makes the user with this role active or not. Only queries show it: sessions and tokens go on.
pub(super) fn set_active(org: &Org, role: &str, on: bool) -> bool {
    set_user(org, role, ("IsActive", FieldValue::Bool(on)))
}

/// Gives the user with this role the profile of an integration. Only queries show it: what it may do stays,
/// as it would with permission sets that give the same.
pub(super) fn make_program(org: &Org, role: &str) -> bool {
    let profiles = org.rows("Profile", false);
    let profile = profiles.iter().find(|row| row.get("Name") == Some(&text(INTEGRATION_PROFILE)));
    let id = profile.and_then(|row| row.get("Id")).cloned();
    id.is_some_and(|id| set_user(org, role, ("ProfileId", id)))
}

fn set_user(org: &Org, role: &str, (field, value): (&str, FieldValue)) -> bool {
    let Some((object, user)) = org.object("User").zip(org.user(role)) else { return false };
    let _turn = org.0.gate.enter();
    let mut state = org.write_state();
    let table = state.table_mut(&object);
    let Some(known) = table.live(&user.user_id) else { return false };
    let mut row = (**known).clone();
    row.insert(field.to_owned(), value);
    table.put(&user.user_id, Some(Arc::new(row)), None);
    true
}

/// Puts the public group into the queue in place of the queue's member, as an admin would.
pub(super) fn fill_queue_with_group(org: &Org) -> bool {
    let groups = org.rows("Group", false);
    let id = |name: &str| {
        let group = groups.iter().find(|row| row.get("DeveloperName") == Some(&text(name)));
        group.and_then(|row| row.get("Id")).cloned()
    };
    let Some((queue, group)) = id(QUEUE).zip(id(GROUP)) else { return false };
    let Some(object) = org.object("GroupMember") else { return false };
    let _turn = org.0.gate.enter();
    let mut state = org.write_state();
    let table = state.table_mut(&object);
    let member = table.rows(false).into_iter().find(|row| row.get("GroupId") == Some(&queue));
    let Some(mut row) = member.map(|row| (*row).clone()) else { return false };
    let Some(id) = row.get("Id").and_then(FieldValue::as_text).map(str::to_owned) else { return false };
    row.insert("UserOrGroupId".to_owned(), group);
    table.put(&id, Some(Arc::new(row)), None);
    true
}

fn is_default(row: &Row) -> bool {
    row.get("DeveloperName").and_then(FieldValue::as_text) == Some(setting::RECORD)
}

fn username(role: &str) -> String {
    format!("{role}@countersign.example")
}

struct Filler<'a> {
    state: &'a mut State,
    objects: &'a [Arc<ObjectDef>],
    now: Timestamp,
    author: String,
}

impl Filler<'_> {
    fn insert(&mut self, object: &str, values: &[(&str, FieldValue)]) -> String {
        let Some(object) = self.objects.iter().find(|def| def.name == object) else {
            return String::new();
        };
        let mut row: Row = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        for stamp in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
            if object.field(stamp).is_some() {
                row.insert(stamp.to_owned(), FieldValue::DateTime(self.now));
            }
        }
        for by in ["CreatedById", "LastModifiedById"] {
            if object.field(by).is_some() {
                row.insert(by.to_owned(), text(&self.author));
            }
        }
        self.state.insert_system(object, row)
    }

    /// The row of each record type, under an id that a later deploy keeps.
    fn record_types(&mut self, package: &Package) {
        for (object, added) in &package.objects {
            for own in &added.record_types {
                let known = self.state.table("RecordType").is_some_and(|table| {
                    table.rows(false).iter().any(|row| {
                        row.get("DeveloperName").and_then(FieldValue::as_text) == Some(&own.name)
                            && row.get("SobjectType").and_then(FieldValue::as_text) == Some(object)
                    })
                });
                if !known {
                    let values = [
                        ("Name", text(&own.label)),
                        ("DeveloperName", text(&own.name)),
                        ("SobjectType", text(object)),
                        ("IsActive", FieldValue::Bool(own.active)),
                    ];
                    self.insert("RecordType", &values);
                }
            }
        }
    }

    fn people(&mut self) {
        // The first user created is the admin, who then is the author of everything.
        self.author = ids::nth("005", 1);
        let licences = LICENCES.map(|name| {
            let key = name.replace(' ', "_");
            let values = [("Name", name), ("MasterLabel", name), ("LicenseDefinitionKey", &key)];
            self.insert("UserLicense", &values.map(|(field, value)| (field, text(value))))
        });
        let mut profiles = BTreeMap::new();
        for profile in PROFILES {
            let of_programs = matches!(profile, API_PROFILE | INTEGRATION_PROFILE);
            let all = FieldValue::Bool(profile == ADMIN_PROFILE);
            let id = self.insert(
                "Profile",
                &[
                    ("Name", text(profile)),
                    ("UserType", text("Standard")),
                    ("UserLicenseId", text(&licences[usize::from(of_programs)])),
                    ("PermissionsViewAllData", all.clone()),
                    ("PermissionsModifyAllData", all),
                ],
            );
            profiles.insert(profile, id);
        }
        for (role, first, last, profile, _) in PEOPLE {
            let id = self.insert(
                "User",
                &[
                    ("Username", text(&username(role))),
                    ("FirstName", text(first)),
                    ("LastName", text(last)),
                    ("Name", text(&format!("{first} {last}"))),
                    ("Alias", text(role.get(..8).unwrap_or(role))),
                    ("Email", text(&username(role))),
                    ("IsActive", FieldValue::Bool(true)),
                    ("ProfileId", text(&profiles[profile])),
                    ("UserType", text("Standard")),
                    ("TimeZoneSidKey", text("GMT")),
                    ("LocaleSidKey", text("en_US")),
                    ("EmailEncodingKey", text("UTF-8")),
                    ("LanguageLocaleKey", text("en_US")),
                ],
            );
            self.state.people.insert((*role).to_owned(), id);
        }
        self.state.oauth.approved_users = self.state.people.values().cloned().collect();
        self.state.oauth.run_as_user = self.state.people.get("promoter").cloned();
    }

    fn organization(&mut self) {
        let id = self.state.org_id.clone();
        self.insert(
            "Organization",
            &[
                ("Id", text(&id)),
                ("Name", text("Countersign Simulated Org")),
                ("DefaultLocaleSidKey", text("en_US")),
                ("TimeZoneSidKey", text("GMT")),
                ("LanguageLocaleKey", text("en_US")),
                ("FiscalYearStartMonth", number(1)),
                ("OrganizationType", text("Developer Edition")),
                ("InstanceName", text("SIM1")),
                ("IsSandbox", FieldValue::Bool(true)),
                ("IsReadOnly", FieldValue::Bool(false)),
            ],
        );
    }

    fn statuses(&mut self) {
        for (order, (value, default, converted)) in schema::lead_statuses().iter().enumerate() {
            self.insert(
                "LeadStatus",
                &[
                    ("MasterLabel", text(value)),
                    ("ApiName", text(value)),
                    ("SortOrder", position(order)),
                    ("IsDefault", FieldValue::Bool(*default)),
                    ("IsConverted", FieldValue::Bool(*converted)),
                ],
            );
        }
        for (order, stage) in schema::stages().iter().enumerate() {
            self.insert(
                "OpportunityStage",
                &[
                    ("MasterLabel", text(stage.name)),
                    ("ApiName", text(stage.name)),
                    ("IsActive", FieldValue::Bool(true)),
                    ("SortOrder", position(order)),
                    ("IsClosed", FieldValue::Bool(stage.closed)),
                    ("IsWon", FieldValue::Bool(stage.won)),
                    ("ForecastCategory", text(stage.category)),
                    ("ForecastCategoryName", text(schema::forecast_name(stage.category))),
                    ("DefaultProbability", number(i64::from(stage.probability))),
                ],
            );
        }
    }

    /// Mona is everybody's manager and decides for Otto.
    fn superiors(&mut self) {
        let Some(manager) = self.state.people.get("manager").cloned() else { return };
        for (role, id) in self.state.people.clone() {
            if matches!(role.as_str(), "manager" | "admin") {
                continue;
            }
            let delegate = (role == "outsider").then(|| ("DelegatedApproverId", text(&manager)));
            let row = self.state.table("User").and_then(|users| users.live(&id)).cloned();
            let Some(mut row) = row.map(|row| (*row).clone()) else { continue };
            for (field, value) in [("ManagerId", text(&manager))].into_iter().chain(delegate) {
                row.insert(field.to_owned(), value);
            }
            let Some(user) = self.objects.iter().find(|object| object.name == "User") else { return };
            self.state.table_mut(user).put(&id, Some(Arc::new(row)), None);
        }
    }

    /// The package's queue and public group with their members, whom an admin puts there.
    fn groups(&mut self) {
        for (name, label, kind, roles) in [
            (QUEUE, "AI Review Queue", "Queue", &["reviewer"][..]),
            (GROUP, "AI Reviewers", "Regular", REVIEWERS),
        ] {
            let values = [("Name", text(label)), ("DeveloperName", text(name)), ("Type", text(kind))];
            let group = self.insert("Group", &values);
            for role in roles {
                let member = self.state.people.get(*role).cloned().unwrap_or_default();
                self.insert("GroupMember", &[("GroupId", text(&group)), ("UserOrGroupId", text(&member))]);
            }
        }
    }

    fn notification_types(&mut self, package: &Package) {
        for component in package.components("CustomNotificationType") {
            let name = text(&component.full_name);
            let known = self.state.table("CustomNotificationType").is_some_and(|table| {
                table.rows(false).iter().any(|row| row.get("DeveloperName") == Some(&name))
            });
            if known {
                continue;
            }
            let label = component.root.text("masterLabel").unwrap_or(&component.full_name);
            let type_name = component.root.text("customNotifTypeName").unwrap_or(label);
            let on = |element: &str| FieldValue::Bool(component.root.text(element) == Some("true"));
            let values = [
                ("DeveloperName", name),
                ("MasterLabel", text(label)),
                ("CustomNotifTypeName", text(type_name)),
                ("Desktop", on("desktop")),
                ("Mobile", on("mobile")),
            ];
            self.insert("CustomNotificationType", &values);
        }
    }

    fn settings(&mut self, package: &Package) {
        for record in &package.metadata_records {
            let name = text(&record.developer_name);
            let known = self.state.table(&record.type_name).is_some_and(|table| {
                table.rows(false).iter().any(|row| row.get("DeveloperName") == Some(&name))
            });
            if known {
                continue;
            }
            let mut values = vec![
                ("DeveloperName", name),
                ("MasterLabel", text(&record.label)),
                ("Label", text(&record.label)),
                ("Language", text("en_US")),
                ("QualifiedApiName", text(&record.developer_name)),
            ];
            values.extend(record.values.iter().map(|(field, value)| (field.as_str(), value.clone())));
            self.insert(&record.type_name, &values);
        }
    }
}

fn text(value: &str) -> FieldValue {
    FieldValue::text(value)
}

fn number(value: i64) -> FieldValue {
    FieldValue::decimal(Decimal::from(value))
}

fn position(index: usize) -> FieldValue {
    number(i64::try_from(index).unwrap_or(0) + 1)
}
