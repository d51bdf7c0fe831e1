//! The contracts that the settings name: read, and compared with the policies.
//!
//! A policy about an object or a field without a contract could never act, and nothing would say
//! so; it is refused before anything starts.

use std::path::Path;

use crate::{
    config::policies::{Policies, PolicyProblem, toml_files},
    domain::{ObjectPolicy, Policy},
    package::{ContractError, ContractFile},
    salesforce::{Contracts, names::MADE},
};

/// Every `*.toml` of the folder beside the shipped contracts; only those when no folder is set.
///
/// # Errors
/// Every problem of every file; nothing is used then.
pub fn load(folder: Option<&Path>) -> Result<Contracts, Vec<PolicyProblem>> {
    let Some(folder) = folder else { return Ok(Contracts::shipped()) };
    let paths = toml_files(folder).map_err(|error| vec![unreadable(folder, &error)])?;
    let mut further = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        match std::fs::read_to_string(&path) {
            Err(error) => problems.push(unreadable(&path, &error)),
            Ok(text) => match ContractFile::read(&text) {
                Ok(contract) => further.push((path, contract)),
                Err(error) => problems.push(wrong(&path, &error)),
            },
        }
    }
    for (at, (path, contract)) in further.iter().enumerate() {
        if let Some((first, _)) = further[..at].iter().find(|(_, other)| other.object == contract.object) {
            problems.push(PolicyProblem {
                file: path.display().to_string(),
                line: None,
                key: "object".to_owned(),
                code: "contract-twice",
                message: format!("{} also speaks of {}", first.display(), contract.object),
                fix: "keep one file for each object".to_owned(),
            });
        }
    }
    if problems.is_empty() {
        let further: Vec<_> = further.into_iter().map(|(_, contract)| contract).collect();
        Ok(Contracts::with(&further))
    } else {
        Err(problems)
    }
}

/// What the policies govern for any org and no contract knows.
pub fn missing(contracts: &Contracts, policies: &Policies) -> Vec<PolicyProblem> {
    let mut problems: Vec<PolicyProblem> = Vec::new();
    for found in policies.all().flat_map(|policy| missing_for(contracts, policy)) {
        if !problems.contains(&found) {
            problems.push(found);
        }
    }
    problems
}

fn missing_for(contracts: &Contracts, policy: &Policy) -> Vec<PolicyProblem> {
    let mut problems = Vec::new();
    for (object, rules) in &policy.objects {
        let contract = contracts.find(object.as_str());
        let problem = |key: String, code, message: String, fix: String| PolicyProblem {
            file: rules.name.clone(),
            line: None,
            key,
            code,
            message,
            fix,
        };
        problems.extend(making(contracts, rules));
        if contract.is_none() && rules.fields.is_empty() && contracts.made(object.as_str()).is_some() {
            continue;
        }
        let Some(contract) = contract else {
            problems.push(problem(
                "object".to_owned(),
                "policy-object-without-contract",
                format!("nothing says which fields of {object} hold proposals and stamps"),
                format!(
                    "`countersign metadata generate --object {object} --field FIELD` writes contracts/{object}.toml; \
                     name its folder in `policy.contracts`"
                ),
            ));
            continue;
        };
        for field in rules.fields.keys().filter(|field| contract.lane(field.as_str()).is_none()) {
            let known: Vec<&str> = contract.lanes.iter().map(|lane| lane.field).collect();
            problems.push(problem(
                format!("fields.{field}"),
                "policy-field-without-contract",
                format!("nothing says which fields hold proposals for {object}.{field}"),
                format!(
                    "take one of {}, or generate the metadata and contract of {object} again with `--field {field}`",
                    known.join(", ")
                ),
            ));
        }
    }
    problems
}

/// What the rules for records that may be made speak of and no contract knows.
fn making(contracts: &Contracts, rules: &ObjectPolicy) -> Vec<PolicyProblem> {
    let problem = |key: String, code, message, fix: &str| PolicyProblem {
        file: rules.name.clone(),
        line: None,
        key,
        code,
        message,
        fix: fix.to_owned(),
    };
    let mut problems = Vec::new();
    if !rules.create.is_empty() && contracts.made(rules.object.as_str()).is_none() {
        let known: Vec<&str> = MADE.iter().map(|contract| contract.object).collect();
        problems.push(problem(
            "create".to_owned(),
            "policy-create-without-contract",
            format!("nothing says how a {} is made", rules.object),
            &format!("take one of: {}", known.join(", ")),
        ));
    }
    for rule in &rules.create {
        for parent in rule.parents.keys().filter(|parent| contracts.find(parent.as_str()).is_none()) {
            problems.push(problem(
                format!("create.{}.parents", rule.name),
                "policy-parent-without-contract",
                format!("nothing says how a {parent} is read"),
                "take Lead, Opportunity, or an object whose contract is in the folder of `policy.contracts`",
            ));
        }
    }
    problems
}

fn unreadable(path: &Path, error: &std::io::Error) -> PolicyProblem {
    PolicyProblem {
        file: path.display().to_string(),
        line: None,
        key: String::new(),
        code: "contract-unreadable",
        message: format!("cannot be read: {error}"),
        fix: "name a folder with contract files that this user may read in `policy.contracts`".to_owned(),
    }
}

fn wrong(path: &Path, error: &ContractError) -> PolicyProblem {
    let line = match error {
        ContractError::Malformed { line, .. } => *line,
        _ => None,
    };
    PolicyProblem {
        file: path.display().to_string(),
        line,
        key: String::new(),
        code: error.code(),
        message: error.to_string(),
        fix: "let `countersign metadata generate` write the file again".to_owned(),
    }
}
