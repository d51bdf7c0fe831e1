//! `serve --crash-at` and `decay run --crash-at`: the process ends at the n-th point of its work. Only in builds for tests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures::future::{BoxFuture, FutureExt as _};

use crate::crash::{self, Fate, Watcher};

/// Counts the points that the process passes.
struct Points {
    passed: AtomicU64,
    /// 0: none.
    last: u64,
}

/// Tells at its end how many points were passed.
pub struct Told(Arc<Points>);

impl Drop for Told {
    fn drop(&mut self) {
        eprintln!("crash points: {}", self.0.passed.load(Ordering::SeqCst));
    }
}

/// Counts from now on, and ends the process at the point with this number; 0 is never reached.
pub fn watch(last: u64) -> Told {
    let points = Arc::new(Points { passed: AtomicU64::new(0), last });
    crash::watch(Some(Arc::<Points>::clone(&points)));
    Told(points)
}

impl Watcher for Points {
    fn at(&self, point: &'static str) -> BoxFuture<'static, Fate> {
        let number = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if number == self.last {
            eprintln!("crash at point {number}: {point}");
            // Like a kill: nothing is unwound, flushed or closed, in no thread.
            std::process::abort();
        }
        std::future::ready(Fate::GoOn).boxed()
    }
}
