//! Where the package's files come from: a folder, or this binary.

use std::{fs, path::Path};

use super::Problem;
use crate::package::SHIPPED;

/// Names the package folders.
pub(super) const PROJECT: &str = "sfdx-project.json";

/// A package has fewer files than this; it keeps a wrong folder from being read for ever.
const MAX_FILES: usize = 10_000;

/// The package as it was when this binary was built.
pub(super) fn embedded() -> Vec<(String, String)> {
    SHIPPED.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// The project file and what is below the package folders, in path order, without hidden files.
pub(super) fn read(root: &Path) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let mut found = Vec::new();
    let mut folders = Vec::new();
    let project = root.join(PROJECT);
    if project.is_file() {
        let text = fs::read_to_string(&project).map_err(|error| vec![unreadable(root, PROJECT, &error)])?;
        // A project file that cannot be read as such is a problem of the deploy.
        folders = package_folders(&text).unwrap_or_default();
        found.push((PROJECT.to_owned(), text));
    } else if !root.is_dir() {
        return Err(vec![problem(&root.display().to_string(), "There is no such folder")]);
    }
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| vec![unreadable(root, &folder, &error)];
        for entry in fs::read_dir(root.join(&folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "node_modules" {
                continue;
            }
            let path = format!("{folder}/{name}");
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(entry.path()).map_err(failed)?;
                found.push((path, text));
            }
            if found.len() > MAX_FILES {
                let message = format!("More than {MAX_FILES} files: this is not the folder of a package");
                return Err(vec![problem(&root.display().to_string(), message)]);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn unreadable(root: &Path, folder: &str, error: &std::io::Error) -> Problem {
    problem(&root.join(folder).display().to_string(), format!("cannot be read: {error}"))
}

/// A problem of the package as a whole.
pub(super) fn problem(file: &str, message: impl Into<String>) -> Problem {
    Problem { component: "Package".into(), file: file.to_owned(), place: None, message: message.into() }
}

/// The package directories of a project file, without slashes around them.
pub(super) fn package_folders(text: &str) -> Result<Vec<String>, Problem> {
    let json: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| problem(PROJECT, format!("Error parsing file: {error}")))?;
    let listed = json.get("packageDirectories").and_then(serde_json::Value::as_array);
    let folders: Vec<String> = listed
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get("path")?.as_str())
        .map(|path| path.trim_matches('/').to_owned())
        .collect();
    if folders.is_empty() {
        return Err(problem(PROJECT, "Required field is missing: packageDirectories[].path"));
    }
    Ok(folders)
}
