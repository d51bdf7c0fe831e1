//! The crash sweep: the real `countersign serve`, ended at each point of its work, started again, and
//! held against a daemon that nobody ended.
//!
//! A point lies before and after each ledger commit, each write while a ledger is opened, and each
//! request to the org (`src/crash.rs`). A first run counts them; no list of them is kept by hand.
//!
//! `cargo test --test sweep` takes a part of the points, evenly spread; `-- --all` takes each. The ledger
//! is a file, and with `-- --postgres` a database on a server.

#[path = "../it/databases.rs"]
#[expect(unused, reason = "the other tests use the rest")]
mod databases;
#[path = "../it/postgres.rs"]
#[expect(unused, reason = "the other tests use the rest")]
mod postgres;
#[path = "../it/processes.rs"]
#[expect(unused, reason = "the other tests use the rest")]
mod processes;
mod served;
mod story;

use std::{
    collections::BTreeSet,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use story::{End, Story};

/// Points of a run in the test command.
const SOME: u64 = 60;
/// Stories that run side by side.
const PROCESSES: usize = 2;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let named = words.first().is_some_and(|word| !word.starts_with("--") && !"sweep".contains(word.as_str()));
    if named || words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let number = |name: &str| {
        let place = words.iter().position(|word| word == name)?;
        words.get(place + 1)?.parse::<u64>().ok()
    };
    let began = Instant::now();
    let postgres = words.iter().any(|word| word == "--postgres");
    let (expected, points) = play(0, postgres);
    assert!(points > 20, "the run without a crash passes points: {points}");
    println!("{points} points in a run without a crash; it ends with:\n{expected}");
    let wanted: Vec<u64> = match (number("--at"), words.iter().any(|word| word == "--all")) {
        (Some(at), _) => vec![at],
        (None, true) => (1..=points).collect(),
        (None, false) => spread(points, number("--points").unwrap_or(SOME)),
    };
    let bad = sweep(&wanted, (&expected, postgres));
    println!(
        "sweep over {}: {} of {points} points, {} s; {} ended otherwise",
        if postgres { "PostgreSQL" } else { "SQLite" },
        wanted.len(),
        began.elapsed().as_secs(),
        bad.len()
    );
    if bad.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// So many of the points, evenly spread, beginning at a place that the clock chooses.
fn spread(points: u64, some: u64) -> Vec<u64> {
    let step = (points / some.clamp(1, points)).max(1);
    let now = countersign::clock::Clock::system().now().as_second().unsigned_abs();
    let first = 1 + now % step;
    println!("every {step}th point from {first} on");
    (first..=points).step_by(usize::try_from(step).expect("a small number")).collect()
}

/// Ends a daemon at each of these points; the points that ended otherwise.
fn sweep(wanted: &[u64], (expected, postgres): (&End, bool)) -> BTreeSet<u64> {
    let left = Arc::new(Mutex::new(wanted.iter().rev().copied().collect::<Vec<_>>()));
    let bad = Arc::new(Mutex::new(BTreeSet::new()));
    let threads: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let (left, bad, expected) = (Arc::clone(&left), Arc::clone(&bad), expected.clone());
            std::thread::spawn(move || {
                let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop();
                while let Some(at) = next() {
                    let found = std::panic::catch_unwind(|| play(at, postgres).0);
                    let good = found.as_ref().is_ok_and(|found| *found == expected);
                    if !good {
                        println!("point {at} ENDED OTHERWISE\n  again: cargo test --test sweep -- --at {at}");
                        if let Ok(found) = found {
                            println!("{found}");
                        }
                        bad.lock().unwrap_or_else(PoisonError::into_inner).insert(at);
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("each story is judged");
    }
    let bad = bad.lock().unwrap_or_else(PoisonError::into_inner);
    bad.clone()
}

/// The story with a daemon that ends at this point (0: never): how it ended, and the points passed.
fn play(at: u64, postgres: bool) -> (End, u64) {
    if postgres {
        databases::use_postgres();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(Story::play(at))
}
