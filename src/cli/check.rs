//! `countersign check`: settings and policies, without a network.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Exit, contracts};
use crate::{
    config::{self, ConfigErrors, Settings, policies::PolicyProblem},
    domain::Policy,
    salesforce::Contracts,
};

/// Check settings and policies, and tell every problem at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Settings file; default config/countersign.toml when it exists.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Settings and policies as they were found.
pub struct Checked {
    /// The settings, or what is wrong with them.
    pub settings: Result<Settings, ConfigErrors>,
    /// The policies, or what is wrong with them.
    pub policy: Result<Policy, Vec<PolicyProblem>>,
    /// The contracts, or what is wrong with them or missing for the policies.
    pub contracts: Result<Contracts, Vec<PolicyProblem>>,
}

/// Reads both, whatever is wrong with either.
pub fn read(path: Option<&Path>) -> Checked {
    let settings = config::load(path);
    let named = match &settings {
        Ok(settings) => settings.policy.clone(),
        Err(_) => config::policy_settings(path),
    };
    let policy = config::policies::load(named.directory.as_deref());
    let contracts = contracts::load(named.contracts.as_deref()).and_then(|contracts| {
        let missing = policy.as_ref().map_or_else(|_| Vec::new(), |it| contracts::missing(&contracts, it));
        if missing.is_empty() { Ok(contracts) } else { Err(missing) }
    });
    Checked { settings, policy, contracts }
}

/// Prints what is wrong; exit code 2 when anything is.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let checked = read(args.config.as_deref());
    let is_good = checked.settings.is_ok() && checked.policy.is_ok() && checked.contracts.is_ok();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&as_json(&checked))?);
    } else {
        print!("{}", as_text(&checked)?);
    }
    Ok(if is_good { Exit::Done } else { Exit::Usage })
}

fn as_text(checked: &Checked) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    match &checked.settings {
        Ok(settings) => lines.push(format!("settings  ok  org {}", settings.org.login_url)),
        Err(errors) => lines.extend(errors.0.iter().map(|problem| format!("settings  {problem}"))),
    }
    match &checked.policy {
        Ok(policy) => {
            let names: Vec<&str> = policy.objects.values().map(|object| object.name.as_str()).collect();
            lines.push(format!("policies  ok  {} ({})", names.join(", "), policy.digest()?.short()));
        }
        Err(problems) => lines.extend(problems.iter().map(|problem| format!("policies  {problem}"))),
    }
    match &checked.contracts {
        Ok(contracts) => {
            let objects: Vec<&str> = contracts.all().map(|contract| contract.object).collect();
            lines.push(format!("contracts ok  {}", objects.join(", ")));
        }
        Err(problems) => lines.extend(problems.iter().map(|problem| format!("contracts {problem}"))),
    }
    Ok(lines.join("\n") + "\n")
}

fn as_json(checked: &Checked) -> Value {
    let settings: Vec<Value> = checked.settings.as_ref().err().map_or_else(Vec::new, |errors| {
        let problem = |p: &config::ConfigProblem| {
            json!({ "key": p.key, "code": p.code, "message": p.message, "expected": p.expected, "fix": p.fix })
        };
        errors.0.iter().map(problem).collect()
    });
    let told = |problems: Option<&Vec<PolicyProblem>>| problems.map_or_else(|| json!([]), |it| json!(it));
    let (policies, contracts) = (told(checked.policy.as_ref().err()), told(checked.contracts.as_ref().err()));
    let ok = checked.settings.is_ok() && checked.policy.is_ok() && checked.contracts.is_ok();
    json!({ "ok": ok, "settings": settings, "policies": policies, "contracts": contracts })
}
