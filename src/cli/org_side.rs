//! From settings to connections, ledger and context: what most commands open first.

use std::path::Path;

use anyhow::Context as _;

pub use super::connect::connect;
use super::{ExitWith, contracts, ownership, place, problems::told};
use crate::{
    clock::Clock,
    config::{
        self, Settings,
        policies::{Policies, PolicyProblem},
    },
    domain::{ObjectName, ObjectSchema, RecordId},
    gate::Rules,
    ledger::{self, Ledger, OpenOptions},
    salesforce::{Connection, Contracts, Reader, Writer},
    workflow::{self, context::ContextParts},
};

/// Both identities and the ledger of one org, opened.
pub struct OrgSide {
    /// The settings in force.
    pub settings: Settings,
    /// Ledger, reader, rules and time.
    pub context: workflow::Context,
    /// The promoter's connection.
    pub promoter: Connection,
    /// The proposer's connection, where one is set.
    pub proposer: Option<Connection>,
}

impl OrgSide {
    /// Connects, pins the org, opens (or creates) the ledger and describes the governed objects.
    pub async fn open(settings: Settings, clock: Clock) -> anyhow::Result<Self> {
        Self::with_ledger(settings, clock, None).await
    }

    /// The same with the ledger at another place than the settings say.
    pub async fn with_ledger(
        settings: Settings,
        clock: Clock,
        ledger: Option<ledger::Place>,
    ) -> anyhow::Result<Self> {
        let policies = load_policies(&settings)?;
        let contracts = load_contracts(&settings, &policies)?;
        let ownership = ownership::load(&settings.policy, &policies)?;
        let promoter = connect(&settings, &settings.promoter, &clock)?;
        let identity = promoter.identity().await.context("connecting as the promoter")?;
        pin(&settings, &identity.org_id)?;
        let rules = Rules::new(policies.of(&identity.org_id).clone())?;
        let mut machine_users: Vec<RecordId> = vec![identity.user_id.clone()];
        let proposer = match &settings.proposer {
            Some(credentials) => {
                let connection = connect(&settings, credentials, &clock)?;
                let told = connection.identity().await.context("connecting as the proposer")?;
                pin(&settings, &told.org_id)?;
                machine_users.push(told.user_id);
                Some(connection)
            }
            None => None,
        };
        let ledger = Ledger::open(OpenOptions {
            place: match ledger {
                Some(place) => place,
                None => place::of(&settings.ledger)?,
            },
            org_id: identity.org_id.clone(),
            clock: clock.clone(),
            create: true,
        })
        .await
        .context("opening the ledger")?;
        let ledger = place::told(ledger);
        let reader = Reader::new(promoter.clone());
        let named = settings.shadow.named.clone();
        let parts = ContextParts { ledger, reader, rules, clock, machine_users, contracts, named, ownership };
        let context = workflow::Context::new(parts);
        context.describe().await.context("describing the governed objects")?;
        Ok(Self { settings, context, promoter, proposer })
    }

    /// Refuses policies that name fields or values which the org does not have.
    pub async fn check_policies(&self) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        let governed = self.context.governed().map(|contract| contract.object);
        for object in governed.chain(self.context.made().map(|contract| contract.object)) {
            let object = ObjectName::parse(object)?;
            let Some(described) = self.context.schema(&object).await else { continue };
            let problems = config::policies::check_against(self.context.rules.policy(), &described.schema);
            if !problems.is_empty() && self.fitted(&described.schema).await? {
                for problem in problems {
                    tracing::error!(code = problem.code(), "the org changed; the lane waits: {problem}");
                }
                continue;
            }
            lines.extend(problems.iter().map(ToString::to_string));
        }
        if lines.is_empty() {
            return Ok(());
        }
        let text = format!("the policies name what the org does not have:\n{}", lines.join("\n"));
        Err(ExitWith::usage(text).into())
    }

    /// Whether the policies fit the org as it was accepted. What they name and the org lost since is
    /// drift: its lanes freeze, and the others are served.
    async fn fitted(&self, schema: &ObjectSchema) -> anyhow::Result<bool> {
        let Some(known) = self.context.ledger.ground(&schema.object).await? else { return Ok(false) };
        let before = ObjectSchema { fields: known.accepted.fields, ..schema.clone() };
        Ok(config::policies::check_against(self.context.rules.policy(), &before).is_empty())
    }

    /// The promoter's writer. Commands use it for rollbacks; the daemon for everything else.
    pub fn promoter_writer(&self) -> Writer {
        let promotion = &self.settings.promotion;
        Writer::new(self.promoter.clone()).with_batches(promotion.batch_rows, promotion.batches_per_call)
    }

    /// The proposer's writer, or an error that names the setting.
    pub fn proposer_writer(&self) -> anyhow::Result<Writer> {
        let proposer = self.proposer.clone().context(
            "no proposer is set: add a [proposer] section to the settings; the promoter never proposes",
        )?;
        Ok(Writer::new(proposer))
    }
}

/// Reads settings from a file (or the default place) and the environment.
pub fn load_settings(path: Option<&Path>) -> anyhow::Result<Settings> {
    config::load(path).map_err(|errors| ExitWith::usage(errors.to_string()).into())
}

/// Loads the policies that the settings name, or the ones that are built in, for every org.
pub fn load_policies(settings: &Settings) -> anyhow::Result<Policies> {
    config::policies::load_set(settings.policy.directory.as_deref())
        .map_err(|problems| told("the policies have", &problems))
}

/// Loads the contracts that the settings name, and refuses policies that go beyond them.
fn load_contracts(settings: &Settings, policies: &Policies) -> anyhow::Result<Contracts> {
    let wrong = |problems: Vec<PolicyProblem>| told("the contracts have", &problems);
    let contracts = contracts::load(settings.policy.contracts.as_deref()).map_err(wrong)?;
    let missing = contracts::missing(&contracts, policies);
    if missing.is_empty() { Ok(contracts) } else { Err(wrong(missing)) }
}

fn pin(settings: &Settings, found: &str) -> anyhow::Result<()> {
    match &settings.org.org_id {
        Some(expected) if expected != found => Err(ExitWith::usage(format!(
            "org-mismatch: `org.org_id` is {expected}, but the credentials belong to {found}; \
             correct the credentials or the pin"
        ))
        .into()),
        _ => Ok(()),
    }
}
