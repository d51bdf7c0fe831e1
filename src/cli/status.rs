//! `countersign status` and `countersign proposals`: what the ledger holds, read beside the daemon.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use jiff::Timestamp;
use serde_json::json;

use super::{
    Exit, place,
    show::{safe, short, span, table},
    tables::{Cell, Table},
};
use crate::{
    domain::{BreakGlassUse, Freeze, RecordId, Stage, break_glass::Seen, shadow::lane::LaneAct},
    ledger::{Counts, Lease, Ledger, LedgerError, ProposalFilter, ProposalRecord},
};

/// How many uses of break-glass are listed.
const LAST_USES: usize = 5;
/// Longest cell of a page that holds values of a record.
const MOST_CELL: usize = 160;

/// Counts by stage, the oldest waiting proposal, and the head of the chain.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Ledger: a file, or the URL of a PostgreSQL database; without it the one of the settings.
    #[arg(long, value_name = "PLACE")]
    ledger: Option<String>,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

/// What the ledger holds, in short.
pub struct Standing {
    /// In numbers.
    pub counts: Counts,
    /// How often people went around the rules, oldest first.
    pub broken: Vec<BreakGlassUse>,
    /// What people or the daemon froze.
    pub frozen: Vec<Freeze>,
    /// What the daemon waits for, as it noted it.
    pub waiting: Option<String>,
    /// The last act on each lane that only recorded.
    pub lanes: Vec<LaneAct>,
    /// Who leads, where several replicas may.
    pub lease: Option<Lease>,
}

impl Standing {
    /// Reads it.
    pub async fn read(ledger: &Ledger) -> Result<Self, LedgerError> {
        Ok(Self {
            counts: ledger.counts().await?,
            broken: ledger.break_glass_uses().await?,
            frozen: ledger.freezes().await?,
            waiting: ledger.told_waiting().await?,
            lanes: ledger.lanes().await?,
            lease: ledger.lease().await?,
        })
    }

    fn json(&self) -> serde_json::Result<serde_json::Value> {
        let mut json = serde_json::to_value(&self.counts)?;
        json["break_glass_uses"] = serde_json::to_value(&self.broken)?;
        json["frozen"] = serde_json::to_value(&self.frozen)?;
        json["waiting"] = serde_json::to_value(&self.waiting)?;
        json["lanes"] = serde_json::to_value(&self.lanes)?;
        json["lease_is_held"] = serde_json::to_value(self.lease.map(|lease| lease.is_held))?;
        Ok(json)
    }

    /// Who leads, in words.
    pub fn leader(&self) -> String {
        let epoch = self.counts.epoch;
        match self.lease {
            None => format!("epoch {epoch}"),
            Some(lease) if lease.is_held => format!("epoch {epoch}, its lease is held"),
            Some(_) => format!("epoch {epoch}, its lease has run out"),
        }
    }
}

/// Prints the state of the ledger.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let ledger = open(args.ledger, args.config).await?;
    let standing = Standing::read(&ledger).await?;
    if args.json {
        println!("{}", standing.json()?);
        return Ok(Exit::Done);
    }
    let Standing { counts, broken, frozen, waiting, lanes, .. } = &standing;
    let mut rows = vec![vec!["stage".to_owned(), "proposals".to_owned()]];
    rows.extend(counts.stages.iter().map(|(stage, count)| vec![stage.name().to_owned(), count.to_string()]));
    print!("{}", table(&rows));
    let by_state = counts.promotions_by_state.iter().map(|(state, count)| format!(" {state} {count}"));
    println!("open promotions     {}{}", counts.promotions_open, by_state.collect::<String>());
    println!("landed, no proof    {}", counts.promotions_unconfirmed);
    println!("inbox waiting       {} batches", counts.inbox_waiting);
    match &counts.oldest_awaiting {
        Some(since) => println!("oldest waiting for a person since {since}"),
        None => println!("nothing waits for a person"),
    }
    if let Some(words) = waiting {
        println!("WAITING             {}", safe(words));
    }
    for freeze in frozen {
        let (scope, by) = (safe(&freeze.scope.to_string()), safe(&freeze.by));
        println!("FROZEN              {scope} since {} by {by}: {}", freeze.since, safe(&freeze.reason));
    }
    for act in lanes {
        println!("lane                {}", super::shadow::act_words(act));
    }
    break_glass(broken);
    println!("lead                {}", standing.leader());
    println!("chain               {} entries, head {}", counts.head_seq, counts.head_hash.short());
    if let Some(at) = &counts.head_at {
        println!("last entry          {at}");
    }
    Ok(Exit::Done)
}

