//! Lets one writer at a time through; a transaction over several calls keeps its turn.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The turn, and those who wait for it.
#[derive(Debug, Default)]
pub(super) struct WriterGate {
    busy: Mutex<bool>,
    free: Condvar,
}

/// The turn itself; dropping it lets the next writer through.
#[derive(Debug)]
pub(super) struct WriterTurn(Arc<WriterGate>);

impl WriterGate {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(super) fn enter(self: &Arc<Self>) -> WriterTurn {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let mut busy = self.free.wait_while(busy, |busy| *busy).unwrap_or_else(PoisonError::into_inner);
        *busy = true;
        WriterTurn(Arc::clone(self))
    }
}

impl Drop for WriterTurn {
    fn drop(&mut self) {
        *self.0.busy.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.free.notify_one();
    }
}
