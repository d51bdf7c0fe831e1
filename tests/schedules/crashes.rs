//! Crashes at every point that the code passes, and commits that fail.

use std::sync::{Arc, Mutex, PoisonError};

use countersign::crash::{self, Fate, Watcher};
use futures::future::{BoxFuture, FutureExt as _};
use tokio::sync::Notify;

use crate::scene::Shared;

/// What is to go wrong at the points.
#[derive(Debug, Default)]
struct Armed {
    /// Points to pass before the process is gone.
    crash: Option<u32>,
    /// Commits to pass before one fails.
    fail: Option<u32>,
}

/// Told of every point.
pub struct Points {
    scene: Shared,
    armed: Mutex<Armed>,
    /// Somebody stands at a point for ever: the daemon is to be dropped.
    pub hit: Arc<Notify>,
}

impl Points {
    /// Takes the place of whoever watched before.
    pub fn watch(scene: Shared) -> Arc<Self> {
        let points = Arc::new(Self { scene, armed: Mutex::default(), hit: Arc::default() });
        crash::watch(Some(Arc::<Self>::clone(&points)));
        points
    }

    pub fn crash_after(&self, points: u32) {
        self.armed().crash = Some(points);
    }

    pub fn fail_after(&self, commits: u32) {
        self.armed().fail = Some(commits);
    }

    pub fn forget(&self) {
        *self.armed() = Armed::default();
    }

    fn armed(&self) -> std::sync::MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts down; true when this is the point.
    fn due(count: &mut Option<u32>) -> bool {
        match count {
            Some(0) => {
                *count = None;
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }
}

impl Watcher for Points {
    fn at(&self, point: &'static str) -> BoxFuture<'static, Fate> {
        let mut scene = self.scene.lock();
        scene.say(format!("point {point}"));
        let mut armed = self.armed();
        if Self::due(&mut armed.crash) {
            scene.say(format!("crash at {point}"));
            scene.reached(format!("fault: crash at {point}"));
            self.hit.notify_one();
            return std::future::pending().boxed();
        }
        let commit = matches!(point, crash::COMMIT | crash::COMMITTED);
        if commit && Self::due(&mut armed.fail) {
            scene.say(format!("fails at {point}"));
            scene.reached(format!("fault: fails at {point}"));
            return std::future::ready(Fate::Fail).boxed();
        }
        std::future::ready(Fate::GoOn).boxed()
    }
}
