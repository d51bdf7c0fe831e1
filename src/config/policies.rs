//! Policy files: read, check, report every problem at once.
//!
//! A policy with any problem is not used at all: half a policy would be another policy.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::domain::{ObjectName, Policy};

mod against;
pub mod compare;
mod create;
pub mod lint;
mod mentions;
mod narrowing;
mod reader;
mod rules;
mod set;
mod shadow;
#[cfg(test)]
mod tests;

pub use against::check_against;
pub use mentions::{Mention, mentions};
pub use set::Policies;

/// The policies that are built in, by file name.
const EMBEDDED: &[(&str, &str)] = &[
    ("lead-lifecycle.toml", include_str!("../../config/policies/lead-lifecycle.toml")),
    ("opportunity-pilot.toml", include_str!("../../config/policies/opportunity-pilot.toml")),
];

/// One mistake in a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{}: {message}; {fix} [{code}]", self.place())]
pub struct PolicyProblem {
    /// The file, as it was given.
    pub file: String,
    /// The line, from 1, where one line is to blame.
    pub line: Option<usize>,
    /// The key, with its sections, for example `fields.Status.tier`.
    pub key: String,
    /// Stable code in kebab case.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl PolicyProblem {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// File, line and key, as editors and people read them.
    fn place(&self) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let key = if self.key.is_empty() { String::new() } else { format!(": {}", self.key) };
        format!("{}{line}{key}", self.file)
    }
}

/// The policies of a directory, or the built-in ones when no directory is set.
pub fn load_set(dir: Option<&Path>) -> Result<Policies, Vec<PolicyProblem>> {
    dir.map_or_else(built_in, set_of_dir)
}

/// The same without what single orgs change of them.
pub fn load(dir: Option<&Path>) -> Result<Policy, Vec<PolicyProblem>> {
    load_set(dir).map(Policies::into_base)
}

/// The policies that are built in.
pub fn load_default() -> Result<Policy, Vec<PolicyProblem>> {
    load(None)
}

/// Every `*.toml` of a directory without what single orgs change.
pub fn load_dir(dir: &Path) -> Result<Policy, Vec<PolicyProblem>> {
    load(Some(dir))
}

fn built_in() -> Result<Policies, Vec<PolicyProblem>> {
    let files = EMBEDDED.iter().map(|(name, text)| (format!("(built in) {name}"), (*text).to_owned()));
    read_all(files.collect(), Vec::new())
}

/// Every `*.toml` of a directory, in the order of their names; folders in it are not read.
fn set_of_dir(dir: &Path) -> Result<Policies, Vec<PolicyProblem>> {
    let unreadable = |path: &Path, error: std::io::Error| PolicyProblem {
        file: path.display().to_string(),
        line: None,
        key: String::new(),
        code: "policy-unreadable",
        message: format!("cannot be read: {error}"),
        fix: "name a directory with policy files that this user may read".to_owned(),
    };
    let names = toml_files(dir).map_err(|error| vec![unreadable(dir, error)])?;
    if names.is_empty() {
        return Err(vec![PolicyProblem {
            file: dir.display().to_string(),
            line: None,
            key: String::new(),
            code: "policy-none",
            message: "the directory holds no *.toml file, so every proposal would be refused".to_owned(),
            fix: "add a policy file, or leave the directory setting empty for the built-in ones".to_owned(),
        }]);
    }
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for path in names {
        match fs::read_to_string(&path) {
            Ok(text) => files.push((path.display().to_string(), text)),
            Err(error) => problems.push(unreadable(&path, error)),
        }
    }
    read_all(files, problems)
}

/// Every `*.toml` of a directory, in the order of their names.
pub fn toml_files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") && !path.is_dir() {
            names.push(path);
        }
    }
    names.sort();
    Ok(names)
}

/// Reads all files, so that one run reports every problem of every file.
fn read_all(
    files: Vec<(String, String)>,
    mut problems: Vec<PolicyProblem>,
) -> Result<Policies, Vec<PolicyProblem>> {
    let mut policy = Policy::default();
    let mut orgs = Vec::new();
    let mut seen: BTreeMap<ObjectName, String> = BTreeMap::new();
    for (file, text) in files {
        let (read, found) = reader::read(&file, &text);
        problems.extend(found);
        let Some(read) = read else { continue };
        if let Some(first) = seen.get(&read.policy.object) {
            problems.push(PolicyProblem {
                file,
                line: read.object_line,
                key: "object".to_owned(),
                code: "policy-object-duplicate",
                message: format!("{} already has a policy in {first}", read.policy.object),
                fix: "keep one file per object".to_owned(),
            });
            continue;
        }
        seen.insert(read.policy.object.clone(), file);
        policy.objects.insert(read.policy.object.clone(), read.policy);
        orgs.extend(read.orgs);
    }
    if problems.is_empty() { Ok(Policies::new(policy, orgs)) } else { Err(problems) }
}
