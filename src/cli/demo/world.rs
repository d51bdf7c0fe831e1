//! The demo's world: a simulated org, the daemon, and people who act in Salesforce.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use crate::{
    cli::{daemon::Daemon, org_side::OrgSide},
    clock::Clock,
    domain::{ProposalId, Settlement, Stage},
    gate::Verdict,
    salesforce::names,
    simulator::{
        FaultAction, FaultMatch, FaultPoint, Org, OrgOptions, WriteOp, WriteOptions, WriteRow,
        faults::Fault,
        metadata::Package,
        seed::{self, Seed},
        server::{self, RunningOrg, ServerOptions},
    },
    workflow::{
        engine::Held,
        outcome::outcome_words,
        promote::Promoter,
        propose::{self, ProposeError, Submitted},
        submission::Submission,
    },
};

use super::{super::front::Front, settings};

/// How long a step may take before the story breaks off.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One record of the story.
pub struct Subject {
    /// Object.
    pub object: &'static str,
    /// Record id.
    pub id: String,
    /// Name, for people.
    pub label: String,
}

/// Everything that the story acts on.
pub struct World {
    /// The lead of the story.
    pub lead: Subject,
    /// Stage and next step, later rolled back.
    pub first_deal: Subject,
    /// The amount whose base moves.
    pub second_deal: Subject,
    /// The next step that loses a race.
    pub third_deal: Subject,
    org: Org,
    running: RunningOrg,
    side: OrgSide,
    daemon: Daemon,
    folder: tempfile::TempDir,
    front: Front,
}

impl World {
    /// Starts the org on loopback, deploys the shipped package, seeds invented records and
    /// starts the daemon against it.
    pub async fn start(ledger: Option<PathBuf>, http: SocketAddr) -> anyhow::Result<Self> {
        let package = Package::embedded().map_err(|problems| {
            anyhow::anyhow!("the shipped package has {} problem(s): {problems:?}", problems.len())
        })?;
        let org = Org::new(OrgOptions::new(Clock::system(), package))?;
        seed::plant(&org, Seed::Demo)
            .map_err(|error| anyhow::anyhow!("{}: {}", error.code, error.message))?;
        let running = server::start(org.clone(), ServerOptions::default()).await?;
        let folder = tempfile::Builder::new().prefix("countersign-demo").tempdir()?;
        let ledger = ledger.unwrap_or_else(|| folder.path().join("ledger.db"));
        let side = OrgSide::open(settings::for_org(&running, ledger, http)?, Clock::system()).await?;
        let metrics = Some(crate::telemetry::init_metrics()?);
        let front = Front::open(&side.settings, metrics).await?;
        let daemon = Daemon::start(&side, &front).await?;
        let daemon = anyhow::Context::context(daemon, "a ledger in a file is led at once")?;
        let mut deals = subjects(&org, "Opportunity", 3)?;
        let third_deal = deals.pop().context("three opportunities")?;
        let second_deal = deals.pop().context("two opportunities")?;
        let first_deal = deals.pop().context("one opportunity")?;
        let lead = subjects(&org, "Lead", 1)?.pop().context("one lead")?;
        Ok(Self { lead, first_deal, second_deal, third_deal, org, running, side, daemon, folder, front })
    }

    /// What was started, in one line.
    pub fn summary(&self) -> String {
        let package = self.org.package();
        let rules: usize = package.objects.values().map(|object| object.rules.len()).sum();
        let fields: usize = package.objects.values().map(|object| object.fields.len()).sum();
        let flows = package.flows.len();
        let http = self
            .front
            .address
            .map_or_else(String::new, |address| format!("; health at http://{address}/readyz"));
        format!(
            "Org at {}: {fields} fields, {rules} validation rules and {flows} flows deployed from salesforce-metadata{http}",
            self.running.instance_url
        )
    }

    /// What a newcomer can do next.
    pub fn next_steps(&self) -> Vec<String> {
        vec![
            "countersign explain picklist-value-unknown      what a code means and how to fix it".to_owned(),
            "countersign demo --once --ledger demo.db        keep the ledger of this story".to_owned(),
            "countersign explain demo:stage --ledger demo.db the whole story of one proposal".to_owned(),
            "countersign verify --ledger demo.db             check its hash chain".to_owned(),
            "countersign org --seed demo                     an org of your own to write against".to_owned(),
        ]
    }

    /// The daemon of the story.
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// A promoter for the rollback, as the command would make one.
    pub fn promoter(&self) -> Promoter {
        Promoter::new(self.side.context.clone(), self.side.promoter_writer())
    }

    /// Now, as JSON text.
    pub fn now(&self) -> String {
        self.side.context.clock.now().to_string()
    }

    /// The reviewer's username.
    pub fn reviewer(&self) -> String {
        self.org.user("reviewer").map_or_else(String::new, |user| user.username)
    }

    /// Sends a proposal by the command door.
    pub async fn submit(&self, proposal: Value) -> anyhow::Result<Submitted> {
        let submission = Submission::parse(&proposal.to_string())
            .map_err(|problems| anyhow::anyhow!("the story's proposal is wrong: {problems:?}"))?;
        let writer = self.side.proposer_writer()?;
        propose::submit(&self.side.context, &writer, &submission).await.map_err(|error| match error {
            ProposeError::Problems(problems) => anyhow::anyhow!("refused at the door: {problems:?}"),
            ProposeError::Workflow(error) => error.into(),
        })
    }

