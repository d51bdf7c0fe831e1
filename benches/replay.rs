//! Replay: recorded decisions made again, under the rules of then and under candidates.
//!
//! A ledger is filled with decisions (`benches/filled`); then `workflow::replay` reads it.

use std::time::Instant;

use countersign::{
    config::policies,
    domain::Policy,
    gate::Rules,
    ledger::Ledger,
    workflow::replay::{Asked, replay},
};
use filled::{fill, place, resident, shown};

mod filled;

/// The daemon's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DECISIONS: u64 = 100_000;

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = words.iter().find_map(|word| word.parse().ok()).unwrap_or(DECISIONS);
    let folder = tempfile::tempdir().expect("a folder");
    let (path, is_there) = place(&words, folder.path());
    let rules = Rules::new(policies::load(None).expect("the shipped policies")).expect("a digest");
    let began = Instant::now();
    if !is_there {
        fill(&path, &rules, wanted).await;
    }
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
        let ledger = Ledger::open_read_only(&path.clone().into()).await.expect("the ledger");
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

/// Every confidence threshold of a field raised.
fn stricter(policy: &Policy) -> Rules {
    let mut policy = policy.clone();
    for rules in policy.objects.values_mut().flat_map(|object| object.fields.values_mut()) {
        rules.min_confidence = Some("0.95".parse().expect("a decimal"));
    }
    Rules::new(policy).expect("a digest")
}
