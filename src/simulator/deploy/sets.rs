//! Permission sets and the sets of profiles, who has them, and what they say of objects.

use super::{Filler, text};
use crate::{
    domain::FieldValue,
    simulator::{
        metadata::{ObjectAccess, Package},
        users::{ADMIN_PROFILE, PEOPLE, SALES_OBJECTS, given, profile_object},
    },
};

impl Filler<'_> {
    pub(super) fn permission_sets(&mut self, package: &Package) {
        for set in &package.permission_sets {
            let known = self.state.table("PermissionSet").is_some_and(|table| {
                table.rows(false).iter().any(|row| row.get("Name") == Some(&text(&set.name)))
            });
            if known {
                continue;
            }
            let id = self.insert(
                "PermissionSet",
                &[
                    ("Name", text(&set.name)),
                    ("Label", text(&set.label)),
                    ("IsCustom", FieldValue::Bool(true)),
                    ("IsOwnedByProfile", FieldValue::Bool(false)),
                    ("Type", text("Regular")),
                    ("PermissionsModifyAllData", FieldValue::Bool(false)),
                ],
            );
            for (role, .., sets) in PEOPLE {
                if !given(sets, &set.name) {
                    continue;
                }
                let assignee = self.state.people.get(*role).cloned().unwrap_or_default();
                self.assign(&id, &assignee);
            }
        }
    }

    /// The set that each profile owns, with everybody who has the profile.
    pub(super) fn profile_sets(&mut self) {
        let profiles = self.state.table("Profile").map_or_else(Vec::new, |table| table.rows(false));
        for profile in profiles {
            let word = |field: &str| profile.get(field).and_then(FieldValue::as_text).unwrap_or_default();
            let (id, name) = (word("Id").to_owned(), word("Name").to_owned());
            let set = format!("X{}", id.get(..15).unwrap_or(&id));
            let known = self.state.table("PermissionSet").is_some_and(|table| {
                table.rows(false).iter().any(|row| row.get("Name") == Some(&text(&set)))
            });
            if known {
                continue;
            }
            let values = [
                ("Name", text(&set)),
                ("Label", text(&name)),
                ("IsCustom", FieldValue::Bool(false)),
                ("IsOwnedByProfile", FieldValue::Bool(true)),
                ("Type", text("Profile")),
                ("ProfileId", text(&id)),
                ("PermissionsModifyAllData", FieldValue::Bool(name == ADMIN_PROFILE)),
            ];
            let set = self.insert("PermissionSet", &values);
            for (role, ..) in PEOPLE.iter().filter(|(_, _, _, profile, _)| *profile == name) {
                let assignee = self.state.people.get(*role).cloned().unwrap_or_default();
                self.assign(&set, &assignee);
            }
        }
    }

    fn assign(&mut self, set: &str, user: &str) {
        let values = [
            ("PermissionSetId", text(set)),
            ("AssigneeId", text(user)),
            ("IsActive", FieldValue::Bool(true)),
        ];
        self.insert("PermissionSetAssignment", &values);
    }

    /// What the deployed sets say of objects now; a deploy may have changed it.
    pub(super) fn object_permissions(&mut self, package: &Package) {
        let sets = self.state.table("PermissionSet").map_or_else(Vec::new, |table| table.rows(false));
        for old in self.state.table("ObjectPermissions").map_or_else(Vec::new, |table| table.rows(false)) {
            let id = old.get("Id").and_then(FieldValue::as_text).unwrap_or_default().to_owned();
            if let Some(table) = self.state.tables.get_mut("ObjectPermissions") {
                table.put(&id, None, None);
            }
        }
        for set in &package.permission_sets {
            let row = sets.iter().find(|row| row.get("Name") == Some(&text(&set.name)));
            let Some(parent) = row.and_then(|row| row.get("Id")).cloned() else { continue };
            for (object, access) in &set.objects {
                self.allow(&parent, (object, *access));
            }
        }
        for set in sets.iter().filter(|set| set.get("Type") == Some(&text("Profile"))) {
            let word = |field: &str| set.get(field).and_then(FieldValue::as_text).unwrap_or_default();
            for object in SALES_OBJECTS {
                self.allow(&text(word("Id")), (object, profile_object(word("Label"))));
            }
        }
    }

    fn allow(&mut self, parent: &FieldValue, (object, access): (&str, ObjectAccess)) {
        let on = FieldValue::Bool;
        let values = [
            ("ParentId", parent.clone()),
            ("SobjectType", text(object)),
            ("PermissionsRead", on(access.read)),
            ("PermissionsCreate", on(access.create)),
            ("PermissionsEdit", on(access.edit)),
            ("PermissionsDelete", on(access.delete)),
            ("PermissionsViewAllRecords", on(access.view_all)),
            ("PermissionsModifyAllRecords", on(access.modify_all)),
        ];
        self.insert("ObjectPermissions", &values);
    }
}
