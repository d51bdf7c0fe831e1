//! Points around each ledger commit and each outside call, where a test may stop the process.
//!
//! A build without debug assertions, such as the shipped one, has no such points: passing one
//! does nothing there, and nothing can be put behind one.

/// What becomes of whoever passes a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing happens.
    GoOn,
    /// What was to be done at this point is told as failed. Only commits ask.
    Fail,
}

/// Before a ledger transaction commits.
pub const COMMIT: &str = "commit";
/// After it committed, before anybody is told.
pub const COMMITTED: &str = "committed";
/// While a ledger is opened, after each of its writes.
pub const OPENED: &str = "opened";
/// Before a request leaves.
pub const REQUEST: &str = "request";
/// After its reply came, before anybody looks at it.
pub const REPLY: &str = "reply";

/// Passes a point.
#[cfg(not(debug_assertions))]
pub async fn pass(_point: &'static str) -> Fate {
    Fate::GoOn
}

#[cfg(debug_assertions)]
pub use watched::{Watcher, pass, watch};

#[cfg(debug_assertions)]
mod watched {
    //! The points of a build for tests.

    use std::sync::{Arc, PoisonError, RwLock};

    use futures::future::BoxFuture;

    use super::Fate;

    /// Told of every point that is passed; may wait for ever, or end the process.
    pub trait Watcher: Send + Sync {
        /// Somebody is at this point.
        fn at(&self, point: &'static str) -> BoxFuture<'static, Fate>;
    }

    static WATCHER: RwLock<Option<Arc<dyn Watcher>>> = RwLock::new(None);

    /// Has this watcher told from now on, in the whole process.
    pub fn watch(watcher: Option<Arc<dyn Watcher>>) {
        *WATCHER.write().unwrap_or_else(PoisonError::into_inner) = watcher;
    }

    /// Passes a point.
    pub async fn pass(point: &'static str) -> Fate {
        let watcher = WATCHER.read().unwrap_or_else(PoisonError::into_inner).clone();
        match watcher {
            Some(watcher) => watcher.at(point).await,
            None => Fate::GoOn,
        }
    }
}
