//! Custom permissions and permission sets.

use super::super::schema::activities::ACTIVITIES;
use super::{
    FieldAccess, ObjectAccess, Package, PermissionSetDef,
    xml::{Draft, Element},
};

/// A custom permission has nothing but its name.
pub(super) fn custom_permission(at: &mut Draft, root: &Element) {
    at.label(root, "label");
    at.flag(root, "isLicensed");
    let name = at.name.clone();
    at.api_name(&name);
}

/// A permission set; every name in it must exist by now.
pub(super) fn permission_set(at: &mut Draft, root: &Element, package: &Package) -> PermissionSetDef {
    at.flag(root, "hasActivationRequired");
    let mut set = PermissionSetDef {
        name: at.name.clone(),
        label: at.label(root, "label"),
        ..PermissionSetDef::default()
    };
    for entry in root.all("customPermissions") {
        let name = at.required(entry, "name");
        if !package.custom_permissions.contains(&name) {
            at.wrong(format!("no CustomPermission named {name} found"));
        }
        if at.flag(entry, "enabled") {
            set.custom_permissions.push(name);
        }
    }
    for entry in root.all("customMetadataTypeAccesses") {
        let name = at.required(entry, "name");
        if !name.ends_with("__mdt") || !package.metadata_types.contains_key(&name) {
            at.wrong(format!("no CustomObject named {name} found"));
        }
        if at.flag(entry, "enabled") {
            set.metadata_types.push(name);
        }
    }
    for (section, element, kind) in
        [("classAccesses", "apexClass", "ApexClass"), ("flowAccesses", "flow", "Flow")]
    {
        for entry in root.all(section) {
            let name = at.required(entry, element);
            if !package.components(kind).any(|known| known.full_name == name) {
                at.wrong_at(entry.place, format!("In field: {element} - no {kind} named {name} found"));
            }
            if kind == "Flow" && at.flag(entry, "enabled") {
                set.flows.push(name);
            }
        }
    }
    for entry in root.all("objectPermissions") {
        object_access(at, entry, package, &mut set);
    }
    for entry in root.all("fieldPermissions") {
        field_access(at, entry, package, &mut set);
    }
    for entry in root.all("userPermissions") {
        let name = at.required(entry, "name");
        if at.flag(entry, "enabled") {
            set.user_permissions.push(name);
        }
    }
    if set.user_permissions.iter().any(|name| name == "EditTask")
        && !set.user_permissions.iter().any(|name| name == "ActivitiesAccess")
    {
        at.wrong("Permission Edit Tasks depends on permission(s): Access Activities");
    }
    if set.objects.get("Opportunity").is_some_and(|access| access.read)
        && !set.objects.get("Account").is_some_and(|access| access.read)
    {
        at.wrong("Permission Read Opportunity depends on permission(s): Read Account");
    }
    set
}

fn object_access(at: &mut Draft, entry: &Element, package: &Package, set: &mut PermissionSetDef) {
    let object = at.required(entry, "object");
    if ACTIVITIES.contains(&object.as_str()) {
        at.wrong(format!(
            "In field: object - {object} takes no object permissions: grant EditTask or EditEvent"
        ));
    } else if !package.has_object(&object) {
        at.wrong(format!("In field: object - no CustomObject named {object} found"));
    }
    let access = ObjectAccess {
        read: at.flag(entry, "allowRead"),
        create: at.flag(entry, "allowCreate"),
        edit: at.flag(entry, "allowEdit"),
        delete: at.flag(entry, "allowDelete"),
        view_all: at.flag(entry, "viewAllRecords"),
        modify_all: at.flag(entry, "modifyAllRecords"),
    };
    let needs = [
        (access.create, access.read, "Create", "Read"),
        (access.edit, access.read, "Edit", "Read"),
        (access.delete, access.edit, "Delete", "Edit"),
        (access.view_all, access.read, "View All", "Read"),
        (access.modify_all, access.delete, "Modify All", "Delete"),
        (access.modify_all, access.view_all, "Modify All", "View All"),
    ];
    for (has, base, name, needed) in needs {
        if has && !base {
            at.wrong(format!("Permission {name} {object} depends on permission(s): {needed} {object}"));
        }
    }
    if set.objects.insert(object.clone(), access).is_some() {
        at.wrong(format!("Duplicate objectPermissions: {object}"));
    }
}

fn field_access(at: &mut Draft, entry: &Element, package: &Package, set: &mut PermissionSetDef) {
    let name = at.required(entry, "field");
    let access = FieldAccess { read: at.flag(entry, "readable"), edit: at.flag(entry, "editable") };
    match name.split_once('.').and_then(|(object, field)| package.find_field(object, field)) {
        None => at.wrong_at(entry.place, format!("In field: field - no CustomField named {name} found")),
        Some(field) if !field.has_fls => {
            at.wrong_at(entry.place, format!("You cannot deploy to a required field: {name}"))
        }
        Some(_) => {}
    }
    if access.edit && !access.read {
        at.wrong(format!("Field permission on {name}: editable needs readable"));
    }
    if set.fields.insert(name.clone(), access).is_some() {
        at.wrong(format!("Duplicate fieldPermissions: {name}"));
    }
}
