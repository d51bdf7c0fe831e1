//! Deploys a package: every file is a component, in the order in which components need each other.

use std::collections::BTreeMap;

use super::{
    Package, PackageObject, Problem, channels, fields, permissions, rules,
    xml::{self, Component, Element},
};

/// A file that was read.
struct File {
    at: Component,
    object: String,
    root: Element,
}

/// Folder, file suffix, root element; later kinds may name earlier ones.
const KINDS: &[(&str, &str, &str)] = &[
    ("globalValueSets", ".globalValueSet-meta.xml", "GlobalValueSet"),
    ("customPermissions", ".customPermission-meta.xml", "CustomPermission"),
    ("objects", ".object-meta.xml", "CustomObject"),
    ("objects", ".field-meta.xml", "CustomField"),
    ("customMetadata", ".md-meta.xml", "CustomMetadata"),
    ("objects", ".validationRule-meta.xml", "ValidationRule"),
    ("permissionsets", ".permissionset-meta.xml", "PermissionSet"),
    ("platformEventChannels", ".platformEventChannel-meta.xml", "PlatformEventChannel"),
    ("platformEventChannelMembers", ".platformEventChannelMember-meta.xml", "PlatformEventChannelMember"),
];

/// The package made of these files: path from the folder with `sfdx-project.json`, and text.
pub(super) fn deploy(files: Vec<(String, String)>) -> Result<Package, Vec<Problem>> {
    let mut problems = Vec::new();
    let folders = folders(&files).unwrap_or_else(|problem| {
        problems.push(problem);
        Vec::new()
    });
    let mut by_kind: BTreeMap<usize, Vec<File>> = BTreeMap::new();
    for (path, text) in files {
        if !folders.iter().any(|folder| path.starts_with(folder.as_str())) {
            continue;
        }
        match open(&path, &text) {
            Ok((order, file)) => by_kind.entry(order).or_default().push(file),
            Err(problem) => problems.push(problem),
        }
    }
    let mut package = Package::default();
    for mut file in by_kind.into_values().flatten() {
        add(&mut package, &mut file);
        problems.append(&mut file.at.problems);
    }
    if problems.is_empty() { Ok(package) } else { Err(problems) }
}

fn problem(file: &str, message: impl Into<String>) -> Problem {
    Problem { component: "Package".into(), file: file.to_owned(), message: message.into() }
}

/// The package directories of the project, each with a slash at its end.
fn folders(files: &[(String, String)]) -> Result<Vec<String>, Problem> {
    const PROJECT: &str = "sfdx-project.json";
    let (_, text) = files
        .iter()
        .find(|(path, _)| path == PROJECT)
        .ok_or_else(|| problem(PROJECT, "There is no sfdx-project.json in this folder"))?;
    let json: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| problem(PROJECT, format!("Error parsing file: {error}")))?;
    let listed = json.get("packageDirectories").and_then(serde_json::Value::as_array);
    let folders: Vec<String> = listed
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get("path")?.as_str())
        .map(|path| format!("{}/", path.trim_matches('/')))
        .collect();
    if folders.is_empty() {
        return Err(problem(PROJECT, "Required field is missing: packageDirectories[].path"));
    }
    Ok(folders)
}

fn open(path: &str, text: &str) -> Result<(usize, File), Problem> {
    let parts: Vec<&str> = path.split('/').collect();
    let file_name = parts.last().copied().unwrap_or_default();
    let found = KINDS.iter().enumerate().find_map(|(order, (folder, suffix, kind))| {
        let place = parts.iter().rposition(|part| part == folder)?;
        let name = file_name.strip_suffix(suffix)?;
        Some((order, *kind, name, parts.get(place + 1).copied().unwrap_or_default()))
    });
    let Some((order, kind, name, object)) = found else {
        return Err(problem(path, "The simulated org does not support this kind of file"));
    };
    let nested = matches!(kind, "CustomField" | "ValidationRule");
    let full_name = if nested { format!("{object}.{name}") } else { name.to_owned() };
    let at = Component { kind, name: full_name, file: path.to_owned(), problems: Vec::new() };
    match xml::read(text, kind) {
        Ok(root) => Ok((order, File { at, object: object.to_owned(), root })),
        Err(message) => {
            Err(Problem { component: format!("{kind} {}", at.name), file: path.to_owned(), message })
        }
    }
}

fn add(package: &mut Package, file: &mut File) {
    let File { at, object, root } = file;
    if let Some(full_name) = root.text("fullName")
        && at.name.rsplit('.').next() != Some(full_name)
    {
        at.wrong(format!("The fullName {full_name} does not match the name of the file"));
    }
    match at.kind {
        "GlobalValueSet" => {
            let values = fields::global_value_set(at, root);
            package.value_sets.insert(at.name.clone(), values);
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
            if let Some(target) = object_mut(package, at, object) {
                target.fields.push(field);
            }
        }
        "CustomMetadata" => package.metadata_records.extend(rules::record(at, root, package)),
        "ValidationRule" => {
            let rule = rules::validation_rule(at, root, package, object);
            if let Some(target) = object_mut(package, at, object) {
                target.rules.extend(rule);
            }
        }
        "PermissionSet" => package.permission_sets.push(permissions::permission_set(at, root, package)),
        "PlatformEventChannel" => package.channels.push(channels::channel(at, root)),
        _ => package.channel_members.push(channels::member(at, root, package)),
    }
}

/// The package's part of an object that exists.
fn object_mut<'a>(
    package: &'a mut Package,
    at: &mut Component,
    object: &str,
) -> Option<&'a mut PackageObject> {
    if !package.has_object(object) {
        at.wrong(format!("Entity of type 'CustomObject' named '{object}' cannot be found"));
        return None;
    }
    if package.metadata_types.contains_key(object) {
        return package.metadata_types.get_mut(object);
    }
    Some(package.objects.entry(object.to_owned()).or_default())
}
