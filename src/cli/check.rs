//! `countersign check`: settings and policies, without a network.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Exit, contracts};
use crate::{
    config::{
        self, ConfigErrors, Settings,
        policies::{Policies, PolicyProblem},
    },
    domain::ownership::Ownership,
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
    /// The policies for every org, or what is wrong with them.
    pub policies: Result<Policies, Vec<PolicyProblem>>,
    /// The contracts, or what is wrong with them or missing for the policies.
    pub contracts: Result<Contracts, Vec<PolicyProblem>>,
    /// Who may write governed fields, or what is wrong with the list; empty while the policies are wrong.
    pub ownership: Result<Ownership, Vec<PolicyProblem>>,
}

/// Reads both, whatever is wrong with either.
pub fn read(path: Option<&Path>) -> Checked {
    let settings = config::load(path);
    let named = match &settings {
        Ok(settings) => settings.policy.clone(),
        Err(_) => config::policy_settings(path),
    };
    let policies = config::policies::load_set(named.directory.as_deref());
    let contracts = contracts::load(named.contracts.as_deref()).and_then(|contracts| {
        let missing = policies.as_ref().map_or_else(|_| Vec::new(), |it| contracts::missing(&contracts, it));
        if missing.is_empty() { Ok(contracts) } else { Err(missing) }
    });
    let ownership = policies.as_ref().map_or_else(
        |_| Ok(Ownership::default()),
        |it| config::ownership::load(named.ownership.as_deref(), &it.governs()),
    );
    Checked { settings, policies, contracts, ownership }
}

/// Prints what is wrong; exit code 2 when anything is.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let checked = read(args.config.as_deref());
    if args.json {
        println!("{}", serde_json::to_string_pretty(&as_json(&checked))?);
    } else {
        print!("{}", as_text(&checked)?);
    }
    Ok(if checked.is_good() { Exit::Done } else { Exit::Usage })
}

fn as_text(checked: &Checked) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    match &checked.settings {
        Ok(settings) => lines.push(format!("settings  ok  org {}", settings.org.login_url)),
        Err(errors) => lines.extend(errors.0.iter().map(|problem| format!("settings  {problem}"))),
    }
    match &checked.policies {
        Ok(policies) => {
            let policy = policies.of_known(checked.org());
            let names: Vec<&str> = policy.objects.values().map(|object| object.name.as_str()).collect();
            lines.push(format!("policies  ok  {} ({})", names.join(", "), policy.digest()?.short()));
            lines.extend(
                overrides(checked, policies).map(|one| {
                    format!("overrides {}  org {}: {}", one.applies, one.org, one.keys.join(", "))
                }),
            );
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
    match &checked.ownership {
        Ok(list) if list.fields.is_empty() => {}
        Ok(list) => {
            let fields: Vec<String> =
                list.fields.keys().map(|(object, field)| format!("{object}.{field}")).collect();
            lines.push(format!("ownership ok  {}", fields.join(", ")));
        }
        Err(problems) => lines.extend(problems.iter().map(|problem| format!("ownership {problem}"))),
    }
    Ok(lines.join("\n") + "\n")
}

impl Checked {
    fn is_good(&self) -> bool {
        self.settings.is_ok() && self.policies.is_ok() && self.contracts.is_ok() && self.ownership.is_ok()
    }

    /// The org, where the settings say which it must be.
    fn org(&self) -> Option<&str> {
        self.settings.as_ref().ok()?.org.org_id.as_deref()
    }
}

/// What one org changes of the rules.
#[derive(serde::Serialize)]
struct Override<'a> {
    org: &'a str,
    /// `yes`, `no`, or `unknown` where the settings do not say which org it is.
    applies: &'static str,
    keys: &'a [String],
}

fn overrides<'a>(checked: &'a Checked, policies: &'a Policies) -> impl Iterator<Item = Override<'a>> {
    let own = checked.org();
    policies.overrides().map(move |(org, keys)| {
        let applies = match own {
            Some(own) if own == org => "yes",
            Some(_) => "no",
            None => "unknown",
        };
        Override { org, applies, keys }
    })
}

fn as_json(checked: &Checked) -> Value {
    let settings: Vec<Value> = checked.settings.as_ref().err().map_or_else(Vec::new, |errors| {
        let problem = |p: &config::ConfigProblem| {
            json!({ "key": p.key, "code": p.code, "message": p.message, "expected": p.expected, "fix": p.fix })
        };
        errors.0.iter().map(problem).collect()
    });
    let told = |problems: Option<&Vec<PolicyProblem>>| problems.map_or_else(|| json!([]), |it| json!(it));
    let (policies, contracts) =
        (told(checked.policies.as_ref().err()), told(checked.contracts.as_ref().err()));
    let ownership = told(checked.ownership.as_ref().err());
    let own: Vec<Override<'_>> =
        checked.policies.as_ref().map_or_else(|_| Vec::new(), |them| overrides(checked, them).collect());
    json!({ "ok": checked.is_good(), "settings": settings, "policies": policies, "contracts": contracts,
        "ownership": ownership, "overrides": own })
}
