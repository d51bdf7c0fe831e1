//! The look at shadow lanes: what people changed labels what is under watch, watches that are due end,
//! what went on is followed, and lanes that turned bad step back.
//!
//! It takes no input and may run at any time and twice: what has a label is not labelled again.

use jiff::SignedDuration;

use super::work::Counts;
use crate::{
    domain::shadow::lane::LaneAct,
    workflow::{
        Context, WorkflowError,
        shadow::{back, changed, due},
    },
};

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

/// One look, counted.
pub async fn counted(context: &Context) -> Result<Counts, WorkflowError> {
    let Looked { changed, ended, followed, back } = look(context).await?;
    let counts =
        [("changed", changed), ("ended", ended), ("followed", followed), ("stepped_back", back.len())];
    Ok(counts.map(|(name, number)| (name.to_owned(), number.to_string())).into())
}
