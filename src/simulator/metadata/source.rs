//! A package in source format, file by file, becomes components.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Component, Problem,
    files::{self, PROJECT, problem},
    kinds::{self, KINDS, Kind, Place},
    schema, xml,
};

/// Place in the order of deployment, and full name.
type Key = (usize, String);

/// The components of these files, path from the folder with `sfdx-project.json` and text,
/// in the order of deployment. What cannot be read is a problem and no component.
pub(super) fn components(files: Vec<(String, String)>) -> (Vec<Component>, Vec<Problem>) {
    let mut problems = Vec::new();
    let folders = folders(&files).unwrap_or_else(|problem| {
        problems.push(problem);
        Vec::new()
    });
    let mut found: BTreeMap<Key, Component> = BTreeMap::new();
    let mut bodies: Vec<(Key, String, String)> = Vec::new();
    let mut broken: Vec<Key> = Vec::new();
    for (path, text) in files {
        if !folders.iter().any(|folder| path.starts_with(folder.as_str())) {
            continue;
        }
        match kinds::place(&path) {
            Some(Place::Body(order, name)) => bodies.push(((order, name), path, text)),
            Some(Place::Meta(order, name)) => match open(KINDS.get(order), &name, path, &text) {
                Ok(component) => {
                    found.insert((order, name), component);
                }
                Err(more) => {
                    problems.extend(more);
                    broken.push((order, name));
                }
            },
            None => problems.push(problem(&path, "The simulated org does not support this kind of file")),
        }
    }
    for (key, path, text) in bodies {
        match found.get_mut(&key) {
            Some(component) => {
                component.bodies.insert(path, text);
            }
            None if broken.contains(&key) => {}
            None => problems.push(problem(&path, "The -meta.xml file of this component is missing")),
        }
    }
    (found.into_values().collect(), problems)
}

/// The package directories of the project, each with a slash at its end.
fn folders(files: &[(String, String)]) -> Result<Vec<String>, Problem> {
    let (_, text) = files
        .iter()
        .find(|(path, _)| path == PROJECT)
        .ok_or_else(|| problem(PROJECT, "There is no sfdx-project.json in this folder"))?;
    Ok(files::package_folders(text)?.into_iter().map(|folder| format!("{folder}/")).collect())
}

fn open(kind: Option<&Kind>, name: &str, file: String, text: &str) -> Result<Component, Vec<Problem>> {
    let kind = kind.map_or("", |kind| kind.name);
    let wrong =
        |place, message| Problem { component: format!("{kind} {name}"), file: file.clone(), place, message };
    let root = xml::read(text, kind).map_err(|message| vec![wrong(None, message)])?;
    let mut problems: Vec<Problem> =
        schema::check(&root, kind).into_iter().map(|fault| wrong(Some(fault.place), fault.message)).collect();
    let own_name = name.rsplit('.').next().filter(|_| kinds::is_child(kind)).unwrap_or(name);
    if let Some(full_name) = root.text("fullName")
        && full_name != own_name
    {
        let message = format!("The fullName {full_name} does not match the name of the file");
        problems.push(wrong(None, message));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Component { kind, full_name: name.to_owned(), file, root: Arc::new(root), bodies: BTreeMap::new() })
}
