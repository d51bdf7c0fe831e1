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
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// A time-ordered unique id (UUIDv7).
#[expect(clippy::disallowed_methods, reason = "the one source of ids")]
pub fn unique_id() -> String {
    Uuid::now_v7().to_string()
}

/// A random id (UUIDv4).
#[expect(clippy::disallowed_methods, reason = "the one source of ids")]
pub fn random_id() -> String {
    Uuid::new_v4().to_string()
}
