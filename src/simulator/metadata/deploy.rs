//! Deploys a package: every file is a component, in the order in which components need each other.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Package, PackageObject, Problem, channels, fields,
    files::{self, PROJECT, problem},
    kinds::{self, KINDS, Place},
    permissions, rules,
    xml::{self, Draft, Element},
};

/// A component that was read.
struct File {
    at: Draft,
    root: Arc<Element>,
    bodies: BTreeMap<String, String>,
}

/// Place in the order of deployment, and full name.
type Key = (usize, String);

/// The package made of these files: path from the folder with `sfdx-project.json`, and text.
pub(super) fn deploy(files: Vec<(String, String)>) -> Result<Package, Vec<Problem>> {
    let mut problems = Vec::new();
    let folders = folders(&files).unwrap_or_else(|problem| {
        problems.push(problem);
        Vec::new()
    });
    let mut components: BTreeMap<Key, File> = BTreeMap::new();
    let mut bodies: Vec<(Key, String, String)> = Vec::new();
    for (path, text) in files {
        if !folders.iter().any(|folder| path.starts_with(folder.as_str())) {
            continue;
        }
        match kinds::place(&path) {
            Some(Place::Body(order, name)) => bodies.push(((order, name), path, text)),
            Some(Place::Meta(order, name)) => match open(order, &name, path, &text) {
                Ok(file) => {
                    components.insert((order, name), file);
                }
                Err(problem) => problems.push(problem),
            },
            None => problems.push(problem(&path, "The simulated org does not support this kind of file")),
        }
    }
    for (key, path, text) in bodies {
        match components.get_mut(&key) {
            Some(file) => {
                file.bodies.insert(path, text);
            }
            None => problems.push(problem(&path, "The -meta.xml file of this component is missing")),
        }
    }
    let mut package = Package::default();
    for mut file in components.into_values() {
        add(&mut package, &mut file);
        let File { at, root, bodies } = file;
        problems.extend(at.problems);
        let (kind, full_name, file) = (at.kind, at.name, at.file);
        package.components.push(super::Component { kind, full_name, file, root, bodies });
    }
    if problems.is_empty() { Ok(package) } else { Err(problems) }
}

/// The package directories of the project, each with a slash at its end.
fn folders(files: &[(String, String)]) -> Result<Vec<String>, Problem> {
    let (_, text) = files
        .iter()
        .find(|(path, _)| path == PROJECT)
        .ok_or_else(|| problem(PROJECT, "There is no sfdx-project.json in this folder"))?;
    Ok(files::package_folders(text)?.into_iter().map(|folder| format!("{folder}/")).collect())
}

fn open(order: usize, name: &str, path: String, text: &str) -> Result<File, Problem> {
    let kind = KINDS.get(order).map_or("", |kind| kind.name);
    let at = Draft { kind, name: name.to_owned(), file: path, problems: Vec::new() };
    match xml::read(text, kind) {
        Ok(root) => Ok(File { at, root: Arc::new(root), bodies: BTreeMap::new() }),
        Err(message) => {
            Err(Problem { component: format!("{kind} {name}"), file: at.file, place: None, message })
        }
    }
}

fn add(package: &mut Package, file: &mut File) {
    let File { at, root, bodies } = file;
    let root = &**root;
    let object = at.name.split_once('.').map(|(object, _)| object.to_owned()).unwrap_or_default();
    let object = object.as_str();
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
        "PlatformEventChannelMember" => package.channel_members.push(channels::member(at, root, package)),
        "ApexClass" if bodies.is_empty() => at.wrong("The content file of this component is missing"),
        // Kinds without behaviour are kept as they are.
        _ => {}
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
