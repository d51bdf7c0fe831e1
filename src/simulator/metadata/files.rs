//! Where the package's files come from: a folder, or this binary.

use std::{fs, path::Path};

use super::Problem;

/// The package as it was when this binary was built.
static EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/package_files.rs"));

/// A package has fewer files than this; it keeps a wrong folder from being read for ever.
const MAX_FILES: usize = 10_000;

/// The embedded files.
pub(super) fn embedded() -> Vec<(String, String)> {
    EMBEDDED.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// The files below `root`, in path order, hidden folders and installed modules left out.
pub(super) fn read(root: &Path) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| vec![unreadable(root, &folder, &error)];
        for entry in fs::read_dir(root.join(&folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "node_modules" {
                continue;
            }
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(path);
            } else if path.ends_with(".xml") || path == "sfdx-project.json" {
                let text = fs::read_to_string(entry.path()).map_err(failed)?;
                found.push((path, text));
            }
            if found.len() > MAX_FILES {
                return Err(vec![Problem {
                    component: "Package".into(),
                    file: root.display().to_string(),
                    message: format!("More than {MAX_FILES} files: this is not the folder of a package"),
                }]);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn unreadable(root: &Path, folder: &str, error: &std::io::Error) -> Problem {
    Problem {
        component: "Package".into(),
        file: root.join(folder).display().to_string(),
        message: format!("cannot be read: {error}"),
    }
}
