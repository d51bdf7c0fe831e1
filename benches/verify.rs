//! Verify: entries of a ledger checked per second.
//!
//! A ledger is filled with decisions (`benches/filled`), two entries each; then it is checked as
//! `countersign verify` does.

use std::time::Instant;

use countersign::{config::policies, gate::Rules, ledger::verify::verify};
use filled::{fill, resident, shown};

mod filled;

const ENTRIES: u64 = 200_000;

#[tokio::main]
async fn main() {
    let wanted = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(ENTRIES);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.db");
    let rules = Rules::new(policies::load(None).expect("the shipped policies")).expect("a digest");
    let began = Instant::now();
    fill(&path, &rules, wanted / 2).await;
    let size = std::fs::metadata(&path).expect("a file").len() / 1_000_000;
    println!("{wanted} entries recorded in {} s, {size} MB\n", shown(began.elapsed()));
    println!("{:<28} {:>10} {:>12} {:>10}", "", "seconds", "entries/s", "memory MB");
    let before = resident();
    let began = Instant::now();
    let report = verify(&path, &mut |_| {}).await.expect("a report");
    let took = began.elapsed();
    assert_eq!(report.findings, [], "it is sound");
    let rate = u128::from(report.entries) * 1_000_000 / took.as_micros().max(1);
    let grown = resident().saturating_sub(before);
    println!("{:<28} {:>10} {rate:>12} {grown:>10}", "everything", shown(took));
}
