//! `countersign rollback drill`: many promotions in a simulated org, edits by people, everything
//! rolled back, and each record checked.

use std::{collections::BTreeSet, time::Duration};

use anyhow::ensure;
use serde_json::{Map, Value, json};

use crate::{
    cli::{Exit, daemon::Daemon, demo::settings, front::Front, org_side::OrgSide},
    clock::Clock,
    domain::{Choice, Stage},
    simulator::{
        Org, OrgOptions, WriteOp, WriteOptions, WriteRow,
        metadata::Package,
        seed,
        server::{self, RunningOrg, ServerOptions},
    },
    workflow::{
        promote::Promoter,
        rollback_many::{self, Asked, Ended},
    },
};

use super::many::Report;

const BEFORE: &str = "Open - Not Contacted";
const PROMOTED: &str = "Working - Contacted";
const EDITED: &str = "Closed - Not Converted";
/// Every so many records one is edited by a person.
const EDIT_EVERY: usize = 10;
/// How long nothing may move before the drill breaks off.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rows of one save, as the platform takes them.
const ROWS: usize = 200;

/// Try a rollback of many on this machine: no account, no server, nothing of yours is touched. Exit
/// code 1 when a record is not as expected afterwards.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many records.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    records: u32,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

struct World {
    org: Org,
    running: RunningOrg,
    side: OrgSide,
    daemon: Daemon,
    leads: Vec<String>,
    folder: tempfile::TempDir,
}

/// Promotes, edits, rolls back and checks.
pub async fn run(args: &Args) -> anyhow::Result<Exit> {
    let world = World::start(usize::try_from(args.records)?).await?;
    if !args.json {
        println!("{} leads in a simulated org on this machine, the daemon beside it", world.leads.len());
    }
    let clock = tokio::time::Instant::now();
    world.propose()?;
    world.wait_promoted().await?;
    let promoted_in = clock.elapsed();
    let edited = world.edit()?;
    let clock = tokio::time::Instant::now();
    let (ended, calls) = world.roll_back().await?;
    let took = clock.elapsed();
    let wrong = world.wrong(&edited);
    let report = Report::of(&ended);
    let millis = took.as_millis().max(1);
    let told = json!({ "records": world.leads.len(), "edited": edited.len(),
        "promoted_in_ms": u64::try_from(promoted_in.as_millis())?, "rolled_back_in_ms": u64::try_from(millis)?,
        "records_a_second": u64::try_from(u128::from(args.records) * 1000 / millis)?, "api_calls": calls,
        "restored": report.restored, "spared": report.spared, "conflicted": report.conflicted,
        "failed": report.failed, "not_as_expected": wrong });
    world.stop().await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        print(&told, &wrong);
    }
    Ok(if wrong.is_empty() { Exit::Done } else { Exit::Failed })
}

fn print(told: &Value, wrong: &[String]) {
    println!("promoted {} changes in {} ms", told["records"], told["promoted_in_ms"]);
    println!("people edited {} of them", told["edited"]);
    println!(
        "planned and rolled back in {} ms: {} records a second, {} API calls",
        told["rolled_back_in_ms"], told["records_a_second"], told["api_calls"]
    );
    println!(
        "restored {}, spared {}, conflicted {}, failed {}",
        told["restored"], told["spared"], told["conflicted"], told["failed"]
    );
    for line in wrong.iter().take(10) {
        println!("NOT AS EXPECTED  {line}");
    }
    match wrong.len() {
        0 => println!("every record was checked: all as expected"),
        count => println!("{count} record(s) are not as expected"),
    }
}

impl World {
    async fn start(records: usize) -> anyhow::Result<Self> {
        let package = Package::embedded()
            .map_err(|problems| anyhow::anyhow!("the shipped package has {} problem(s)", problems.len()))?;
        let org = Org::new(OrgOptions::new(Clock::system(), package))?;
        let leads = seed::bulk_leads(&org, records);
        ensure!(org.set_setting("Lead_Status_Auto__c", true), "the package has the switch");
        let running = server::start(org.clone(), ServerOptions::default()).await?;
        let folder = tempfile::Builder::new().prefix("countersign-drill").tempdir()?;
        let side = open(&running, &folder).await?;
        let front = Front::open(&side.settings, None).await?;
        let daemon = Daemon::start(&side, &front).await?;
        let daemon = anyhow::Context::context(daemon, "a ledger in a file is led at once")?;
        Ok(Self { org, running, side, daemon, leads, folder })
    }

