//! Replay: recorded decisions made again, under the rules of then and under candidates.
//!
//! A ledger is filled with decisions on the shipped policies (the golden cases in turn, under ids of
//! their own), through the same appends as the daemon's; then `workflow::replay` reads it.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use countersign::{
    clock::Clock,
    config::policies,
    domain::{Policy, Proposal, ProposalId, RecordId, Stage, event::Event},
    gate::{Recorded, Rules, golden::GoldenCase},
    ledger::{Ledger, OpenOptions},
    workflow::replay::{Asked, replay},
};
use serde::Deserialize;

const DECISIONS: u64 = 100_000;
const PER_TRANSACTION: u64 = 1_000;
const CASES: &[&str] = &[
    include_str!("../config/policies/cases/lead-lifecycle.toml"),
    include_str!("../config/policies/cases/opportunity-pilot.toml"),
];

#[derive(Deserialize)]
struct File {
    case: Vec<GoldenCase>,
}

/// A decision to be recorded again and again.
struct Decided {
    proposal: Proposal,
    case: GoldenCase,
}

#[tokio::main]
async fn main() {
    let wanted = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(DECISIONS);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.db");
    let rules = Rules::new(policies::load(None).expect("the shipped policies")).expect("a digest");
    let began = Instant::now();
    fill(&path, &rules, wanted).await;
    let size = std::fs::metadata(&path).expect("a file").len() / 1_000_000;
    println!("{wanted} decisions recorded in {} s, {size} MB\n", shown(began.elapsed()));
    println!(
        "{:<28} {:>10} {:>12} {:>16} {:>10}",
        "", "seconds", "decisions/s", "s per million", "memory MB"
    );
    let before = resident();
    for (name, candidate) in
        [("rules of then, same bytes", None), ("candidates", Some(stricter(rules.policy())))]
    {
        let ledger = Ledger::open_read_only(&path).await.expect("the ledger");
        let began = Instant::now();
        let asked = Asked { candidate, switches: Vec::new(), after: 0 };
        let report = replay(&ledger, asked, &mut |_| {}).await.expect("a replay");
        let took = began.elapsed();
        assert_eq!((report.replayed, report.differing), (wanted, 0), "every decision is made again");
        let rate = u128::from(wanted) * 1_000_000 / took.as_micros().max(1);
        let million = took / u32::try_from(wanted).expect("a number that fits") * 1_000_000;
        let grown = resident().saturating_sub(before);
        println!("{name:<28} {:>10} {rate:>12} {:>16} {grown:>10}", shown(took), shown(million));
    }
}

/// Seconds with one digit after the point.
fn shown(time: Duration) -> String {
    format!("{}.{}", time.as_secs(), time.subsec_millis() / 100)
}

/// Every confidence threshold of a field raised.
fn stricter(policy: &Policy) -> Rules {
    let mut policy = policy.clone();
    for rules in policy.objects.values_mut().flat_map(|object| object.fields.values_mut()) {
        rules.min_confidence = Some("0.95".parse().expect("a decimal"));
    }
    Rules::new(policy).expect("a digest")
}

async fn fill(path: &Path, rules: &Rules, wanted: u64) {
    let clock = Clock::system();
    let org_id = "00DCs0000000001MAA".to_owned();
    let options = OpenOptions { path: path.to_owned(), org_id, clock, create: true };
    let ledger = Ledger::open(options).await.expect("a new ledger");
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

async fn events(
    tx: &mut countersign::ledger::Tx<'_>,
    decided: &Decided,
    (rules, place): (&Rules, u64),
) -> [Event; 2] {
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
    let verdict = serde_json::to_value(&verdict).expect("JSON");
    let input = Some(serde_json::to_value(&recorded).expect("JSON"));
    let (proposal_id, stage) = (proposal.id.clone(), Stage::Refused);
    [Event::ProposalReceived { proposal }, Event::VerdictReached { proposal_id, stage, verdict, input }]
}

fn cases(rules: &Rules) -> Vec<Decided> {
    let files = CASES.iter().map(|text| toml::from_str::<File>(text).expect("the shipped cases"));
    let cases = files.flat_map(|file| file.case);
    let decided = cases.map(|case| {
        let (_, proposal) = case.look(rules, |input, _| input.proposal.clone()).expect("a case that runs");
        Decided { proposal, case }
    });
    decided.collect()
}

/// Resident memory of this process in megabytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let fields: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(':')).collect();
    let kilobytes = fields.get("VmRSS").and_then(|value| value.trim().strip_suffix(" kB"));
    kilobytes.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0) / 1000
}
