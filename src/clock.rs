//! The only reader of the wall clock and the only source of randomness.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;
use rand::RngCore as _;
use uuid::Uuid;

/// Wall clock, or a clock that a test or the simulator drives.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    manual: Option<Arc<AtomicI64>>,
    ahead: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// The machine's clock, which can be moved forward; it keeps running.
    pub fn adjustable() -> Self {
        Self { manual: None, ahead: Some(Arc::new(AtomicI64::new(0))) }
    }

    /// A clock that stands still at `start` until it is moved.
    pub fn manual(start: Timestamp) -> Self {
        Self { manual: Some(Arc::new(AtomicI64::new(start.as_millisecond()))), ahead: None }
    }

    /// Now, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        let millis = match &self.manual {
            Some(millis) => millis.load(Ordering::SeqCst),
            None => system_millis() + self.ahead.as_ref().map_or(0, |ahead| ahead.load(Ordering::SeqCst)),
        };
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a manual or adjustable clock forward; the machine's clock does not move.
    pub fn advance(&self, by: std::time::Duration) {
        if let Some(millis) = self.manual.as_ref().or(self.ahead.as_ref()) {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            millis.fetch_add(by, Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one reader of the wall clock")]
fn system_millis() -> i64 {
    Timestamp::now().as_millisecond()
}

/// 32 random bytes.
pub fn salt() -> [u8; 32] {
    let mut bytes = [0_u8; 32];
    fill(&mut bytes);
    bytes
}

/// A time-ordered unique id (UUIDv7).
pub fn unique_id() -> String {
    #[cfg(debug_assertions)]
    if let Some(id) = seeded::unique_id() {
        return id;
    }
    #[expect(clippy::disallowed_methods, reason = "the one source of ids")]
    Uuid::now_v7().to_string()
}

/// A random id (UUIDv4).
pub fn random_id() -> String {
    let mut bytes = [0_u8; 16];
    fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn fill(bytes: &mut [u8]) {
    #[cfg(debug_assertions)]
    if seeded::fill(bytes) {
        return;
    }
    rand::rng().fill_bytes(bytes);
}

#[cfg(debug_assertions)]
pub use seeded::seed;

#[cfg(debug_assertions)]
mod seeded {
    //! Randomness that a test can repeat. Builds without debug assertions have none of this: what
    //! the ledger hides behind salts must not hang on a number that somebody can know.

    use std::sync::{Mutex, PoisonError};

    use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};

    struct Seeded {
        source: StdRng,
        ids: u64,
    }

    static SEEDED: Mutex<Option<Seeded>> = Mutex::new(None);

    /// From now on, in the whole process, ids and salts follow from this number.
    pub fn seed(seed: u64) {
        let seeded = Seeded { source: StdRng::seed_from_u64(seed), ids: 0 };
        *SEEDED.lock().unwrap_or_else(PoisonError::into_inner) = Some(seeded);
    }

    pub(super) fn fill(bytes: &mut [u8]) -> bool {
        let mut seeded = SEEDED.lock().unwrap_or_else(PoisonError::into_inner);
        seeded.as_mut().map(|seeded| seeded.source.fill_bytes(bytes)).is_some()
    }

    /// In the order in which they are asked for, as those of the clock are.
    pub(super) fn unique_id() -> Option<String> {
        let mut seeded = SEEDED.lock().unwrap_or_else(PoisonError::into_inner);
        let seeded = seeded.as_mut()?;
        seeded.ids += 1;
        let mut random = [0_u8; 10];
        seeded.source.fill_bytes(&mut random);
        Some(uuid::Builder::from_unix_timestamp_millis(seeded.ids, &random).into_uuid().to_string())
    }
}
