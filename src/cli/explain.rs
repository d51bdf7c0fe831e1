//! `countersign explain CODE|PROPOSAL`: what a code means, or the whole story of a proposal.

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use super::{Exit, ExitWith, show::safe, status};
use crate::{
    domain::{Digest, Proposal, ProposalId, Rollback, Stage},
    gate::{FindingCode, Verdict, explain},
    ledger::{Ledger, StoredEntry},
    salesforce::GateRule,
};

/// Explain a finding code, or tell the story of a proposal.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A code such as `base-moved` or `AI_GATE_16`, or a proposal id; without one, all codes are listed.
    #[arg(value_name = "CODE|PROPOSAL")]
    what: Option<String>,
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

/// Prints the page of a code, or the entries of a proposal.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let Some(what) = args.what else { return list(args.json) };
    if let Some(page) = explain::page(what.trim()) {
        if args.json {
            println!("{}", serde_json::to_string_pretty(&page)?);
        } else {
            print!("{page}");
        }
        return Ok(Exit::Done);
    }
    if let Some(rule) = GateRule::of_code(what.trim()) {
        return org_rule(rule, args.json);
    }
    let unknown = || {
        let what = safe(&what);
        ExitWith::usage(format!(
            "`{what}` is neither a code nor a proposal here; `countersign explain` lists the codes"
        ))
    };
    let id = ProposalId::parse(&what).map_err(|_| unknown())?;
    let ledger = status::open(args.ledger, args.config).await?;
    let record = ledger.proposal(&id).await?.ok_or_else(unknown)?;
    let entries = ledger.entries_for_proposal(&id).await?;
    let rollbacks = rollbacks(&ledger, &entries).await?;
    if args.json {
        let story: Vec<Value> = entries
            .iter()
            .map(|stored| json!({ "seq": stored.entry.seq, "at": stored.entry.at, "hash": stored.hash, "event": stored.event }))
            .collect();
        let edited_from = &record.proposal.edited_from;
        let stage = record.stage.name();
        println!(
            "{}",
            json!({ "proposal_id": id, "stage": stage, "edited_from": edited_from, "entries": story,
                "rollbacks": rollbacks })
        );
        return Ok(Exit::Done);
    }
    println!("{id}  {} {}  {}", what_of(&record.proposal), record.proposal.record, record.stage.name());
    for (field, value) in &record.proposal.patch {
        let base = record.proposal.base.get(field).cloned().unwrap_or_default();
        println!("  {field}: {} → {}", safe(&base.to_string()), safe(&value.to_string()));
    }
    if let Some(original) = &record.proposal.edited_from {
        println!(
            "  edited from {original} by {}, who decided on it in the same save",
            record.proposal.actor.agent
        );
    }
    if let Some(reason) = &record.proposal.reason {
        println!("  the proposer says: {}", safe(reason));
    }
    println!();
    for stored in &entries {
        println!("  #{:<6} {}  {}", stored.entry.seq, stored.entry.at, sentence(stored));
    }
    for rollback in &rollbacks {
        let (by, reason) = (safe(&rollback.by), safe(&rollback.reason));
        println!("  rollback {} at {} asked for by {by}: {reason}", rollback.id.short(), rollback.at);
    }
    if record.stage == Stage::AwaitingApproval {
        println!("\nNext: a reviewer sets AI_Decision__c and AI_Decision_Proposal_ID__c on the record.");
    }
    Ok(Exit::Done)
}

/// The object, and of a record to be made the rule and what it hangs on.
fn what_of(proposal: &Proposal) -> String {
    match &proposal.creates {
        Some(creates) => {
            format!("new {} ({}) below {}", proposal.object, safe(&creates.rule), creates.parent)
        }
        None => proposal.object.to_string(),
    }
}

/// The rollbacks that the story's promotions belong to.
async fn rollbacks(ledger: &Ledger, entries: &[StoredEntry]) -> anyhow::Result<Vec<Rollback>> {
    let named =
        |stored: &StoredEntry| stored.event.pointer("/promotion/rollback")?.as_str().map(str::to_owned);
    let ids: BTreeSet<String> = entries.iter().filter_map(named).collect();
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(ledger.rollback(&Digest::from_hex(id)).await?.map(|begun| begun.rollback));
    }
    Ok(found)
}

