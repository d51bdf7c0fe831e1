//! Times runs in turn and takes medians.

use std::time::{Duration, Instant};

/// Rounds of each run. They alternate, so that a slow moment of the machine hits all alike.
const ROUNDS: usize = 9;
/// About how long one round of one run takes.
const ROUND: Duration = Duration::from_millis(150);

/// Something that is timed. One pass asks about every input one time.
pub struct Run<'a> {
    name: String,
    includes: String,
    asks: usize,
    passes: Box<dyn FnMut(u32) -> Duration + 'a>,
}

impl<'a> Run<'a> {
    /// A run with `asks` inputs in one pass.
    pub fn new(name: &str, includes: &str, asks: usize, mut pass: impl FnMut() + 'a) -> Self {
        Self::timed(name, includes, asks, move |passes| {
            let started = Instant::now();
            (0..passes).for_each(|_| pass());
            started.elapsed()
        })
    }

    /// A run that times a number of passes itself.
    pub fn timed(name: &str, includes: &str, asks: usize, passes: impl FnMut(u32) -> Duration + 'a) -> Self {
        Self { name: name.to_owned(), includes: includes.to_owned(), asks, passes: Box::new(passes) }
    }

    /// Runs until two rounds' time is over; the answer is how many passes fill one.
    fn warm_up(&mut self) -> u32 {
        let mut passes = 1_u32;
        loop {
            let took = (self.passes)(passes);
            if took >= ROUND {
                let fill = ROUND.as_nanos() * u128::from(passes) / took.as_nanos();
                return u32::try_from(fill).unwrap_or(u32::MAX).max(1);
            }
            passes = passes.saturating_mul(2);
        }
    }
}

/// What a run took: the median of its rounds.
pub struct Took {
    pub name: String,
    pub includes: String,
    /// Nanoseconds for one ask.
    pub nanos: u128,
}

/// Warms every run up, then measures them in turn.
pub fn measure(mut runs: Vec<Run<'_>>) -> Vec<Took> {
    let passes: Vec<u32> = runs.iter_mut().map(Run::warm_up).collect();
    let mut rounds = vec![Vec::with_capacity(ROUNDS); runs.len()];
    for _ in 0..ROUNDS {
        for ((run, passes), took) in runs.iter_mut().zip(&passes).zip(&mut rounds) {
            took.push((run.passes)(*passes).as_nanos() / u128::from(*passes) / run.asks as u128);
        }
    }
    let median = |mut took: Vec<u128>| {
        took.sort_unstable();
        took[took.len() / 2]
    };
    let took =
        |(run, rounds): (Run<'_>, _)| Took { name: run.name, includes: run.includes, nanos: median(rounds) };
    runs.into_iter().zip(rounds).map(took).collect()
}

/// Prints one line for each, with the ratio to the first.
pub fn print(title: &str, took: &[Took]) {
    let first = took.first().map_or(1, |first| first.nanos.max(1));
    println!("\n{title}\n\n{:<34} {:>10} {:>8}   includes", "", "ns", "ratio");
    for one in took {
        // Two digits after the point, without floats.
        let ratio = one.nanos * 100 / first;
        let ratio = format!("{}.{:02}", ratio / 100, ratio % 100);
        println!("{:<34} {:>10} {ratio:>8}   {}", one.name, one.nanos, one.includes);
    }
}
