//! The regular look at the owners of what waits: it costs API calls, so the timetable asks for it.

use super::work::{Counts, count};
use crate::workflow::{Context, WorkflowError, approvers};

/// One look, counted; what was found is noted for the watchdogs.
pub async fn look(context: &Context) -> Result<Counts, WorkflowError> {
    let found = approvers::look_and_note(context).await?;
    let mut counts = count("waiting", found.waiting);
    counts.extend(count("idle", found.idle));
    Ok(counts)
}
