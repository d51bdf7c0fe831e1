//! Writes the state file shortly after something changed, and not more often than that.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError, Weak, mpsc},
    thread,
    time::Duration,
};

use super::{
    org::{Inner, Org},
    state::{State, StateError},
};

/// How long changes are gathered before the file is written.
const QUIET: Duration = Duration::from_millis(500);

/// The background writer of one state file. Ends when the org is dropped.
#[derive(Debug)]
pub(super) struct Saver {
    path: Mutex<PathBuf>,
    changed: mpsc::SyncSender<()>,
}

impl Saver {
    pub(super) fn start(path: PathBuf, org: Weak<Inner>) -> Self {
        let (changed, changes) = mpsc::sync_channel::<()>(1);
        thread::spawn(move || {
            while changes.recv().is_ok() {
                thread::sleep(QUIET);
                let Some(inner) = org.upgrade() else { return };
                if let Err(error) = Org(inner).save_state() {
                    tracing::warn!(code = error.code(), error = %error, "state file not written");
                }
            }
        });
        Self { path: Mutex::new(path), changed }
    }

    /// Writes the file now. One at a time: two writers would mix their parts.
    pub(super) fn write(&self, state: &State) -> Result<(), StateError> {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        state.save(&path)
    }

    /// Something changed. Never waits: one mark is enough for any number of changes.
    pub(super) fn changed(&self) {
        let _ = self.changed.try_send(());
    }
}
