//! The promotions benchmark: a daemon and a simulated org as processes of their own, on this
//! machine. `cargo bench --bench promotions` runs everything and prints a table;
//! `cargo bench --bench promotions -- 500` takes other sizes.
//!
//! Two loads: proposals that are approved and waiting when the daemon starts, and proposals that
//! are written and approved while it runs. The org counts the daemon's API calls by resource; the
//! ledger is read beside the daemon, which costs the org nothing.

/// Where `processes` asks for the ledger; here always a file.
mod databases {
    pub fn ledger(folder: &std::path::Path) -> String {
        folder.join("ledger.db").to_str().expect("a plain path").to_owned()
    }
}

#[expect(dead_code, reason = "the integration tests use the rest")]
#[path = "../tests/it/processes.rs"]
mod processes;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use countersign::{
    domain::Stage,
    ledger::{Counts, Ledger},
};
use processes::{OrgProcess, ServeProcess};
use serde_json::{Value, json};

const FIRST: &str = "Open - Not Contacted";
const NEXT: &str = "Working - Contacted";
/// Nothing takes longer than this, or the benchmark fails.
const LONGEST: Duration = Duration::from_secs(300);

/// How proposals reach the daemon.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    /// Approved before the daemon starts.
    Waiting,
    /// Written and approved while it runs.
    Arriving,
}

/// What one load gave.
struct Outcome {
    load: Load,
    proposals: usize,
    /// Until the last one was promoted.
    promoted: Duration,
    /// Until every one was proven as well.
    settled: Duration,
    entries: u64,
    calls: Calls,
    /// Resident memory in kB: before the load, at its height, after it.
    memory: [u64; 3],
}

/// API calls of the promoter by what they are for.
#[derive(Default)]
struct Calls {
    writes: u64,
    reads: u64,
    /// Once a start: who am I, what do the objects look like.
    setup: u64,
}

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![2_000, 10_000] } else { sizes };
    let mut outcomes = Vec::new();
    for size in sizes {
        for load in [Load::Waiting, Load::Arriving] {
            outcomes.push(run(load, size).await);
        }
    }
    print(&outcomes);
}

async fn run(load: Load, proposals: usize) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let org = OrgProcess::start(&["--settings", &org_settings(folder.path())]);
    let config = quiet(org.write_config(folder.path()));
    let ids = create(&org, proposals).await;
    if load == Load::Waiting {
        propose(&org, &ids).await;
        approve(&org, &ids).await;
    }
    let mut calls_before = calls(&org).await;
    let mut started = Instant::now();
    let serve = ServeProcess::start(&config);
    let ledger = ledger(&folder.path().join("ledger.db")).await;
    let mut before = memory(serve.id(), "VmRSS");
    let head = if load == Load::Arriving {
        // The first sweep and the start of the stream are not part of this load.
        tokio::time::sleep(Duration::from_secs(2)).await;
        before = memory(serve.id(), "VmRSS");
        calls_before = calls(&org).await;
        started = Instant::now();
        let head = counts(&ledger).await.head_seq;
        propose(&org, &ids).await;
        approve(&org, &ids).await;
        head
    } else {
        0
    };
    until("all are promoted", &ledger, |now| now.stages.get(&Stage::Promoted) == Some(&(proposals as u64)))
        .await;
    let promoted = started.elapsed();
    let last = until("all are proven", &ledger, |now| {
        now.promotions_unconfirmed == 0 && now.promotions_open == 0 && now.inbox_waiting == 0
    })
    .await;
    let settled = started.elapsed();
    let height = memory(serve.id(), "VmHWM");
    let after = memory(serve.id(), "VmRSS");
    let calls = calls(&org).await.since(&calls_before);
    assert_eq!(serve.terminate(), 0, "the daemon stops in order");
    Outcome {
        load,
        proposals,
        promoted,
        settled,
        entries: last.head_seq - head,
        calls,
        memory: [before, height, after],
    }
}

fn org_settings(folder: &Path) -> String {
    let path = folder.join("org-settings.json");
    let settings = json!({ "daily-api-requests": 10_000_000, "daily-event-deliveries": 10_000_000 });
    fs::write(&path, settings.to_string()).expect("the org's settings are written");
    path.display().to_string()
}

fn quiet(config: PathBuf) -> PathBuf {
    let text = fs::read_to_string(&config).expect("the settings are readable");
    fs::write(&config, format!("{text}\n[log]\nlevel = \"warn\"\n")).expect("the settings are written");
    config
}

