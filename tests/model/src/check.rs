//! Running the checker, and telling what it found.

use std::{
    fmt,
    io::Write as _,
    time::{Duration, Instant},
};

use stateright::{Checker, HasDiscoveries, Model as _, Path};

use crate::{
    promises::CAN_HAPPEN,
    protocol::{Protocol, Step},
    state::State,
};

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    /// The variant.
    pub name: String,
    /// Promises that were broken, each with the fewest steps that break it.
    pub broken: Vec<(&'static str, usize)>,
    /// What should be possible and is not.
    pub unreached: Vec<&'static str>,
    /// Different states.
    pub states: usize,
    /// Time that the check took.
    pub time: Duration,
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let broken: Vec<String> =
            self.broken.iter().map(|(promise, steps)| format!("NOT {promise} ({steps} steps)")).collect();
        let result = if broken.is_empty() { "holds".to_owned() } else { broken.join("; ") };
        let seconds = self.time.as_secs_f64();
        write!(out, "| {} | {} | {} | {seconds:.1} |", self.name, result, self.states)
    }
}

/// Prints past the capture of the test harness: the table is wanted as the tests run.
fn tell(line: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Goes through every state. Finds what is broken and what is not reached.
pub fn check(name: &str, protocol: Protocol) -> Row {
    let started = Instant::now();
    let checker = protocol.checker().spawn_bfs().join();
    let found = checker.discoveries();
    let failed = |promise: &&'static str| CAN_HAPPEN.iter().all(|(name, _)| name != promise);
    let row = Row {
        name: name.to_owned(),
        broken: found
            .iter()
            .filter(|(name, _)| failed(name))
            .map(|(name, path)| (*name, steps(path)))
            .collect(),
        unreached: CAN_HAPPEN
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !found.contains_key(name))
            .collect(),
        states: checker.unique_state_count(),
        time: started.elapsed(),
    };
    tell(&row.to_string());
    row
}

/// Looks for the fewest steps that break each of these promises.
pub fn refute(name: &str, protocol: Protocol, promises: &[&'static str]) -> Row {
    let started = Instant::now();
    let all = HasDiscoveries::AllOf(promises.iter().copied().collect());
    let checker = protocol.checker().finish_when(all).spawn_bfs().join();
    let found = checker.discoveries();
    let broken = promises
        .iter()
        .filter_map(|promise| Some((*promise, shortest(protocol, promise, found.get(promise)?.clone()))))
        .collect();
    let row = Row {
        name: name.to_owned(),
        broken,
        unreached: Vec::new(),
        states: checker.unique_state_count(),
        time: started.elapsed(),
    };
    tell(&row.to_string());
    row
}

/// The checker looks at states in blocks and keeps the last find of a block, so the first path
/// may be a step too long: look again at less depth, until nothing is found.
fn shortest(protocol: Protocol, promise: &'static str, path: Path<State, Step>) -> usize {
    let mut best = path;
    loop {
        let wanted = HasDiscoveries::AnyOf([promise].into());
        let below = protocol.checker().finish_when(wanted).target_max_depth(steps(&best) + 1);
        match below.spawn_bfs().join().discovery(promise) {
            Some(shorter) => best = shorter,
            None => break,
        }
    }
    let steps = best.into_actions();
    tell(&format!("  {promise}:\n    {steps:?}"));
    steps.len()
}

/// A path has one state more than it has steps.
fn steps(path: &Path<State, Step>) -> usize {
    path.clone().into_actions().len()
}
