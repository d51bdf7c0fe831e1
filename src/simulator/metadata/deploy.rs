//! Makes the package of its components, in the order in which they need each other.

use super::super::schema::activities::{ACTIVITIES, SHARED};
use super::{
    Component, Package, PackageObject, Problem, channels, fields, permissions, record_types, references,
    rules, xml::Draft,
};

/// The package of these components and what is wrong with it. A component that has a
/// problem is left out as far as others could rest on it.
pub(super) fn compile(components: Vec<Component>) -> (Package, Vec<Problem>) {
    let mut package = Package::default();
    let mut problems = Vec::new();
    for component in components {
        let (kind, name, file) = (component.kind, component.full_name.clone(), component.file.clone());
        let mut at = Draft { kind, name, file, problems: Vec::new() };
        add(&mut package, &mut at, &component);
        problems.append(&mut at.problems);
        package.components.push(component);
    }
    problems.extend(super::super::flow::compile(&mut package));
    (package, problems)
}

fn add(package: &mut Package, at: &mut Draft, component: &Component) {
    let root = &*component.root;
    let object = component.full_name.split_once('.').map_or("", |(object, _)| object);
    match at.kind {
        "GlobalValueSet" => {
            let values = fields::global_value_set(at, root);
            package.value_sets.insert(at.name.clone(), values);
        }
        "StandardValueSet" => {
            let values = fields::standard_value_set(at, root);
            package.standard_sets.insert(at.name.clone(), values);
        }
        "CustomPermission" => {
            permissions::custom_permission(at, root);
            package.custom_permissions.push(at.name.clone());
        }
        "CustomObject" => {
            let label = Some(rules::custom_object(at, root));
            package
                .metadata_types
                .insert(at.name.clone(), PackageObject { label, ..PackageObject::default() });
        }
        "CustomField" => {
            let field = fields::custom_field(at, root, &package.value_sets);
            if object == SHARED {
                for activity in ACTIVITIES {
                    package.objects.entry((*activity).to_owned()).or_default().fields.push(field.clone());
                }
            } else if let Some(target) = object_mut(package, at, object) {
                target.fields.push(field);
            }
        }
        "CustomMetadata" => package.metadata_records.extend(rules::record(at, root, package)),
        "RecordType" => {
            let own = record_types::record_type(at, root);
            if let Some(target) = object_mut(package, at, object) {
                target.record_types.push(own);
            }
        }
        "ValidationRule" => {
            let rule = rules::validation_rule(at, root, package, object);
            if let Some(target) = object_mut(package, at, object) {
                target.rules.extend(rule);
            }
        }
        "PermissionSet" => package.permission_sets.push(permissions::permission_set(at, root, package)),
        "PlatformEventChannel" => package.channels.push(channels::channel(at, root)),
        "PlatformEventChannelMember" => package.channel_members.push(channels::member(at, root, package)),
        // Kinds without behaviour are kept as they are.
        _ => references::check(at, component, package),
    }
}

/// The package's part of an object that exists.
fn object_mut<'a>(package: &'a mut Package, at: &mut Draft, object: &str) -> Option<&'a mut PackageObject> {
    if !package.has_object(object) {
        at.wrong(format!("Entity of type 'CustomObject' named '{object}' cannot be found"));
        return None;
    }
    if package.metadata_types.contains_key(object) {
        return package.metadata_types.get_mut(object);
    }
    Some(package.objects.entry(object.to_owned()).or_default())
}
