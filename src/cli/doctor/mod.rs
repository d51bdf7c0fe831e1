//! `countersign doctor`: the settings tried against the org, each finding with the place to fix it.
//!
//! It reads, and sends trial writes that cannot land. It fails when an identity may do too little, and also when it may do too much.

pub mod agents;
mod canary;
mod checkpoints;
mod heartbeat;
mod login;
mod objects;
mod org;
mod parts;
mod report;
mod roles;
pub mod setup;
#[cfg(test)]
mod tests;
mod totals;

use std::{path::PathBuf, sync::Arc};

use super::{Exit, check, connect};
use crate::{
    clock::Clock,
    config::{Credentials, Settings, policies},
    domain::Policy,
    salesforce::{Connection, Contracts, Reader, names, names::ObjectContract, pubsub::PubSubClient},
};
pub use report::{Check, Report, State};
pub use setup::Setup;

/// Try the settings against the org and say what is missing, wrong or too much.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Settings file; default config/countersign.toml when it exists.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Leave out the trial writes: late and stale writes that the org must refuse, sent so that
    /// they are undone in any case.
    #[arg(long)]
    pub no_canary: bool,
}

/// Runs all checks; exit code 0 when nothing failed, 2 when the settings cannot be used.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let checked = check::read(args.config.as_deref());
    let mut report = Report::default();
    if let Err(problems) = &checked.policies {
        for problem in problems {
            report.failed("policies", problem.code, &problem.to_string(), &problem.fix);
        }
    }
    if let Err(problems) = &checked.contracts {
        for problem in problems {
            report.failed("contracts", problem.code, &problem.to_string(), &problem.fix);
        }
    }
    if let Err(problems) = &checked.ownership {
        for problem in problems {
            report.failed("ownership", problem.code, &problem.to_string(), &problem.fix);
        }
    }
    let exit = match &checked.settings {
        Ok(settings) => {
            let contracts = checked.contracts.unwrap_or_else(|_| Contracts::shipped());
            let policies = checked.policies.as_ref().ok();
            let policy = policies.map(|them| them.of_known(settings.org.org_id.as_deref()));
            let governing = (policy, &contracts);
            examine(settings, governing, (&mut report, !args.no_canary)).await;
            if report.is_good() { Exit::Done } else { Exit::Failed }
        }
        Err(errors) => {
            for problem in &errors.0 {
                report.failed(
                    "settings",
                    problem.code,
                    &format!("{}: {}", problem.key, problem.message),
                    &problem.fix,
                );
            }
            Exit::Usage
        }
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report.as_json())?);
    } else {
        print!("{report}");
    }
    Ok(exit)
}

/// All checks that need the org; with trial writes or without.
pub async fn examine(
    settings: &Settings,
    (policy, contracts): (Option<&Policy>, &Contracts),
    (report, canary): (&mut Report, bool),
) {
    let governed = governed(policy, contracts);
    let clock = Clock::system();
    let promoter = match connect::connect(settings, &settings.promoter, &clock) {
        Ok(connection) => connection,
        Err(error) => {
            report.failed("promoter", "connection-setup", &format!("{error:#}"), "correct the settings");
            return;
        }
    };
    let proposer = match settings.proposer.as_ref().map(|login| connect::connect(settings, login, &clock)) {
        Some(Ok(connection)) => Some(connection),
        Some(Err(error)) => {
            report.failed("proposer", "connection-setup", &format!("{error:#}"), "correct the settings");
            None
        }
        None => {
            let fix = "add a [proposer] table for `countersign propose`; agents that write AI_ fields themselves do not need it";
            report.warning("proposer", "login-not-set", "no login is set for the proposer", fix);
            None
        }
    };
    let promoter_id = login::identity("promoter", &promoter, report).await;
    let proposer_id = match &proposer {
        Some(connection) => login::identity("proposer", connection, report).await,
        None => None,
    };
    if let Some(identity) = &promoter_id {
        login::same_org_other_user(identity, proposer_id.as_ref(), report);
        let reader = Reader::new(promoter.clone());
        org::version(&reader, &settings.org.api_version, report).await;
        org::kind(&reader, settings.org.production, report).await;
        login::permission_sets("promoter", &reader, &identity.user_id, report).await;
        if let Err(error) = login::view_all(&reader, &identity.user_id, &governed, report).await {
            let fix = "look at Setup > Permission Sets > AI_Promoter > Object Settings: View All on each governed object";
            report.hidden("promoter", "view-all-hidden", &error.to_string(), fix);
        }
        for contract in &governed {
            objects::promoter(&reader, contract, report).await;
            values(&reader, contract, policy, report).await;
            if canary {
                canary::examine(&reader, contract, report).await;
            }
        }
        let setup = setup_reader(settings, &reader, &clock);
        let sight = Setup::look(&setup, &governed, "AI_GATE_").await;
        let own = proposer.as_ref().zip(proposer_id.as_ref());
        agents::examine(&setup, &sight, (&governed, own), report).await;
        sight.examine(report);
        parts::examine(&setup, &governed, report).await;
        checkpoints::examine(&reader, settings, report).await;
        totals::examine(&reader, report).await;
        let every = settings.heartbeat.every_minutes;
        heartbeat::examine(&reader, (&identity.user_id, every, &governed), &clock, report).await;
        channel(settings, &promoter, report).await;
        org::limits(&promoter, report);
    }
    if let (Some(connection), Some(identity)) = (proposer, proposer_id) {
        let reader = Reader::new(connection);
        login::permission_sets("proposer", &reader, &identity.user_id, report).await;
        for contract in &governed {
            objects::proposer(&reader, contract, report).await;
        }
    }
}

