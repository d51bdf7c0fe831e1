//! The story of one proposal: what it would change, every entry about it, and the rollbacks.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Value, json};

use crate::{
    cli::{
        show::{safe, short},
        tables::{Cell, Page, Table},
    },
    domain::{Digest, Proposal, ProposalId, Rollback, Stage},
    gate::Verdict,
    ledger::{Ledger, LedgerError, ProposalRecord, StoredEntry},
};

/// What a person does with one that waits.
const NEXT: &str = "Next: a reviewer sets AI_Decision__c and AI_Decision_Proposal_ID__c on the record.";
/// Most entries that the page tells one by one; the other forms have all.
const MOST: usize = 1_000;
/// Longest text of a cell; the other forms have all of it.
const MOST_CELL: usize = 2_000;

/// A proposal with everything that the ledger says about it.
pub struct Story {
    record: ProposalRecord,
    /// Oldest first.
    entries: Vec<StoredEntry>,
    /// The rollbacks that the story's promotions belong to.
    rollbacks: Vec<Rollback>,
}

impl Story {
    /// Reads it; `None`: there is no such proposal.
    pub async fn read(ledger: &Ledger, id: &ProposalId) -> Result<Option<Self>, LedgerError> {
        let Some(record) = ledger.proposal(id).await? else { return Ok(None) };
        let entries = ledger.entries_for_proposal(id).await?;
        let rollbacks = rollbacks(ledger, &entries).await?;
        Ok(Some(Self { record, entries, rollbacks }))
    }

    /// For scripts.
    pub fn json(&self) -> Value {
        let proposal = &self.record.proposal;
        let one = |stored: &StoredEntry| json!({ "seq": stored.entry.seq, "at": stored.entry.at, "hash": stored.hash, "event": stored.event });
        json!({ "proposal_id": proposal.id, "stage": self.record.stage.name(), "edited_from": proposal.edited_from,
            "entries": self.entries.iter().map(one).collect::<Vec<_>>(), "rollbacks": self.rollbacks })
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let (proposal, stage) = (&self.record.proposal, self.record.stage);
        let mut out = String::new();
        let what = safe(&what_of(proposal));
        let _ = writeln!(out, "{}  {what} {}  {}", proposal.id, proposal.record, stage.name());
        for (field, value) in &proposal.patch {
            let base = proposal.base.get(field).cloned().unwrap_or_default();
            let _ = writeln!(out, "  {field}: {} → {}", safe(&base.to_string()), safe(&value.to_string()));
        }
        for words in self.about() {
            let _ = writeln!(out, "  {}", safe(&words));
        }
        out.push('\n');
        for stored in &self.entries {
            let (seq, at) = (&stored.entry.seq, &stored.entry.at);
            let _ = writeln!(out, "  #{seq:<6} {at}  {}", safe(&sentence(stored)));
        }
        for rollback in &self.rollbacks {
            let _ = writeln!(out, "  {}", safe(&undone(rollback)));
        }
        if stage == Stage::AwaitingApproval {
            let _ = writeln!(out, "\n{NEXT}");
        }
        out
    }

    /// As a page.
    pub fn page(&self) -> Page {
        let (proposal, stage) = (&self.record.proposal, self.record.stage);
        let mut words = vec![format!("{} {}: {}", what_of(proposal), proposal.record, stage.name())];
        words.extend(self.about().into_iter().map(|words| short(&words, MOST_CELL)));
        if stage == Stage::AwaitingApproval {
            words.push(NEXT.to_owned());
        }
        let mut tables = vec![self.changes(), self.entries()];
        if !self.rollbacks.is_empty() {
            tables.push(Table {
                title: "Rollbacks".to_owned(),
                empty: "",
                head: vec!["What"],
                rows: self.rollbacks.iter().map(|one| vec![Cell::Text(undone(one))]).collect(),
            });
        }
        Page { title: format!("Proposal {}", proposal.id), words, tables }
    }

    fn changes(&self) -> Table {
        let proposal = &self.record.proposal;
        let rows = proposal.patch.iter().map(|(field, value)| {
            let base = proposal.base.get(field).cloned().unwrap_or_default();
            vec![
                Cell::Name(field.to_string()),
                Cell::Text(short(&base.to_string(), MOST_CELL)),
                Cell::Text(short(&value.to_string(), MOST_CELL)),
            ]
        });
        Table {
            title: "What was proposed".to_owned(),
            empty: "Its values were erased.",
            head: vec!["Field", "From", "To"],
            rows: rows.collect(),
        }
    }

    fn entries(&self) -> Table {
        let rows = self.entries.iter().take(MOST).map(|stored| {
            vec![
                Cell::Name(format!("#{}", stored.entry.seq)),
                Cell::Name(stored.entry.at.clone()),
                Cell::Text(short(&sentence(stored), MOST_CELL)),
            ]
        });
        Table {
            title: match self.entries.len() {
                0..=MOST => "What happened".to_owned(),
                all => format!("What happened, the first {MOST} of {all} entries"),
            },
            empty: "Nothing yet.",
            head: vec!["Entry", "When", "What"],
            rows: rows.collect(),
        }
    }

    /// What else the proposer said.
    fn about(&self) -> Vec<String> {
        let proposal = &self.record.proposal;
        let edited = proposal.edited_from.as_ref().map(|original| {
            let by = &proposal.actor.agent;
            format!("edited from {original} by {by}, who decided on it in the same save")
        });
        let reason = proposal.reason.as_ref().map(|reason| format!("the proposer says: {reason}"));
        edited.into_iter().chain(reason).collect()
    }
}

/// The object, and of a record to be made the rule and what it hangs on.
fn what_of(proposal: &Proposal) -> String {
    match &proposal.creates {
        Some(creates) => format!("new {} ({}) below {}", proposal.object, creates.rule, creates.parent),
        None => proposal.object.to_string(),
    }
}

fn undone(rollback: &Rollback) -> String {
    let (id, at, by) = (rollback.id.short(), rollback.at, &rollback.by);
    format!("rollback {id} at {at} asked for by {by}: {}", rollback.reason)
}

async fn rollbacks(ledger: &Ledger, entries: &[StoredEntry]) -> Result<Vec<Rollback>, LedgerError> {
    let named =
        |stored: &StoredEntry| stored.event.pointer("/promotion/rollback")?.as_str().map(str::to_owned);
    let ids: BTreeSet<String> = entries.iter().filter_map(named).collect();
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(ledger.rollback(&Digest::from_hex(id)).await?.map(|begun| begun.rollback));
    }
    Ok(found)
}

/// One entry in one line. The words of agents and records in it are data.
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
    words.trim_end().to_owned()
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
