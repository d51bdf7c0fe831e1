//! What kind of a schedule a seed makes: how long, how rough, with or without sweeps.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// The shape of one schedule.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Things that happen, one after another.
    pub steps: u32,
    pub leads: u8,
    pub deals: u8,
    /// Chance of a fault in each call, in a thousand.
    pub rough: u32,
    /// Chance that the outcome of a promotion's or a void's write is not known, in a thousand.
    pub hot: u32,
    /// Whether the daemon sweeps at its start and in intervals. Sweeps hide lost events, so half of the
    /// schedules go without.
    pub sweeps: bool,
    /// Whether the org lets steps run with no person.
    pub auto: bool,
    pub skewed: bool,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        // Not the schedule's own source: another shape must not shift what comes after it.
        let mut rng = StdRng::seed_from_u64(seed ^ 0x5eed_0000);
        Self {
            steps: rng.random_range(18..40),
            leads: rng.random_range(1..3),
            deals: rng.random_range(0..2),
            rough: [0, 20, 60, 150][rng.random_range(0..4)],
            hot: [0, 300, 500][rng.random_range(0..3)],
            sweeps: seed.is_multiple_of(2),
            auto: rng.random_range(0..3) == 0,
            skewed: rng.random_range(0..3) == 0,
        }
    }
}
