//! What the daemon logs: lines with a code and the user that they name.

use std::sync::{Mutex, PoisonError};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

static HEARD: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Listens from now on, in the whole process.
pub fn listen() {
    let _ = tracing_subscriber::registry().with(Ear).try_init();
}

/// Codes and users of the lines since the last time.
pub fn take() -> Vec<(String, String)> {
    std::mem::take(&mut *HEARD.lock().unwrap_or_else(PoisonError::into_inner))
}

struct Ear;

#[derive(Default)]
struct Line {
    code: String,
    user: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "code" => value.clone_into(&mut self.code),
            "user_id" => value.clone_into(&mut self.user),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() > Level::WARN {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        if !line.code.is_empty() {
            HEARD.lock().unwrap_or_else(PoisonError::into_inner).push((line.code, line.user));
        }
    }
}
