//! Field permissions and authorised sessions, made when they are asked for: what follows from sets, profiles
//! and tokens is kept nowhere else.

use std::sync::Arc;

use crate::{
    domain::FieldValue,
    simulator::{
        Org, UserContext, ids,
        model::{ObjectDef, Row},
        schema::{CONNECTED_APPLICATION, FIELD_PERMISSIONS, OAUTH_TOKEN},
        users::{PROFILES, SALES_OBJECTS, profile_fields},
    },
};

/// The name of the org's own client app.
const OWN_APP: &str = "countersign";
/// A query gives no more tokens than that.
const MOST_TOKENS: usize = 2_500;

/// Whether the rows of an object are made here.
pub(super) fn is_made(object: &ObjectDef) -> bool {
    [FIELD_PERMISSIONS, OAUTH_TOKEN, CONNECTED_APPLICATION].contains(&object.name.as_str())
}

/// Whether a user may ask for them. Field permissions take View Setup and Configuration.
pub(super) fn may_ask(org: &Org, user: &UserContext, object: &ObjectDef) -> bool {
    match object.name.as_str() {
        FIELD_PERMISSIONS => user.sees_setup(org.settings()),
        CONNECTED_APPLICATION => user.is_admin() || org.settings().promoter_sees_tokens,
        _ => true,
    }
}

/// All rows, as this user sees them.
pub(super) fn rows(org: &Org, user: &UserContext, object: &ObjectDef) -> Vec<Arc<Row>> {
    let rows = match object.name.as_str() {
        FIELD_PERMISSIONS => field_permissions(org),
        OAUTH_TOKEN => tokens(org, user),
        _ => applications(org),
    };
    let numbered = (1_u64..).zip(rows).map(|(number, mut row)| {
        // Tokens have no id.
        if object.name != OAUTH_TOKEN {
            row.insert("Id".to_owned(), text(&ids::nth(&object.key_prefix, number)));
        }
        Arc::new(row)
    });
    numbered.collect()
}

fn field_permissions(org: &Org) -> Vec<Row> {
    let package = org.package();
    let mut rows = Vec::new();
    for set in org.rows("PermissionSet", false) {
        let word = |field: &str| set.get(field).and_then(FieldValue::as_text).unwrap_or_default();
        let profile = PROFILES.iter().find(|profile| word("Label") == **profile);
        if let Some(profile) = profile {
            let objects = SALES_OBJECTS.iter().filter_map(|name| org.object(name));
            for object in objects {
                for (field, edit) in profile_fields(profile, &object) {
                    rows.push(permission(word("Id"), &format!("{}.{field}", object.name), edit));
                }
            }
        }
        let own = package.permission_sets.iter().find(|own| own.name == word("Name"));
        for (field, access) in own.iter().flat_map(|own| &own.fields) {
            rows.push(permission(word("Id"), field, access.edit));
        }
    }
    rows
}

fn permission(set: &str, field: &str, edit: bool) -> Row {
    let object = field.split('.').next().unwrap_or_default();
    row(&[
        ("ParentId", text(set)),
        ("SobjectType", text(object)),
        ("Field", text(field)),
        ("PermissionsRead", FieldValue::Bool(true)),
        ("PermissionsEdit", FieldValue::Bool(edit)),
    ])
}

/// Everybody's tokens for who may see them, else one's own.
fn tokens(org: &Org, user: &UserContext) -> Vec<Row> {
    let all = user.is_admin() || org.settings().promoter_sees_tokens;
    let users = org.users();
    let id = |role: &String| users.iter().find(|user| user.role == *role).map(|user| user.user_id.clone());
    let mut tokens: Vec<(String, String)> =
        org.session_users().into_iter().map(|user| (OWN_APP.to_owned(), user)).collect();
    for (app, roles) in &org.settings().other_apps {
        tokens.extend(roles.iter().filter_map(id).map(|user| (app.clone(), user)));
    }
    tokens.retain(|(_, owner)| all || *owner == user.user_id);
    tokens.truncate(MOST_TOKENS);
    let used = FieldValue::DateTime(org.now_seconds());
    let token = |(app, user): (String, String)| {
        row(&[("AppName", text(&app)), ("UserId", text(&user)), ("LastUsedDate", used.clone())])
    };
    tokens.into_iter().map(token).collect()
}

fn applications(org: &Org) -> Vec<Row> {
    let own = (OWN_APP, true);
    let others = org.settings().other_apps.keys().map(|name| (name.as_str(), false));
    let app = |(name, only): (&str, bool)| {
        row(&[("Name", text(name)), ("OptionsAllowAdminApprovedUsersOnly", FieldValue::Bool(only))])
    };
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(std::iter::once(own).chain(others).map(app));
    rows
}

fn row(values: &[(&str, FieldValue)]) -> Row {
    values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn text(value: &str) -> FieldValue {
    FieldValue::text(value)
}