/// How often people went around the rules, and the last few times.
fn break_glass(uses: &[BreakGlassUse]) {
    if uses.is_empty() {
        println!("break-glass         never used");
        return;
    }
    println!("break-glass         used {} time(s); the last:", uses.len());
    for used in uses.iter().rev().take(LAST_USES) {
        let by = used.by.as_ref().map_or("unknown", RecordId::as_str);
        let by = if used.seen == Seen::Event { format!("by {by}") } else { format!("last saved by {by}") };
        let reason = used.reason.as_deref().map_or("(erased)".to_owned(), safe);
        println!("  {} {} {} {by}: {reason}", used.at, used.object, used.record);
    }
}

/// Lists proposals, newest first unless asked otherwise.
#[derive(Debug, ClapArgs)]
pub struct ProposalsArgs {
    /// Only this stage, for example `awaiting-approval`.
    #[arg(long, value_parser = parse_stage)]
    stage: Option<Stage>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Those that came in first, in place of the newest.
    #[arg(long)]
    oldest: bool,
    /// Ledger: a file, or the URL of a PostgreSQL database; without it the one of the settings.
    #[arg(long, value_name = "PLACE")]
    ledger: Option<String>,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Prints the proposals that match.
pub async fn proposals(args: ProposalsArgs) -> anyhow::Result<Exit> {
    let ledger = open(args.ledger, args.config).await?;
    let filter = ProposalFilter { stage: args.stage, limit: args.limit, oldest_first: args.oldest };
    let found = ledger.proposals(&filter).await?;
    if args.json {
        for record in &found {
            println!("{}", line(record));
        }
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        println!("no proposals");
        return Ok(Exit::Done);
    }
    let mut rows = vec![["proposal", "stage", "record", "change", "promotion"].map(str::to_owned).to_vec()];
    rows.extend(found.iter().map(cells));
    print!("{}", table(&rows));
    Ok(Exit::Done)
}

fn cells(record: &ProposalRecord) -> Vec<String> {
    let proposal = &record.proposal;
    let change: Vec<String> =
        proposal.patch.iter().map(|(field, value)| safe(&format!("{field} → {value}"))).collect();
    vec![
        match &proposal.edited_from {
            Some(original) => format!("{} (edited from {original})", proposal.id),
            None => proposal.id.to_string(),
        },
        record.stage.name().to_owned(),
        format!("{} {}", proposal.object, proposal.record),
        change.join(", "),
        record.promotion.as_ref().map_or_else(String::new, ToString::to_string),
    ]
}

/// The same as a table of a page, with the stages where they may differ; `stories` is where a proposal is
/// told.
pub fn rows(found: &[ProposalRecord], now: Timestamp, with_stages: bool, stories: &str) -> Table {
    let row = |record: &ProposalRecord| {
        let proposal = &record.proposal;
        let change = proposal.patch.iter().map(|(field, value)| format!("{field} → {value}"));
        let link = Cell::Link(proposal.id.to_string(), format!("{stories}/{}", proposal.id));
        let stage = with_stages.then(|| Cell::Name(record.stage.name().to_owned()));
        let rest = [
            Cell::Text(short(&change.collect::<Vec<_>>().join(", "), MOST_CELL)),
            Cell::Name(format!("{} {}", proposal.object, proposal.record)),
            Cell::Text(proposal.actor.agent.clone()),
        ];
        let age = Cell::Name(span(now, proposal.received_at));
        [link, age].into_iter().chain(stage).chain(rest).collect()
    };
    let head = ["Proposal", "Age"].into_iter().chain(with_stages.then_some("Stage"));
    Table {
        title: String::new(),
        empty: "There are none.",
        head: head.chain(["Change", "Record", "Agent"]).collect(),
        rows: found.iter().map(row).collect(),
    }
}

fn line(record: &ProposalRecord) -> serde_json::Value {
    json!({
        "proposal_id": record.proposal.id, "stage": record.stage.name(),
        "object": record.proposal.object, "record_id": record.proposal.record,
        "patch": record.proposal.patch, "promotion": record.promotion,
        "received_at": record.proposal.received_at, "edited_from": record.proposal.edited_from,
    })
}

/// The stage with this name, or the names that there are.
pub fn parse_stage(text: &str) -> Result<Stage, String> {
    let all = Stage::ALL;
    all.iter().copied().find(|stage| stage.name() == text).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|stage| stage.name()).collect();
        format!("expected one of: {}", names.join(", "))
    })
}

/// Opens a ledger for reading: the given one, or the one of the settings.
pub async fn open(ledger: Option<String>, config: Option<PathBuf>) -> anyhow::Result<Ledger> {
    let place = place::given(ledger, config.as_deref())?;
    Ok(Ledger::open_read_only(&place).await?)
}