/// Reads Setup: as the person whose token is set, else as the promoter, who sees little of it.
fn setup_reader(settings: &Settings, promoter: &Reader, clock: &Clock) -> Reader {
    let Some(access_token) = settings.doctor.access_token.clone() else { return promoter.clone() };
    let login = Credentials::AccessToken { access_token };
    connect::connect(settings, &login, clock).map_or_else(|_| promoter.clone(), Reader::new)
}

/// Objects that the policy names; all of them when there is none to read.
fn governed(policy: Option<&Policy>, contracts: &Contracts) -> Vec<&'static ObjectContract> {
    match policy {
        Some(policy) => contracts.governed(policy).collect(),
        None => contracts.all().collect(),
    }
}

/// Whether the policy speaks of values that the org has.
async fn values(reader: &Reader, contract: &ObjectContract, policy: Option<&Policy>, report: &mut Report) {
    let Some(policy) = policy else { return };
    let area = format!("policy {}", contract.object);
    match reader.describe(contract).await {
        Ok(schema) => {
            let problems = policies::check_against(policy, &schema);
            for problem in &problems {
                report.failed(&area, problem.code, &problem.to_string(), &problem.fix);
            }
            if problems.is_empty() {
                let switched = match schema.auto_allowed.len() {
                    0 => "no field may change without a person".to_owned(),
                    count => {
                        format!("{count} field(s) may change without a person ({})", names::setting::OBJECT)
                    }
                };
                report.ok(&area, "policy-fits", &format!("the policy fits the org's values; {switched}"));
            }
        }
        Err(error) => report.salesforce(&area, &error),
    }
}

/// Whether the promoter may listen to the channel.
async fn channel(settings: &Settings, promoter: &Connection, report: &mut Report) {
    let fix = "check org.pubsub_endpoint; deploy salesforce-metadata (platformEventChannels, platformEventChannelMembers); \
               give the promoter View All on the objects";
    let client = connect::stream_settings(settings)
        .and_then(|stream| Ok(PubSubClient::connect(stream, Arc::new(promoter.clone()))?));
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            return report.failed(
                "channel",
                "stream-setup",
                &format!("{error:#}"),
                "correct org.pubsub_endpoint",
            );
        }
    };
    match client.get_topic(names::TOPIC).await {
        Ok(topic) if topic.can_subscribe => {
            report.ok("channel", "channel-open", &format!("{} can be heard", names::TOPIC))
        }
        Ok(_) => report.failed(
            "channel",
            "channel-refused",
            &format!("{} may not be subscribed to", names::TOPIC),
            fix,
        ),
        Err(error) => report.failed("channel", error.code(), &error.to_string(), fix),
    }
}
