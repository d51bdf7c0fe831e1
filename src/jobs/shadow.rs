//! The look at shadow lanes: what people changed labels what is under watch, watches that are due end,
//! what went on is followed, and lanes that turned bad step back.
//!
//! It takes no input and may run at any time and twice: what has a label is not labelled again.

use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::shadow::lane::LaneAct,
    workflow::{
        Context, WorkflowError,
        shadow::{back, changed, due},
    },
};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(3600);

/// What people changed in this time is read at each look. A change that was missed, because the daemon
/// stood longer, is still found when its watch ends, as far as the record tells it.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(48);

/// What one look did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Looked {
    /// Labels from what people changed.
    pub changed: usize,
    /// Watches of recorded proposals that ended.
    pub ended: usize,
    /// Labels of proposals that went on.
    pub followed: usize,
    /// Lanes that stepped back.
    pub back: Vec<LaneAct>,
}

/// One look.
pub async fn look(context: &Context) -> Result<Looked, WorkflowError> {
    let since = context.clock.now().saturating_sub(LOOK_BACK).unwrap_or_default();
    let changed = changed(context, since).await?;
    Ok(Looked {
        changed,
        ended: due::end(context).await?,
        followed: due::follow(context).await?,
        back: back::step_back(context).await?,
    })
}

/// Looks at once and then every hour, until told to stop. A look that fails is told, and tried again with
/// the next.
pub async fn run(context: Context, stop: CancellationToken) {
    loop {
        match look(&context).await {
            Ok(looked) if looked == Looked::default() => {}
            Ok(looked) => {
                let Looked { changed, ended, followed, back } = looked;
                tracing::info!(changed, ended, followed, back = back.len(), "shadow lanes looked at");
            }
            Err(error) => tracing::error!(code = error.code(), "shadow lanes were not looked at: {error}"),
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
