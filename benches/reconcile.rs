//! The reconciliation benchmark: `countersign reconcile run` against a simulated org, as processes of
//! their own on this machine. `cargo bench --bench reconcile` compares a million records;
//! `cargo bench --bench reconcile -- 50000` takes another number.
//!
//! Every record carries a proposal that ended before the ledger began, so each one is read and looked
//! up, and none differs.

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
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use processes::OrgProcess;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_countersign");
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(20);

/// What one run gave.
struct Outcome {
    way: String,
    records: u64,
    calls: u64,
    took: Duration,
    /// Resident memory in kB: when the first tenth of the time was over, and at its height.
    memory: [u64; 2],
}

#[tokio::main]
async fn main() {
    let records: u64 = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("org-settings.json");
    fs::write(&settings, json!({ "daily-api-requests": 10_000_000 }).to_string()).expect("written");
    let settings = settings.display().to_string();
    let begun = Instant::now();
    let org = OrgProcess::start(&["--seed", &format!("proposed:{records}"), "--settings", &settings]);
    println!("an org of {records} leads was ready after {} s", begun.elapsed().as_secs());
    let mut outcomes = Vec::new();
    for (way, above) in [("bulk", 0), ("pages", 1_000_000_000)] {
        let inside = folder.path().join(way);
        fs::create_dir(&inside).expect("a folder");
        let config = org.write_config(&inside);
        let text = fs::read_to_string(&config).expect("the settings are readable");
        let more = format!(
            "\n[log]\nlevel = \"warn\"\n[promotion]\ntimeout_ms = 600000\n[reconcile]\nbulk_above = {above}\n"
        );
        fs::write(&config, text + &more).expect("the settings are written");
        outcomes.push(run(&config));
    }
    print(&outcomes);
}

fn run(config: &Path) -> Outcome {
    let started = Instant::now();
    let mut child = Command::new(BINARY)
        .args(["reconcile", "run", "--full", "--json", "--config"])
        .arg(config)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (memory, took) = watch(&mut child, started);
    let mut text = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut text).expect("text");
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let read = &report["run"]["reads"]["Lead"];
    assert_eq!(report["run"]["counts"], json!({}), "nothing differs");
    let way = read["way"].as_str().expect("a way").to_owned();
    let records = read["records"].as_str().and_then(|number| number.parse().ok()).expect("a number");
    Outcome { way, records, calls: report["api_calls"].as_u64().expect("a number"), took, memory }
}

/// Waits for the end. The memory of an early moment shows whether the height grows with the records.
fn watch(child: &mut Child, started: Instant) -> ([u64; 2], Duration) {
    let mut seen: Vec<(Duration, u64)> = Vec::new();
    loop {
        // Asked first: a process that has ended has no memory to tell.
        let now = resident(child.id());
        if child.try_wait().expect("it can be waited for").is_some() {
            break;
        }
        seen.push((started.elapsed(), now));
        std::thread::sleep(LOOK);
    }
    let took = started.elapsed();
    let early = seen.iter().filter(|(at, _)| *at <= took / 5).map(|(_, memory)| *memory).max();
    let height = seen.iter().map(|(_, memory)| *memory).max();
    ([early.unwrap_or(0), height.unwrap_or(0)], took)
}

/// Resident memory of a process in kB; 0 when it has ended.
fn resident(id: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let fields: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(':')).collect();
    let kilobytes = fields.get("VmRSS").and_then(|value| value.trim().strip_suffix(" kB"));
    kilobytes.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

fn print(outcomes: &[Outcome]) {
    println!("\n| way | records | API calls | seconds | MB in the first fifth | MB at most |");
    println!("|---|---|---|---|---|---|");
    for one in outcomes {
        println!(
            "| {} | {} | {} | {}.{} | {} | {} |",
            one.way,
            one.records,
            one.calls,
            one.took.as_secs(),
            one.took.subsec_millis() / 100,
            one.memory[0] / 1000,
            one.memory[1] / 1000,
        );
    }
}
