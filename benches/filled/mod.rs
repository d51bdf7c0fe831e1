//! A ledger that is filled with decisions on the shipped policies (the golden cases in turn, under
//! ids of their own), through the same appends as the daemon's.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use countersign::{
    clock::Clock,
    domain::{Proposal, ProposalId, RecordId, Stage, event::Event},
    gate::{Recorded, Rules, Verdict, golden::GoldenCase},
    ledger::{Ledger, OpenOptions, Tx},
};
use serde::Deserialize;

const PER_TRANSACTION: u64 = 1_000;
const CASES: &[&str] = &[
    include_str!("../../config/policies/cases/lead-lifecycle.toml"),
    include_str!("../../config/policies/cases/opportunity-pilot.toml"),
];

#[derive(Deserialize)]
struct File {
    case: Vec<GoldenCase>,
}

/// A decision to be recorded again and again.
pub struct Decided {
    proposal: Proposal,
    case: GoldenCase,
}

/// A decision under an id of its own.
pub struct Made {
    pub proposal: Proposal,
    pub recorded: Recorded,
    pub verdict: Verdict,
}

/// Seconds with one digit after the point.
pub fn shown(time: Duration) -> String {
    format!("{}.{}", time.as_secs(), time.subsec_millis() / 100)
}

/// Where the ledger stands, and whether it was there before: in a folder that goes with the run, or
/// in the file that the words of the command name, which stays and is used again.
pub fn place(words: &[String], folder: &Path) -> (PathBuf, bool) {
    let named = words.iter().skip_while(|word| *word != "--ledger").nth(1);
    let path = named.map_or_else(|| folder.join("ledger.db"), PathBuf::from);
    let is_there = path.exists();
    (path, is_there)
}

/// A new ledger with so many decisions: two entries each, besides what they rest on.
pub async fn fill(path: &Path, rules: &Rules, wanted: u64) {
    let ledger = new(path).await;
    let cases = cases(rules);
    let mut done = 0;
    while done < wanted {
        let mut tx = ledger.begin("filled").await.expect("a transaction");
        tx.keep_policy(rules.digest(), rules.policy()).await.expect("kept");
        for place in done..(done + PER_TRANSACTION).min(wanted) {
            let decided = &cases[(place % cases.len() as u64) as usize];
            for event in events(&mut tx, decided, (rules, place)).await {
                tx.append(&event).await.expect("appended");
            }
        }
        tx.commit().await.expect("committed");
        done += PER_TRANSACTION;
    }
    ledger.close().await.expect("closed");
}

/// A new ledger.
pub async fn new(path: &Path) -> Ledger {
    let clock = Clock::system();
    let org_id = "00DCs0000000001MAA".to_owned();
    let options = OpenOptions { place: path.into(), org_id, clock, create: true };
    Ledger::open(options).await.expect("a new ledger")
}

async fn events(tx: &mut Tx<'_>, decided: &Decided, (rules, place): (&Rules, u64)) -> [Event; 2] {
    let Made { proposal, recorded, verdict } = made(tx, decided, (rules, place)).await;
    let verdict = serde_json::to_value(&verdict).expect("JSON");
    let input = Some(serde_json::to_value(&recorded).expect("JSON"));
    let (proposal_id, stage) = (proposal.id.clone(), Stage::Refused);
    [Event::ProposalReceived { proposal }, Event::VerdictReached { proposal_id, stage, verdict, input }]
}

/// The decision under an id that the place gives; what it rests on is kept.
pub async fn made(tx: &mut Tx<'_>, decided: &Decided, (rules, place): (&Rules, u64)) -> Made {
    let mut proposal = decided.proposal.clone();
    proposal.id = ProposalId::parse(&format!("bench:{place}")).expect("an id");
    let short = format!("00QCs{place:010}");
    proposal.record = RecordId::parse(&RecordId::complete(&short).expect("an id")).expect("an id");
    let kept = decided.case.look(rules, |input, _| {
        let schema = input.schema.expect("cases have one").clone();
        (schema.digest().expect("a digest"), schema, input.record.clone(), input.approval.cloned())
    });
    let (_, (digest, schema, mut record, approval)) = kept.expect("a case that runs");
    tx.keep_schema(&digest, &schema).await.expect("kept");
    record.record = proposal.record.clone();
    let approval = approval.map(|mut approval| {
        approval.proposal_id = proposal.id.clone();
        approval.patch_digest = proposal.patch_digest().expect("a digest");
        approval
    });
    let recorded = Recorded {
        record,
        approval,
        history: countersign::gate::History::default(),
        schema: Some(digest),
        now: proposal.received_at,
    };
    let verdict = countersign::gate::decide(&recorded.input(&proposal, Some(&schema), rules));
    Made { proposal, recorded, verdict }
}

/// The golden cases of the shipped policies.
pub fn cases(rules: &Rules) -> Vec<Decided> {
    let files = CASES.iter().map(|text| toml::from_str::<File>(text).expect("the shipped cases"));
    let cases = files.flat_map(|file| file.case);
    let decided = cases.map(|case| {
        let (_, proposal) = case.look(rules, |input, _| input.proposal.clone()).expect("a case that runs");
        Decided { proposal, case }
    });
    decided.collect()
}

/// Resident memory of this process in megabytes.
pub fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let fields: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(':')).collect();
    let kilobytes = fields.get("VmRSS").and_then(|value| value.trim().strip_suffix(" kB"));
    kilobytes.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0) / 1000
}