    /// Writes as one of the seeded users, 200 rows in a save.
    fn write(&self, role: &str, rows: &[(&String, Map<String, Value>)]) -> anyhow::Result<()> {
        let user = self.org.user(role).ok_or_else(|| anyhow::anyhow!("the org has no `{role}`"))?;
        for chunk in rows.chunks(ROWS) {
            let rows = chunk.iter().map(|(id, fields)| WriteRow {
                op: WriteOp::Update,
                object: "Lead".to_owned(),
                id: Some((*id).clone()),
                fields: fields.clone(),
            });
            for result in self.org.write(&user, &WriteOptions::default(), rows.collect()) {
                let first = result.errors.first().map(|error| format!("{}: {}", error.code, error.message));
                ensure!(first.is_none(), "the org refused a row of the drill: {first:?}");
            }
        }
        Ok(())
    }

    fn propose(&self) -> anyhow::Result<()> {
        let now = self.side.context.clock.now().to_string();
        let proposal = |n: usize| {
            object(json!({ "AI_Proposal_ID__c": format!("drill:{n}"), "AI_Recommended_Status__c": PROMOTED,
                "AI_Status_Confidence__c": 0.95, "AI_Last_Evaluated_At__c": now, "AI_Gate_Pending__c": true }))
        };
        let rows: Vec<_> = self.leads.iter().enumerate().map(|(n, id)| (id, proposal(n))).collect();
        self.write("proposer", &rows)
    }

    async fn wait_promoted(&self) -> anyhow::Result<()> {
        let (mut last, mut since) = (0, tokio::time::Instant::now());
        loop {
            let counts = self.side.context.ledger.counts().await?;
            let promoted = counts.stages.get(&Stage::Promoted).copied().unwrap_or(0);
            if usize::try_from(promoted)? == self.leads.len() {
                return Ok(());
            }
            if promoted > last {
                (last, since) = (promoted, tokio::time::Instant::now());
            }
            ensure!(since.elapsed() < PATIENCE, "{promoted} were promoted, and then no more");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn edit(&self) -> anyhow::Result<BTreeSet<String>> {
        let edited: Vec<&String> = self.leads.iter().step_by(EDIT_EVERY).collect();
        let rows: Vec<_> = edited.iter().map(|id| (*id, object(json!({ "Status": EDITED })))).collect();
        self.write("admin", &rows)?;
        Ok(edited.into_iter().cloned().collect())
    }

    /// As the command does it, with a connection of its own beside the daemon.
    async fn roll_back(&self) -> anyhow::Result<(Ended, u64)> {
        let side = open(&self.running, &self.folder).await?;
        let before = side.promoter.calls();
        let agent = self.org.user("proposer").map(|user| user.user_id);
        let choice = Choice { agent, ..Choice::default() };
        let chosen = rollback_many::choose(&side.context, &choice).await?;
        let shown = Some(rollback_many::plan(&side.context, &chosen).await?.digest()?);
        let promoter = Promoter::new(side.context.clone(), side.promoter_writer());
        let asked = Asked { choice, shown, by: "drill".to_owned(), reason: "a drill".to_owned() };
        let ended = rollback_many::apply(&side.context, &promoter, asked, &mut |_, _| {}).await?;
        let calls = side.promoter.calls() - before;
        side.context.ledger.close().await?;
        Ok((ended, calls))
    }

    /// Records that are not as they should be, each with what was found.
    fn wrong(&self, edited: &BTreeSet<String>) -> Vec<String> {
        let found = |id: &String| {
            let row = self.org.row("Lead", id);
            row.and_then(|row| row.get("Status").map(ToString::to_string)).unwrap_or_default()
        };
        let check = |id: &String| {
            let (expected, found) = (if edited.contains(id) { EDITED } else { BEFORE }, found(id));
            (found != expected).then(|| format!("Lead {id} holds `{found}`, expected `{expected}`"))
        };
        self.leads.iter().filter_map(check).collect()
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.daemon.stop().await?;
        self.side.context.ledger.close().await?;
        self.running.shutdown().await?;
        Ok(())
    }
}

async fn open(running: &RunningOrg, folder: &tempfile::TempDir) -> anyhow::Result<OrgSide> {
    let http = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = settings::for_org(running, folder.path().join("ledger.db"), http)?;
    OrgSide::open(settings, Clock::system()).await
}

fn object(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