fn list(json: bool) -> anyhow::Result<Exit> {
    if json {
        println!("{}", serde_json::to_string_pretty(&explain::pages())?);
        return Ok(Exit::Done);
    }
    let width = FindingCode::ALL.iter().map(|code| code.as_str().len()).max().unwrap_or_default();
    for page in explain::pages() {
        let code = page.code.as_str();
        println!("{code:width$}  {:12}  {}", page.outcome.unwrap_or("note"), page.refuses);
    }
    for rule in GateRule::ALL {
        println!("{:width$}  {:12}  {}", rule.code(), "org refuses", rule.refuses());
    }
    Ok(Exit::Done)
}

/// What a rule of the org refuses, and what to do.
fn org_rule(rule: GateRule, json: bool) -> anyhow::Result<Exit> {
    if json {
        println!("{}", json!({ "code": rule.code(), "refuses": rule.refuses(), "fix": rule.fix() }));
    } else {
        println!("{rule}  (a validation rule of the package, in the org)\n");
        println!("What it refuses\n  {}\n\nHow to fix\n  {}", rule.refuses(), rule.fix());
    }
    Ok(Exit::Done)
}

/// One entry in one line.
fn sentence(stored: &StoredEntry) -> String {
    let event = &stored.event;
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
    let words = match stored.entry.kind.as_str() {
        "proposal_received" => received(&text("/proposal/door"), &text("/proposal/actor/agent")),
        "verdict_reached" => verdict_words(event),
        "decision_observed" => format!("{} by {}", text("/approval/decision"), text("/approval/decided_by")),
        "stage_changed" => stage_words(&text("/stage"), &text("/code"), &text("/successor")),
        "promotion_intended" => {
            let what = match text("/promotion/plan/making/what").as_str() {
                "create" => ", make a record",
                "cancel" => ", cancel the record",
                _ => "",
            };
            format!("intent {} ({}{what})", text("/promotion/id"), text("/promotion/plan/basis"))
        }
        "promotion_settled" => {
            format!("promotion {} {}", text("/settlement/state"), text("/settlement/reason"))
        }
        "promotion_confirmed" => {
            let made = text("/proof/record");
            let made = if made.is_empty() { made } else { format!("record {made}") };
            format!("landing proven by {} {}{made}", text("/proof/by"), text("/proof/transaction_key"))
        }
        "notice_intended" => format!("the record is told: {}", text("/text")),
        other => other.replace('_', " "),
    };
    safe(words.trim_end())
}

fn stage_words(stage: &str, code: &str, successor: &str) -> String {
    match successor {
        "" => format!("{stage} ({code})"),
        _ if code == "edited" => format!("{stage} (edited as {successor})"),
        _ => format!("{stage} ({code} by {successor})"),
    }
}

/// Through which door it came, and from whom, where that says more than the door.
fn received(door: &str, agent: &str) -> String {
    match (door, agent) {
        ("record", "unknown" | "") => "found on the record".to_owned(),
        ("record", user) => format!("found on the record, saved by {user}"),
        (_, "cli" | "") => "received by command".to_owned(),
        (_, agent) => format!("received by command from {agent}"),
    }
}

fn verdict_words(event: &Value) -> String {
    let verdict = event.get("verdict").cloned().unwrap_or_default();
    match serde_json::from_value::<Verdict>(verdict) {
        Ok(verdict) => {
            let codes: Vec<String> =
                verdict.findings.iter().map(|finding| finding.code.to_string()).collect();
            format!(
                "verdict {}: {} (policy {})",
                verdict.outcome.name(),
                codes.join(", "),
                verdict.policy.short()
            )
        }
        Err(_) => "verdict".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{received, stage_words};

    #[test]
    fn a_displaced_proposal_names_its_successor() {
        assert_eq!(stage_words("superseded", "edited", "p-1~x"), "superseded (edited as p-1~x)");
        assert_eq!(stage_words("superseded", "superseded", "p-2"), "superseded (superseded by p-2)");
        assert_eq!(stage_words("superseded", "withdrawn", ""), "superseded (withdrawn)");
    }

    #[test]
    fn the_door_is_told_one_time() {
        assert_eq!(received("cli", "cli"), "received by command");
        assert_eq!(received("cli", "nightly-enricher"), "received by command from nightly-enricher");
        assert_eq!(
            received("record", "005Cs0000000002IAA"),
            "found on the record, saved by 005Cs0000000002IAA"
        );
    }
}