async fn create(org: &OrgProcess, count: usize) -> Vec<String> {
    let leads: Vec<Value> = (0..count)
        .map(|n| {
            json!({ "attributes": { "type": "Lead" }, "LastName": format!("Lead {n}"),
                    "Company": "Benchmark Example", "Status": FIRST })
        })
        .collect();
    org.collections("admin", "POST", &leads).await
}

async fn propose(org: &OrgProcess, ids: &[String]) {
    let rows: Vec<Value> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| {
            json!({ "attributes": { "type": "Lead" }, "id": id, "AI_Proposal_ID__c": format!("bench:{n}"),
                    "AI_Recommended_Status__c": NEXT, "AI_Status_Confidence__c": 0.8,
                    "AI_Status_Reason__c": "The lead answered the invented mail.",
                    "AI_Gate_Pending__c": true })
        })
        .collect();
    org.collections("proposer", "PATCH", &rows).await;
}

async fn approve(org: &OrgProcess, ids: &[String]) {
    let rows: Vec<Value> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| {
            json!({ "attributes": { "type": "Lead" }, "id": id, "AI_Decision__c": "Approved",
                    "AI_Decision_Proposal_ID__c": format!("bench:{n}"), "AI_Gate_Pending__c": true })
        })
        .collect();
    org.collections("reviewer", "PATCH", &rows).await;
}

async fn calls(org: &OrgProcess) -> Calls {
    let promoter = org.text("/users/promoter/username");
    let stats = org.stats().await;
    let by_kind: BTreeMap<String, u64> =
        serde_json::from_value(stats["calls"].clone()).expect("calls by resource");
    let mut calls = Calls::default();
    for (kind, count) in by_kind {
        let Some((method, resource)) =
            kind.strip_prefix(&promoter).and_then(|rest| rest.trim_start().split_once(' '))
        else {
            continue;
        };
        match (method, resource) {
            ("PATCH", "composite/sobjects") | ("POST", "composite") => calls.writes += count,
            ("GET", "query") | ("POST", "composite/sobjects") => calls.reads += count,
            _ => calls.setup += count,
        }
    }
    calls
}

impl Calls {
    fn since(self, before: &Self) -> Self {
        Self {
            writes: self.writes - before.writes,
            reads: self.reads - before.reads,
            setup: self.setup - before.setup,
        }
    }
}

async fn ledger(path: &Path) -> Ledger {
    let deadline = Instant::now() + LONGEST;
    loop {
        match Ledger::open_read_only(&path.into()).await {
            Ok(ledger) => return ledger,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn counts(ledger: &Ledger) -> Counts {
    let deadline = Instant::now() + LONGEST;
    loop {
        // A ledger that the daemon is only just making is not readable yet.
        match ledger.counts().await {
            Ok(counts) => return counts,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn until(what: &str, ledger: &Ledger, holds: impl Fn(&Counts) -> bool) -> Counts {
    let deadline = Instant::now() + LONGEST;
    loop {
        let now = counts(ledger).await;
        if holds(&now) {
            return now;
        }
        assert!(Instant::now() < deadline, "did not happen: {what}: {now:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One line of `/proc/<id>/status`, in kB; 0 where the system has none.
fn memory(id: u32, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    found.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// `count` in a time, as a whole number a second.
fn rate(count: u64, time: Duration) -> u64 {
    count * 1_000 / u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn print(outcomes: &[Outcome]) {
    println!("\npromotions end to end; daemon and simulated org are processes of this machine\n");
    println!(
        "{:<9} {:>9} {:>12} {:>10} {:>10} {:>14} {:>12}   memory MB: before, height, after",
        "load", "proposals", "promotions/s", "settled s", "entries/s", "writes+reads", "per call"
    );
    for outcome in outcomes {
        let calls = outcome.calls.writes + outcome.calls.reads;
        let [before, height, after] = outcome.memory.map(|kb| kb / 1024);
        println!(
            "{:<9} {:>9} {:>12} {:>10} {:>10} {:>14} {:>12}   {before}, {height}, {after}",
            if outcome.load == Load::Waiting { "waiting" } else { "arriving" },
            outcome.proposals,
            rate(outcome.proposals as u64, outcome.promoted),
            format!("{}.{:03}", outcome.settled.as_secs(), outcome.settled.subsec_millis()),
            rate(outcome.entries, outcome.settled),
            format!("{}+{}", outcome.calls.writes, outcome.calls.reads),
            outcome.proposals as u64 / calls.max(1),
        );
        println!("{:<9} setup calls {}", "", outcome.calls.setup);
    }
    println!(
        "\npromotions/s: from the start of the daemon (waiting) or of the first write (arriving, the\n\
         writing and approving included) to the last promotion in the ledger. settled: every one also\n\
         proven by its echo or by a read. per call: promotions for one API call, reads included."
    );
}