    /// Writes to a record as one of the seeded users. The error holds the org's messages.
    pub fn write(&self, role: &str, subject: &Subject, fields: Value) -> Result<(), Vec<String>> {
        let user = self.org.user(role).ok_or_else(|| vec![format!("no user `{role}`")])?;
        let row = WriteRow {
            op: WriteOp::Update,
            object: subject.object.to_owned(),
            id: Some(subject.id.clone()),
            fields: object(fields),
        };
        let results = self.org.write(&user, &WriteOptions::default(), vec![row]);
        let errors: Vec<String> = results
            .iter()
            .flat_map(|result| &result.errors)
            .map(|error| format!("{}: {}", error.code, error.message))
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The org itself.
    pub fn org(&self) -> &Org {
        &self.org
    }

    /// Turns on one of the org's own switches, as an admin does, and has the daemon see it.
    pub async fn allow_auto(&self, switch: &str) -> anyhow::Result<()> {
        anyhow::ensure!(self.org.set_setting(switch, true), "the package has no switch `{switch}`");
        self.side.context.describe().await?;
        Ok(())
    }

    /// Lets somebody edit the record between the daemon's last read and its next write.
    pub fn edit_before_next_write(&self, subject: &Subject, fields: Value) {
        let action =
            FaultAction::Edit { by: None, record_id: Some(subject.id.clone()), fields: object(fields) };
        // Only a promotion writes the promotion number.
        let field = Some(names::PROMOTION_SEQ.to_owned());
        let matcher = FaultMatch { record_id: Some(subject.id.clone()), field, ..FaultMatch::default() };
        self.org.faults().arm(Fault { matcher, ..Fault::once(FaultPoint::BeforeWrite, action) });
    }

    /// Holds the engine between two steps.
    pub async fn hold(&self) -> Held {
        self.daemon.waker.hold().await
    }

    /// A field's value as it stands in the org.
    pub fn value(&self, subject: &Subject, field: &str) -> String {
        let row = self.org.row(subject.object, &subject.id);
        row.and_then(|row| row.get(field).map(ToString::to_string)).unwrap_or_default()
    }

    /// Waits until a proposal has a stage or has ended otherwise. Returns the stage that it has.
    pub async fn wait_for(&self, proposal: &str, stage: Stage) -> anyhow::Result<Stage> {
        let id = ProposalId::parse(proposal)?;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.side.context.ledger.proposal(&id).await?.map(|record| record.stage);
            match found {
                Some(found) if found == stage || found.is_final() => return Ok(found),
                _ if tokio::time::Instant::now() > deadline => {
                    bail!("`{proposal}` did not reach {} in time; it is {found:?}", stage.name())
                }
                _ => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    /// The gate's last word on a proposal.
    pub async fn why(&self, proposal: &str) -> anyhow::Result<String> {
        let record = self.side.context.ledger.proposal(&ProposalId::parse(proposal)?).await?;
        let verdict = record.and_then(|record| record.verdict).context("the proposal was judged")?;
        Ok(outcome_words(&serde_json::from_value::<Verdict>(verdict)?))
    }

    /// How the proposal's promotion was settled.
    pub async fn settlement(&self, proposal: &str) -> anyhow::Result<String> {
        let id = ProposalId::parse(proposal)?;
        let promotions = self.side.context.ledger.promotions_of_proposal(&id).await?;
        Ok(match promotions.last().map(|promotion| &promotion.settlement) {
            Some(Settlement::Stale { reason }) => reason.clone(),
            Some(other) => other.name().to_owned(),
            None => "never sent".to_owned(),
        })
    }

    /// A copy of the ledger as it stands, beside the demo's other files.
    pub async fn copy_ledger(&self) -> anyhow::Result<PathBuf> {
        let copy = self.folder.path().join("copy.db");
        self.side.context.ledger.copy_to(&copy).await?;
        Ok(copy)
    }

    /// Ends daemon and org.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.daemon.stop().await?;
        self.side.context.ledger.close().await?;
        self.running.shutdown().await?;
        Ok(())
    }
}

fn subjects(org: &Org, name: &'static str, count: usize) -> anyhow::Result<Vec<Subject>> {
    let text = |row: &crate::simulator::model::Row, field: &str| {
        row.get(field).map(ToString::to_string).unwrap_or_default()
    };
    let fresh = |row: &crate::simulator::model::Row| {
        matches!(text(row, "Status").as_str(), "" | "Open - Not Contacted")
            && matches!(text(row, "StageName").as_str(), "" | "Prospecting")
    };
    let found: Vec<Subject> = org
        .rows(name, false)
        .iter()
        .filter(|row| fresh(row))
        .take(count)
        .map(|row| Subject { object: name, id: text(row, "Id"), label: text(row, "Name") })
        .collect();
    anyhow::ensure!(found.len() == count, "the seed has too few fresh records of {name}");
    Ok(found)
}

fn object(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
