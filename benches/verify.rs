//! Verify: entries of a ledger checked per second.
//!
//! A ledger is filled (`benches/filled`), once with decisions and once with whole lives; then it is checked
//! as `countersign verify` does.

use std::{
    fs::File,
    io::BufWriter,
    time::{Duration, Instant},
};

use countersign::{
    cli::export,
    config::policies,
    gate::Rules,
    ledger::{
        Ledger,
        verify::{Report, verify, verify_export},
    },
};
use filled::{fill, place, resident, shown};

mod filled;
#[path = "filled/lives.rs"]
mod lives;

/// The daemon's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ENTRIES: u64 = 200_000;

/// What a ledger is filled with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filling {
    /// Two entries for each decision, the longest that there are.
    Decisions,
    /// What a daemon writes from a proposal to the proof that it landed, six entries each.
    Lives,
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    for filling in [Filling::Decisions, Filling::Lives] {
        one(&words, filling).await;
    }
}

async fn one(words: &[String], filling: Filling) {
    let wanted = words.iter().find_map(|word| word.parse().ok()).unwrap_or(ENTRIES);
    let folder = tempfile::tempdir().expect("a folder");
    let (mut path, _) = place(words, folder.path());
    let name = match filling {
        Filling::Decisions => "two entries for each decision",
        Filling::Lives => "whole lives, six entries each",
    };
    if filling == Filling::Lives {
        path.as_mut_os_string().push(".lives");
    }
    let rules = Rules::new(policies::load(None).expect("the shipped policies")).expect("a digest");
    let began = Instant::now();
    match filling {
        _ if path.exists() => {}
        Filling::Decisions => fill(&path, &rules, wanted / 2).await,
        Filling::Lives => lives::fill(&path, &rules, wanted / 6).await,
    }
    let size = std::fs::metadata(&path).expect("a file").len() / 1_000_000;
    println!("\n{name}: filled in {} s, {size} MB", shown(began.elapsed()));
    println!("{:<32} {:>10} {:>12} {:>10}", "", "seconds", "entries/s", "memory MB");
    let lines = folder.path().join("ledger.ndjson");
    let ledger = Ledger::open_read_only(&path.clone().into()).await.expect("the ledger");
    let span = ledger.span(None, None).await.expect("a span");
    let mut out = BufWriter::new(File::create(&lines).expect("a file"));
    let began = Instant::now();
    let written = export::write(&ledger, span, false, &mut out).await.expect("an export");
    tell("export", written, began.elapsed(), resident());
    for name in ["the chain alone, of an export", "everything, of a ledger"] {
        let before = resident();
        let began = Instant::now();
        let report = match name {
            "everything, of a ledger" => verify(&path.clone().into(), None, &mut |_| {}).await,
            _ => verify_export(&lines, None, &mut |_| {}),
        };
        let Report { findings, entries, .. } = report.expect("a report");
        assert_eq!(findings, [], "it is sound");
        tell(name, entries, began.elapsed(), resident().saturating_sub(before));
    }
}

fn tell(name: &str, entries: u64, took: Duration, grown: u64) {
    let rate = u128::from(entries) * 1_000_000 / took.as_micros().max(1);
    println!("{name:<32} {:>10} {rate:>12} {grown:>10}", shown(took));
}
