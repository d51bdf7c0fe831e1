//! `countersign status` and `countersign proposals`: what the ledger holds, read beside the daemon.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::json;

use super::{
    Exit, place,
    show::{safe, table},
};
use crate::{
    domain::{BreakGlassUse, RecordId, Stage, break_glass::Seen},
    ledger::{Ledger, ProposalFilter, ProposalRecord},
};

/// How many uses of break-glass are listed.
const LAST_USES: usize = 5;

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

/// Prints the state of the ledger.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let ledger = open(args.ledger, args.config).await?;
    let counts = ledger.counts().await?;
    let broken = ledger.break_glass_uses().await?;
    let frozen = ledger.freezes().await?;
    let waiting = ledger.told_waiting().await?;
    let lanes = ledger.lanes().await?;
    if args.json {
        let mut json = serde_json::to_value(&counts)?;
        json["break_glass_uses"] = serde_json::to_value(&broken)?;
        json["frozen"] = serde_json::to_value(&frozen)?;
        json["waiting"] = serde_json::to_value(&waiting)?;
        json["lanes"] = serde_json::to_value(&lanes)?;
        println!("{json}");
        return Ok(Exit::Done);
    }
    let mut rows = vec![vec!["stage".to_owned(), "proposals".to_owned()]];
    rows.extend(counts.stages.iter().map(|(stage, count)| vec![stage.name().to_owned(), count.to_string()]));
    print!("{}", table(&rows));
    println!("open promotions     {}", counts.promotions_open);
    println!("inbox waiting       {} batches", counts.inbox_waiting);
    match &counts.oldest_awaiting {
        Some(since) => println!("oldest waiting for a person since {since}"),
        None => println!("nothing waits for a person"),
    }
    if let Some(words) = &waiting {
        println!("WAITING             {}", safe(words));
    }
    for freeze in &frozen {
        let (scope, by) = (safe(&freeze.scope.to_string()), safe(&freeze.by));
        println!("FROZEN              {scope} since {} by {by}: {}", freeze.since, safe(&freeze.reason));
    }
    for act in &lanes {
        println!("lane                {}", super::shadow::act_words(act));
    }
    break_glass(&broken);
    println!("chain               {} entries, head {}", counts.head_seq, counts.head_hash.short());
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

/// Lists proposals, newest first.
#[derive(Debug, ClapArgs)]
pub struct ProposalsArgs {
    /// Only this stage, for example `awaiting-approval`.
    #[arg(long, value_parser = parse_stage)]
    stage: Option<Stage>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: usize,
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
    let filter = ProposalFilter { stage: args.stage, limit: args.limit };
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

fn line(record: &ProposalRecord) -> serde_json::Value {
    json!({
        "proposal_id": record.proposal.id, "stage": record.stage.name(),
        "object": record.proposal.object, "record_id": record.proposal.record,
        "patch": record.proposal.patch, "promotion": record.promotion,
        "received_at": record.proposal.received_at, "edited_from": record.proposal.edited_from,
    })
}

fn parse_stage(text: &str) -> Result<Stage, String> {
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
